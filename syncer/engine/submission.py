"""What of a plan goes to the writer now, and what becomes of it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    InstanceChange,
    ServicePlan,
    Update,
    instance_id,
)
from syncer.core.ports import Ending, Hint, Outcome, Writer
from syncer.engine.failures import Failures
from syncer.engine.mirror import Mirror

_PATIENCE: Final = 10.0
"""Seconds that a removal waits at most for one addition; its operation may never end."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What went to the writer."""

    changes: tuple[Change, ...]
    waiting: int
    """How many changes wait for something."""

    @property
    def kinds(self) -> dict[str, int]:
        """How many changes of each kind."""
        return dict(Counter(type(change).__name__ for change in self.changes))


@dataclass(frozen=True, slots=True)
class _Flight:
    change: Change
    since: float
    """``time.monotonic()`` of the hint that led to it."""
    begun: float = field(default_factory=time.monotonic)


_Awaited = frozenset[tuple[str, float]]
"""Flights, by instance id and when they began."""


class Submission:
    """Gives changes to a writer in a safe order and follows them to their end. Thread-safe."""

    def __init__(
        self,
        target: Mirror,
        writer: Writer,
        failures: Failures,
        again: Callable[[str, float], None],
        ended: Callable[[Outcome, float], None],
    ) -> None:
        """Write to *target* by *writer*.

        *again* is called with a service and the seconds until it needs a look, *ended* with each outcome and when
        the hint came that led to it (``time.monotonic()``).
        """
        self._target = target
        self._writer = writer
        self._failures = failures
        self._again = again
        self._ended = ended
        self._lock = threading.Lock()
        self._under_way: dict[str, dict[str, _Flight]] = {}
        self._deferred: set[str] = set()
        self._awaited: dict[tuple[str, str], _Awaited] = {}
        """What removals wait for, by service and instance id."""
        self._idle = threading.Condition(self._lock)

    def submit(self, plans: Iterable[ServicePlan], since: float) -> Submitted:
        """Submit what may go now, of what hints at *since* led to (``time.monotonic()``).

        Removals wait until what was being added to their service when they were first due has arrived, though not for
        ever, and everything until the service is deleted.
        """
        going: list[Change] = []
        waiting = 0
        for plan in plans:
            chosen, deferred = self._choose(plan, since)
            going.extend(chosen)
            waiting += deferred
        for change in going:
            if isinstance(change, InstanceChange):
                self._target.begin(change)
        if going:
            self._hand_over(going)
        return Submitted(tuple(going), waiting)

    def under_way(self) -> int:
        """Return how many changes are being carried out."""
        with self._lock:
            return sum(map(len, self._under_way.values()))

    def wait_idle(self, stop: threading.Event, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; return whether that is so. Looks at *stop* every half second."""
        with self._idle:
            waited = 0.0
            while self._under_way and not stop.is_set() and (timeout is None or waited < timeout):
                self._idle.wait(0.5)
                waited += 0.5
            return not self._under_way

    def _choose(self, plan: ServicePlan, since: float) -> tuple[list[Change], int]:
        chosen: list[Change] = []
        waiting = 0
        waits = [self._failures.wait(change) for change in plan.changes]
        homeless = any(
            isinstance(change, CreateService) and wait
            for change, wait in zip(plan.changes, waits, strict=True)
        )
        with self._lock:
            flights = self._under_way.get(plan.service, {})
            busy = bool(flights)
            patient = False
            leaving = any(isinstance(flight.change, DeleteService) for flight in flights.values())
            for change, wait in zip(plan.changes, waits, strict=True):
                removal = isinstance(change, Deregister | DeleteService)
                if wait or homeless:
                    waiting += 1
                elif instance_id(change) in flights or leaving:
                    waiting += 1
                    self._deferred.add(plan.service)
                elif removal and busy and self._awaits(change, flights):
                    waiting += 1
                    patient = True
                    self._deferred.add(plan.service)
                else:
                    flights = self._under_way.setdefault(plan.service, flights)
                    flights[instance_id(change)] = _Flight(change, since)
                    busy = busy or not removal
                    chosen.append(change)
        if not plan.unreadable:
            # What is under way is laid over what was read, and so is not planned: it has not succeeded yet.
            wanted = {instance_id(change) for change in (*plan.changes, *plan.held)} | flights.keys()
            self._failures.prune(plan.service, wanted)
            with self._lock:
                for key in [key for key in self._awaited if key[0] == plan.service and key[1] not in wanted]:
                    del self._awaited[key]
        if any(waits) or patient:
            self._again(plan.service, min([wait for wait in waits if wait] or [_PATIENCE]))
        return chosen, waiting

    def _awaits(self, change: Change, flights: Mapping[str, _Flight]) -> bool:
        """Whether the removal *change* waits for *flights* of its service.

        It does for additions that were under way when it was first due, and for none longer than a while: what begins
        later does not count, or a service in motion would keep its dead for ever.
        """
        if isinstance(change, DeleteService):
            return True
        key = (change.service, instance_id(change))
        horizon = time.monotonic() - _PATIENCE
        young = frozenset(
            (instance, flight.begun)
            for instance, flight in flights.items()
            if flight.begun > horizon and not isinstance(flight.change, Deregister)
        )
        awaited = self._awaited.pop(key, young) & young
        if awaited:
            self._awaited[key] = awaited
        return bool(awaited)

    def _hand_over(self, going: list[Change]) -> None:
        try:
            self._writer.submit(going, self._done)
        except Exception:
            # A defect: what it did not take would count as under way for ever, and as if it were there.
            for change in going:
                self._done(Outcome(change, Ending.ABANDONED))
            raise

    def _done(self, outcome: Outcome) -> None:
        change = outcome.change
        with self._lock:
            flight = self._under_way.get(change.service, {}).get(instance_id(change))
        if flight is None or flight.change != change:
            return
        done = outcome.ending is Ending.DONE
        if isinstance(change, InstanceChange):
            self._target.end(change, done=done)
        else:
            self._target.note(Hint(frozenset({change.service}), "written"))
        if done:
            self._failures.clear(change)
        elif outcome.error is not None:
            self._again(change.service, self._failures.add(change, outcome.error))
        try:
            self._ended(outcome, flight.since)
        finally:
            # An update leaves the health to the next plan.
            again = not isinstance(change, InstanceChange) or (done and isinstance(change, Update))
            if self._land(change) or again or outcome.ending is Ending.SUPERSEDED:
                self._again(change.service, 0.0)

    def _land(self, change: Change) -> bool:
        """Note that *change* is not under way any more; return whether something waited for that."""
        with self._lock:
            flights = self._under_way[change.service]
            landed = (instance_id(change), flights.pop(instance_id(change)).begun)
            if not flights:
                del self._under_way[change.service]
                if not self._under_way:
                    self._idle.notify_all()
            elif not any(
                landed in awaited for key, awaited in self._awaited.items() if key[0] == change.service
            ):
                return False
            if change.service in self._deferred:
                self._deferred.discard(change.service)
                return True
            return False
