import json
import time
from collections.abc import Iterator

import pytest

from syncer.core.errors import Denied, Unavailable
from syncer.core.model import Complete, Health, Listed, Unlisted, Unreadable
from syncer.systems.consul.about import AgentInfo, agent_info, authorized, parse_version
from syncer.systems.consul.answers import decode_entries
from syncer.systems.consul.call import Answer
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.reader import ConsulReader
from syncer.systems.consul.transport import Transport
from tests.support.consul_agent import ConsulAgent

ALL = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'


def reader_of(url: str, token: str = "", *, info: AgentInfo | None = None) -> ConsulReader:
    endpoint = Endpoint.at(url, token=token)
    client = ConsulClient(endpoint, Transport(endpoint, read_timeout=2))
    return ConsulReader(client, "dc1", completeness=Completeness(client, info))


@pytest.fixture(scope="module")
def reader(agent: ConsulAgent) -> ConsulReader:
    return reader_of(agent.http_url)


def ids(read: object) -> list[str]:
    assert isinstance(read, Complete), read
    return [instance.id for instance in read.instances]


# --- Reading ---


def test_the_registry_is_named_after_its_datacenter(reader: ConsulReader) -> None:
    assert reader.id == "consul/dc1"
    assert reader.parallel == 8


def test_a_service_is_read_with_everything(agent: ConsulAgent, reader: ConsulReader, service: str) -> None:
    agent.register(service, f"{service}-1", "10.0.0.1", 8080, tags=["b", "a"], meta={"team": "x"})
    agent.register(service, f"{service}-2", "10.0.0.2", 0, status="critical")
    read = reader.read(service)
    assert isinstance(read, Complete)
    first, second = read.instances
    assert (first.id, first.ipv4, first.port, first.tags) == (
        f"outside/{service}-1",
        "10.0.0.1",
        8080,
        ("a", "b"),
    )
    assert dict(first.attributes) == {"team": "x"}
    assert (first.health, second.health, second.port) == (Health.PASSING, Health.CRITICAL, None)


def test_what_does_not_exist_is_complete_and_empty(reader: ConsulReader) -> None:
    assert reader.read("nothing-like-it", fresh=True) == Complete("nothing-like-it", ())


def test_names_that_differ_by_case_are_different_services(
    agent: ConsulAgent, reader: ConsulReader, service: str
) -> None:
    agent.register(service, f"{service}-lower", "10.0.0.1", 80)
    agent.register(service.upper(), f"{service}-upper", "10.0.0.2", 80)
    assert ids(reader.read(service)) == [f"outside/{service}-lower"]
    assert ids(reader.read(service.upper())) == [f"outside/{service}-upper"]


def test_the_health_of_the_node_and_maintenance_count(
    agent: ConsulAgent, reader: ConsulReader, service: str
) -> None:
    node = {"Node": f"node-{service}", "Address": "192.0.2.1"}
    check = {"Node": node["Node"], "CheckID": "disk", "Name": "disk", "Status": "critical"}
    agent.register(service, f"{service}-1", "10.0.0.1", 80, node=node["Node"])
    agent.call("PUT", "/v1/catalog/register", {**node, "Check": check})
    agent.agent_register(service, f"{service}-2", "10.0.0.2", 80)
    agent.call("PUT", f"/v1/agent/service/maintenance/{service}-2?enable=true")
    read = reader.read(service)
    assert isinstance(read, Complete)
    assert {instance.health for instance in read.instances} == {Health.CRITICAL}
    assert len(read.instances) == 2
    agent.deregister(f"{service}-2")


def test_the_list_has_all_but_consul(agent: ConsulAgent, reader: ConsulReader, service: str) -> None:
    agent.register(service, f"{service}-1", "10.0.0.1", 80)
    listed = reader.services()
    assert isinstance(listed, Listed)
    assert service in listed.names
    assert "consul" not in listed.names


# --- What is no complete answer ---


