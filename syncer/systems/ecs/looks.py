"""Looks at the tasks that events name: however many wait, one look at all of them."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.systems.ecs.events import Message, TaskEvent
from syncer.systems.ecs.feed import Feed
from syncer.systems.ecs.inventory import Inventory

_log = structlog.get_logger()

_TURN: Final = 1.0
"""Seconds between two looks at what is not settled yet."""
_TRIES: Final = 6
_BARE: Final = (2.0, 6.0, 15.0)
"""Seconds after its event at which a task is looked at again that has an interface of its own and no public address:
some associate one once the task runs."""
_MOST: Final = 10_000

_Handed = tuple[TaskEvent, Message]


@dataclass(slots=True)
class _Late:
    """A task of which ECS does not show yet what an event has told."""

    event: TaskEvent
    due: float
    tries: int = 0


class Looks:
    """The lane for events that may take long: one thread. :meth:`look` is for any thread."""

    def __init__(self, inventory: Inventory, done: Callable[[Sequence[Message]], None]) -> None:
        """Call *done* with messages whose hint was taken."""
        self._inventory = inventory
        self._done = done
        self._handed: SimpleQueue[_Handed] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._late: dict[str, _Late] = {}
        self._bare: list[tuple[float, TaskEvent]] = []

    def ensure(self, feed: Feed, stop: threading.Event) -> None:
        """Have the lane run until *stop* is set."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._run, args=(feed, stop), name="ecs-looks", daemon=True
            )
            self._thread.start()

    def hand_on(self, handed: Sequence[_Handed]) -> None:
        """Have the lane look at *handed* soon; where too much waits already, the queue gives it again later."""
        if self._handed.qsize() < _MOST:
            for one in handed:
                self._handed.put(one)

    def look(self, events: Sequence[TaskEvent], feed: Feed) -> None:
        """Read again the tasks of which *events* tell more than is known; where that fails, have all read again."""
        newest: dict[str, TaskEvent] = {}
        for event in events:
            known = newest.get(event.arn)
            if self._behind(event) and (known is None or known.order <= event.order):
                newest[event.arn] = event
        doubtful = False
        for cluster in sorted({event.cluster for event in newest.values()}):
            group = [event for event in newest.values() if event.cluster == cluster]
            try:
                gone = self._inventory.look(cluster, [event.arn for event in group])
            except SyncError:
                self._inventory.doubt(cluster)
                doubtful = True
                continue
            for event in group:
                late = event.version is not None and event.arn not in gone and self._behind(event)
                self._follow(event, late=late)
        feed.announce("event", everything=doubtful)

    def _run(self, feed: Feed, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._turn(feed)
            except Exception:  # noqa: BLE001 - a defect must not end the lane for good; it is logged whole
                _log.exception("ecs_looks_failed")
                stop.wait(5.0)

    def _turn(self, feed: Feed) -> None:
        handed = self._waiting()
        if handed:
            self.look([event for event, _ in handed], feed)
            self._done([message for _, message in handed])
            self._note_bare([event for event, _ in handed])
        now = time.monotonic()
        with self._lock:
            late = [one.event for one in self._late.values() if one.due <= now]
        if late:
            self.look(late, feed)
        self._look_for_addresses(now, feed)
        feed.settle("event")

    def _waiting(self) -> list[_Handed]:
        """Return all that was handed on; waits for a turn, or less, where there is nothing."""
        with self._lock:
            first = min((one.due for one in self._late.values()), default=float("inf"))
        found: list[_Handed] = []
        try:
            found.append(self._handed.get(timeout=min(_TURN, max(0.01, first - time.monotonic()))))
            while True:
                found.append(self._handed.get_nowait())
        except Empty:
            return found

    def _behind(self, event: TaskEvent) -> bool:
        """Whether *event* tells more of its task than is known."""
        if event.version is None:
            return True
        known = self._inventory.version(event.arn)
        unheard = event.stopping and not self._inventory.stopping(event.arn)
        return known < event.version or (known == event.version and unheard)

    def _follow(self, event: TaskEvent, *, late: bool) -> None:
        """Keep *event* for another look while the API lags behind it, some seconds at most."""
        with self._lock:
            known = self._late.get(event.arn)
            tries = known.tries + 1 if known else 0
            if late and tries < _TRIES and len(self._late) < _MOST:
                self._late[event.arn] = _Late(event, time.monotonic() + 0.2 * 2.0**tries, tries)
            else:
                self._late.pop(event.arn, None)

    def _note_bare(self, events: Sequence[TaskEvent]) -> None:
        """Keep those of *events* for other looks whose task might get a public address yet."""
        now = time.monotonic()
        kept = {event.arn for _, event in self._bare}
        for event in {event.arn: event for event in events if event.arn not in kept}.values():
            if len(self._bare) < _MOST and self._inventory.bare(event.arn):
                self._bare.extend((now + seconds, event) for seconds in _BARE)

    def _look_for_addresses(self, now: float, feed: Feed) -> None:
        due = [event for at, event in self._bare if at <= now]
        self._bare = [(at, event) for at, event in self._bare if at > now]
        found: dict[str, set[str]] = {}
        for event in due:
            if self._inventory.bare(event.arn):
                found.setdefault(event.cluster, set()).add(event.arn)
        for cluster, arns in found.items():
            try:
                self._inventory.look(cluster, arns, reuse=False)
            except SyncError:
                self._inventory.doubt(cluster)
        if found:
            feed.announce("event")
