"""How fast a loop may go: unhindered after a calm, within a share of the time when busy, slower after failures."""

import random
import time
from collections.abc import Callable
from typing import Final

MOST_PAUSE: Final = 0.5


class Pace:
    """Keeps what a loop's answers cost to a share of the time, and lets a few through at once after a calm."""

    def __init__(
        self,
        share: float = 0.25,
        burst: float = 2.0,
        most: float = MOST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow *share* of the time, *burst* answers without a pause, and pauses of *most* seconds."""
        self._share = share
        self._burst = burst
        self._most = most
        self._clock = clock
        self._credit: float | None = None
        self._at = clock()

    def pause(self, cost: float) -> float:
        """Return how many seconds to wait after an answer that cost *cost* seconds of work."""
        now = self._clock()
        full = self._burst * cost
        earned = full if self._credit is None else self._credit + (now - self._at) * self._share
        self._at = now
        self._credit = min(earned, full) - cost
        pause = min(max(0.0, -self._credit / self._share), self._most)
        if pause == self._most:
            self._credit = -self._most * self._share
        return pause


class Backoff:
    """Growing pauses between failures, with jitter; success starts anew."""

    def __init__(self, first: float = 0.25, most: float = 15.0) -> None:
        """Begin with *first* seconds, and grow to *most*."""
        self._first = first
        self._most = most
        self._failures = 0

    def pause(self) -> float:
        """Take note of a failure; return how many seconds to wait."""
        delay = min(self._most, self._first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return delay * random.uniform(0.5, 1.0)  # noqa: S311 - jitter

    def reset(self) -> None:
        """Take note of a success."""
        self._failures = 0


class Budget:
    """So many at once, so many a second after that."""

    def __init__(self, burst: float, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow *burst* at once and *rate* a second."""
        self._burst = burst
        self._rate = rate
        self._clock = clock
        self._left = burst
        self._at = clock()

    def take(self) -> bool:
        """Return whether one more is allowed now, and count it if so."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
