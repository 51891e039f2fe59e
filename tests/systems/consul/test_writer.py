import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Self

import pytest

from syncer.core.errors import Denied, Refused, SyncError, Unavailable
from syncer.core.model import Complete, Health, Instance, Mark, ServiceInfo
from syncer.core.plan import Change, DeleteService, Deregister, Register, SetHealth, Update
from syncer.core.ports import Ending, Outcome
from syncer.systems.consul.about import AgentInfo
from syncer.systems.consul.call import Call
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.jobs import Job, Wish
from syncer.systems.consul.mapping import node_name
from syncer.systems.consul.reader import ConsulReader
from syncer.systems.consul.transport import Transport
from syncer.systems.consul.writer import Batching, ConsulWriter
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually
from tests.systems.consul.instances import ORIGIN, made


class Writing:
    """A writer with a reader beside it, and what became of its changes."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        batching: Batching | None = None,
        parallel: int = 4,
        timeout: float = 5,
    ) -> None:
        self.calls: list[Call] = []
        self.outcomes: list[Outcome] = []
        endpoint = Endpoint.at(url, token=token)
        transport = Transport(endpoint, connections=parallel, read_timeout=timeout, on_call=self.calls.append)
        client = ConsulClient(endpoint, transport)
        self.writer = ConsulWriter(client, parallel=parallel, batching=batching)
        self.reader = ConsulReader(ConsulClient(endpoint, Transport(endpoint)), "dc1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close(5)

    def submit(self, *changes: Change) -> None:
        self.writer.submit(changes, self.outcomes.append)

    def write(self, *changes: Change) -> list[Ending]:
        """Submit *changes* and wait for the end of all so far."""
        wanted = len(self.outcomes) + len(changes)
        self.submit(*changes)
        eventually(lambda: len(self.outcomes) == wanted, 60, "all changes have ended")
        ended = {id(outcome.change): outcome.ending for outcome in self.outcomes}
        return [ended[id(change)] for change in changes]

    def read(self, service: str) -> tuple[Instance, ...]:
        read = self.reader.read(service)
        assert isinstance(read, Complete), read
        return read.instances

    @property
    def errors(self) -> list[SyncError]:
        return [outcome.error for outcome in self.outcomes if outcome.error]

    def count(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.calls)


SINGLY, TOGETHER = Batching(), Batching(64)


@pytest.fixture(params=[pytest.param(SINGLY, id="singly"), pytest.param(TOGETHER, id="in-transactions")])
def writing(agent: ConsulAgent, request: pytest.FixtureRequest) -> Iterator[Writing]:
    with Writing(agent.http_url, batching=request.param) as running:
        yield running


def test_an_instance_comes_changes_and_goes(writing: Writing, service: str) -> None:
    first = made(service, tags=("a",))
    assert writing.write(Register(first)) == [Ending.DONE]
    assert writing.read(service) == (first,)
    moved = replace(first, ipv4="10.2.2.2", port=None, tags=())
    assert writing.write(Update(first, moved)) == [Ending.DONE]
    assert writing.read(service) == (moved,)
    ill = replace(moved, health=Health.CRITICAL)
    assert writing.write(SetHealth(moved.health, ill)) == [Ending.DONE]
    assert writing.read(service) == (ill,)
    assert writing.write(Deregister(ill)) == [Ending.DONE]
    assert writing.read(service) == ()
    assert writing.write(Deregister(ill)) == [Ending.DONE]


def test_many_at_once_all_arrive(writing: Writing, service: str) -> None:
    instances = [made(service, number) for number in range(150)]
    assert set(writing.write(*map(Register, instances))) == {Ending.DONE}
    assert sorted(writing.read(service), key=lambda item: item.id) == [
        replace(item) for item in sorted(instances, key=lambda item: item.id)
    ]
    assert set(writing.write(*map(Deregister, instances))) == {Ending.DONE}
    assert writing.read(service) == ()


def test_one_bad_change_stops_no_other(writing: Writing, service: str) -> None:
    good = [made(service, number) for number in range(20)]
    bad = made(service, 99, ipv4="0.0.0.0")
    unmarked = made(service, 98, mark=None)
    endless = made(service, 97, mark=Mark("us", ORIGIN, service, "i" * 9000))
    endings = writing.write(*map(Register, [*good[:10], bad, unmarked, endless, *good[10:]]))
    assert endings.count(Ending.DONE) == 20
    assert endings[10:13] == [Ending.FAILED] * 3
    assert {type(error) for error in writing.errors} == {Refused}
    assert len(writing.read(service)) == 20


def test_what_is_refused_is_not_tried_again(agent: ConsulAgent, service: str) -> None:
    with Writing(agent.http_url) as writing:
        writing.write(Register(made(service, ipv4="0.0.0.0")))
        assert writing.count("PUT catalog/register") == 1


def test_transactions_hold_what_their_limits_allow(agent: ConsulAgent, service: str) -> None:
    with Writing(agent.http_url, batching=Batching(64), parallel=1) as writing:
        writing.write(*(Register(made(service, number)) for number in range(200)))
        assert writing.count("PUT txn") <= 9
        assert writing.count("PUT catalog/register") <= 3  # the node, and what came alone
    with Writing(agent.http_url, batching=Batching(64, size=2000), parallel=1) as writing:
        assert set(writing.write(*(Register(made(service, number)) for number in range(20)))) == {Ending.DONE}
        assert writing.count("PUT txn") >= 5


def test_transactions_are_used_where_they_carry_everything() -> None:
    assert Batching.of(None) == Batching.of(AgentInfo("dc1", (1, 20, 9), acls=None)) == Batching(1)
    assert Batching.of(AgentInfo("dc1", (1, 21), acls=None)).operations == 128


def test_the_node_is_no_host_and_stays_as_it_is(agent: ConsulAgent, writing: Writing, service: str) -> None:
    origin = f"cloudmap/{service}"
    path = f"/v1/catalog/node/{node_name('cloudmap-sync', origin)}"
    writing.write(Register(made(service, origin=origin)))
    node = agent.call("GET", path)["Node"]
    assert (node["Address"], node["Meta"]) == ("192.0.2.1", {"external-node": "true"})
    agent.call("PUT", "/v1/catalog/register", {"Node": node["Node"], "Address": "192.0.2.77"})
    writing.write(Register(made(service, 2, origin=origin)))
    assert agent.call("GET", path)["Node"]["Address"] == "192.0.2.77"


def test_a_real_agents_node_is_never_written_to(agent: ConsulAgent, service: str) -> None:
    """A prefix that leads to the agent's own name: its anti-entropy would remove everything again."""
    node = node_name("real", ORIGIN)
    check = {"Node": node, "CheckID": "serfHealth", "Name": "Serf", "Status": "passing"}
    agent.call("PUT", "/v1/catalog/register", {"Node": node, "Address": "192.0.2.9", "Check": check})
    endpoint = Endpoint.at(agent.http_url)
    outcomes: list[Outcome] = []
    writer = ConsulWriter(ConsulClient(endpoint, Transport(endpoint)), node_prefix="real", parallel=1)
    writer.submit([Register(made(service))], outcomes.append)
    eventually(lambda: outcomes)
    writer.close(2)
    assert isinstance(outcomes[0].error, Refused)
    assert agent.catalog(service) == []
    agent.call("PUT", "/v1/catalog/deregister", {"Node": node})


