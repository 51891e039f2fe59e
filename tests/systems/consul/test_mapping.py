import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from syncer.core.errors import Refused
from syncer.core.model import Health, Instance, Mark
from syncer.systems.consul.answers import Entry, decode_entries
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.mapping import (
    node_name,
    to_instance,
    to_registration,
    to_service,
    to_status,
)
from tests.systems.consul.instances import fitted, made


def entry(
    service: dict[str, Any], node: dict[str, Any] | None = None, checks: list[str] | None = None
) -> Entry:
    """Decode an entry as Consul sends it, nulls and all."""
    body = {
        "Node": {"Node": "n1", "Address": "10.9.9.9", "TaggedAddresses": None, "Meta": None, **(node or {})},
        "Service": {"ID": "web-1", "Service": "web", "Tags": None, "Meta": None, "Address": "", **service},
        "Checks": None if checks is None else [{"CheckID": "x", "Status": status} for status in checks],
    }
    found = decode_entries(json.dumps([body]).encode())
    assert found is not None
    return found[0]


def read_back(instance: Instance, prefix: str = "cloudmap-sync") -> Instance:
    registration = to_registration(instance, prefix)
    node = {"Node": registration["Node"], "Address": registration["Address"]}
    return to_instance(entry(registration["Service"], node, [registration["Check"]["Status"]]), prefix)


@given(fitted())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_what_is_registered_reads_back_the_same(instance: Instance) -> None:
    assert read_back(instance) == instance


@given(fitted())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_a_real_agent_takes_every_registration_and_gives_it_back(
    client: ConsulClient, instance: Instance
) -> None:
    registration = to_registration(instance)
    body = json.dumps(registration)
    client.http.put(lambda response: response, "/v1/catalog/register", data=body)
    answer = client.http.fetch(f"/v1/health/service/{instance.service}", decode_entries)
    read = [to_instance(item) for item in answer.value or ()]
    client.catalog.deregister(registration["Node"], service_id=instance.id)
    assert instance in read


@pytest.mark.parametrize(
    ("service", "node", "expected"),
    [
        pytest.param({"Address": "10.0.0.1"}, {}, {"ipv4": "10.0.0.1"}, id="its-own"),
        pytest.param({}, {}, {"ipv4": "10.9.9.9"}, id="its-nodes"),
        pytest.param({"Address": "2001:db8::1"}, {}, {"ipv6": "2001:db8::1"}, id="ipv6"),
        pytest.param({"Address": "db.example.com"}, {}, {"hostname": "db.example.com"}, id="hostname"),
        pytest.param({"Address": "10.0.0.300"}, {}, {"hostname": "10.0.0.300"}, id="no-address-after-all"),
        pytest.param({"Address": ""}, {"Address": ""}, {}, id="none"),
        pytest.param(
            {
                "Address": "10.0.0.1",
                "TaggedAddresses": {"lan": {"Address": "10.0.0.1"}, "wan": {"Address": "10.0.0.1"}},
            },
            {},
            {"ipv4": "10.0.0.1"},
            id="wan-that-says-nothing",
        ),
        pytest.param(
            {"Address": "10.0.0.1", "TaggedAddresses": {"wan": {"Address": "54.0.0.1", "Port": 80}}},
            {},
            {"ipv4": "10.0.0.1", "public_ipv4": "54.0.0.1", "public_port": 80},
            id="wan",
        ),
        pytest.param(
            {
                "Address": "10.0.0.1",
                "Port": 8080,
                "TaggedAddresses": {
                    "wan": {"Address": "54.0.0.1", "Port": 8080},
                    "wan_ipv4": {"Address": "10.0.0.1", "Port": 9090},
                    "wan_ipv6": {"Address": "2001:db8::2", "Port": 70000},
                },
            },
            {},
            {"ipv4": "10.0.0.1", "public_ipv4": "54.0.0.1", "public_ipv6": "2001:db8::2"},
            id="wan-ports-that-say-nothing",
        ),
        pytest.param(
            {
                "Address": "10.0.0.1",
                "TaggedAddresses": {
                    "lan_ipv6": {"Address": "2001:db8::1"},
                    "wan_ipv6": {"Address": "2001:db8::2"},
                    "wan_ipv4": {"Address": "54.0.0.1"},
                },
            },
            {},
            {
                "ipv4": "10.0.0.1",
                "ipv6": "2001:db8::1",
                "public_ipv4": "54.0.0.1",
                "public_ipv6": "2001:db8::2",
            },
            id="both-families",
        ),
        pytest.param(
            {},
            {"TaggedAddresses": {"lan": "10.9.9.9", "wan": "54.0.0.9", "lan_ipv6": "2001:db8::9"}},
            {"ipv4": "10.9.9.9", "ipv6": "2001:db8::9", "public_ipv4": "54.0.0.9"},
            id="its-nodes-tagged-ones",
        ),
        pytest.param(
            {"Address": "10.0.0.1"},
            {"TaggedAddresses": {"wan": "54.0.0.9"}},
            {"ipv4": "10.0.0.1"},
            id="its-nodes-do-not-count-beside-its-own",
        ),
    ],
)
def test_addresses_are_sorted_by_family(
    service: dict[str, Any], node: dict[str, Any], expected: dict[str, str | int]
) -> None:
    found = to_instance(entry(service, node))
    names = ("ipv4", "ipv6", "hostname", "public_ipv4", "public_ipv6", "public_port")
    assert {name: value for name in names if (value := getattr(found, name))} == expected


