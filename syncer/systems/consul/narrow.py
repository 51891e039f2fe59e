"""Narrow watches: one service each, for those that changed last. Such a watch reads what it notices."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final

from syncer.core.errors import SyncError, Unavailable
from syncer.core.model import Complete
from syncer.systems.consul.answers import Entry, decode_entries
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.pace import Budget, Pace
from syncer.systems.consul.query import Asking, BlockingQuery, Step, follow
from syncer.systems.consul.reader import path_of, to_complete

_PATIENCE: Final = 0.5
"""Seconds that a narrow watch has for what a wide one has seen already."""
_BURST: Final = 16
_RATE: Final = 20.0
"""New watches a second: each costs a connection."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What a narrow watch needs beside its service."""

    asking: Asking
    completeness: Completeness
    node_prefix: str
    read: Callable[[Complete], None]
    """Gets what was read, when it is another content than before."""
    hint: Callable[[str], None]
    """Gets the service when this watch fails and somebody else must look."""
    seen: Callable[[str, int], None]
    """Gets the service and the index of each answer: a change at that index is one of this service."""
    empty: Callable[[str], None]
    """Gets the service when it has no instances any more."""


class Narrow:
    """One blocking query on one service, on a thread of its own until it is cut."""

    def __init__(self, service: str, uses: Uses) -> None:
        self._service = service
        self._uses = uses
        self._query = BlockingQuery(uses.asking, path_of(service), decode_entries)
        self._pace = Pace(burst=4)
        self._last: Complete | None = None
        self._stop = Event()
        self._told = False
        self.owes = True
        """Whether it was started in place of a hint and has neither read nor hinted yet: it must not be cut."""
        self.covers = False
        """Whether its last answer was a good one: then it will see what comes."""
        self.thread = Thread(target=self._run, name=f"consul-watch-{service}"[:60], daemon=True)
        self.thread.start()

    @property
    def index(self) -> int:
        """The index of its last answer."""
        return self._query.index

    def cut(self) -> None:
        """End it at once."""
        self._stop.set()
        self._query.cut()

    def _run(self) -> None:
        follow(self._query, self._take, self._failed, self._stop)

    def _take(self, step: Step[list[Entry] | None]) -> float:
        uses = self._uses
        problem = uses.completeness.problem(self._service, step.answer)
        if problem is not None:
            raise Unavailable(problem, code="incomplete")
        complete = to_complete(self._service, step.answer, uses.node_prefix)
        self.covers, self._told = True, False
        if complete != self._last and not self._stop.is_set():
            self._last = complete
            uses.read(complete)
        self.owes = False
        uses.seen(self._service, step.answer.index)
        if not complete.instances:
            uses.empty(self._service)
        return self._pace.pause(step.cost)

    def _failed(self, _: SyncError) -> None:
        self.covers = False
        if not self._told and not self._stop.is_set():
            self._told = True
            self._uses.hint(self._service)
            self.owes = False


class Slots:
    """A bounded number of narrow watches; the service that changed longest ago gives its place up. Thread-safe."""

    def __init__(self, count: int, start: Callable[[str], Narrow]) -> None:
        self.count = count
        self._start = start
        self._lock = Lock()
        self._watches: OrderedDict[str, Narrow] = OrderedDict()
        self._promises: deque[tuple[float, str, int]] = deque()
        self._budget = Budget(min(_BURST, max(1, count)), _RATE)
        self._closed = False

    def promise(self, service: str, index: int) -> bool:
        """Return whether *service*, which changed at *index*, has a watch that will see it; :meth:`broken` checks."""
        with self._lock:
            watch = self._watches.get(service)
            if watch is None or not watch.covers:
                return False
            self._watches.move_to_end(service)
            if watch.index < index:
                self._promises.append((time.monotonic() + _PATIENCE, service, index))
            return True

    def assign(self, service: str) -> bool:
        """Give *service* a watch in place of the oldest one; return whether it has one that reads it now anew."""
        oldest: Narrow | None = None
        with self._lock:
            if self._closed or not self.count or service in self._watches:
                return False
            full = len(self._watches) >= self.count
            if full and next(iter(self._watches.values())).owes:
                return False
            if not self._budget.take():
                return False
            if full:
                _, oldest = self._watches.popitem(last=False)
            self._watches[service] = self._start(service)
        if oldest is not None:
            oldest.cut()
        return True

    def fill(self, services: Iterable[str]) -> None:
        """Give all of *services* a watch, if there is a place for each."""
        with self._lock:
            missing = [name for name in services if name not in self._watches]
            if self._closed or len(missing) + len(self._watches) > self.count:
                return
            for name in missing:
                self._watches[name] = self._start(name)

    def cover(self, services: Collection[str]) -> bool:
        """Whether each of *services* has a watch that works."""
        if len(services) > self.count:
            return False
        with self._lock:
            return all((watch := self._watches.get(name)) is not None and watch.covers for name in services)

    def release(self, service: str) -> None:
        """End the watch on *service*, which was found to be gone: what it was to see is seen."""
        with self._lock:
            watch = self._watches.pop(service, None)
            self._promises = deque(promise for promise in self._promises if promise[1] != service)
        if watch is not None:
            watch.cut()

    def broken(self) -> set[str]:
        """Return the services whose watch did not see in time what it was to see."""
        found: set[str] = set()
        now = time.monotonic()
        with self._lock:
            while self._promises and self._promises[0][0] <= now:
                _, service, index = self._promises.popleft()
                watch = self._watches.get(service)
                if watch is None or watch.index < index:
                    found.add(service)
        return found

    def close(self) -> list[Thread]:
        """End all watches; return their threads."""
        with self._lock:
            self._closed = True
            watches = list(self._watches.values())
            self._watches.clear()
        for watch in watches:
            watch.cut()
        return [watch.thread for watch in watches]
