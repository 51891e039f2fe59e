"""Whatever happens, in whatever order: in the calm after it both sides are in step, and nothing alive was removed.

Users edit both sides; hints are lost, doubled, late and wrong; calls fail; writes take their time. Instances with a
number below ``LASTING`` are changed but never removed by their users: whoever removes a copy of such a one is wrong,
however broken everything was at that moment.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from syncer.core.errors import SyncError, Unavailable
from syncer.core.model import Complete, Instance
from syncer.core.plan import Change, Deregister
from syncer.core.ports import End, Ending, Hint, Outcome
from syncer.core.report import Observers, PassReport
from syncer.engine.agenda import Agenda, Backoff
from syncer.engine.dirty import Batch
from syncer.engine.engine import Engine, Timing
from syncer.engine.mirror import Mirror
from syncer.engine.route import Policy, Route
from syncer.systems.memory import MemoryWatch, MemoryWriter
from tests.engine.ground import (
    ALL,
    GENEROUS,
    LONG,
    QUICK,
    Memory,
    cloudmap,
    consul,
    rules,
    running,
    web,
)
from tests.support.wait import eventually

AWAY: Final = Unavailable("away")
SERVICES: Final = ("a", "b", "c")
LASTING: Final = 4
_MOST: Final = 8
FAULTS: Final = ("list", "read", "write", *SERVICES)


def native(side: int, service: str, number: int, port: int = 80) -> Instance:
    """Return an instance that a user of *side* registers; no two have the same address."""
    return web(
        number, service, id=f"{side}-{number}", ipv4=f"10.{side}.{ord(service[-1])}.{number}", port=port
    )


def lasting(change: Change) -> bool:
    """Whether *change* removes the copy of an instance that never goes."""
    if not isinstance(change, Deregister) or change.instance.mark is None:
        return False
    return int(change.instance.mark.instance.partition("-")[2]) < LASTING


class Watched(Memory):
    """A registry that notes what is wrongly removed from it."""

    wronged: tuple[Change, ...] = ()

    @override
    def carry_out(self, change: Change) -> None:
        if lasting(change):
            self.wronged = (*self.wronged, change)
        super().carry_out(change)


def pair() -> tuple[Watched, Watched]:
    left, right = consul(), cloudmap()
    sides = (Watched(left.id, left.carrier), Watched(right.id, right.carrier))
    for side, registry in enumerate(sides):
        registry.put(native(side, "anchor", 0))
    return sides


def natives(registry: Memory, service: str) -> set[tuple[str, int | None]]:
    return {(item.id, item.port) for item in registry.look(service).instances if item.mark is None}


def copies(registry: Memory, service: str) -> list[tuple[str, int | None]]:
    return sorted(
        (item.mark.instance, item.port) for item in registry.look(service).instances if item.mark is not None
    )


def in_step(left: Memory, right: Memory) -> bool:
    """Assert that each side holds exactly the other's instances beside its own."""
    for service in (*SERVICES, "anchor"):
        assert copies(right, service) == sorted(natives(left, service)), service
        assert copies(left, service) == sorted(natives(right, service)), service
    return True


def edit(side: int, registry: Memory, service: str, number: int, port: int) -> None:
    """Register, change or remove an instance as a user would; those that last are never removed."""
    there = any(item.id == f"{side}-{number}" for item in registry.look(service).instances)
    if there and number >= LASTING and port == 80:
        registry.remove(service, f"{side}-{number}")
    else:
        registry.put(native(side, service, number, port))


class Slow:
    """A writer that carries out what it was given when it is told to, and fails when it is told to."""

    def __init__(self, registry: Memory) -> None:
        self._registry = registry
        self._waiting: list[tuple[Change, Callable[[Outcome], None]]] = []

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        self._waiting.extend((change, done) for change in changes)

    def close(self, timeout: float) -> None:
        pass

    def work(self, count: int) -> None:
        """Carry out *count* changes."""
        for _ in range(min(count, len(self._waiting))):
            change, done = self._waiting.pop(0)
            try:
                self._registry.carry_out(change)
            except SyncError as e:
                done(Outcome(change, Ending.FAILED, e))
            else:
                done(Outcome(change, Ending.DONE))