def test_health_alone_needs_its_instance(writing: Writing, service: str) -> None:
    instance = made(service, health=Health.CRITICAL)
    assert writing.write(Register(made(service, 2)), SetHealth(Health.PASSING, instance)) == [
        Ending.DONE,
        Ending.FAILED,
    ]
    assert [item.id for item in writing.read(service)] == [made(service, 2).id]


def test_services_are_nothing_apart_from_their_instances(writing: Writing, service: str) -> None:
    assert writing.write(DeleteService(service, ServiceInfo())) == [Ending.DONE]


def test_an_empty_node_can_be_removed_and_a_full_one_cannot(agent: ConsulAgent, service: str) -> None:
    origin = "cloudmap/ns-empty"
    instance = made(service, origin=origin)
    with Writing(agent.http_url) as writing:
        assert writing.writer.remove_node_if_empty(origin)
        writing.write(Register(instance))
        assert not writing.writer.remove_node_if_empty(origin)
        writing.write(Deregister(instance))
        assert writing.writer.remove_node_if_empty(origin)
        nodes = {item["Node"] for item in agent.call("GET", "/v1/catalog/nodes")}
        assert node_name("cloudmap-sync", origin) not in nodes
        assert writing.write(Register(instance)) == [Ending.DONE]


# --- The latest wish ---


def paused(agent: ConsulAgent, writing: Writing, *changes: Sequence[Change]) -> None:
    """Submit each of *changes* while the agent hangs, so that the first is under way when the others come."""
    agent.pause()
    time.sleep(0.1)  # a signal takes its time
    try:
        for some in changes:
            writing.submit(*some)
            time.sleep(0.1)
    finally:
        agent.resume()
    eventually(lambda: len(writing.outcomes) == sum(map(len, changes)), 60, "all changes have ended")