def test_an_agent_that_is_away_or_hangs_makes_nothing_empty() -> None:
    with ConsulAgent() as agent:
        agent.register("web", "web-1", "10.0.0.1", 80)
        reader = reader_of(agent.http_url)
        assert ids(reader.read("web")) == ["outside/web-1"]
        assert isinstance(reader.services(), Listed)
        agent.pause()
        time.sleep(0.1)  # a signal takes its time
        hung = reader.read("web")
        agent.resume()
        assert isinstance(hung, Unreadable)
        assert hung.code == "timeout"
        agent.kill()
        assert isinstance(reader.read("web"), Unreadable)
        assert isinstance(reader.services(), Unlisted)
        agent.start()
        # Its memory is gone with it: that is the truth now, and the guard's business.
        assert ids(reader.read("web")) == []
        assert isinstance(reader.services(), Listed)


def answer(**headers: object) -> Answer[object]:
    fields = {
        "index": 5,
        "filtered": False,
        "known_leader": True,
        "last_contact": 0.0,
        "digest": 0.0,
        **headers,
    }
    return Answer([], **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"filtered": True}, "Filtered-By-ACLs"),
        ({"known_leader": False}, "knows no leader"),
        ({"last_contact": 3600.0}, "3600 s ago"),
        ({}, None),
    ],
)
def test_headers_tell_what_is_not_complete(
    client: ConsulClient, headers: dict[str, object], reason: str | None
) -> None:
    judge = Completeness(client, AgentInfo("dc1", (1, 15), acls=True))
    problem = judge.problem("web", answer(**headers))  # type: ignore[arg-type]  # an empty list of anything
    assert problem is None if reason is None else reason in (problem or "")


# --- A token that sees a part ---


@pytest.fixture(scope="module")
def guarded() -> Iterator[ConsulAgent]:
    with ConsulAgent(acl=True) as running:
        for number in (1, 2):
            running.register("web", f"web-{number}", f"10.0.0.{number}", 80, node=f"host-{number}")
        running.register("api", "api-1", "10.0.0.3", 80, node="host-1")
        yield running


def test_a_token_that_loses_a_service_makes_it_unreadable(guarded: ConsulAgent) -> None:
    token = guarded.create_token(ALL)
    reader = reader_of(guarded.http_url, token)
    assert len(ids(reader.read("web"))) == 2
    listed = reader.services()
    assert isinstance(listed, Listed)
    assert listed.names >= {"web", "api"}
    narrow(guarded, token, 'service "api" { policy = "read" } node_prefix "" { policy = "read" }')
    lost = reader.read("web")
    assert isinstance(lost, Unreadable)
    assert 'service "web"' in lost.reason
    assert ids(reader.read("api")) == ["host-1/api-1"]
    assert isinstance(reader.services(), Unlisted)


def test_a_token_that_loses_a_node_makes_its_services_unreadable(guarded: ConsulAgent) -> None:
    token = guarded.create_token(ALL)
    reader = reader_of(guarded.http_url, token)
    assert len(ids(reader.read("web"))) == 2
    rights = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" } node "host-2" { policy = "deny" }'
    narrow(guarded, token, rights)
    lost = reader.read("web")
    assert isinstance(lost, Unreadable)
    assert 'node "host-2"' in lost.reason


def test_an_instance_that_really_went_is_believed(guarded: ConsulAgent) -> None:
    reader = reader_of(guarded.http_url, guarded.create_token(ALL))
    guarded.register("gone", "gone-1", "10.0.0.4", 80, node="host-1")
    guarded.register("gone", "gone-2", "10.0.0.5", 80, node="host-2")
    assert len(ids(reader.read("gone"))) == 2
    guarded.deregister("gone-2")
    assert ids(reader.read("gone")) == ["host-1/gone-1"]
    guarded.deregister("gone-1")
    assert ids(reader.read("gone")) == []


@pytest.mark.parametrize(
    "rights",
    [
        pytest.param('node_prefix "" { policy = "read" }', id="no-service"),
        pytest.param('service_prefix "" { policy = "read" }', id="no-node"),
        pytest.param(
            'service_prefix "" { policy = "read" } node "host-1" { policy = "read" }', id="some-nodes"
        ),
    ],
)
def test_a_first_read_with_too_few_rights_is_not_complete(guarded: ConsulAgent, rights: str) -> None:
    reader = reader_of(guarded.http_url, guarded.create_token(rights))
    assert isinstance(reader.read("web"), Unreadable)


