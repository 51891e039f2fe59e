"""The operations of a namespace as its change feed: one call a second, however many services there are.

Every registration and deregistration is an operation, whoever asks for it, and ``ListOperations`` filters them by
namespace and date (Cloud Map API reference). It is a hint, never data: what it misses, the sweep and the full reads
find. The same lists tell our own operations' ends.
"""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import structlog

from syncer.core.errors import Missing, SyncError
from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.aws import Answer, guarded, required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.namespaces import Namespace
from syncer.systems.cloudmap.operations import Operations

_log = structlog.get_logger()

_MARGIN: Final = 6.0
"""Seconds by which each window reaches back: AWS's dates are whole seconds, and entries may appear late."""
_FIRST: Final = 30.0
"""The same for the first window: the first full read may be behind that far."""
_PAGES: Final = 6
"""Pages of one window, of 100 operations each, that are read; what lies beyond calls for a full read."""
_MANY: Final = 300
"""Operations of others in one window beyond which all is read rather than each asked for."""
_KEPT: Final = 900.0
"""Seconds that an operation is remembered, so as not to be looked at twice."""
_SLOWEST: Final = 30.0
"""Seconds between attempts while the lists fail."""


class OperationFeed:
    """Notices what others register and deregister in one namespace."""

    def __init__(
        self,
        api: Api,
        namespace: Namespace,
        directory: Directory,
        operations: Operations,
        *,
        interval: float = 1.0,
    ) -> None:
        """List every *interval* seconds."""
        self._api = api
        self._namespace = namespace
        self._directory = directory
        self._operations = operations
        self._interval = interval
        self._seen: dict[str, float] = {}
        self._ahead = 0.0
        self._since: float | None = None

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        """List until *stop* is set; see :class:`~syncer.core.ports.Watch`."""
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                guarded(lambda: self._look(hint))
            except SyncError as e:
                failures += 1
                if failures in {3, 100}:
                    _log.warning("operation_feed_failing", namespace=self._namespace.name, reason=str(e))
            else:
                failures = 0
            pause = (
                self._interval if not failures else min(_SLOWEST, self._interval * 2.0 ** min(failures, 6))
            )
            stop.wait(max(0.05, pause - (time.monotonic() - began)))

    def _look(self, hint: Callable[[Hint], None]) -> None:
        clock = time.time() + self._ahead
        start = clock - _FIRST if self._since is None else self._since - _MARGIN
        fresh: list[tuple[str, str]] = []
        whole = False
        for last, page in self._window(start):
            # By STATUS we filter here: the API's model and its documentation name the values differently.
            ended = (item for item in page if item["Status"] in {"SUCCESS", "FAIL"})
            fresh.extend((item["Id"], item["Status"]) for item in ended if item["Id"] not in self._seen)
            whole = last
        self._since = clock
        self._operations.heard()
        now = time.monotonic()
        others = []
        for key, status in fresh:
            if self._operations.tell(key, status) or status == "FAIL":
                self._seen[key] = now
            else:
                others.append(key)
        if others:
            names = self._names(others) if len(others) <= _MANY and whole else None
            if names is None or names:
                hint(Hint(names, "operation"))
        # Only now: what could not be asked for is new again in the next list.
        self._seen.update((key, now) for key in others)
        self._seen = {key: seen for key, seen in self._seen.items() if now - seen < _KEPT}

    def _window(self, start: float) -> Iterator[tuple[bool, list[dict[str, Any]]]]:
        """Yield the pages of the operations since *start*, each with whether it is the last one there is."""
        filters = [
            {"Name": "NAMESPACE_ID", "Values": [self._namespace.handle], "Condition": "EQ"},
            {"Name": "TYPE", "Values": ["REGISTER_INSTANCE", "DEREGISTER_INSTANCE"], "Condition": "IN"},
            {
                "Name": "UPDATE_DATE",
                "Values": [str(int(start)), str(int(start) + 10 * 86400)],
                "Condition": "BETWEEN",
            },
        ]
        token: str | None = None
        empty = 0
        for _ in range(_PAGES):
            more = {"NextToken": token} if token else {}
            answer = self._api.once("ListOperations", Filters=filters, MaxResults=100, **more)
            self._tune(answer)
            page = required(answer, "Operations")
            token = answer.get("NextToken")
            # Filters may be applied after paging; then the pages behind the last match are empty ones.
            empty = 0 if page else empty + 1
            yield not token or empty > 0, page
            if not token or empty > 1:
                return

    def _tune(self, answer: Answer) -> None:
        """Learn how far AWS's clock is ahead of ours: the dates in the filters are its own."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            try:
                self._ahead = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                return

    def _names(self, operations: list[str]) -> frozenset[str] | None:
        """Return the services of this namespace that *operations* are about; None where that cannot be told of all."""
        names: set[str] = set()
        for key in operations:
            try:
                operation = required(self._api.call("GetOperation", OperationId=key), "Operation")
            except Missing:
                return None
            service = (operation.get("Targets") or {}).get("SERVICE")
            if not service:
                return None
            name = self._directory.named(service)
            if name is not None:
                names.add(name)
        return frozenset(names)
