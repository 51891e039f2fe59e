"""The log of calls: counts by operation since the last reset, and the latest entries."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

Watcher = Callable[[float, str, dict[str, Any]], None]

THROTTLED = frozenset({"ThrottlingException", "RequestLimitExceeded"})

_SHOWN = (
    "ServiceId",
    "InstanceId",
    "NamespaceId",
    "NamespaceName",
    "ServiceName",
    "Name",
    "Id",
    "OperationId",
    "Status",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. ``monotonic`` is comparable between processes of one Linux machine."""

    time: float
    monotonic: float
    operation: str
    outcome: str
    """``ok``, an error code, or ``fault:`` and its kind."""
    account: str
    region: str
    params: dict[str, Any]


class Calls:
    """What was asked, by operation, and what came of it."""

    def __init__(self, kept: int) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._count: Counter[str] = Counter()
        self._throttled: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._since = time.time()
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Have every successful call told: (monotonic time of receipt, operation, parameters)."""
        self._watchers.append(watcher)

    def note(
        self, received: float, where: tuple[str, str], operation: str, params: Any, outcome: str
    ) -> None:
        """Add one call, received at a monotonic time from an account and Region."""
        date = time.time() - (time.monotonic() - received)
        shown = {key: params[key] for key in _SHOWN if key in params} if isinstance(params, dict) else {}
        with self._lock:
            self._count[operation] += 1
            if outcome in THROTTLED:
                self._throttled[operation] += 1
            elif outcome != "ok":
                self._errors[operation] += 1
            self._entries.append(Entry(date, received, operation, outcome, *where, shown))
        if outcome == "ok":
            for watcher in self._watchers:
                watcher(received, operation, params)

    def count(self, *operations: str) -> int:
        """Return how many calls there were, of all of Cloud Map's operations or of these."""
        with self._lock:
            return sum(n for name, n in self._count.items() if _counts(name, operations))

    def throttled(self) -> int:
        """Return how many calls were throttled."""
        with self._lock:
            return sum(self._throttled.values())

    def entries(self, operation: str = "", since: float = 0.0) -> list[Entry]:
        """Return the entries of *operation* (all, if empty) received after the date *since*."""
        with self._lock:
            return [e for e in self._entries if e.time > since and operation in ("", e.operation)]

    def reset(self) -> None:
        """Forget everything and count from now on."""
        with self._lock:
            self._entries.clear()
            for counter in (self._count, self._throttled, self._errors):
                counter.clear()
            self._since = time.time()

    def report(self, *, entries: bool = False, operation: str = "", since: float = 0.0) -> dict[str, Any]:
        """Return all of it as JSON would have it."""
        with self._lock:
            body: dict[str, Any] = {
                "since": self._since,
                "total": sum(n for name, n in self._count.items() if _counts(name)),
                "counts": dict(self._count),
                "throttled": dict(self._throttled),
                "errors": dict(self._errors),
            }
        if entries:
            body["entries"] = [asdict(entry) for entry in self.entries(operation, since)]
        return body


def _counts(name: str, wanted: tuple[str, ...] = ()) -> bool:
    """Whether *name* is one of *wanted*, or of Cloud Map where nothing is; others have a colon."""
    return name in wanted if wanted else ":" not in name
