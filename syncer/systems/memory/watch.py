"""The watch over a registry in memory."""

import threading
from collections.abc import Callable
from typing import Final

from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.memory.registry import MemoryRegistry

_TICK: Final = 0.05
"""Seconds between two looks at the stop signal."""


class MemoryWatch:
    """Hints at each service of *registry* that changes."""

    def __init__(self, registry: MemoryRegistry) -> None:
        """Watch *registry* once it runs."""
        self._registry = registry

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        """Hint until *stop* is set; it never has anything to *read*."""
        del read
        changed: set[str] = set()
        wake = threading.Condition()

        def listener(service: str) -> None:
            with wake:
                changed.add(service)
                wake.notify()

        leave = self._registry.listen(listener)
        try:
            hint(Hint(None, "reset"))
            while not stop.is_set():
                with wake:
                    wake.wait_for(lambda: changed, _TICK)
                    names = frozenset(changed)
                    changed.clear()
                if names:
                    hint(Hint(names, "watch"))
        finally:
            leave()
