"""How far a long piece of work is: a first sync writes thousands of changes, and somebody watches."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a wave of changes is."""

    done: int
    total: int
    rate: float
    """Changes a second, since the wave began."""
    left: float
    """Seconds until it ends at that rate."""


class Progress:
    """Follows one route's changes from submission to end, in waves that end when nothing is under way.

    Not thread-safe: whoever owns it holds a lock.
    """

    def __init__(self, above: int, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Speak up every *every* seconds while more than *above* changes are under way."""
        self._above = above
        self._every = every
        self._clock = clock
        self._total = 0
        self._done = 0
        self._began = 0.0
        self._spoke = 0.0
        self._spoke_up = False

    def submitted(self, count: int) -> None:
        """Note that *count* changes went to the writer."""
        if count:
            self._begin(self._clock())
        self._total += count
        self._close()

    def ended(self) -> Standing | None:
        """Note that a change ended; return how far the wave is, when it is time to say so.

        A wave that was spoken of is spoken of once more at its end.
        """
        now = self._clock()
        self._begin(now)
        self._done += 1
        standing = self._standing(now)
        under_way = self._total - self._done
        finished = under_way == 0 and self._spoke_up
        self._close()
        if finished:
            return standing
        if under_way <= self._above or now - self._spoke < self._every:
            return None
        self._spoke, self._spoke_up = now, True
        return standing

    def _begin(self, now: float) -> None:
        if not (self._total or self._done):
            self._began = self._spoke = now

    def _standing(self, now: float) -> Standing:
        rate = self._done / max(now - self._began, 1e-3)
        return Standing(self._done, self._total, rate, max(0, self._total - self._done) / max(rate, 1e-9))

    def _close(self) -> None:
        # A quick change may end before the pass that submitted it is reported: then done is ahead for a moment.
        if self._total == self._done:
            self._total = self._done = 0
            self._spoke_up = False
