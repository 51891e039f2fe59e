"""Operations that we have begun, followed to their end.

Cloud Map accepts a registration at once and carries it out a second later. The feed's lists tell the ends of many
with one call; what they do not tell in time is asked for one by one.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from syncer.core.errors import Missing, SyncError, Unavailable
from syncer.systems.aws import required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.namespaces import failure

_log = structlog.get_logger()

Ended = Callable[[SyncError | None], None]
"""Told how an operation ended: None for success."""

_LISTENING: Final = 5.0
"""Seconds since the feed's last list for which it is trusted to tell."""
_PATIENCE: Final = 2.5
"""Seconds until an operation is asked for all the same."""
_ALONE: Final = 0.4
"""The same, where there is no feed, or where there are few."""
_FEW: Final = 20
"""So many operations are asked for one by one at once, without waiting for the feed."""
_AGAIN: Final = 0.4
"""Seconds between questions about one operation."""
_KNOWN: Final = 60.0
"""Seconds for which an operation that has ended is known as one of ours: longer than the feed's lists reach back."""
_LONGEST: Final = 120.0
"""Seconds after which an operation is given up."""


@dataclass(frozen=True, slots=True)
class _Followed:
    what: str
    ended: Ended
    since: float


class Operations:
    """Follows the operations of one namespace. Thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._followed: dict[str, _Followed] = {}
        self._due: list[tuple[float, int, str]] = []
        self._numbers = itertools.count()
        self._ended: dict[str, float] = {}
        """Operations of ours that were asked for, and had ended, in the order of time; the feed may list them yet."""
        self._heard = 0.0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="cloudmap-operations", daemon=True)
        self._thread.start()

    def follow(self, operation: str, what: str, ended: Ended) -> None:
        """Call *ended*, from some other thread, when *operation* has ended; *what* names it in errors."""
        now = time.monotonic()
        with self._changed:
            self._followed[operation] = _Followed(what, ended, now)
            listening = now - self._heard < _LISTENING
            patient = listening and len(self._followed) > _FEW
            self._ask_at(operation, now + (_PATIENCE if patient else _ALONE))

    def heard(self) -> None:
        """Note that the feed is listening."""
        with self._changed:
            self._heard = time.monotonic()

    def tell(self, operation: str, status: str) -> bool:
        """Take *status* of *operation* from the feed; return whether the operation is one of ours."""
        with self._changed:
            followed = self._followed.get(operation)
            if followed is None:
                return operation in self._ended
            if status != "SUCCESS":
                self._ask_at(operation, 0.0)
                return True
            del self._followed[operation]
        followed.ended(None)
        return True

    def close(self) -> None:
        """Stop asking; what is still followed is told no end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _remember(self, operation: str) -> None:
        now = time.monotonic()
        self._ended[operation] = now
        while self._ended[oldest := next(iter(self._ended))] < now - _KNOWN:
            del self._ended[oldest]

    def _ask_at(self, operation: str, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), operation))
        self._changed.notify_all()

    def _run(self) -> None:
        while (operation := self._next()) is not None:
            try:
                self._ask(operation)
            except Exception:  # noqa: BLE001 - a defect must not leave all others without an end; it is logged whole
                _log.exception("cloudmap_operation_failed", operation=operation)

    def _next(self) -> str | None:
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                if self._due and self._due[0][0] <= now:
                    operation = heapq.heappop(self._due)[2]
                    if operation in self._followed:
                        return operation
                    continue
                self._changed.wait(self._due[0][0] - now if self._due else None)
        return None

    def _ask(self, operation: str) -> None:
        followed = self._followed.get(operation)
        if followed is None:
            return
        error: SyncError | None = None
        try:
            state = required(self._api.once("GetOperation", OperationId=operation), "Operation")
            status = state.get("Status")
            if status == "FAIL":
                error = failure(state, followed.what)
        except Missing as e:
            status, error = "FAIL", Unavailable(f"{followed.what}: the operation is not known any more: {e}")
        except SyncError:
            status = "UNKNOWN"
        if status not in {"SUCCESS", "FAIL"}:
            if time.monotonic() - followed.since < _LONGEST:
                with self._changed:
                    self._ask_at(operation, time.monotonic() + _AGAIN)
                return
            error = Unavailable(f"{followed.what}: the operation does not end", code="Pending")
        with self._changed:
            ours = self._followed.pop(operation, None)
            self._remember(operation)
        if ours is not None:
            ours.ended(error)
