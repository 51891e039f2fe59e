"""Changes that failed: not tried again before their time, unless what is wanted has changed."""

import threading
import time
from dataclasses import dataclass

from syncer.core.errors import Denied, QuotaExceeded, SyncError
from syncer.core.plan import Change, instance_id
from syncer.engine.agenda import Backoff

_HOPELESS = 600.0
"""Seconds between attempts of what the registry refused: only a change elsewhere can help."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that failed, and when it is tried again."""

    change: Change
    error: SyncError
    attempts: int
    due: float
    """``time.monotonic()``."""


class Failures:
    """The failures of one route, by service and instance. Thread-safe."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], Failure] = {}

    def add(self, change: Change, error: SyncError) -> float:
        """Note that *change* failed with *error*; return the seconds until it is to be tried again."""
        key = (change.service, instance_id(change))
        with self._lock:
            before = self._failures.get(key)
            attempts = before.attempts + 1 if before is not None and before.change == change else 1
            seconds = _HOPELESS if not error.retryable else self._backoff.after(attempts)
            if isinstance(error, Denied | QuotaExceeded):
                seconds = max(seconds, self._backoff.longest / 2)
            self._failures[key] = Failure(change, error, attempts, time.monotonic() + seconds)
            return seconds

    def clear(self, change: Change) -> None:
        """Forget that something failed, since *change* of the same instance succeeded."""
        with self._lock:
            self._failures.pop((change.service, instance_id(change)), None)

    def wait(self, change: Change) -> float:
        """Return the seconds for which *change* must not be tried, since this very change failed; 0 for none."""
        with self._lock:
            failure = self._failures.get((change.service, instance_id(change)))
            if failure is None or failure.change != change:
                return 0.0
            return max(0.0, failure.due - time.monotonic())

    def prune(self, service: str, wanted: set[str]) -> None:
        """Forget failures of *service* about instances that nobody wants changed any more."""
        with self._lock:
            for key in [key for key in self._failures if key[0] == service and key[1] not in wanted]:
                del self._failures[key]

    def current(self) -> tuple[Failure, ...]:
        """Return what fails at present."""
        with self._lock:
            return tuple(self._failures.values())
