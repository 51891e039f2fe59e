"""Who may write: permissions that end by themselves, and those who strive for the leases behind them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from typing_extensions import override

from syncer.core.carrier import Carrier
from syncer.core.model import Instance, Read
from syncer.core.ports import End
from syncer.core.report import Observers, PassReport
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Backoff
from syncer.engine.engine import Engine, Timing
from syncer.engine.leases import Leases
from syncer.engine.permission import Permission
from syncer.engine.route import Policy
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.engine.leasing import Lock, MemoryLease
from tests.observe.scene import CARRIER
from tests.support.wait import eventually


@dataclass
class Replica:
    """An engine with one route, between registries that it shares with others."""

    engine: Engine
    leases: Leases
    lease: MemoryLease
    may_write: Permission
    led: list[bool]


def rules(
    source: str = "consul/dc1", target: str = "cloudmap/ns-1", carrier: Carrier = CARRIER
) -> RouteRules:
    return RouteRules(f"{source}->{target}", "prod", source, target, carrier)


@contextmanager
def replica(source: MemoryRegistry, target: MemoryRegistry, lock: Lock, name: str) -> Iterator[Replica]:
    stop = threading.Event()
    engine = Engine(stop, Timing(full=60, retry=Backoff(0.05, 0.2), leave=2.0), Observers())
    for registry in (source, target):
        engine.attach(End(registry, (MemoryWatch(registry),), MemoryWriter(registry)))
    led: list[bool] = []
    leases = Leases(lambda _label, held: led.append(held), spread=0.2)
    engine.at_end.append(leases.close)
    may_write = Permission(always=False)
    route = engine.join(rules(source.id, target.id), Policy(backoff=Backoff(0.05, 0.2)), may_write)
    lease = MemoryLease(lock, name)
    leases.strive(lease, may_write, [route])
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield Replica(engine, leases, lease, may_write, led)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def registries() -> tuple[MemoryRegistry, MemoryRegistry]:
    return MemoryRegistry("consul/dc1", CARRIER), MemoryRegistry("cloudmap/ns-1", CARRIER)


def web(number: int) -> Instance:
    return Instance("web", f"web-{number}", f"10.0.0.{number}", port=80)


def test_a_permission_ends_by_itself_and_cannot_be_extended_then() -> None:
    permission = Permission(always=False)
    assert not permission
    permission.grant(time.monotonic() + 0.2)
    first = permission.term()
    assert first
    assert permission.extend(time.monotonic() + 0.3)
    assert permission.term() == first
    eventually(lambda: not permission)
    assert not permission.extend(time.monotonic() + 60)
    assert not permission
    permission.grant(time.monotonic() + 60)
    assert permission.term() not in {0, first}
    permission.revoke()
    assert permission.term() == 0


def test_a_permission_is_for_ever_where_nobody_grants_it() -> None:
    assert Permission()
    assert Permission().extend(0.0)


def test_one_of_two_writes_and_the_other_takes_over_when_it_leaves() -> None:
    source, target = registries()
    lock = Lock()
    source.put(web(1))
    with replica(source, target, lock, "b") as other:
        eventually(lambda: len(target.look("web").instances) == 1, 60, "it is carried")
        with replica(source, target, lock, "a") as first:
            eventually(lambda: first.lease.holder == "b", 60, "the second stands by")
            assert not first.may_write
            assert other.may_write
            other.lease.away = True
            eventually(lambda: bool(first.may_write), 60, "the second takes over")
            assert not other.may_write
            source.put(web(2))
            eventually(lambda: len(target.look("web").instances) == 2, 60, "the second writes")
        assert lock.owner() == ""
        assert lock.takings == ["b", "a"]


def test_a_standby_plans_and_reads_but_submits_nothing() -> None:
    source, target = registries()
    lock = Lock(holder="another", until=time.monotonic() + 3600)
    source.put(web(1))
    with replica(source, target, lock, "a") as one:
        (route,) = one.engine.routes
        eventually(lambda: route.last_pass is not None, 60, "it has made a pass")
        eventually(lambda: one.lease.holder == "another", 60, "it knows who writes")
        assert not target.look("web").instances
        assert one.leases.wait_decided(threading.Event(), 5) == {"corp": "another"}
        lock.until = 0.0
        eventually(lambda: target.look("web").instances, 60, "it writes once the lease is free")
        assert one.led[0] is False
        assert one.led[-1] is True


def test_a_holder_that_cannot_renew_stops_by_itself_and_goes_on_when_it_can() -> None:
    source, target = registries()
    lock = Lock()
    with replica(source, target, lock, "a") as one:
        eventually(lambda: bool(one.may_write), 60, "it holds the lease")
        term = one.may_write.term()
        one.lease.away = True
        eventually(lambda: not one.may_write, 60, "its permission ends")
        assert time.monotonic() < lock.until, "the permission ended after the lease"
        eventually(lambda: one.led[-1] is False, 60, "it says so")
        source.put(web(1))
        time.sleep(0.3)
        assert not target.look("web").instances
        one.lease.away = False
        eventually(lambda: target.look("web").instances, 60, "it writes again")
        assert one.may_write.term() > term


def test_a_pass_that_began_before_the_lease_was_taken_writes_nothing() -> None:
    """What it planned rests on reads from before: another may have written since."""
    source, target = registries()
    source.put(web(1))
    permission = Permission(always=False)
    seen: list[PassReport] = []

    class Taking:
        """Grants the permission while the pass is being made."""

        def passed(self, report: PassReport) -> None:
            seen.append(report)

        def changed(self, report: object) -> None:
            pass

    class Slow(MemoryRegistry):
        @override
        def read(self, service: str, *, fresh: bool = False) -> Read:
            if not permission:
                permission.grant(time.monotonic() + 60)
            return super().read(service, fresh=fresh)

    slow = Slow("consul/dc1", CARRIER)
    slow.put(web(1))
    engine = Engine(threading.Event(), Timing(leave=1.0), Observers((Taking(),)))
    engine.attach(End(slow))
    engine.attach(End(target, (), MemoryWriter(target)))
    engine.join(rules(), Policy(), permission)
    engine.once(rounds=1)
    assert permission
    assert [report.submitted for report in seen] == [{}]
    engine.once(rounds=1)
    eventually(lambda: target.look("web").instances, 60, "the next pass writes")
    engine.close()


def test_who_holds_less_comes_first() -> None:
    """Two that begin together share the leases out; a third that comes late finds them all taken."""
    locks = {f"ns-{number}": Lock(ttl=30.0) for number in range(6)}
    sides = {name: Leases(spread=2.0) for name in ("a", "b")}
    for label, lock in locks.items():
        for name, side in sides.items():
            side.strive(MemoryLease(lock, name, label), Permission(always=False), [])
    eventually(lambda: all(lock.owner() for lock in locks.values()), 60, "all are taken")
    holders = [lock.owner() for lock in locks.values()]
    assert 2 <= holders.count("a") <= 4
    for side in sides.values():
        side.close()
    assert not any(lock.owner() for lock in locks.values())
