"""Registers and deregisters targets: in groups that carry our owner's tag, and in no other."""

from collections.abc import Sequence
from typing import Final

from syncer.core.errors import Missing, QuotaExceeded, Refused, SyncError
from syncer.core.model import Mark
from syncer.core.plan import Change, Deregister, InstanceChange, Register, Update
from syncer.core.ports import Ending
from syncer.systems.aws import Aws
from syncer.systems.desk import Desk, Done, Job
from syncer.systems.elb.groups import Groups
from syncer.systems.elb.mapping import Target, to_api, to_target

MOST: Final = 100
"""Targets in one request. The API states no limit; smaller requests lose less to one bad target."""
_THREADS: Final = 4
_REFUSED: Final = frozenset({"InvalidTarget", "TooManyRegistrationsForTargetId", "TooManyTargets"})
"""Codes that may be about one of a request's targets. Source: Elastic Load Balancing API reference."""

_Placed = tuple[Job, Target]


class ElbWriter:
    """Carries changes out in the target groups of one Region. Thread-safe; :meth:`close` ends its threads."""

    def __init__(self, aws: Aws, groups: Groups, *, debounce: float = 0.05) -> None:
        """Collect what comes for a group within *debounce* seconds, and while a request for it is under way."""
        self._aws = aws
        self._groups = groups
        self._desk = Desk(
            "elb-write",
            self._carry_out,
            debounce=debounce,
            lane=lambda change: change.service,
            threads=_THREADS,
        )

    def submit(self, changes: Sequence[Change], done: Done) -> None:
        """Take *changes* and return at once; see :class:`~syncer.core.ports.Writer`."""
        self._desk.submit(changes, done)

    def close(self, timeout: float) -> None:
        """Finish the requests that are under way, if that takes at most *timeout* seconds; abandon the rest."""
        self._desk.close(timeout)

    def _carry_out(self, jobs: Sequence[Job]) -> None:
        """Do all *jobs*, which are of one group: what adds first, what removes last."""
        ends: dict[Job, SyncError | None] = {}
        coming: list[_Placed] = []
        going: list[_Placed] = []
        for job in jobs:
            try:
                self._groups.check(job.change.service, _mark(job.change))
                new, old = _targets(job.change)
            except SyncError as e:
                gone = isinstance(e, Missing) and isinstance(job.change, Deregister)
                ends[job] = None if gone else e
                continue
            coming.extend((job, target) for target in new)
            going.extend((job, target) for target in old)
        self._all("RegisterTargets", coming, ends)
        wanted = {target for _, target in coming}
        moving = {job for job, _ in coming}
        ends.update((job, None) for job, target in going if target in wanted and job not in moving)
        left = [(job, target) for job, target in going if target not in wanted]
        self._all("DeregisterTargets", [(job, target) for job, target in left if not ends.get(job)], ends)
        for job, error in ends.items():
            self._desk.end(job, Ending.FAILED if error else Ending.DONE, error)

    def _all(self, operation: str, placed: Sequence[_Placed], ends: dict[Job, SyncError | None]) -> None:
        """Do *operation* for all of *placed*, and note how each ended; none once the writer closes."""
        for start in range(0, len(placed), MOST):
            if self._desk.closing.is_set():
                for job, _ in placed[start:]:
                    ends.pop(job, None)
                return
            self._some(operation, placed[start : start + MOST], ends)

    def _some(self, operation: str, placed: Sequence[_Placed], ends: dict[Job, SyncError | None]) -> None:
        """Make one request; where it is refused, halve it, so that one bad target stops no other."""
        arn = placed[0][0].change.service
        error: SyncError | None = None
        try:
            networks = self._groups.networks(self._groups.get(arn, fresh=False))
            targets = [to_api(target, networks) for _, target in placed]
            self._aws.retry("elbv2", operation, TargetGroupArn=arn, Targets=targets)
        except SyncError as e:
            self._groups.forget(arn)
            if len(placed) > 1 and (e.code in _REFUSED or isinstance(e, Refused)):
                middle = len(placed) // 2
                self._some(operation, placed[:middle], ends)
                self._some(operation, placed[middle:], ends)
                return
            there = operation == "RegisterTargets" or not _gone(e)
            error = _explained(e, arn) if there else None
        ends.update((job, error) for job, _ in placed)


def _targets(change: Change) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
    """Return what *change* registers and what it deregisters."""
    match change:
        case Register(instance=instance):
            return (to_target(instance),), ()
        case Update(before=before, instance=instance):
            return (to_target(instance),), (to_target(before),)
        case Deregister(instance=instance):
            return (), (to_target(instance),)
        case _:
            raise Refused(f"a target group knows no {type(change).__name__}", code="Unknown")


def _mark(change: Change) -> Mark | None:
    """Return the mark of the instance that *change* is about."""
    return change.instance.mark if isinstance(change, InstanceChange) else None


def _gone(error: SyncError) -> bool:
    """Whether a deregistration failed since there is nothing to deregister."""
    return isinstance(error, Missing) or error.code == "InvalidTarget"


def _explained(error: SyncError, arn: str) -> SyncError:
    if error.code.startswith("TooMany"):
        advice = "ask for a higher quota of targets, or spread them over more groups"
        return QuotaExceeded(f"{error} ({arn}: {advice})", code=error.code)
    return Refused(str(error), code=error.code) if error.code == "InvalidTarget" else error
