"""What is to happen later: one thread that calls small functions when they are due."""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

import structlog

_SPARE: Final = 64
"""Entries that an earlier one replaced: they are thrown out once there are so many beside as many as count."""
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that grow while something keeps failing; success begins anew, which is the caller's to say."""

    first: float = 1.0
    """Seconds before the second attempt."""
    longest: float = 60.0
    """Seconds that a wait never exceeds."""

    def after(self, failures: int) -> float:
        """Return the seconds to wait after *failures* in a row: doubled each time, half of it jitter."""
        full: float = min(self.longest, self.first * 2.0 ** min(max(failures, 1) - 1, 16))
        return full * (0.5 + random.random() / 2)  # noqa: S311 - jitter, not cryptography


class Agenda:
    """Calls functions after a delay. Thread-safe; the functions are expected to be quick and not to fail."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Hashable, Callable[[], None]]] = []
        self._due: dict[Hashable, float] = {}
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    def remembered(self) -> int:
        """Return how many entries are remembered, those included that an earlier one replaced."""
        with self._changed:
            return len(self._entries)

    def after(self, seconds: float, key: Hashable, call: Callable[[], None]) -> None:
        """Have *call* called in *seconds*, once; an earlier entry with the same *key* stands, a later one goes."""
        due = time.monotonic() + seconds
        with self._changed:
            if key in self._due and self._due[key] <= due:
                return
            self._due[key] = due
            if len(self._entries) > 2 * len(self._due) + _SPARE:
                self._entries = [entry for entry in self._entries if self._due.get(entry[2]) == entry[0]]
                heapq.heapify(self._entries)
            heapq.heappush(self._entries, (due, next(self._numbers), key, call))
            self._changed.notify()

    def run(self, stop: threading.Event) -> None:
        """Call what is due until *stop* is set and :meth:`wake` is called."""
        while not stop.is_set():
            call = self._next(stop)
            if call is not None:
                try:
                    call()
                except Exception:  # noqa: BLE001 - one bad entry must not end the agenda; it is logged whole
                    _log.exception("agenda_entry_failed")

    def wake(self) -> None:
        """Let :meth:`run` look at its stop event at once."""
        with self._changed:
            self._changed.notify_all()

    def _next(self, stop: threading.Event) -> Callable[[], None] | None:
        with self._changed:
            while not stop.is_set():
                now = time.monotonic()
                if self._entries and self._entries[0][0] <= now:
                    due, _, key, call = heapq.heappop(self._entries)
                    if self._due.get(key) == due:
                        del self._due[key]
                        return call
                    continue
                self._changed.wait(self._entries[0][0] - now if self._entries else None)
        return None
