"""When a system was last heard of, found out from the calls that are counted anyway."""

import math
import time
from collections.abc import Callable, Collection
from typing import Any


class Heard:
    """Passes on what it is told of calls, and remembers when one of some operations last succeeded."""

    def __init__(self, operations: Collection[str], on_call: Callable[[Any], None]) -> None:
        self._operations = operations
        self._on_call = on_call
        self._last = -math.inf

    def note(self, call: Any) -> None:
        """Take note of *call*, and pass it on."""
        if not call.error and call.operation in self._operations:
            self._last = time.monotonic()
        self._on_call(call)

    def age(self) -> float:
        """Return the seconds since then; NaN for never."""
        return time.monotonic() - self._last if self._last > -math.inf else math.nan
