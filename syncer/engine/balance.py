"""When one replica asks another for a lease, and when it gives one: in a calm, one at a time, down to a fair share.

we hold 1, another 2   → nothing to ask for: one of three is nobody's unfair share
we hold 1, another 3   → ask it for one, once nothing has changed hands for a while
it asks, we hold 3     → give it, unless something changed hands just now
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_UNFAIR: Final = 2
"""More than another holds, by so many, is more than a share: it is nobody's with one less."""


class Balance:
    """Decides for one process. Thread-safe."""

    def __init__(self, held_by: Callable[[str], int], calm: float) -> None:
        """Decide by what is known here.

        Args:
            held_by: how many leases somebody holds, as far as this process knows; under "", this process itself.
            calm: seconds without a change before another is asked, and between two questions.
        """
        self._held_by = held_by
        self._calm = calm
        self._lock = threading.Lock()
        self._changed = self._asked = time.monotonic()
        self._content = False

    def changed(self) -> None:
        """Note that a lease changed hands, anybody's."""
        with self._lock:
            self._changed = time.monotonic()

    def be_content(self) -> None:
        """Ask nobody from now on."""
        self._content = True

    def may_ask(self, holder: str) -> bool:
        """Return whether to ask *holder* for a lease now; a yes counts as asked."""
        with self._lock:
            now = time.monotonic()
            if self._content or now < max(self._changed, self._asked) + self._calm:
                return False
            if self._held_by(holder) - self._held_by("") < _UNFAIR:
                return False
            self._asked = now
            return True

    def may_give(self, asker: str) -> bool:
        """Return whether to give *asker* a lease of ours now; its clock of the calm may run a little before ours."""
        with self._lock:
            calm = time.monotonic() >= self._changed + self._calm / 2
            return calm and self._held_by("") - self._held_by(asker) >= _UNFAIR
