"""The writer to a registry in memory: one change after the other, in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncer.core.errors import SyncError
from syncer.core.plan import Change, InstanceChange, instance_id
from syncer.core.ports import Ending, Outcome
from syncer.systems.memory.registry import MemoryRegistry

_Key = tuple[str, str, str]


@dataclass(slots=True)
class _Job:
    change: Change
    done: Callable[[Outcome], None]


class MemoryWriter:
    """Carries changes out in the order in which they come; nothing is tried twice. Thread-safe."""

    def __init__(self, registry: MemoryRegistry) -> None:
        """Write to *registry* until closed."""
        self._registry = registry
        self._waiting: dict[_Key, _Job] = {}
        self._running: _Job | None = None
        self._closed = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"writer of {registry.id}", daemon=True)
        self._thread.start()

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        """Take *changes*; one that waits for the same instance is superseded."""
        ended: list[tuple[_Job, Ending]] = []
        with self._wake:
            for change in changes:
                job = _Job(change, done)
                if self._closed:
                    ended.append((job, Ending.ABANDONED))
                    continue
                replaced = self._waiting.pop(_key(change), None)
                self._waiting[_key(change)] = job
                if replaced is not None:
                    ended.append((replaced, Ending.SUPERSEDED))
            self._wake.notify_all()
        _tell(ended)

    def close(self, timeout: float) -> None:
        """Abandon what waits, give what runs *timeout* seconds. May be called twice."""
        with self._wake:
            self._closed = True
            abandoned = [(job, Ending.ABANDONED) for job in self._waiting.values()]
            self._waiting.clear()
            self._wake.notify_all()
        _tell(abandoned)
        self._thread.join(timeout)
        with self._wake:
            left, self._running = self._running, None
        if left is not None:
            _tell([(left, Ending.ABANDONED)])

    def _run(self) -> None:
        while (job := self._next()) is not None:
            outcome = self._carry_out(job.change)
            with self._wake:
                mine, self._running = self._running is job, None
            if mine:
                job.done(outcome)

    def _next(self) -> _Job | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            self._running = self._waiting.pop(next(iter(self._waiting)))
            return self._running

    def _carry_out(self, change: Change) -> Outcome:
        try:
            self._registry.carry_out(change)
        except SyncError as e:
            return Outcome(change, Ending.FAILED, e)
        return Outcome(change, Ending.DONE)


def _key(change: Change) -> _Key:
    kind = "" if isinstance(change, InstanceChange) else type(change).__name__
    return (change.service, instance_id(change), kind)


def _tell(ended: list[tuple[_Job, Ending]]) -> None:
    for job, ending in ended:
        job.done(Outcome(job.change, ending))
