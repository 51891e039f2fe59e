"""Replicas that share: who holds more than a share gives one away, in a calm and when nothing is being written."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from syncer.core.ports import End
from syncer.core.report import Observers
from syncer.engine.agenda import Backoff
from syncer.engine.balance import Balance
from syncer.engine.engine import Engine, Timing
from syncer.engine.leases import Leases
from syncer.engine.permission import Permission
from syncer.engine.route import Policy
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.engine.leasing import Lock, MemoryLease
from tests.engine.test_leases import registries, rules, web
from tests.support.wait import eventually

CALM = 0.6
Locks = dict[str, Lock]


def locks(count: int) -> Locks:
    return {f"ns-{number}": Lock(ttl=10.0) for number in range(count)}


@contextmanager
def striving(shared: Locks, name: str, calm: float = CALM) -> Iterator[Leases]:
    leases = Leases(spread=0.4, calm=calm)
    for label, lock in shared.items():
        leases.strive(MemoryLease(lock, name, label), Permission(always=False), [])
    try:
        yield leases
    finally:
        leases.close()


def shares(shared: Locks) -> Counter[str]:
    return Counter(lock.owner() for lock in shared.values())


def all_are(shared: Locks, holder: str) -> None:
    eventually(lambda: shares(shared) == {holder: len(shared)}, 60, f"{holder} holds all")


def test_a_newcomer_gets_its_share_and_then_all_is_calm() -> None:
    shared = locks(4)
    with striving(shared, "a"):
        all_are(shared, "a")
        with striving(shared, "b"):
            eventually(lambda: shares(shared) == {"a": 2, "b": 2}, 60, "each holds two")
            time.sleep(3 * CALM)
            assert shares(shared) == {"a": 2, "b": 2}
            assert Counter(name for lock in shared.values() for name in lock.takings)["b"] == 2
        all_are(shared, "a")


def test_three_share_five_and_nobody_has_two_more_than_another() -> None:
    shared = locks(5)
    with striving(shared, "a"):
        all_are(shared, "a")
        with striving(shared, "b"), striving(shared, "c"):
            eventually(lambda: sorted(shares(shared).values()) == [1, 2, 2], 60, "five are shared")


def test_who_is_not_here_to_stay_asks_nobody() -> None:
    shared = locks(3)
    with striving(shared, "a"):
        all_are(shared, "a")
        with striving(shared, "b", calm=0.1) as passing:
            passing.balance.be_content()
            assert set(passing.wait_decided(threading.Event(), 30).values()) == {"a"}
            time.sleep(1.0)
            assert shares(shared) == {"a": 3}


def test_a_lease_is_not_given_while_something_is_written() -> None:
    """The second of two leases is asked for while a change hangs; it is given once that has ended."""
    source, target = registries()
    shared = locks(2)
    target.faults.gates["write"] = threading.Event()
    with engine_at_work(source, target, shared, "a"):
        eventually(lambda: shares(shared) == {"a": 2}, 60, "all are taken")
        source.put(web(1))
        eventually(lambda: target.faults.calls["write"], 60, "a change is under way")
        with striving(shared, "b", calm=0.2):
            eventually(lambda: any(lock.asked for lock in shared.values()), 60, "it asks")
            time.sleep(1.0)
            assert shares(shared) == {"a": 2}
            target.faults.gates["write"].set()
            eventually(lambda: shares(shared) == {"a": 1, "b": 1}, 60, "it is given")


@contextmanager
def engine_at_work(
    source: MemoryRegistry, target: MemoryRegistry, shared: Locks, name: str
) -> Iterator[None]:
    """An engine whose one route needs all of the leases, and is asked before any of them is given."""
    stop = threading.Event()
    engine = Engine(stop, Timing(full=60, retry=Backoff(0.05, 0.2), leave=2.0), Observers())
    for registry in (source, target):
        engine.attach(End(registry, (MemoryWatch(registry),), MemoryWriter(registry)))
    leases = Leases(spread=0.4, calm=0.2)
    engine.at_end.append(leases.close)
    may_write = Permission(always=False)
    route = engine.join(rules(source.id, target.id), Policy(backoff=Backoff(0.05, 0.2)), may_write)
    for label, lock in shared.items():
        leases.strive(MemoryLease(lock, name, label), may_write, [route])
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield
    finally:
        target.faults.gates["write"].set()
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("ours", "theirs", "asks"),
    [(0, 1, False), (0, 2, True), (1, 2, False), (1, 3, True), (2, 2, False), (3, 1, False)],
)
def test_who_has_two_fewer_asks_and_who_has_two_more_gives(ours: int, theirs: int, asks: bool) -> None:
    balance = Balance({"": ours, "other": theirs}.__getitem__, 0.0)
    assert balance.may_ask("other") is asks
    other = Balance({"": theirs, "us": ours}.__getitem__, 0.0)
    assert other.may_give("us") is asks


def test_nobody_is_asked_right_after_a_change_or_another_question() -> None:
    held = {"": 0, "other": 5}
    balance = Balance(held.__getitem__, 0.3)
    assert not balance.may_ask("other")
    eventually(lambda: balance.may_ask("other"), 60, "the calm has lasted")
    assert not balance.may_ask("other")
    eventually(lambda: balance.may_ask("other"), 60, "the next question")
    giver = Balance({"": 5, "us": 0}.__getitem__, 3600.0)
    giver.changed()
    assert not giver.may_give("us")
