"""The services of a route that need a look, gathered until the route takes them."""

import threading
import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

_MOST: Final = 50
"""Targets that a pass looks at for their own sake, unless it looks at everything. A look may take a call that is paced;
what has changed in the source must not wait for hundreds of them."""


@dataclass(slots=True)
class Batch:
    """What a pass has to look at."""

    sources: set[str] = field(default_factory=set)
    """Names in the source registry."""
    targets: set[str] = field(default_factory=set)
    """Names in the target registry."""
    full: bool = False
    """Whether everything is to be looked at, the lists of services included."""
    since: float = 0.0
    """``time.monotonic()`` of the first hint."""

    def __bool__(self) -> bool:
        return self.full or bool(self.sources) or bool(self.targets)


class Dirty:
    """Collects hints; hands them out at once after a calm, and in batches while they keep coming. Thread-safe."""

    def __init__(self, debounce: float) -> None:
        """Wait up to *debounce* seconds for more while changes keep coming."""
        self._debounce = debounce
        self._batch = Batch()
        self._targets: dict[str, None] = {}
        """In the order in which they came."""
        self._taken = 0.0
        self._changed = threading.Condition()

    def add(self, *, sources: frozenset[str] = frozenset(), targets: frozenset[str] = frozenset()) -> None:
        """Have these services looked at."""
        with self._changed:
            self._note()
            self._batch.sources |= sources
            self._targets.update(dict.fromkeys(targets))
            self._changed.notify_all()

    def add_all(self) -> None:
        """Have everything looked at."""
        with self._changed:
            self._note()
            self._batch.full = True
            self._changed.notify_all()

    def take(self, stop: threading.Event) -> Batch | None:
        """Wait for something to look at and return it; None once *stop* is set and :meth:`wake` is called."""
        with self._changed:
            while not stop.is_set():
                now = time.monotonic()
                if self._batch or self._targets:
                    ready = (
                        self._batch.since
                        if now - self._taken > 4 * self._debounce
                        else self._taken + self._debounce
                    )
                    if ready <= now:
                        return self._hand_over()
                    self._changed.wait(ready - now)
                else:
                    self._changed.wait()
        return None

    def wake(self) -> None:
        """Let :meth:`take` look at its stop event at once."""
        with self._changed:
            self._changed.notify_all()

    def _note(self) -> None:
        if not self._batch and not self._targets:
            self._batch.since = time.monotonic()

    def _hand_over(self) -> Batch:
        batch, self._batch = self._batch, Batch(since=self._batch.since)
        batch.targets = set(self._targets if batch.full else islice(self._targets, _MOST))
        for name in batch.targets:
            del self._targets[name]
        self._taken = time.monotonic()
        return batch
