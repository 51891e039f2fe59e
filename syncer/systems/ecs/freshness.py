"""How old what is known may be, and when a full read is due again."""

import time
from dataclasses import dataclass
from typing import Final

JUST_READ: Final = 1.0
"""Seconds: a full read that ended within these answers whoever lists the services."""
YOUNG: Final = 5.0
"""Seconds: what was read, or looked at, within these is fresh."""
OLD: Final = 30.0
"""Seconds: what was read within these answers a read that need not be fresh."""


@dataclass(slots=True)
class Age:
    """When a cluster was last read in full, and how often in a row that failed."""

    read: float = float("-inf")
    """When the last full read that left no question ended; by ``time.monotonic()``, as all here."""
    attempted: float = float("-inf")
    """When the last attempt began."""
    failures: int = 0
    doubted: bool = False
    """Whether there is a reason to read it again, whatever its age."""

    def due(self, asked: float, max_age: float) -> bool:
        """Whether a full read is due for somebody who asked at *asked*; failing ones are spaced out."""
        if self.failures:
            return self.attempted < asked - min(30.0, 0.25 * 2.0 ** min(self.failures, 8))
        return self.doubted or self.read < asked - max_age

    def begin(self) -> float:
        """Note that an attempt begins; return when."""
        self.attempted, self.doubted = time.monotonic(), False
        return self.attempted

    def end(self, *, good: bool) -> None:
        """Note that the attempt ended."""
        if good:
            self.read, self.failures = time.monotonic(), 0
        else:
            self.failures += 1
