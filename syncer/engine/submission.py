"""What of a plan goes to the writer now, and what becomes of it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

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
from syncer.core.ports import Ending, Outcome, Writer
from syncer.engine.failures import Failures
from syncer.engine.mirror import Mirror

_log = structlog.get_logger()


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


class Submission:
    """Gives changes to a writer in a safe order and follows them to their end. Thread-safe."""

    def __init__(
        self,
        target: Mirror,
        writer: Writer,
        failures: Failures,
        again: Callable[[str, float], None],
        ended: Callable[[Outcome], None],
    ) -> None:
        """Write to *target* by *writer*; call *again* with a service and the seconds until it needs a look."""
        self._target = target
        self._writer = writer
        self._failures = failures
        self._again = again
        self._ended = ended
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, str], Change] = {}
        self._deferred: set[str] = set()
        self._idle = threading.Condition(self._lock)

    def submit(self, plans: Iterable[ServicePlan]) -> Submitted:
        """Submit what may go now. Removals wait until what is added to their service has arrived."""
        going: list[Change] = []
        waiting = 0
        for plan in plans:
            chosen, deferred = self._choose(plan)
            going.extend(chosen)
            waiting += deferred
        for change in going:
            if isinstance(change, InstanceChange):
                self._target.begin(change)
        if going:
            self._writer.submit(going, self._done)
        return Submitted(tuple(going), waiting)

    def under_way(self) -> int:
        """Return how many changes are being carried out."""
        with self._lock:
            return len(self._under_way)

    def wait_idle(self, stop: threading.Event, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; return whether that is so. Looks at *stop* every half second."""
        with self._idle:
            waited = 0.0
            while self._under_way and not stop.is_set() and (timeout is None or waited < timeout):
                self._idle.wait(0.5)
                waited += 0.5
            return not self._under_way

    def _choose(self, plan: ServicePlan) -> tuple[list[Change], int]:
        chosen: list[Change] = []
        waiting = 0
        waits = [self._failures.wait(change) for change in plan.changes]
        homeless = any(
            isinstance(change, CreateService) and wait
            for change, wait in zip(plan.changes, waits, strict=True)
        )
        with self._lock:
            busy = any(service == plan.service for service, _ in self._under_way)
            for change, wait in zip(plan.changes, waits, strict=True):
                key = (change.service, instance_id(change))
                removal = isinstance(change, Deregister | DeleteService)
                if wait or homeless:
                    waiting += 1
                elif key in self._under_way or (removal and busy):
                    waiting += 1
                    self._deferred.add(change.service)
                else:
                    self._under_way[key] = change
                    busy = busy or not removal
                    chosen.append(change)
        self._failures.prune(plan.service, {instance_id(change) for change in (*plan.changes, *plan.held)})
        if any(waits):
            self._again(plan.service, min(wait for wait in waits if wait))
        return chosen, waiting

    def _done(self, outcome: Outcome) -> None:
        change = outcome.change
        done = outcome.ending is Ending.DONE
        if isinstance(change, InstanceChange):
            self._target.end(change, done=done)
        elif done and isinstance(change, CreateService):
            self._target.created(change.service)
        else:
            self._target.reread({change.service})
        if done:
            self._failures.clear(change)
        elif outcome.error is not None:
            self._again(change.service, self._failures.add(change, outcome.error))
        with self._lock:
            self._under_way.pop((change.service, instance_id(change)), None)
            still = any(service == change.service for service, _ in self._under_way)
            # An update leaves the health to the next plan.
            again = not isinstance(change, InstanceChange) or (done and isinstance(change, Update))
            look = again or outcome.ending is Ending.SUPERSEDED
            if change.service in self._deferred and not still:
                self._deferred.discard(change.service)
                look = True
            if not self._under_way:
                self._idle.notify_all()
        self._ended(outcome)
        if look:
            self._again(change.service, 0.0)
