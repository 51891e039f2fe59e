"""What writers share that carry changes out in batches: who waits for what, and that each end is told once.

Changes of one lane (a hosted zone, a target group) are collected for a moment and carried out together, one batch at
a time; one change at a time for each instance, and the latest wish wins.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from syncer.core.errors import SyncError
from syncer.core.plan import Change, instance_id
from syncer.core.ports import Ending, Outcome
from syncer.core.wishes import Wishes

Done = Callable[[Outcome], None]
_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Job:
    """One change, from its submission to its end."""

    change: Change
    done: Done
    fresh: bool = False
    """Whether its service was read again for it, since it was not as remembered."""

    @property
    def key(self) -> tuple[str, str]:
        """What at most one job at a time is about: service and instance."""
        return (self.change.service, instance_id(self.change))


class Desk:
    """Takes changes, hands them out in batches by lane, and tells each one's end. Thread-safe."""

    def __init__(
        self,
        name: str,
        carry_out: Callable[[Sequence[Job]], None],
        *,
        debounce: float,
        lane: Callable[[Change], str] = lambda _change: "",
        threads: int = 1,
    ) -> None:
        """Start *threads* threads that call *carry_out*, which must :meth:`end` each job.

        Args:
            name: of the threads.
            carry_out: gets all jobs of one lane that came within *debounce* seconds or during the batch before.
            debounce: seconds.
            lane: tells changes apart that may go at the same time.
            threads: how many lanes at once.
        """
        self.closing = threading.Event()
        """Set once the writer closes: what is not begun by then is abandoned."""
        self._carry_out = carry_out
        self._debounce = debounce
        self._lane = lane
        self._changed = threading.Condition()
        self._queues: dict[str, list[Job]] = {}
        self._busy: set[str] = set()
        self._wishes: Wishes[tuple[str, str], Job] = Wishes()
        self._open: dict[Job, None] = {}
        for number in range(threads):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def submit(self, changes: Sequence[Change], done: Done) -> None:
        """Take *changes* and return at once; *done* is called exactly once for each."""
        for change in changes:
            self._offer(Job(change, done))

    def close(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for the batches under way; abandon what has not ended then."""
        self.closing.set()
        deadline = time.monotonic() + timeout
        with self._changed:
            self._queues.clear()
            self._changed.notify_all()
            while self._busy and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            rest = tuple(self._open)
        for job in rest:
            self.end(job, Ending.ABANDONED)

    def end(self, job: Job, ending: Ending, error: SyncError | None = None) -> None:
        """Tell the end of *job*, unless that was told before; begin what waited behind it."""
        with self._changed:
            if job not in self._open:
                return
            del self._open[job]
            if self._wishes.running(job.key) is job:
                following = self._wishes.finish(job.key)
                if following is not None:
                    self._put(following)
        job.done(Outcome(job.change, ending, error))

    def _offer(self, job: Job) -> None:
        replaced = None
        with self._changed:
            closing = self.closing.is_set()
            self._open[job] = None
            if not closing:
                starts, replaced = self._wishes.offer(job.key, job)
                if starts:
                    self._put(job)
        if closing:
            self.end(job, Ending.ABANDONED)
        if replaced is not None:
            self.end(replaced, Ending.SUPERSEDED)

    def _put(self, job: Job) -> None:
        if not self.closing.is_set():
            self._queues.setdefault(self._lane(job.change), []).append(job)
            self._changed.notify_all()

    def _work(self) -> None:
        while (lane := self._next()) is not None:
            self.closing.wait(self._debounce)
            with self._changed:
                jobs = self._queues.pop(lane, [])
            try:
                self._carry_out(jobs)
            except Exception as e:  # noqa: BLE001 - a defect in one batch must not end the writer; it is logged whole
                _log.exception("write_batch_failed", lane=lane)
                for job in jobs:
                    self.end(job, Ending.FAILED, SyncError(f"a defect: {e}", code=type(e).__name__))
            with self._changed:
                self._busy.discard(lane)
                self._changed.notify_all()

    def _next(self) -> str | None:
        """Wait for a lane with something to do that nobody works on; None once the writer closes."""
        with self._changed:
            while not self.closing.is_set():
                lane = next((lane for lane in self._queues if lane not in self._busy), None)
                if lane is not None:
                    self._busy.add(lane)
                    return lane
                self._changed.wait()
            return None