def test_the_latest_wish_wins_and_the_one_between_is_not_begun(service: str) -> None:
    with ConsulAgent() as agent, Writing(agent.http_url) as writing:
        one, two, three = (made(service, port=port) for port in (1, 2, 3))
        paused(agent, writing, [Register(one)], [Update(one, two)], [Update(two, three)])
        assert writing.read(service) == (three,)
        assert {instance_of(outcome).port: outcome.ending for outcome in writing.outcomes} == {
            1: Ending.DONE,
            2: Ending.SUPERSEDED,
            3: Ending.DONE,
        }
        writing.outcomes.clear()
        four = replace(three, port=4, health=Health.CRITICAL)
        paused(
            agent,
            writing,
            [Register(three)],
            [Update(three, replace(four, health=Health.PASSING))],
            [SetHealth(Health.PASSING, four)],
        )
        assert writing.read(service) == (four,), "a new health takes the update before it along"
        assert {outcome.ending for outcome in writing.outcomes} == {Ending.DONE}


def instance_of(outcome: Outcome) -> Instance:
    assert isinstance(outcome.change, Register | Update)
    return outcome.change.instance


def test_what_a_health_takes_along() -> None:
    def wish(change: Change) -> Wish:
        assert isinstance(change, Register | Update | SetHealth | Deregister)
        return Wish((Job(change, lambda _: None),))

    item = made("web")
    health = wish(SetHealth(Health.PASSING, item))
    assert health.takes_along(wish(Update(item, item)))
    assert not health.takes_along(wish(Deregister(item)))
    assert not wish(Update(item, item)).takes_along(health)


# --- Failures ---


def test_a_short_outage_is_waited_out(service: str) -> None:
    with ConsulAgent(persist=True) as agent, Writing(agent.http_url) as writing:
        writing.write(Register(made(service)))
        agent.kill()
        writing.submit(Register(made(service, 2)))
        agent.start()
        eventually(lambda: len(writing.outcomes) == 2, 60, "the change has ended")
        assert writing.write(Register(made(service, 2))) == [Ending.DONE]
        assert len(writing.read(service)) == 2


def test_while_consul_is_away_everything_fails_soon_and_works_again_afterwards(service: str) -> None:
    with ConsulAgent() as agent, Writing(agent.http_url) as writing:
        agent.kill()
        endings = writing.write(*(Register(made(service, number)) for number in range(500)))
        assert set(endings) == {Ending.FAILED}
        assert {type(error) for error in writing.errors} == {Unavailable}
        assert writing.write(Register(made(service))) == [Ending.FAILED]
        agent.start()
        assert set(writing.write(*(Register(made(service, number)) for number in range(5)))) == {Ending.DONE}


def test_closing_abandons_what_waits_and_what_hangs(service: str) -> None:
    with ConsulAgent() as agent:
        writing = Writing(agent.http_url, parallel=2, timeout=90)
        agent.pause()
        time.sleep(0.1)  # a signal takes its time
        writing.submit(*(Register(made(service, number)) for number in range(50)))
        time.sleep(0.1)
        started = time.monotonic()
        writing.writer.close(0.5)
        assert time.monotonic() - started < 60
        assert [outcome.ending for outcome in writing.outcomes] == [Ending.ABANDONED] * 50
        agent.resume()
        writing.submit(Register(made(service)))
        assert len(writing.outcomes) == 51
        assert writing.outcomes[-1].ending is Ending.ABANDONED
        time.sleep(0.3)
        assert len(writing.outcomes) == 51, "each end is reported once"


def test_a_fault_in_a_callback_ends_no_thread(agent: ConsulAgent, service: str) -> None:
    with Writing(agent.http_url, parallel=1) as writing:
        heard = threading.Event()

        def broken(_: Outcome) -> None:
            heard.set()
            raise RuntimeError("not ours")

        writing.writer.submit([Register(made(service))], broken)
        assert heard.wait(60)
        assert writing.write(Register(made(service, 2))) == [Ending.DONE]


POLICY = """
node_prefix "cloudmap-sync" { policy = "write" }
node_prefix "" { policy = "read" }
service_prefix "" { policy = "write" }
"""


@pytest.mark.parametrize("batching", [SINGLY, TOGETHER], ids=["singly", "in-transactions"])
def test_rights_decide_and_a_lacking_one_is_denied(batching: Batching, service: str) -> None:
    with ConsulAgent(acl=True) as agent:
        full = agent.create_token(POLICY)
        with Writing(agent.http_url, token=full, batching=batching) as writing:
            assert writing.write(Register(made(service))) == [Ending.DONE]
            assert writing.read(service) == (made(service),)
        fewer = agent.create_token(
            f'service "{service}" {{ policy = "write" }} node_prefix "" {{ policy = "read" }}'
        )
        with Writing(agent.http_url, token=fewer, batching=batching) as writing:
            good, bad = Register(made(service, 2)), Register(made("other"))
            assert writing.write(good, bad) == [Ending.DONE, Ending.FAILED], "the node is there already"
            assert isinstance(writing.errors[0], Denied)
            gone = Deregister(made(service, 2))
            assert writing.write(gone) == [Ending.DONE]
            assert writing.write(gone) == [Ending.DONE], (
                "an unknown service is gone, with and without node:write"
            )
