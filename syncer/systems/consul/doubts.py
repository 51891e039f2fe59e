"""When it is time to ask what nobody names: which wakes are unexplained, and how long that may wait. Pure."""

from collections import OrderedDict, deque
from typing import Final

_SOON: Final = 0.03
"""Seconds that the other watches have at least to explain a wake."""
_SETTLE: Final = 0.3
_DOUBT: Final = 5.0
"""Seconds between dumps while changes come so fast that one answer may hide another."""
_RARELY: Final = 60.0
"""Seconds between dumps where that is most unlikely; none without any change."""
_REMEMBERED: Final = 4096

_Doubt = tuple[int, float] | None
"""An index of Consul's up to which something may have gone unnoticed, and since when that is thought."""


class Doubts:
    """What is not known of the changes that woke a watch. Times are those of one monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._explained: OrderedDict[int, None] = OrderedDict()
        self._wakes: deque[tuple[int, float]] = deque()
        self._doubt: _Doubt = None
        self._unsure: _Doubt = None
        self._verdict = 0
        self._grace = 0.0
        self._next = 0.0
        self._last = (0.0, 0.0)

    @property
    def pressing(self) -> bool:
        """Whether a wake waits for its explanation."""
        return bool(self._wakes)

    @property
    def oldest(self) -> int | None:
        """The lowest index that nobody explained; None where there is none."""
        return min((index for index, _ in self._wakes), default=None)

    def forget(self) -> None:
        """Have no doubts: everything is read anew."""
        self._wakes.clear()
        self._doubt = self._unsure = None

    def wake(self, index: int, now: float, *, calm: bool, explained: bool) -> None:
        """Take note that a service changed at *index*; *explained*: that it is known which.

        Without *calm* there may be others behind it that nobody explains.
        """
        self._unsure = (index, self._unsure[1] if self._unsure else now)
        if not calm:
            self._doubt = (index, self._doubt[1] if self._doubt else now)
        if not explained:
            self._wakes.append((index, now))

    def explain(self, index: int) -> None:
        """Take note that it is known which service changed at *index*."""
        self._explained[index] = None
        if len(self._explained) > _REMEMBERED:
            self._explained.popitem(last=False)

    def judged(self, index: int, grace: float) -> None:
        """Take note that others explained what they can up to *index*, for which they take *grace* seconds or less."""
        self._verdict, self._grace = index, grace

    def answered(self, index: int, now: float, *, cost: float, pause: float) -> None:
        """Take note that everything up to *index* is known, by a dump that took *cost* seconds.

        None is due for *pause* seconds.
        """
        self._wakes = deque(wake for wake in self._wakes if wake[0] > index)
        self._doubt = _later(self._doubt, index)
        self._unsure = _later(self._unsure, index)
        self._last = (now, cost)
        self._next = now + pause

    def due(self, now: float) -> float | None:
        """Return in how many seconds it is time to ask; None: not as it is."""
        candidates = (
            self._wakes_due(),
            self._settled(self._doubt, _DOUBT, 20),
            self._settled(self._unsure, _RARELY, 200),
        )
        times = [max(at, self._next) for at in candidates if at is not None]
        return max(0.0, min(times) - now) if times else None

    def _wakes_due(self) -> float | None:
        while self._wakes and self._wakes[0][0] in self._explained:
            self._wakes.popleft()
        if not self._wakes:
            return None
        index, since = self._wakes[0]
        return since + (_SOON if self._verdict >= index else max(_SOON, self._grace))

    def _settled(self, doubt: _Doubt, apart: float, times: float) -> float | None:
        """Return when to look after *doubt*: not before it had time to settle, nor too soon after the last dump."""
        if doubt is None:
            return None
        at, cost = self._last
        return max(doubt[1] + _SETTLE, at + max(apart, times * cost))


def _later(doubt: _Doubt, index: int) -> _Doubt:
    """Return what is left of *doubt* once everything up to *index* is known."""
    return doubt if doubt is not None and doubt[0] > index else None
