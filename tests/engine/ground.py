"""What tests of the engine stand on: registries in memory that can be slow to answer, routes, and who is told."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from typing_extensions import override

from syncer.core.carrier import Carrier
from syncer.core.guard import GuardLimits
from syncer.core.identity import target_id
from syncer.core.model import Complete, Instance, Listing, Mark, Read
from syncer.core.plan import Change, Deregister, Register, instance_id
from syncer.core.ports import End, Ending, Hint, Outcome
from syncer.core.report import ChangeReport, Observers, PassReport
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Agenda, Backoff
from syncer.engine.dirty import Batch
from syncer.engine.engine import Engine, Timing
from syncer.engine.mirror import Mirror
from syncer.engine.route import Policy, Route
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.core.values import ENTRIES, RECORDS

Answer = TypeVar("Answer")

OWNER: Final = "us"
SOURCE: Final = "consul/dc1"
TARGET: Final = "cloudmap/ns-1"
LONG: Final = 60.0
"""Seconds that anything may take: a bound against hanging, not a target."""
ANY_NAME: Final = replace(ENTRIES, name_problem=lambda _name: None)
QUICK: Final = Backoff(0.05, 0.2)
GENEROUS: Final = GuardLimits(1.0, 1000)
ALL: Final = Hint(None, "interval")
POLICY: Final = Policy(limits=GENEROUS, backoff=QUICK, debounce=0.01)


class Memory(MemoryRegistry):
    """A registry in memory that can hold back answers which it has made already, and count who asks for what."""

    def __init__(self, id: str, carrier: Carrier, *, parallel: int = 4) -> None:  # noqa: A002 - the port's word
        super().__init__(id, carrier, parallel=parallel)
        self.asked: list[tuple[str, bool]] = []
        self.way: dict[str, threading.Event] = {}
        """An answer about a service, or the list under ``""``, waits here after it was made."""
        self.on_its_way: Counter[str] = Counter()
        """How many answers were made, by service."""
        self.defects: set[str] = set()
        """Services, or the list under ``""``, of which a question raises what nobody expects."""

    @override
    def services(self) -> Listing:
        """List all services."""
        return self._send("", super().services())

    @override
    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read one service."""
        self.asked.append((service, fresh))
        return self._send(service, super().read(service, fresh=fresh))

    def times(self, service: str) -> int:
        """Return how often *service* was read."""
        return sum(name == service for name, _ in self.asked)

    def ids(self, service: str) -> set[str]:
        """Return the origins' ids of what *service* holds."""
        return {item.origin_id for item in self.look(service).instances}

    def _send(self, service: str, answer: Answer) -> Answer:
        if service in self.defects:
            raise KeyError(service)
        self.on_its_way[service] += 1
        gate = self.way.get(service)
        if gate is not None:
            assert gate.wait(LONG)
        return answer


class Instant:
    """A writer that has carried out everything, and said so, before it returns."""

    def __init__(self, registry: Memory) -> None:
        self._registry = registry

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        for change in changes:
            self._registry.carry_out(change)
            done(Outcome(change, Ending.DONE))

    def close(self, timeout: float) -> None:
        pass


class Desk:
    """A writer that ends nothing by itself: the test says how each change ends."""

    def __init__(self) -> None:
        self.taken: dict[tuple[str, str], tuple[Change, Callable[[Outcome], None]]] = {}
        self.batches: list[tuple[Change, ...]] = []

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        self.batches.append(tuple(changes))
        for change in changes:
            self.taken[change.service, instance_id(change)] = (change, done)

    def close(self, timeout: float) -> None:
        pass

    def end(self, change: Change, ending: Ending = Ending.DONE, error: Any = None) -> None:
        """End *change* so."""
        taken, done = self.taken.pop((change.service, instance_id(change)))
        assert taken == change
        done(Outcome(change, ending, error))


@dataclass
class Told:
    """An observer that remembers."""

    passes: list[PassReport] = field(default_factory=list)
    changes: list[ChangeReport] = field(default_factory=list)

    def passed(self, report: PassReport) -> None:
        self.passes.append(report)

    def changed(self, report: ChangeReport) -> None:
        self.changes.append(report)