@pytest.mark.parametrize(
    ("checks", "health"),
    [
        (None, Health.PASSING),
        ([], Health.PASSING),
        (["passing", "passing"], Health.PASSING),
        (["warning", "passing"], Health.WARNING),
        (["critical", "passing"], Health.CRITICAL),
        (["passing", "critical", "warning"], Health.CRITICAL),
        ([""], Health.CRITICAL),
        (["maintenance"], Health.CRITICAL),
        (["odd", "passing"], Health.UNKNOWN),
    ],
)
def test_health_is_the_worst_of_all_checks(checks: list[str] | None, health: Health) -> None:
    assert to_instance(entry({}, checks=checks)).health is health


def test_port_0_is_no_port_and_tags_are_sorted() -> None:
    found = to_instance(entry({"Port": 0, "Tags": ["b", "a", "b"]}))
    assert found.port is None
    assert found.tags == ("a", "b")
    assert found.id == "n1/web-1"


def test_what_is_no_plain_service_says_what_it_is() -> None:
    assert to_instance(entry({"Kind": "connect-proxy"})).kind == "connect-proxy"
    assert to_instance(entry({"Connect": {"Native": True}})).kind == ""


def test_a_users_tag_or_icon_is_no_mark() -> None:
    found = to_instance(entry({"Tags": ["aws"], "Meta": {"external-source": "aws", "team": "x"}}))
    assert found.mark is None
    assert dict(found.attributes) == {"external-source": "aws", "team": "x"}


def test_what_consul_aws_wrote_is_known() -> None:
    meta = {"external-source": "aws", "external-aws-ns": "ns-1", "external-aws-id": "i-7", "team": "x"}
    found = to_instance(entry({"Meta": meta}))
    assert found.mark == Mark("consul-aws", "cloudmap/ns-1", "web", "i-7")
    assert dict(found.attributes) == {"team": "x"}


def test_our_mark_on_somebodys_node_keeps_the_nodes_name_in_the_id() -> None:
    service = to_service(made("web"))
    found = to_instance(entry(service, {"Node": "elsewhere"}))
    assert found.mark == made("web").mark
    assert found.id == f"elsewhere/{made('web').id}"


def test_what_is_written_shows_where_it_comes_from() -> None:
    service = to_service(made("web", public_ipv4="54.0.0.1"))
    assert service["Meta"] == {
        "sync-owner": "us",
        "sync-origin": "cloudmap/ns-1",
        "sync-service": "web",
        "sync-instance": "i-1",
        "external-source": "aws",
        "external-aws-ns": "ns-1",
        "external-aws-id": "i-1",
    }
    assert service["TaggedAddresses"] == {
        "lan": {"Address": "10.1.0.1", "Port": 80},
        "lan_ipv4": {"Address": "10.1.0.1", "Port": 80},
        "wan": {"Address": "54.0.0.1", "Port": 80},
        "wan_ipv4": {"Address": "54.0.0.1", "Port": 80},
    }


def test_a_public_address_that_is_the_only_one_stays_public() -> None:
    instance = made("web", ipv4="54.0.0.1", public_ipv4="54.0.0.1")
    assert read_back(instance) == instance


def test_health_that_is_not_known_is_not_held_against_an_instance() -> None:
    assert to_status(Health.UNKNOWN) == "passing"


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(Refused, match="no mark"):
        to_registration(made("web", mark=None))
    with pytest.raises(Refused, match="no address"):
        to_registration(made("web", ipv4=None))
    with pytest.raises(Refused, match="too long"):
        to_registration(made("web", mark=Mark("us", "o", "s", "i" * 9000)))


def test_each_origin_has_a_node_of_its_own() -> None:
    assert node_name("cloudmap-sync", "cloudmap/ns-1") == "cloudmap-sync-cloudmap-ns-1"
    assert node_name("p" * 63, "cloudmap/ns-1") != node_name("p" * 63, "cloudmap/ns-2")
    long = [node_name("cloudmap-sync", f"cloudmap/{'x' * 80}{end}") for end in "ab"]
    assert long[0] != long[1]
    assert all(len(name) <= 63 for name in long)
