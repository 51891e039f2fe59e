"""Two replicas, each a process of its own: one writes, the other takes over, and never do both."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from syncer.app.installation import Installation
from syncer.core.report import Observers
from syncer.observe.metrics import Metrics
from syncer.settings import Settings
from tests.e2e.replicas import Replica, holder, replicas, turns
from tests.e2e.world import Running, World, never
from tests.observe.scrape import value
from tests.support.wait import eventually

TTL = 10.0
SOON = 2 * TTL + 60
"""Seconds until somebody else holds the lease of a process that is gone without a word, on a busy machine."""
LEASED = {"lease": {"enabled": True, "ttl": 10}}


@contextmanager
def churning(world: World) -> Iterator[None]:
    """Register and deregister an instance in Consul again and again."""
    stop = threading.Event()

    def churn() -> None:
        number = 0
        while not stop.wait(0.1):
            number += 1
            world.consul.register("churn", f"churn-{number}", f"10.0.9.{number % 250 + 1}", 8080)
            if number > 2:
                world.consul.deregister(f"churn-{number - 2}")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)


def the_writer(world: World, both: dict[str, Replica]) -> tuple[Replica, Replica]:
    """Wait until one of *both* writes; return it and the other."""
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"], 60, "one of both writes")
    first = holder(world, both)
    assert first is not None
    other = next(replica for replica in both.values() if replica is not first)
    assert first.door.writes
    assert not other.door.writes
    eventually(lambda: b"lease_held_by_another" in other.log.read_bytes(), 60, "the other stands by")
    return first, other


def writes_to(running: Running) -> set[str]:
    """Return the namespaces that it may write to, by their ids."""
    routes = running.installation.engine.routes
    return {
        route.target.id for route in routes if route.may_write and route.target.id.startswith("cloudmap/")
    }


def test_when_the_writer_is_killed_the_other_goes_on(world: World) -> None:
    with replicas(world) as both, churning(world):
        first, other = the_writer(world, both)
        first.send(signal.SIGKILL)
        first.wait()
        world.consul.register("web", "web-2", "10.0.1.2", 8080)
        eventually(lambda: "10.0.1.2" in world.cloud.addresses("web"), SOON, "the other writes")
        assert turns(first, other) == [first.name, other.name]
        assert holder(world, both) is other


def test_a_writer_that_is_told_to_stop_hands_over_at_once(world: World) -> None:
    with replicas(world, {"lease": {"ttl": 60}}) as both, churning(world):
        first, other = the_writer(world, both)
        first.send(signal.SIGTERM)
        assert first.wait(60) == 0
        world.consul.register("web", "web-2", "10.0.1.2", 8080)
        eventually(lambda: "10.0.1.2" in world.cloud.addresses("web"), 50, "the other writes")
        assert turns(first, other) == [first.name, other.name]


def test_a_writer_that_was_paused_does_not_write_when_it_goes_on(world: World) -> None:
    with replicas(world) as both:
        first, other = the_writer(world, both)
        first.send(signal.SIGSTOP)
        eventually(lambda: holder(world, both) is other, SOON, "the other takes the lease")
        # Whoever believes that it may write tries again and again from now on.
        fault = world.aws.fault("error", operation="RegisterInstance", code="ThrottlingException")
        world.consul.register("web", "web-2", "10.0.1.2", 8080)
        eventually(lambda: other.door.writes, 60, "the other tries to write")
        paused = len(first.door.writes)
        first.send(signal.SIGCONT)
        never(lambda: len(first.door.writes) > paused, 5.0, "the one that was paused writes")
        world.aws.faults.remove(fault.id)
        eventually(lambda: "10.0.1.2" in world.cloud.addresses("web"), 60, "the other goes on")
        assert turns(first, other) == [first.name, other.name]
        eventually(lambda: b"lease_lost" in first.log.read_bytes(), 60, "the first knows that it lost")


def test_a_writer_that_was_paused_amid_its_writes_does_not_finish_them(world: World) -> None:
    """What waited for its turn when it was paused is another's to write when it goes on."""
    slow = {"aws": {"rates": {"RegisterInstance": {"rate": 1, "burst": 1}}}}
    with replicas(world, slow) as both:
        first, other = the_writer(world, both)
        for number in range(2, 60):
            world.consul.register("web", f"web-{number}", f"10.0.1.{number}", 8080)
        begun = len(first.door.writes)
        eventually(lambda: len(first.door.writes) > begun + 2, 60, "it is busy writing")
        first.send(signal.SIGSTOP)
        eventually(lambda: holder(world, both) is other, SOON, "the other takes the lease")
        eventually(lambda: other.door.writes, 60, "the other writes")
        paused = len(first.door.writes)
        first.send(signal.SIGCONT)
        never(lambda: len(first.door.writes) > paused, 5.0, "the one that was paused writes")
        assert turns(first, other) == [first.name, other.name]