def web(number: int, service: str = "web", **values: Any) -> Instance:
    """Return an instance that a user registered."""
    return Instance(
        **{"service": service, "id": f"i-{number}", "ipv4": f"10.0.0.{number}", "port": 80, **values}
    )


def ours(number: int, service: str = "web", source: str = SOURCE, **values: Any) -> Instance:
    """Return what a route from *source* writes of :func:`web`."""
    mark = Mark(OWNER, source, service, f"i-{number}")
    name = target_id(source, service, f"i-{number}")
    return web(number, service, **{"id": name, "mark": mark, **values})


def register(number: int, service: str = "web") -> Register:
    return Register(ours(number, service))


def deregister(number: int, service: str = "web") -> Deregister:
    return Deregister(ours(number, service))


def rules(
    source: str = SOURCE, target: str = TARGET, carrier: Carrier = ENTRIES, **values: Any
) -> RouteRules:
    return RouteRules(f"{source}->{target}", OWNER, source, target, carrier, **values)


def consul(name: str = SOURCE, **values: Any) -> Memory:
    """Return a registry whose services are what their instances make them."""
    return Memory(name, ANY_NAME, **values)


def cloudmap(name: str = TARGET, **values: Any) -> Memory:
    """Return a registry with services of their own."""
    return Memory(name, RECORDS, **values)


@dataclass
class Stage:
    """One route whose passes the test makes itself."""

    source: Memory
    target: Memory
    route: Route
    told: Told
    agenda: Agenda
    writer: MemoryWriter | Instant | Desk

    def step(self, *sources: str, targets: tuple[str, ...] = (), write: bool = True) -> PassReport:
        """Make a pass over *sources* and *targets*, or a full one where none is named; wait for what it began."""
        batch = Batch(set(sources), set(targets), full=not sources and not targets)
        report = self.route.step(batch, write=write)
        if not isinstance(self.writer, Desk):
            assert self.route.submission.wait_idle(threading.Event(), LONG)
        return report

    def settle(self, passes: int = 6) -> PassReport:
        """Make full passes over everything read anew until nothing is left to do; return the last report."""
        report = self.step()
        for _ in range(passes):
            self.stale()
            report = self.step()
            if not report.submitted and not report.waiting:
                break
        return report

    def stale(self, *services: str) -> None:
        """Call *services* stale on both sides, or everything."""
        for mirror in (self.route.source, self.route.target):
            if services:
                mirror.reread(services)
            else:
                mirror.note(ALL)

    def ids(self, service: str = "web") -> set[str]:
        """Return the origins of what the target holds of *service*."""
        return self.target.ids(service)


def stage(
    source: Memory | None = None,
    target: Memory | None = None,
    *,
    policy: Policy = POLICY,
    writer: MemoryWriter | Instant | Desk | None = None,
    **values: Any,
) -> Stage:
    """Return a route between two registries, without any threads but the writer's."""
    source, target = source or consul(), target or cloudmap()
    told, agenda = Told(), Agenda()
    writer = writer or MemoryWriter(target)
    made = rules(source.id, target.id, target.carrier, **values)
    route = Route(made, Mirror(source), Mirror(target), writer, agenda, policy, Observers((told,)))
    return Stage(source, target, route, told, agenda, writer)


@contextmanager
def running(engine: Engine, stop: threading.Event) -> Iterator[None]:
    """Run *engine* in a thread for as long as the block lasts; it must end then."""
    thread = threading.Thread(target=engine.run, name="the engine")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(LONG)
    assert not thread.is_alive(), "the engine did not end"


def both_ways(
    stop: threading.Event,
    left: Memory,
    right: Memory,
    *,
    timing: Timing | None = None,
    policy: Policy = POLICY,
    watch: bool = True,
    told: Told | None = None,
) -> Engine:
    """Return an engine with a route each way between *left* and *right*."""
    engine = Engine(stop, timing or Timing(full=60, retry=QUICK, leave=3), Observers((told or Told(),)))
    for registry in (left, right):
        watches = (MemoryWatch(registry),) if watch else ()
        engine.attach(End(registry, watches, MemoryWriter(registry)))
    engine.join(rules(left.id, right.id, right.carrier), policy)
    engine.join(rules(right.id, left.id, left.carrier), policy)
    return engine


def complete(*instances: Instance, service: str = "web", **values: Any) -> Complete:
    return Complete(service, instances, **values)
