"""How old what is known may be, and when a full read is due again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from syncer.core.errors import SyncError

T = TypeVar("T")

JUST_READ: Final = 1.0
"""Seconds: a full read this young answers whoever lists the services."""
YOUNG: Final = 5.0
"""Seconds: what was read, or looked at, within these is fresh."""
OLD: Final = 30.0
"""Seconds: what was read within these answers a read that need not be fresh."""


@dataclass(slots=True)
class Age:
    """When a cluster was last read in full, and how often in a row that failed."""

    read: float = float("-inf")
    """When the last full read that left no question began."""
    attempted: float = float("-inf")
    failures: int = 0

    def due(self, asked: float, max_age: float) -> bool:
        """Whether a full read is due for somebody who asked at *asked*; failing ones are spaced out."""
        if self.failures:
            return self.attempted < asked - min(30.0, 0.25 * 2.0 ** min(self.failures, 8))
        return self.read < asked - max_age


def guarded(read: Callable[[], T]) -> T:
    """Return what *read* returns; an answer that is not of the expected form is a :class:`SyncError`, too."""
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise SyncError(f"an answer is not of the expected form: {e!r}", code="Garbled") from e
