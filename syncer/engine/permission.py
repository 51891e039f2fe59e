"""Whether a route may write: always, or until a moment that has to be put off again and again."""

import math
import threading
import time


class Permission:
    """Leave to write, which ends by itself. Thread-safe.

    Nobody needs to be awake for it to end: a process that was stopped in its tracks finds it over when it goes on.
    """

    def __init__(self, *, always: bool = True) -> None:
        """Begin with leave for ever; or, with *always* false, without any."""
        self._lock = threading.Lock()
        self._until = math.inf if always else -math.inf
        self._term = 1

    def __bool__(self) -> bool:
        """Whether writing is allowed at this moment."""
        return self.term() > 0

    def term(self) -> int:
        """Return the number of the term that runs now; 0 where there is none. A new grant is a new term."""
        with self._lock:
            return self._term if time.monotonic() < self._until else 0

    def grant(self, until: float) -> None:
        """Begin a new term, which ends at *until* (``time.monotonic()``)."""
        with self._lock:
            self._term += 1
            self._until = until

    def extend(self, until: float) -> bool:
        """Put the end of the term off to *until*; return False where it is over, and stays so."""
        with self._lock:
            if time.monotonic() >= self._until:
                return False
            self._until = max(self._until, until)
            return True

    def revoke(self) -> None:
        """End the term now."""
        with self._lock:
            self._until = -math.inf