def test_what_does_not_exist_is_empty_for_a_token_that_would_see_it(guarded: ConsulAgent) -> None:
    reader = reader_of(guarded.http_url, guarded.create_token(ALL))
    assert ids(reader.read("no-such-service")) == []


def test_a_token_that_is_no_token_reads_nothing(guarded: ConsulAgent) -> None:
    reader = reader_of(guarded.http_url, "11111111-2222-3333-4444-555555555555")
    read = reader.read("web")
    assert isinstance(read, Unreadable)
    assert read.code == "403"


def narrow(agent: ConsulAgent, token: str, rules: str) -> None:
    """Replace what the policy of *token* allows."""
    name = next(
        item["Policies"][0]["Name"]
        for accessor in agent.call("GET", "/v1/acl/tokens")
        if (item := agent.call("GET", f"/v1/acl/token/{accessor['AccessorID']}"))["SecretID"] == token
    )
    policy = next(item for item in agent.call("GET", "/v1/acl/policies") if item["Name"] == name)
    agent.call("PUT", f"/v1/acl/policy/{policy['ID']}", {"Name": name, "Rules": rules})


# --- What an agent says of itself ---


def client_of(url: str, token: str = "", **scope: str) -> ConsulClient:
    endpoint = Endpoint.at(url, token=token, **scope)
    return ConsulClient(endpoint, Transport(endpoint, read_timeout=2))


def test_an_agent_says_what_it_is(agent: ConsulAgent) -> None:
    info = agent_info(client_of(agent.http_url))
    assert info.datacenter == "dc1"
    assert info.version >= (1, 8)
    assert info.acls is False
    assert info.connection_limit == 200
    assert info.transaction_operations in {64, 128}


def test_a_token_without_a_right_on_the_agent_learns_it_from_the_catalogue(guarded: ConsulAgent) -> None:
    info = agent_info(client_of(guarded.http_url, guarded.create_token(ALL)))
    assert info.datacenter == "dc1"
    assert info.version >= (1, 8)
    assert info.acls is True
    assert info.connection_limit is None


def test_a_token_that_sees_nothing_needs_a_datacenter_from_the_settings(guarded: ConsulAgent) -> None:
    token = guarded.create_token('key "x" { policy = "read" }')
    with pytest.raises(Denied, match="configured"):
        agent_info(client_of(guarded.http_url, token))
    assert agent_info(client_of(guarded.http_url, token, datacenter="dc1")).datacenter == "dc1"


def test_rights_are_asked_for_in_one_call(agent: ConsulAgent, guarded: ConsulAgent) -> None:
    rights = [("service", "web"), ("node", "")]
    assert authorized(client_of(agent.http_url), rights) is None
    token = guarded.create_token('service_prefix "" { policy = "read" }')
    assert authorized(client_of(guarded.http_url, token), rights) == {
        ("service", "web"): True,
        ("node", ""): False,
    }


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        agent_info(client_of("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("text", "version"),
    [("1.8.7", (1, 8, 7)), ("v1.21.0+ent", (1, 21, 0)), ("1.15.0-dev", (1, 15, 0)), ("", ())],
)
def test_versions_are_compared_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_what_a_version_can() -> None:
    old, new = AgentInfo("dc1", (1, 9, 17), acls=True), AgentInfo("dc1", (1, 21, 0), acls=True)
    assert (old.says_filtered, old.transactions_carry_all, old.transaction_operations) == (False, False, 64)
    assert (new.says_filtered, new.transactions_carry_all, new.transaction_operations) == (True, True, 128)


def test_null_lists_and_maps_are_empty_ones() -> None:
    body = [
        {
            "Node": {"Node": "n", "Meta": None},
            "Service": {"ID": "a", "Service": "a", "Tags": None},
            "Checks": None,
        }
    ]
    assert decode_entries(json.dumps(body).encode())
    assert decode_entries(b"null") is None
