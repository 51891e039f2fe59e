"""Takes the events of ECS from their queue: however many wait there, one look at the tasks that they name."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.systems.ecs.client import PAGE
from syncer.systems.ecs.events import BATCH, Message, Queue, TaskEvent, parse
from syncer.systems.ecs.feed import Feed
from syncer.systems.ecs.inventory import Inventory

_log = structlog.get_logger()

LONG: Final = 20
"""Seconds that one call waits for messages (SQS API reference, ReceiveMessage: 20 at most)."""
_TRIES: Final = 6
_MOST: Final = 10_000


@dataclass(slots=True)
class _Late:
    """A task of which ECS does not show yet what an event has told."""

    event: TaskEvent
    due: float
    tries: int = 0


class EventPump:
    """Events to looks to hints. Duplicates and disorder cost nothing; a message is deleted once its hint was taken.

    Events that were lost are left to the next full read.
    """

    def __init__(
        self,
        inventory: Inventory,
        queue: Queue,
        *,
        may_take: Callable[[], bool] = lambda: True,
        longest: float = 60.0,
    ) -> None:
        """Take from *queue* while *may_take* says so: replicas that share a queue would take each other's events.

        *longest* is how many seconds the pump waits at most while the queue cannot be read.
        """
        self._inventory = inventory
        self._queue = queue
        self._may_take = may_take
        self._longest = longest
        self._late: dict[str, _Late] = {}
        self._poison: dict[str, None] = {}
        self._missed = False

    def run(self, feed: Feed, stop: threading.Event) -> None:
        """Go on until *stop* is set; a call that waits for messages ends by itself some time after."""
        failures = 0
        while not stop.is_set():
            if not self._allowed(feed):
                stop.wait(1.0)
                continue
            wait = 1 if self._pending(feed) else LONG
            began = time.monotonic()
            try:
                messages = self._gather(wait)
            except SyncError as e:
                failures += 1
                if failures == 1 and not stop.is_set():
                    _log.warning("event_queue_unreadable", queue=self._queue.url, reason=str(e))
                stop.wait(min(self._longest, 0.5 * 2.0 ** min(failures, 10)))
                continue
            if failures:
                _log.info("event_queue_readable", queue=self._queue.url)
                failures = 0
            if stop.is_set():
                self._in_batches(self._queue.give_back, messages)
            elif messages:
                self._in_batches(self._queue.delete, self.take(messages, feed))
            elif time.monotonic() - began < wait / 2:
                stop.wait(0.5)  # something in between answers without waiting

    def _gather(self, wait: int) -> list[Message]:
        """Wait for messages; where there are many, as in a deployment, take up to a hundred for one look."""
        messages = found = self._queue.receive(wait)
        while len(found) == BATCH and len(messages) < PAGE:
            try:
                found = self._queue.receive(0)
            except SyncError:
                break  # the next turn meets it again
            messages = [*messages, *found]
        return messages

    def take(self, messages: Sequence[Message], feed: Feed) -> list[Message]:
        """Look at what *messages* name, announce what changed, and return those that are done with."""
        events: list[TaskEvent] = []
        done: list[Message] = []
        for message in messages:
            try:
                event = parse(message.body)
            except ValueError as e:
                self._report(message, str(e))
                continue
            done.append(message)
            if event is not None and self._inventory.takes(event.cluster, event.arn):
                events.append(event)
        if events:
            self._look(events, feed)
        return done

    def _allowed(self, feed: Feed) -> bool:
        """Whether to take events now. After a time without, others may have taken what would have been ours."""
        if not self._may_take():
            self._missed = True
            return False
        if self._missed:
            self._missed = False
            self._inventory.doubt()
            feed.announce("event", everything=True)
        return True

    def _look(self, events: Sequence[TaskEvent], feed: Feed) -> None:
        """Read again the tasks of which *events* tell more than is known; where that fails, have all read again."""
        newest: dict[str, TaskEvent] = {}
        for event in events:
            known = newest.get(event.arn)
            if self._behind(event) and (known is None or known.version < event.version):
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
                self._follow(event, late=event.arn not in gone and self._behind(event))
        feed.announce("event", everything=doubtful)

    def _behind(self, event: TaskEvent) -> bool:
        return self._inventory.version(event.arn) < event.version

    def _follow(self, event: TaskEvent, *, late: bool) -> None:
        """Keep *event* for another look while the API lags behind it, some seconds at most."""
        known = self._late.get(event.arn)
        tries = known.tries + 1 if known else 0
        if late and tries < _TRIES and len(self._late) < _MOST:
            self._late[event.arn] = _Late(event, time.monotonic() + 0.2 * 2.0**tries, tries)
        else:
            self._late.pop(event.arn, None)

    def _pending(self, feed: Feed) -> bool:
        """Do what is due by now; return whether something is due soon."""
        now = time.monotonic()
        due = [late.event for late in self._late.values() if late.due <= now]
        if due:
            self._look(due, feed)
        return feed.settle("event") or bool(self._late)

    def _report(self, message: Message, reason: str) -> None:
        """Log a message that is no event, once; it stays in the queue for its dead-letter queue."""
        if message.id in self._poison:
            return
        if len(self._poison) >= _MOST:
            self._poison.clear()
        self._poison[message.id] = None
        _log.warning("event_not_understood", queue=self._queue.url, message=message.id, reason=reason)

    def _in_batches(self, call: Callable[[Sequence[Message]], None], messages: Sequence[Message]) -> None:
        """Make calls whose failure only means that messages come again later."""
        for start in range(0, len(messages), BATCH):
            try:
                call(messages[start : start + BATCH])
            except SyncError:
                continue
