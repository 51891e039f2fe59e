"""Listing the services of a namespace again and again, for those that came or went without an operation in the feed."""

import math
import threading
from collections.abc import Callable
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.cloudmap.directory import Directory

_log = structlog.get_logger()

_SHORTEST: Final = 10.0
"""Seconds between two lists, at least."""
_EACH_PAGE: Final = 12.0
"""Seconds that each call must be spread over: five calls a minute, however many services there are."""
_PAGE: Final = 100


class ListSweep:
    """Compares what the namespace lists with what is known of it."""

    def __init__(self, directory: Directory, *, shortest: float = _SHORTEST) -> None:
        """Wait *shortest* seconds between two lists, and longer where a list takes several pages."""
        self._directory = directory
        self._shortest = shortest

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        """Sweep until *stop* is set; see :class:`~syncer.core.ports.Watch`. Begins once there was a first list."""
        failures = 0
        while not stop.wait(self._pause() * (1 + min(failures, 6))):
            if not self._directory.listed:
                continue
            try:
                self._look(hint)
                failures = 0
            except SyncError as e:
                failures += 1
                _log.debug("list_sweep_failed", reason=str(e))

    def _pause(self) -> float:
        pages = math.ceil(len(self._directory.entries()) / _PAGE)
        return max(self._shortest, pages * _EACH_PAGE if pages > 1 else 0.0)

    def _look(self, hint: Callable[[Hint], None]) -> None:
        before = frozenset(entry.name for entry in self._directory.entries())
        changed = before ^ self._directory.refresh()
        if changed:
            hint(Hint(changed, "list"))