class World:
    """Two registries with a route each way, in step at first, moved step by step."""

    def __init__(self, forget_after: float) -> None:
        self.sides = pair()
        self.mirrors = tuple(map(Mirror, self.sides))
        self.writers = tuple(map(Slow, self.sides))
        policy = Policy(GENEROUS, backoff=Backoff(0.0, 0.0), debounce=0.0, forget_after=forget_after)
        self.routes = tuple(self._route(source, 1 - source, policy) for source in (0, 1))
        for side, registry in enumerate(self.sides):
            registry.put(*(native(side, service, number) for service in SERVICES[:2] for number in (0, 7)))
        self.calm()

    def _route(self, source: int, target: int, policy: Policy) -> Route:
        sides, mirrors = self.sides, self.mirrors
        made = rules(sides[source].id, sides[target].id, sides[target].carrier)
        writer = self.writers[target]
        return Route(made, mirrors[source], mirrors[target], writer, Agenda(), policy, Observers())

    def take(self, step: str, side: int, *rest: Any) -> None:
        """Do one of :data:`STEPS`."""
        getattr(self, step)(side, *rest)

    def edit(self, side: int, service: str, number: int, port: int) -> None:
        edit(side, self.sides[side], service, number, port)

    def mischief(self, side: int, service: str) -> None:
        """Let a user remove a copy of ours."""
        for copy in [item for item in self.sides[side].look(service).instances if item.mark is not None][:1]:
            self.sides[side].remove(service, copy.id)

    def stale(self, side: int) -> None:
        self.mirrors[side].note(ALL)

    def work(self, side: int, count: int) -> None:
        self.writers[side].work(count)

    def fail(self, side: int, fault: str) -> None:
        self.sides[side].faults.break_(fault, AWAY)

    def mend(self, side: int, fault: str) -> None:
        self.sides[side].faults.mend(fault)

    def hint(self, side: int, service: str) -> None:
        self.mirrors[side].note(Hint(frozenset({service}), "watch"))
        self.routes[side].dirty.add(sources=frozenset({service}))
        self.routes[1 - side].dirty.add(targets=frozenset({service}))

    def read(self, side: int, service: str) -> None:
        """Let a watch read *service*."""
        self.mirrors[side].store(self.sides[side].look(service))

    def look(self, side: int, service: str, full: bool) -> PassReport:
        return self.routes[side].step(Batch({service}, full=full))

    def calm(self) -> None:
        """Mend everything, and let both routes work until nothing is left to do."""
        for registry in self.sides:
            for fault in FAULTS:
                registry.faults.mend(fault)
        for _ in range(8):
            for writer in self.writers:
                writer.work(1000)
            for mirror in self.mirrors:
                mirror.note(ALL)
                doubtful = {name for name in (*SERVICES, "anchor") if mirror.lagging(name) is not None}
                mirror.note(Hint(frozenset(doubtful), "lagging"))
            for route in self.routes:
                route.step(Batch(full=True))
        for writer in self.writers:
            writer.work(1000)


SIDES = st.integers(0, 1)
NAMES = st.sampled_from(SERVICES)
STEPS = st.one_of(
    st.tuples(st.just("edit"), SIDES, NAMES, st.integers(0, _MOST), st.sampled_from((80, 80, 81))),
    st.tuples(st.just("mischief"), SIDES, NAMES),
    st.tuples(st.just("hint"), SIDES, NAMES),
    st.tuples(st.just("read"), SIDES, NAMES),
    st.tuples(st.just("look"), SIDES, NAMES, st.booleans()),
    st.tuples(st.just("stale"), SIDES),
    st.tuples(st.just("work"), SIDES, st.integers(1, 20)),
    st.tuples(st.just("fail"), SIDES, st.sampled_from(FAULTS)),
    st.tuples(st.just("mend"), SIDES, st.sampled_from(FAULTS)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=5, max_size=60), st.sampled_from((0.0, 3600.0)))
def test_whatever_the_order_all_is_in_step_in_the_calm_and_nothing_alive_was_removed(
    steps: list[tuple[Any, ...]], forget_after: float
) -> None:
    world = World(forget_after)
    try:
        for step in steps:
            world.take(*step)
            assert not any(side.wronged for side in world.sides)
        world.calm()
        assert in_step(*world.sides)
        assert not any(side.wronged for side in world.sides)
        for mirror in world.mirrors:
            mirror.note(ALL)
        for side in (0, 1):
            assert world.look(side, "a", True).submitted == {}, "a further pass finds nothing to do"
    finally:
        for mirror in world.mirrors:
            mirror.close()


class Lossy:
    """A watch whose hints are lost, doubled, late, out of order, and wrong."""

    def __init__(self, registry: Memory, dice: random.Random) -> None:
        self._watch = MemoryWatch(registry)
        self._dice = dice

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        kept: list[Hint] = []

        def bad(given: Hint) -> None:
            kept.extend([given] * self._dice.choice((0, 0, 1, 2)))
            kept.append(Hint(frozenset({self._dice.choice((*SERVICES, "x"))}), "wrong"))
            self._dice.shuffle(kept)
            while len(kept) > 2:
                hint(kept.pop())

        self._watch.run(bad, read, stop)


def storm(registries: tuple[Memory, Memory], dice: random.Random, seconds: float) -> None:
    """Edit both sides and break what can be broken, for *seconds*; then mend it all."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        side = dice.randrange(2)
        edit(side, registries[side], dice.choice(SERVICES), dice.randrange(_MOST), dice.choice((80, 80, 81)))
        if dice.random() < 0.3:
            registries[dice.randrange(2)].faults.break_(dice.choice(FAULTS), AWAY)
        if dice.random() < 0.5:
            registries[dice.randrange(2)].faults.mend(dice.choice(FAULTS))
        time.sleep(dice.choice((0, 0.001, 0.01)))
    for registry in registries:
        for fault in FAULTS:
            registry.faults.mend(fault)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_engine_at_work_comes_through_a_storm(seed: int) -> None:
    dice, stop = random.Random(seed), threading.Event()
    left, right = pair()
    timing = Timing(full=0.4, unsettled=0.05, retry=QUICK, leave=2)
    policy = Policy(GENEROUS, backoff=QUICK, debounce=0.005, forget_after=0.1)
    engine = Engine(stop, timing, Observers())
    for registry in (left, right):
        watch = Lossy(registry, random.Random(seed + len(registry.id)))
        engine.attach(End(registry, (watch,), MemoryWriter(registry)))
    for source, target in ((left, right), (right, left)):
        engine.join(rules(source.id, target.id, target.carrier), replace(policy))
    with running(engine, stop):
        storm((left, right), dice, 1.2)
        eventually(lambda: in_step(left, right), LONG, "both sides are in step", interval=0.1)
        assert left.wronged == right.wronged == ()
