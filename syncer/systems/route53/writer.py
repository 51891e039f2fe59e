"""Writes into one hosted zone: what is wished within a moment goes in one request, one request at a time."""

from collections.abc import Iterator, Sequence

import structlog

from syncer.core.errors import Refused, SyncError
from syncer.core.plan import Change
from syncer.core.ports import Ending
from syncer.systems.desk import Desk, Done, Job
from syncer.systems.route53.api import BAD_BATCH
from syncer.systems.route53.batches import Unit, batches, merged, parted
from syncer.systems.route53.mapping import Mapping
from syncer.systems.route53.records import RecordChange
from syncer.systems.route53.units import IN_THE_WAY, make_unit
from syncer.systems.route53.zone import Zone

_log = structlog.get_logger()


class Route53Writer:
    """Carries changes out in one zone. Thread-safe; :meth:`close` ends its thread."""

    def __init__(self, zone: Zone, mapping: Mapping, *, debounce: float = 0.1) -> None:
        """Collect what comes within *debounce* seconds of the first wish, and while a request is under way."""
        self._zone = zone
        self._mapping = mapping
        self._desk = Desk(f"route53-write-{zone.hosted.id}", self._carry_out, debounce=debounce)

    def submit(self, changes: Sequence[Change], done: Done) -> None:
        """Take *changes* and return at once; see :class:`~syncer.core.ports.Writer`."""
        self._desk.submit(changes, done)

    def close(self, timeout: float) -> None:
        """Finish the request that is under way, if that takes at most *timeout* seconds; abandon the rest."""
        self._desk.close(timeout)

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        for batch in batches(self._units(jobs)):
            if self._desk.closing.is_set():
                return
            self._write(batch)

    def _units(self, jobs: Sequence[Job]) -> Iterator[Unit]:
        """Yield what each job does to records; end those that do nothing, or cannot be done."""
        for job in jobs:
            try:
                changes = self._changes(job)
            except SyncError as e:
                self._desk.end(job, Ending.FAILED, e)
                continue
            if changes:
                yield Unit(job, changes)
            else:
                self._desk.end(job, Ending.DONE)

    def _changes(self, job: Job) -> tuple[RecordChange, ...]:
        """Return what *job* does, judged by what is remembered; what is in the way is looked at once more."""
        name = job.change.service
        try:
            return make_unit(job.change, self._zone.recall(name), self._mapping)
        except Refused as e:
            if job.fresh or e.code != IN_THE_WAY:
                raise
        job.fresh = True
        return make_unit(job.change, self._zone.read(name), self._mapping)

    def _write(self, batch: Sequence[Unit]) -> None:
        """Carry *batch* out; where it is refused, find out what of it is to blame, so that the rest goes in."""
        changes = merged(batch)
        try:
            self._zone.change(changes)
        except SyncError as e:
            if e.code != BAD_BATCH:
                for unit in batch:
                    self._desk.end(unit.job, Ending.FAILED, e)
            elif len(batch) > 1:
                for part in parted(batch, str(e)):
                    self._carry_out([unit.job for unit in part])
            else:
                self._look_again(batch[0].job, e)
        else:
            self._tell(changes)
            for unit in batch:
                self._desk.end(unit.job, Ending.DONE)

    def _look_again(self, job: Job, error: SyncError) -> None:
        """Read the name of a change that was refused, and try once more with what is there."""
        if job.fresh:
            self._desk.end(job, Ending.FAILED, Refused(str(error), code=error.code))
            return
        job.fresh = True
        try:
            self._zone.read(job.change.service)
        except SyncError as e:
            self._desk.end(job, Ending.FAILED, e)
        else:
            self._carry_out([job])

    def _tell(self, changes: Sequence[RecordChange]) -> None:
        """Log which records of others made way: no plan shows them."""
        for item in changes:
            if item.action == "DELETE" and self._mapping.makes_way(item.record):
                _log.info(
                    "record_taken_over",
                    zone=self._zone.hosted.id,
                    name=item.record.name,
                    type=item.record.type,
                    identifier=item.record.identifier,
                    values=item.record.values,
                )