def test_a_writer_that_loses_sight_of_consul_stops_before_anybody_else_begins(world: World) -> None:
    """Its door to Consul is shut, the one to Cloud Map is open: it has a plan, and must not carry it out."""
    with replicas(world, {"consul": {"address": world.proxy.url}}, names="a") as one:
        first = one["a"]
        world.consul.register("web", "web-1", "10.0.1.1", 8080)
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"], 60, "it writes")
        with replicas(world, names="b") as another, churning(world):
            other = another["b"]
            eventually(lambda: b"lease_held_by_another" in other.log.read_bytes(), 60, "it stands by")
            lost = time.monotonic()
            with world.proxy.failing("status", "session/*"), world.proxy.failing("status", "kv/*"):
                eventually(lambda: holder(world, one | another) is other, SOON, "the other takes the lease")
                world.consul.register("web", "web-2", "10.0.1.2", 8080)
                eventually(lambda: "10.0.1.2" in world.cloud.addresses("web"), 60, "the other writes")
            assert first.door.writes[-1][0] < lost + 1.5 * TTL
            assert turns(first, other) == ["a", "b"]


def test_a_second_replica_gets_its_share_of_the_namespaces(world: World) -> None:
    world.aws.seed.namespace("prod.internal")
    two = {"namespaces": [{"name": "corp.internal"}, {"name": "prod.internal"}], **LEASED}
    with world.syncing(two) as one:
        world.consul.register("web", "web-1", "10.0.1.1", 8080)
        eventually(lambda: len(writes_to(one)) == 2, SOON, "the only one writes to both")
        one.settled(SOON)
        with world.syncing(two) as other:
            eventually(lambda: len(writes_to(one)) == 1 == len(writes_to(other)), 90, "each writes to one")
            assert not writes_to(one) & writes_to(other)
            world.consul.register("web", "web-2", "10.0.1.2", 8080)
            eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1", "10.0.1.2"], SOON, "it goes on")
        eventually(lambda: len(writes_to(one)) == 2, SOON, "the first has both again")


def test_one_pass_by_hand_beside_a_running_replica_writes_nothing(world: World) -> None:
    with world.syncing(LEASED) as running:
        running.settled()
        world.aws.calls.reset()
        second = world.settings(LEASED)
        _once(second)
        assert world.cloud.writes() == 0
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    _once(second)
    assert world.cloud.addresses("web") == ["10.0.1.1"]


def test_a_lease_that_was_given_back_names_nobody(world: World) -> None:
    with world.syncing(LEASED) as running:
        running.settled()
        key = f"/v1/kv/cloudmap-sync/tests/lease/{world.namespace_id}"
        eventually(lambda: all(route.may_write for route in running.installation.engine.routes))
        (item,) = world.consul.call("GET", key)
        assert item["Session"]
        value = world.consul.call("GET", key, params={"raw": ""})
        assert value.keys() == {"holder", "since"}, json.dumps(value)
    (item,) = world.consul.call("GET", key)
    assert "Session" not in item
    assert world.consul.call("GET", "/v1/session/list") == []


def test_the_metrics_say_who_leads_and_when_consul_was_heard_of(world: World) -> None:
    metrics = Metrics()
    stop = threading.Event()
    installation = Installation(world.settings(LEASED), stop, Observers((metrics,)), metrics)
    installation.bring_up_later()
    thread = threading.Thread(target=installation.engine.run)
    thread.start()
    try:
        eventually(lambda: value(metrics, "leader", lease="corp.internal") == 1, 60, "it leads")
        eventually(
            lambda: (
                0 <= (value(metrics, "watch_age_seconds", registry="consul/dc1", watch="wide") or -1) < 60
            ),
            60,
            "Consul was heard of",
        )
    finally:
        stop.set()
        thread.join(60)
    assert value(metrics, "leader", lease="corp.internal") == 0


def _once(settings: Settings) -> None:
    installation = Installation(settings, threading.Event(), Observers())
    assert installation.bring_up() == ()
    installation.once(write=True)
    installation.engine.close()
