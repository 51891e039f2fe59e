"""Looking at the services of a namespace in turn, within budgets of calls, for what the feed does not tell.

A revision grows when an instance is registered or deregistered (Cloud Map API reference, DiscoverInstancesRevision);
health moves no revision, so services with a health check are read instead.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from syncer.core.errors import Missing, SyncError
from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory, Entry
from syncer.systems.cloudmap.namespaces import Namespace
from syncer.systems.cloudmap.reader import CloudMapReader

_log = structlog.get_logger()

_SHORTEST_ROUND: Final = 5.0
"""Seconds that a round takes at least, however few services there are."""
_AWAKE: Final = (0.5, 60.0)
"""The same while a sweep finds what nobody else noticed, and for how many seconds after the last time."""
_FEW: Final = 30
"""So many services are probed at the full rate; of more, the rate goes down as their number goes up."""
_LEAST_SHARE: Final = 0.2
"""The share of the full rate that it never goes below."""
_BACKOFF: Final = 10.0
"""Seconds to wait after a failed call, and what a failing sweep waits at most times six."""


class RevisionSweep:
    """Asks for each service's revision in turn."""

    def __init__(
        self,
        api: Api,
        namespace: Namespace,
        directory: Directory,
        *,
        per_second: float = 5.0,
        shortest: float = _SHORTEST_ROUND,
        seen: Callable[[str], int | None] = lambda _service: None,
    ) -> None:
        """Make *per_second* calls; 0: none. *seen* tells which revision the last read of a service has seen.

        A round takes *shortest* seconds at least; less while there is news that nobody else has.
        """
        self._seen = seen
        self._shortest = shortest
        self._api = api
        self._namespace = namespace
        self._directory = directory
        self._per_second = per_second
        self._revisions: dict[str, int] = {}
        self._found = float("-inf")

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        """Sweep until *stop* is set; see :class:`~syncer.core.ports.Watch`."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                if self._per_second > 0:
                    self._round(hint, stop)
                failures = 0
            except SyncError as e:
                failures += 1
                _log.debug("sweep_failed", namespace=self._namespace.name, reason=str(e))
                stop.wait(_BACKOFF * min(failures, 6))
            now = time.monotonic()
            shortest = _AWAKE[0] if now < self._found + _AWAKE[1] else self._shortest
            stop.wait(max(0.5, shortest - (now - began)))

    def _round(self, hint: Callable[[Hint], None], stop: threading.Event) -> None:
        for entry in self._directory.entries():
            if stop.wait(1.0 / self._per_second):
                return
            try:
                answer = self._api.once(
                    "DiscoverInstancesRevision",
                    NamespaceName=self._namespace.http_name,
                    ServiceName=entry.name,
                )
            except Missing:
                self._revisions.pop(entry.name, None)
                hint(Hint(frozenset({entry.name}), "revision"))
                continue
            revision = answer.get("InstancesRevision")
            if revision is None:
                continue
            seen = self._seen(entry.name)
            before = self._revisions.get(entry.name, seen)
            self._revisions[entry.name] = revision
            if before not in {None, revision} and seen != revision:
                self._found = time.monotonic()
                hint(Hint(frozenset({entry.name}), "revision"))


class HealthSweep:
    """Reads services that have health checks, and instances which are not ours, in turn."""

    def __init__(
        self, directory: Directory, reader: CloudMapReader, owner: str, *, per_second: float = 1.0
    ) -> None:
        """Read at most *per_second* services (0: none), and fewer where there are many: each call is billed.

        Those that *owner* created hold only what we know anyway.
        """
        self._directory = directory
        self._reader = reader
        self._owner = owner
        self._per_second = per_second

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        """Sweep until *stop* is set; see :class:`~syncer.core.ports.Watch`."""
        while not stop.is_set():
            began = time.monotonic()
            if self._per_second > 0:
                self._round(read, stop)
            stop.wait(max(0.5, _SHORTEST_ROUND - (time.monotonic() - began)))

    def _round(self, read: Callable[[Complete], None], stop: threading.Event) -> None:
        entries = [entry for entry in self._directory.entries() if self._wants(entry)]
        rate = self._per_second * max(_LEAST_SHARE, min(1.0, _FEW / max(1, len(entries))))
        for entry in entries:
            if stop.wait(1.0 / rate):
                return
            found = self._reader.read(entry.name)
            if isinstance(found, Complete):
                read(found)

    def _wants(self, entry: Entry) -> bool:
        return entry.checked and entry.info.owner != self._owner
