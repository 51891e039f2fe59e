"""How fast Route 53 may be called: a token bucket that throttling slows down and calm speeds up again."""

import threading
import time
from collections.abc import Callable
from typing import Final

_SLOWEST: Final = 0.1
"""Share of the configured rate that is left at least."""
_CALMER: Final = 1.05
"""How much faster each call goes that was not throttled."""


class Pace:
    """So many calls a second, after a burst. Thread-safe: calls go in the order in which they ask."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow *rate* calls a second and *burst* at once after a calm."""
        self._most = rate
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Calls a second that are allowed now."""
        return self._rate

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the next call's turn; return False, and count nothing, where *stop* was set first."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            self._tokens -= 1
            pause = -self._tokens / self._rate
        if pause > 0 and stop.wait(pause):
            with self._lock:
                self._tokens += 1
            return False
        return not stop.is_set()

    def throttled(self) -> None:
        """Take note that Route 53 asked for fewer calls."""
        with self._lock:
            self._rate = max(self._rate / 2, self._most * _SLOWEST)
            self._tokens = min(self._tokens, 0.0)

    def calm(self) -> None:
        """Take note of a call that was let through."""
        with self._lock:
            self._rate = min(self._rate * _CALMER, self._most)
