import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from syncer.core.model import Complete, Health
from syncer.core.ports import Hint
from syncer.systems.consul.call import Call
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.transport import Transport
from syncer.systems.consul.watch import ConsulWatch
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually


class Watched:
    """What a running watch has told."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.hints: list[Hint] = []
        self.reads: list[Complete] = []
        self.calls: list[Call] = []

    @property
    def named(self) -> set[str]:
        """The services that were hinted or read."""
        return {name for hint in self.hints for name in hint.services or ()} | {
            read.service for read in self.reads
        }

    @property
    def resets(self) -> int:
        return sum(hint.services is None for hint in self.hints)

    def until(self, services: set[str], what: str = "a change") -> None:
        """Wait until all *services* were named."""
        eventually(lambda: self.named >= services, 60, f"{what} is noticed")

    def clear(self) -> None:
        """Forget all once nothing more comes."""
        seen = -1
        while seen != len(self.hints) + len(self.reads):
            seen = len(self.hints) + len(self.reads)
            time.sleep(0.1)
        self.hints.clear()
        self.reads.clear()
        self.calls.clear()

    def blocked(self) -> int:
        return sum(call.blocking for call in self.calls)


@contextmanager
def watching(agent: ConsulAgent, *, token: str = "", **options: Any) -> Iterator[Watched]:
    watched = Watched()
    endpoint = Endpoint.at(agent.http_url, token=token)
    completeness = Completeness(ConsulClient(endpoint, Transport(endpoint)))
    watch = ConsulWatch(endpoint, completeness=completeness, on_call=watched.calls.append, **options)
    thread = threading.Thread(
        target=watch.run, args=(watched.hints.append, watched.reads.append, watched.stop), daemon=True
    )
    thread.start()
    try:
        eventually(lambda: watched.resets == 1, 60, "the watch has its first answers")
        watched.clear()
        yield watched
    finally:
        started = time.monotonic()
        watched.stop.set()
        thread.join(60)
        assert not thread.is_alive()
        assert time.monotonic() - started < 30


@pytest.fixture
def populated() -> Iterator[ConsulAgent]:
    """An agent with services in motion and at rest; each with an instance with a check and one without."""
    with ConsulAgent() as running:
        for name in ("api", "db", "web"):
            running.register(name, f"{name}-1", "10.0.0.1", 80, node="host-1", meta={"v": "1"}, tags=["a"])
            running.register(name, f"{name}-2", "10.0.0.2", 80, node="host-2", status=None, tags=["a"])
        yield running


Change = Callable[[ConsulAgent], None]


def register(instance: str, node: str, port: int = 80, **others: Any) -> Change:
    service = instance.partition("-")[0]
    return lambda agent: agent.register(service, instance, "10.0.0.1", port, node=node, **others)


def node_check(status: str) -> Change:
    check = {"Node": "host-1", "CheckID": "disk", "Name": "disk", "Status": status}
    body = {"Node": "host-1", "Address": "192.0.2.1", "SkipNodeUpdate": True, "Check": check}
    return lambda agent: agent.call("PUT", "/v1/catalog/register", body)


# In order: each starts from what those before it left.
CHANGES: list[tuple[str, Change, set[str]]] = [
    ("new-instance-with-a-check", register("web-3", "host-3"), {"web"}),
    ("meta-of-an-instance-with-a-check", register("web-1", "host-1", meta={"v": "2"}, tags=["a"]), {"web"}),
    ("port-of-an-instance-with-a-check", register("web-3", "host-3", port=81), {"web"}),
    ("tags-of-one-of-several-instances", register("web-3", "host-3", port=81, tags=["a"]), {"web"}),
    ("check-turns-critical", lambda agent: agent.set_check("web-1", "critical"), {"web"}),
    ("check-turns-passing", lambda agent: agent.set_check("web-1", "passing"), {"web"}),
    ("new-instance-without-a-check", register("web-4", "host-3", status=None), {"web"}),
    (
        "meta-of-an-instance-without-a-check",
        register("web-4", "host-3", status=None, meta={"v": "3"}),
        {"web"},
    ),
    ("deregistration-without-a-check", lambda agent: agent.deregister("web-4"), {"web"}),
    ("deregistration-with-a-check", lambda agent: agent.deregister("web-3"), {"web"}),
    ("new-service", register("fresh-1", "host-3"), {"fresh"}),
    ("service-that-goes", lambda agent: agent.deregister("fresh-1"), {"fresh"}),
    ("health-of-a-node", node_check("critical"), {"api", "db", "web"}),
    ("health-of-a-node-again", node_check("passing"), {"api", "db", "web"}),
]


@pytest.mark.parametrize(
    "narrow",
    [pytest.param(0, id="wide-only"), pytest.param(1, id="one-narrow"), pytest.param(64, id="narrow")],
)
def test_every_change_names_its_service_and_no_other(populated: ConsulAgent, narrow: int) -> None:
    """Each row of what can change in Consul, noticed with and without narrow watches."""
    with watching(populated, narrow=narrow) as watched:
        for label, change, expected in CHANGES:
            change(populated)
            watched.until(expected, label)
            assert settled(watched) == expected, label
        assert watched.resets == 0


def settled(watched: Watched) -> set[str]:
    """Return all that was named, once nothing more comes."""
    time.sleep(0.1)
    named = watched.named
    watched.clear()
    return named


def test_what_changes_no_content_names_nobody(populated: ConsulAgent) -> None:
    same = register("web-1", "host-1", meta={"v": "2"}, tags=["a"])
    with watching(populated, narrow=0) as watched:
        same(populated)
        watched.until({"web"})
        watched.clear()
        same(populated)  # wakes the watch on health: Consul rewrites the check
        populated.set_check("web-1", "passing", output="another text")
        time.sleep(0.5)
        assert watched.named == set()
        assert watched.blocked() >= 1, "it was woken"
    with watching(populated, narrow=64) as watched:
        populated.set_check("web-1", "passing", output="and another")
        time.sleep(0.5)
        assert watched.named == set()


def test_narrow_watches_read_what_they_notice(populated: ConsulAgent) -> None:
    with watching(populated, narrow=64) as watched:
        populated.set_check("web-1", "critical")
        eventually(lambda: watched.reads, 60, "the service was read")
        time.sleep(0.7)
        assert watched.hints == [], "what a narrow watch reads is nobody else's to read"
        healths = {instance.id: instance.health for instance in watched.reads[-1].instances}
        assert healths["host-1/web-1"] is Health.CRITICAL
        populated.set_check("web-1", "passing")


def test_the_service_that_changed_last_has_the_narrow_watch(populated: ConsulAgent) -> None:
    with watching(populated, narrow=1) as watched:
        for name in ("api", "db", "web"):
            populated.set_check(f"{name}-1", "critical")
            watched.until({name})
            watched.clear()
            populated.set_check(f"{name}-1", "passing")
            eventually(lambda: watched.reads, 60, "it is followed closely now")
            watched.clear()


def test_without_changes_nothing_is_asked(populated: ConsulAgent) -> None:
    with watching(populated, narrow=64) as watched:
        time.sleep(1.5)
        assert watched.calls == []


def test_waits_that_end_without_a_change_name_nobody(populated: ConsulAgent) -> None:
    with watching(populated, narrow=2, wait=0.3) as watched:
        eventually(lambda: watched.blocked() > 6, 60, "several waits have ended")
        assert watched.named == set()
        assert watched.resets == 0
        populated.set_check("db-1", "critical")
        eventually(lambda: "db" in watched.named)
        populated.set_check("db-1", "passing")


def test_the_connections_do_not_grow_with_the_services() -> None:
    with ConsulAgent(config={"limits": {"http_max_conns_per_client": 24}}) as agent:
        for number in range(40):
            agent.register(f"s{number}", f"s{number}-1", "10.0.0.1", 80)
        with watching(agent, narrow=4) as watched:
            for number in range(40):
                agent.set_check(f"s{number}-1", "critical")
            eventually(lambda: len(watched.named) == 40, 60, "all are noticed")
            assert not [call for call in watched.calls if call.error]


def test_under_steady_change_nothing_is_missed_and_the_wide_watches_are_paced() -> None:
    with ConsulAgent() as agent:
        for number in range(60):
            agent.register(
                f"s{number}", f"s{number}-1", "10.0.0.1", 80, status="passing" if number % 2 else None
            )
        with watching(agent, narrow=4) as watched:
            for number in range(60):
                status = "passing" if number % 2 else None
                agent.register(f"s{number}", f"s{number}-1", "10.0.0.1", 80, status=status, meta={"v": "2"})
            eventually(
                lambda: len(watched.named) == 60, 60, "all are noticed, also those that no difference names"
            )


# --- Outages ---


def test_after_an_outage_everything_is_hinted_once_and_changes_are_noticed_again() -> None:
    with ConsulAgent(persist=True) as agent:
        for name in ("api", "web"):
            agent.register(name, f"{name}-1", "10.0.0.1", 80)
        with watching(agent, narrow=1) as watched:
            agent.kill()
            time.sleep(0.5)
            agent.start()
            agent.register("web", "web-1", "10.0.0.2", 80)
            eventually(lambda: watched.resets, 60, "everything is hinted")
            watched.clear()
            agent.register("api", "api-2", "10.0.0.2", 80)
            eventually(lambda: "api" in watched.named)


def test_an_index_that_went_back_begins_anew() -> None:
    with ConsulAgent() as agent:
        for number in range(30):
            agent.register("web", f"web-{number}", "10.0.0.1", 80)
        with watching(agent, narrow=1) as watched:
            agent.restart()  # without a memory
            eventually(lambda: watched.resets, 60, "everything is hinted")
            watched.clear()
            agent.register("web", "web-1", "10.0.0.1", 80)
            eventually(lambda: "web" in watched.named)


def test_a_watch_stops_while_consul_hangs() -> None:
    with ConsulAgent() as agent:
        with watching(agent, narrow=4):
            agent.pause()
            time.sleep(0.1)
        agent.resume()


def test_it_begins_when_consul_comes_up() -> None:
    with ConsulAgent() as agent:
        agent.kill()
        starting = threading.Timer(1, agent.start)
        starting.start()
        with watching(agent, narrow=4) as watched:
            starting.join()
            agent.register("web", "web-1", "10.0.0.1", 80)
            eventually(lambda: "web" in watched.named)


def test_a_narrow_watch_that_sees_less_has_somebody_look() -> None:
    everything = 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
    with ConsulAgent(acl=True) as agent:
        agent.register("web", "web-1", "10.0.0.1", 80, node="host-1")
        token = agent.create_token(everything)
        with watching(agent, token=token, narrow=4) as watched:
            policy = next(p for p in agent.call("GET", "/v1/acl/policies") if p["Name"].startswith("p-"))
            rules = f'{everything} service "web" {{ policy = "deny" }}'
            agent.call("PUT", f"/v1/acl/policy/{policy['ID']}", {"Name": policy["Name"], "Rules": rules})
            agent.register("web", "web-2", "10.0.0.2", 80, node="host-1")
            eventually(lambda: any("web" in (hint.services or ()) for hint in watched.hints))
            assert all(read.instances for read in watched.reads), "it is not taken for empty"


def test_without_the_dump_of_nodes_all_services_are_suspects() -> None:
    """A token that Consul lets read, but not by that way, is no reason to miss anything."""
    with ConsulAgent(config={"http_config": {"block_endpoints": ["/v1/internal/ui"]}}) as agent:
        for name in ("api", "web"):
            agent.register(name, f"{name}-1", "10.0.0.1", 80)
        with watching(agent, narrow=0) as watched:
            agent.register("web", "web-1", "10.0.0.1", 81)
            eventually(lambda: watched.named == {"api", "web"}, 60, "each is looked at")


def test_the_health_of_many_nodes_at_once_names_all_their_services() -> None:
    with ConsulAgent() as agent:
        nodes = [f"host-{number}" for number in range(12)]
        for node in nodes:
            agent.register(f"on-{node}", f"on-{node}-1", "10.0.0.1", 80, node=node, status=None)
        agent.register("elsewhere", "elsewhere-1", "10.0.0.1", 80, node="other")
        with watching(agent, narrow=0) as watched:
            checks = [
                {"Node": node, "CheckID": "disk", "Name": "disk", "Status": "critical"} for node in nodes
            ]
            agent.call("PUT", "/v1/txn", [{"Check": {"Verb": "set", "Check": check}} for check in checks])
            watched.until({f"on-{node}" for node in nodes})
            assert "elsewhere" not in watched.named
