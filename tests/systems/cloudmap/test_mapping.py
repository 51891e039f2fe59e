"""Instances to attributes and back: the identity, within Cloud Map's own limits."""

import string
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.carrier import fit
from syncer.core.errors import Refused
from syncer.core.model import Health, Instance, Mark
from syncer.systems.cloudmap.carrier import carrier, name_problem
from syncer.systems.cloudmap.mapping import (
    description,
    from_health,
    from_instance,
    owner_of,
    to_health,
    to_info,
    to_instance,
)
from syncer.systems.cloudmap.marks import encode
from syncer.systems.cloudmap.namespaces import Namespace
from tests.emulator.attributes import check_attributes
from tests.emulator.shapes import checker

PRIVATE = Namespace("ns-1", "", "corp.internal", "corp.internal", "DNS_PRIVATE")
HTTP = Namespace("ns-2", "", "api", "api", "HTTP")

words = st.text(string.ascii_letters + string.digits + "-_./", min_size=1, max_size=60)
anything = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
marks = st.builds(
    Mark,
    owner=words,
    origin=words.map(lambda text: f"consul/{text}"),
    service=anything,
    instance=anything,
    chain=st.lists(words, max_size=3).map(tuple),
)
instances = st.builds(
    Instance,
    service=st.just("web"),
    id=st.just("i1"),
    ipv4=st.none() | st.ip_addresses(v=4).map(str),
    ipv6=st.none() | st.ip_addresses(v=6).map(str),
    hostname=st.none() | st.just("db.example.com"),
    port=st.none() | st.integers(1, 65535),
    health=st.sampled_from([Health.PASSING, Health.CRITICAL]),
    tags=st.frozensets(anything, max_size=12).map(lambda tags: tuple(sorted(tags))),
    attributes=st.dictionaries(anything, st.text(max_size=300), max_size=40).map(MappingProxyType),
    mark=marks,
)


@given(instances)
def test_what_fits_comes_back_as_it_was(instance: Instance) -> None:
    fitted, _ = fit(instance, carrier(PRIVATE).attributes)
    attributes = from_instance(fitted, health=True)
    assert to_instance("web", "i1", attributes, None) == fitted
    assert to_instance("web", "i1", attributes, from_health(fitted.health)) == fitted


@given(instances)
def test_what_fits_is_within_the_api_s_own_model(instance: Instance) -> None:
    fitted, _ = fit(instance, carrier(PRIVATE).attributes)
    attributes = from_instance(fitted, health=True)
    checker("RegisterInstance")(
        {"ServiceId": "srv-1", "InstanceId": "i1", "Attributes": attributes, "CreatorRequestId": "x"}, "call"
    )


@given(anything, anything)
def test_values_of_marks_stay_different(one: str, other: str) -> None:
    assert (encode(one) == encode(other)) is (one == other)
    assert encode(one).isascii()
    assert encode(one).isprintable()


def test_ordinary_marks_are_written_as_people_would_read_them() -> None:
    instance = Instance("web", "i1", mark=Mark("prod", "consul/dc1", "web", "node-1/web:8080"))
    assert from_instance(instance, health=False) == {
        "sync-owner": "prod",
        "sync-origin": "consul/dc1",
        "sync-service": "web",
        "sync-instance": "node-1/web:8080",
        "external-source": "consul",
    }


def test_a_mark_that_is_too_long_is_refused() -> None:
    instance = Instance("web", "i1", mark=Mark("prod", "consul/dc1", "web", "x" * 1025))
    with pytest.raises(Refused, match="too long"):
        from_instance(instance, health=False)


def test_only_what_is_critical_is_registered_as_unhealthy_and_only_where_it_can_be() -> None:
    for health, settable, expected in [
        (Health.CRITICAL, True, "UNHEALTHY"),
        (Health.CRITICAL, False, None),
        (Health.WARNING, True, None),
        (Health.PASSING, True, None),
    ]:
        attributes = from_instance(Instance("web", "i1", health=health), health=settable)
        assert attributes.get("AWS_INIT_HEALTH_STATUS") == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("HEALTHY", Health.PASSING),
        ("UNKNOWN", Health.PASSING),
        ("UNHEALTHY", Health.CRITICAL),
        (None, Health.PASSING),
    ],
)
def test_what_is_not_unhealthy_passes(status: str | None, expected: Health) -> None:
    assert to_health(status) is expected


def test_the_initial_health_speaks_where_nobody_else_does() -> None:
    assert to_instance("web", "i", {"AWS_INIT_HEALTH_STATUS": "UNHEALTHY"}, None).health is Health.CRITICAL
    assert (
        to_instance("web", "i", {"AWS_INIT_HEALTH_STATUS": "UNHEALTHY"}, "HEALTHY").health is Health.PASSING
    )


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "", "-1", "8 0"])
def test_a_port_that_is_none_is_none(port: str) -> None:
    assert to_instance("web", "i", {"AWS_INSTANCE_PORT": port}, None).port is None


