"""Carries changes out in Consul: many at once, one at a time for each instance, the latest wish first."""

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final

import structlog
import tenacity

from syncer.core.errors import Refused, SyncError, Unavailable
from syncer.core.model import Mark
from syncer.core.plan import Change, InstanceChange
from syncer.core.ports import Ending, Outcome
from syncer.core.wishes import Wishes
from syncer.systems.consul.about import AgentInfo
from syncer.systems.consul.catalog import Catalog
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.jobs import Job, Wish
from syncer.systems.consul.mapping import NODE_PREFIX, node_name

_ATTEMPTS: Final = 4
_MOST_BYTES: Final = 400 << 10
"""Of a transaction's body; the server takes 512 KB by default."""

Key = tuple[str, str]
"""Node and service id."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Batching:
    """How much goes into one transaction; 1 operation means that there are none."""

    operations: int = 1
    size: int = _MOST_BYTES

    @classmethod
    def of(cls, info: AgentInfo | None) -> "Batching":
        """Return what *info* allows: no transactions where they would drop addresses."""
        if info is None or not info.transactions_carry_all:
            return cls()
        return cls(info.transaction_operations, min(_MOST_BYTES, info.transaction_bytes * 4 // 5))


class ConsulWriter:
    """Writes into one datacenter.

    Each of its threads takes what waits: one change, or as many as fit into a transaction. While Consul is away,
    what was submitted before that became clear fails together; what comes later is tried once each until one passes.
    """

    def __init__(
        self,
        client: ConsulClient,
        *,
        node_prefix: str = NODE_PREFIX,
        parallel: int = 8,
        batching: Batching | None = None,
        may_write: Callable[[str], object] = lambda _origin: True,
    ) -> None:
        """Start *parallel* threads; *client*'s transport should have as many connections."""
        self._catalog = Catalog(client, node_prefix, may_write)
        self._prefix = node_prefix
        self._batching = batching or Batching()
        self._lock = Lock()
        self._wishes: Wishes[Key, Wish] = Wishes()
        self._queue: queue.SimpleQueue[tuple[Key, Wish] | None] = queue.SimpleQueue()
        self._closing = Event()
        self._open: set[Wish] = set()
        self._away: tuple[float, SyncError] | None = None
        self._threads = [
            Thread(target=self._work, name=f"consul-write-{number}", daemon=True)
            for number in range(parallel)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        """Take *changes*; *done* is called once for each. Services are nothing apart from instances here."""
        for change in changes:
            if not isinstance(change, InstanceChange):
                done(Outcome(change, Ending.DONE))
            elif change.instance.mark is None:
                error = Refused(f"{change.instance.id!r} carries no mark", code="mark")
                done(Outcome(change, Ending.FAILED, error))
            else:
                self._offer(self._key(change, change.instance.mark), Wish((Job(change, done),)))

    def close(self, timeout: float) -> None:
        """End within *timeout* seconds: calls under way may finish, what waits is abandoned."""
        deadline = time.monotonic() + timeout
        self._closing.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left, self._open = self._open, set()
        for wish in left:
            wish.end(Ending.ABANDONED)

    def remove_node_if_empty(self, origin: str) -> bool:
        """Remove the synthetic node of the registry *origin* if nothing is on it; return whether it is gone.

        Raises:
            SyncError: it could not be looked at or removed.
        """
        return self._catalog.remove_node_if_empty(origin)

    def _key(self, change: InstanceChange, mark: Mark) -> Key:
        return node_name(self._prefix, mark.origin), change.instance.id

    def _offer(self, key: Key, wish: Wish) -> None:
        superseded: tuple[Job, ...] = ()
        with self._lock:
            closed, start = self._closing.is_set(), False
            if not closed:
                start, replaced = self._wishes.offer(key, wish)
                if replaced is not None:
                    self._open.discard(replaced)
                    if wish.takes_along(replaced):
                        wish = Wish((*replaced.jobs, *wish.jobs))
                        self._wishes.offer(key, wish)
                    else:
                        superseded = replaced.jobs
                self._open.add(wish)
        for job in superseded:
            job.end(Ending.SUPERSEDED)
        if closed:
            wish.end(Ending.ABANDONED)
        elif start:
            self._queue.put((key, wish))

    def _end(self, key: Key, wish: Wish, ending: Ending, error: SyncError | None = None) -> None:
        with self._lock:
            following = self._wishes.finish(key)
            self._open.discard(wish)
        wish.end(ending, error)
        if following is not None:
            self._queue.put((key, following))

    # --- What the threads do ---

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if self._closing.is_set():
                self._end(*item, Ending.ABANDONED)
                continue
            batch = [item, *self._more(item[1])]
            if len(batch) == 1 or not self._together(batch):
                for key, wish in batch:
                    self._alone(key, wish)

    def _more(self, first: Wish) -> list[tuple[Key, Wish]]:
        """Take what fits into one transaction with *first* and waits already; nobody waits for more to come."""
        found: list[tuple[Key, Wish]] = []
        room = self._room(first, (self._batching.operations, self._batching.size))
        while room is not None:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            room = None if item is None else self._room(item[1], room)
            if room is None:
                self._queue.put(item)
            elif item is not None:
                found.append(item)
        return found

    def _room(self, wish: Wish, room: tuple[int, int]) -> tuple[int, int] | None:
        """Return what *wish* leaves of *room*; None where it does not fit."""
        try:
            operations, size = self._catalog.size(wish)
        except Refused:
            return None
        left = (room[0] - operations, room[1] - size)
        return left if min(left) >= 0 else None

    def _together(self, batch: Sequence[tuple[Key, Wish]]) -> bool:
        """Carry *batch* out in one transaction; return False where each must go on its own to tell which fails."""
        wishes = [wish for _, wish in batch]
        error = self._tried(lambda: self._catalog.carry_out_all(wishes), max(w.submitted for w in wishes))
        if error is not None and not isinstance(error, Unavailable):
            return False
        for key, wish in batch:
            self._end(key, wish, Ending.DONE if error is None else Ending.FAILED, error)
        return True

    def _alone(self, key: Key, wish: Wish) -> None:
        error = self._tried(lambda: self._catalog.carry_out(wish), wish.submitted)
        self._end(key, wish, Ending.DONE if error is None else Ending.FAILED, error)

    def _tried(self, call: Callable[[], None], submitted: float) -> SyncError | None:
        """Make *call*, several times where that may help; return its error."""
        away = self._away
        if away is not None and submitted < away[0]:
            return away[1]
        try:
            for attempt in self._attempts(1 if away else _ATTEMPTS):
                with attempt:
                    call()
        except SyncError as e:
            if isinstance(e, Unavailable):
                self._away = (time.monotonic(), e)
            return e
        except Exception as e:  # noqa: BLE001 - a fault of ours must not end the thread, nor lose the change
            _log.exception("consul_write_fault")
            return SyncError(f"{type(e).__name__}: {e}", code="internal")
        self._away = None
        return None

    def _attempts(self, most: int) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            stop=tenacity.stop_after_attempt(most) | tenacity.stop_when_event_set(self._closing),
            wait=tenacity.wait_exponential(multiplier=0.1, max=2.0) + tenacity.wait_random(0, 0.1),
            sleep=tenacity.sleep_using_event(self._closing),
            reraise=True,
        )
