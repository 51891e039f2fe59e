"""Writes into one hosted zone: what is wished within a moment goes in one request, one request at a time."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from syncer.core.errors import Refused, SyncError
from syncer.core.plan import Change, instance_id
from syncer.core.ports import Ending, Outcome
from syncer.core.wishes import Wishes
from syncer.systems.route53.api import BAD_BATCH
from syncer.systems.route53.mapping import Mapping
from syncer.systems.route53.records import RecordChange
from syncer.systems.route53.units import make_unit, merged
from syncer.systems.route53.zone import Zone

MOST_RECORDS: Final = 1000
MOST_CHARACTERS: Final = 32_000
"""What a request may hold. Source: Route 53 API reference, ChangeResourceRecordSets."""

Done = Callable[[Outcome], None]
_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class _Job:
    change: Change
    done: Done
    fresh: bool = False
    """Whether its name was read for it, since the zone was not as remembered."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.change.service, instance_id(self.change))


@dataclass(frozen=True, slots=True)
class _Unit:
    job: _Job
    changes: tuple[RecordChange, ...]


class Route53Writer:
    """Carries changes out in one zone. Thread-safe; :meth:`close` must be called once."""

    def __init__(self, zone: Zone, mapping: Mapping, *, debounce: float = 0.1) -> None:
        """Collect what comes within *debounce* seconds of the first wish, and while a request is under way."""
        self._zone = zone
        self._mapping = mapping
        self._debounce = debounce
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._queue: deque[_Job] = deque()
        self._wishes: Wishes[tuple[str, str], _Job] = Wishes()
        self._open: set[_Job] = set()
        name = f"route53-write-{zone.hosted.id}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, changes: Sequence[Change], done: Done) -> None:
        """Take *changes* and return at once; see :class:`~syncer.core.ports.Writer`."""
        for change in changes:
            self._offer(_Job(change, done))

    def close(self, timeout: float) -> None:
        """Finish the request that is under way, if that takes no more than *timeout* seconds; abandon the rest."""
        self._closing.set()
        deadline = time.monotonic() + timeout
        with self._changed:
            self._queue.clear()
            self._changed.notify_all()
            while self._writing and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            left_over = tuple(self._open)
        for job in left_over:
            self._end(job, Ending.ABANDONED)

    _writing = False

    def _offer(self, job: _Job) -> None:
        replaced = None
        with self._changed:
            closing = self._closing.is_set()
            self._open.add(job)
            if not closing:
                starts, replaced = self._wishes.offer(job.key, job)
                if starts:
                    self._queue.append(job)
                    self._changed.notify_all()
        if closing:
            self._end(job, Ending.ABANDONED)
        if replaced is not None:
            self._end(replaced, Ending.SUPERSEDED)

    def _work(self) -> None:
        while jobs := self._take():
            try:
                self._carry_out(jobs)
            except Exception as e:  # noqa: BLE001 - a defect in one batch must not end the writer; it is logged whole
                _log.exception("route53_batch_failed", zone=self._zone.hosted.id)
                for job in jobs:
                    self._end(job, Ending.FAILED, SyncError(f"a defect: {e}", code=type(e).__name__))
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _take(self) -> list[_Job]:
        """Wait for wishes and collect them for a moment; return none once the writer closes."""
        with self._changed:
            while not self._queue and not self._closing.is_set():
                self._changed.wait()
        self._closing.wait(self._debounce)
        with self._changed:
            jobs = list(self._queue)
            self._queue.clear()
            self._writing = bool(jobs)
            return jobs

    def _carry_out(self, jobs: Sequence[_Job]) -> None:
        for batch in _batches(self._units(jobs)):
            if self._closing.is_set():
                return
            self._write(batch)

    def _units(self, jobs: Sequence[_Job]) -> Iterator[_Unit]:
        """Yield what each job does to records; end those that do nothing, or cannot be done."""
        for job in jobs:
            try:
                changes = self._changes(job)
            except SyncError as e:
                self._end(job, Ending.FAILED, e)
                continue
            if changes:
                yield _Unit(job, changes)
            else:
                self._end(job, Ending.DONE)

    def _changes(self, job: _Job) -> tuple[RecordChange, ...]:
        """Return what *job* does, judged by what is remembered; what is in the way is looked at once more."""
        name = job.change.service
        try:
            return make_unit(job.change, self._zone.recall(name), self._mapping)
        except Refused:
            if job.fresh:
                raise
        job.fresh = True
        return make_unit(job.change, self._zone.read(name), self._mapping)

    def _write(self, batch: Sequence[_Unit]) -> None:
        """Carry *batch* out; where it is refused, find out what of it is to blame, so that the rest goes in."""
        try:
            self._zone.change(merged(unit.changes for unit in batch))
        except SyncError as e:
            if e.code != BAD_BATCH:
                for unit in batch:
                    self._end(unit.job, Ending.FAILED, e)
            elif len(batch) > 1:
                for part in _parted(batch, str(e)):
                    self._carry_out([unit.job for unit in part])
            else:
                self._look_again(batch[0].job, e)
        else:
            for unit in batch:
                self._end(unit.job, Ending.DONE)

    def _look_again(self, job: _Job, error: SyncError) -> None:
        """Read the name of a change that was refused, and try once more with what is there."""
        if job.fresh:
            self._end(job, Ending.FAILED, Refused(str(error), code=error.code))
            return
        job.fresh = True
        try:
            self._zone.read(job.change.service)
        except SyncError as e:
            self._end(job, Ending.FAILED, e)
        else:
            self._carry_out([job])

    def _end(self, job: _Job, ending: Ending, error: SyncError | None = None) -> None:
        """Tell the end of *job*, once; begin what waited behind it."""
        with self._changed:
            if job not in self._open:
                return
            self._open.discard(job)
            if ending is not Ending.SUPERSEDED and self._wishes.running(job.key) is job:
                following = self._wishes.finish(job.key)
                if following is not None and not self._closing.is_set():
                    self._queue.append(following)
                    self._changed.notify_all()
        job.done(Outcome(job.change, ending, error))


def _batches(units: Iterator[_Unit]) -> Iterator[list[_Unit]]:
    """Yield *units* in batches that a request can hold."""
    batch: list[_Unit] = []
    records = characters = 0
    for unit in units:
        more = sum(change.records for change in unit.changes)
        longer = sum(change.characters for change in unit.changes)
        if batch and (records + more > MOST_RECORDS or characters + longer > MOST_CHARACTERS):
            yield batch
            batch, records, characters = [], 0, 0
        batch.append(unit)
        records, characters = records + more, characters + longer
    if batch:
        yield batch


def _parted(batch: Sequence[_Unit], message: str) -> tuple[Sequence[_Unit], Sequence[_Unit]]:
    """Return *batch* in two: what *message* does not name and what it names, or else its halves."""
    named = [unit for unit in batch if _named(unit, message)]
    if 0 < len(named) < len(batch):
        return [unit for unit in batch if unit not in named], named
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def _named(unit: _Unit, message: str) -> bool:
    records = [change.record for change in unit.changes]
    if any(record.identifier and record.identifier in message for record in records):
        return True
    return "et identifier=" not in message and any(f"{record.name}." in message for record in records)