def test_names_are_read_as_hostnames() -> None:
    for key in ("AWS_INSTANCE_CNAME", "AWS_ALIAS_DNS_NAME"):
        found = to_instance("web", "i", {key: "lb.example.com"}, None)
        assert found.addresses == ("lb.example.com",)
    assert to_instance("web", "i", {"AWS_EC2_INSTANCE_ID": "i-0123"}, None).addresses == ()


def test_aws_s_own_attributes_are_not_the_user_s() -> None:
    found = to_instance(
        "web", "i", {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INIT_HEALTH_STATUS": "HEALTHY", "a": "b"}, None
    )
    assert dict(found.attributes) == {"a": "b"}


def test_a_mark_of_its_own_wins_over_the_service_s_description() -> None:
    mine = Mark("prod", "consul/dc1", "web", "x")
    attributes = from_instance(Instance("web", "i", mark=mine), health=False)
    assert to_instance("web", "i", attributes, None, "consul-aws").mark == mine
    assert to_instance("web", "i", {}, None, "consul-aws").mark == Mark("consul-aws", "consul", "web", "i")


def test_a_description_says_who_created_the_service() -> None:
    assert owner_of(description("prod", "consul/dc1")) == "prod"
    assert owner_of("Imported from Consul") == "consul-aws"
    assert [owner_of(text) for text in (None, "", "my service", "owner=prod")] == [None] * 4


def test_a_service_says_its_records_its_shortest_ttl_and_whether_health_can_be_written() -> None:
    records = [{"Type": "A", "TTL": 30}, {"Type": "SRV", "TTL": 20}]
    info = to_info({"Id": "srv-1", "DnsConfig": {"DnsRecords": records}, "HealthCheckCustomConfig": {}})
    assert (info.records, info.ttl, info.health_settable) == (frozenset({"A", "SRV"}), 20, True)
    info = to_info({"Id": "srv-1"})
    assert (info.records, info.ttl, info.health_settable, info.owner) == (frozenset(), None, False, None)


# --- Names -------------------------------------------------------------------------------------------

label = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=64)


@given(st.lists(label, min_size=1, max_size=3).map(".".join))
def test_a_name_that_can_be_carried_in_dns_is_one_that_the_api_s_model_takes(name: str) -> None:
    if name_problem(name, PRIVATE) is None and "_" not in name.split("."):
        _create(name)


def _create(name: str) -> None:
    checker("CreateService")({"Name": name, "NamespaceId": "ns-1", "CreatorRequestId": "x"}, "call")


@pytest.mark.parametrize("name", ["web", "Web-1", "_web._tcp", "a.b", "a", "9", "a_", "x" * 63])
def test_ordinary_names_can_be_carried(name: str) -> None:
    assert name_problem(name, PRIVATE) is None
    assert name_problem(name, HTTP) is None
    _create(name)


@pytest.mark.parametrize("name", ["", "-web", "web-", "a..b", ".a", "a b", "web/1", "ü", "x" * 64, "a" * 128])
def test_names_that_dns_cannot_hold_have_a_problem(name: str) -> None:
    assert name_problem(name, PRIVATE)


def test_a_name_too_long_with_its_namespace_has_a_problem() -> None:
    long = Namespace("ns-1", "", ".".join(["n" * 60] * 3), "n", "DNS_PRIVATE")
    assert name_problem("x" * 60, long) is None
    assert name_problem("x" * 60 + ".yyyyyyyyyyyy", long)


def test_what_a_namespace_can_carry_depends_on_its_type() -> None:
    assert carrier(PRIVATE).unique_address
    assert not carrier(HTTP).unique_address
    assert carrier(HTTP).hostnames
    for namespace in (PRIVATE, HTTP):
        assert carrier(namespace).service_entities
        assert not carrier(namespace).public_addresses


def test_the_most_that_fits_is_within_the_quotas(emulator: Any) -> None:
    instance = Instance(
        "web",
        "i1",
        ipv4="10.0.0.1",
        ipv6="2001:db8::1",
        port=65535,
        health=Health.CRITICAL,
        tags=tuple(sorted(f"tag-{number:04}" for number in range(200))),
        attributes=MappingProxyType({f"key-{number:03}": "v" * 400 for number in range(60)}),
        mark=Mark("o" * 60, "consul/dc1", "s" * 127, "i" * 200, ("cloudmap/ns-0123456789abcdef",)),
    )
    fitted, dropped = fit(instance, carrier(PRIVATE).attributes)
    assert dropped
    service = emulator.seed.service("corp.internal", "web", records={"A": 15, "AAAA": 15, "SRV": 15})
    home = emulator.state.registry("123456789012", emulator.region).services[service]
    check_attributes(home, from_instance(fitted, health=True))
