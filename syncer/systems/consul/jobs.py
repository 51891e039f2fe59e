"""What a writer has to do, and what became of it: each change is reported exactly once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

import structlog

from syncer.core.errors import SyncError
from syncer.core.model import Instance
from syncer.core.plan import Deregister, InstanceChange, SetHealth
from syncer.core.ports import Ending, Outcome

_log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Job:
    """One change with whom to tell of its end."""

    change: InstanceChange
    done: Callable[[Outcome], None]
    submitted: float = field(default_factory=time.monotonic)
    _lock: Lock = field(default_factory=Lock)
    _ended: bool = False

    @property
    def instance(self) -> Instance:
        """The instance as it is to be, or the one to remove."""
        return self.change.instance

    @property
    def removes(self) -> bool:
        """Whether the instance is to go."""
        return isinstance(self.change, Deregister)

    @property
    def health_only(self) -> bool:
        """Whether nothing but the health changes."""
        return isinstance(self.change, SetHealth)

    def end(self, ending: Ending, error: SyncError | None = None) -> None:
        """Report the end, unless one was reported already."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        try:
            self.done(Outcome(self.change, ending, error))
        except Exception:  # noqa: BLE001 - a fault of the listener must not end the thread that tells it
            _log.exception("consul_outcome_fault")


@dataclass(slots=True, eq=False)
class Wish:
    """What one instance is to be: the last of its jobs, which brings the earlier ones with it."""

    jobs: tuple[Job, ...]

    @property
    def job(self) -> Job:
        """The job that decides."""
        return self.jobs[-1]

    @property
    def health_only(self) -> bool:
        """Whether the check alone needs writing."""
        return all(job.health_only for job in self.jobs)

    @property
    def submitted(self) -> float:
        """When the job that decides was submitted, on the monotonic clock."""
        return self.job.submitted

    def takes_along(self, earlier: "Wish") -> bool:
        """Whether *earlier*, which was not begun, must be carried out with this: a new health undoes no update."""
        return self.health_only and not earlier.job.removes

    def end(self, ending: Ending, error: SyncError | None = None) -> None:
        """Report the end of all its jobs."""
        for job in self.jobs:
            job.end(ending, error)
