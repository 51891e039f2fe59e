"""Takes the events of ECS from their queue, and has the tasks that they name looked at, in two lanes.

A stop needs nothing but a look at the task, and is dealt with at once. Everything else needs addresses and
definitions, which may keep one waiting: that is the other lane's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.systems.ecs.client import PAGE
from syncer.systems.ecs.events import BATCH, Message, Queue, TaskEvent, parse
from syncer.systems.ecs.feed import Feed
from syncer.systems.ecs.inventory import Inventory
from syncer.systems.ecs.looks import Looks

_log = structlog.get_logger()

LONG: Final = 20
"""Seconds that one call waits for messages (SQS API reference, ReceiveMessage: 20 at most)."""
_MOST: Final = 10_000


class EventPump:
    """Events to looks to hints. Duplicates and disorder cost nothing; a message is deleted once its hint was taken.

    Events that were lost are left to the next full read. While the queue cannot be read, all is read at intervals.
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

        *longest* is how many seconds pass at most between two attempts while the queue cannot be read.
        """
        self._inventory = inventory
        self._queue = queue
        self._may_take = may_take
        self._longest = longest
        self._looks = Looks(inventory, self._delete)
        self._poison: dict[str, None] = {}
        self._missed = False

    def run(self, feed: Feed, stop: threading.Event) -> None:
        """Go on until *stop* is set; a call that waits for messages ends by itself some time after."""
        self._looks.ensure(feed, stop)
        failures = 0
        while not stop.is_set():
            if not self._may_take():
                self._missed = True
                stop.wait(1.0)
                continue
            if self._missed:
                self._missed = False
                self._inventory.doubt()
                feed.announce("event", everything=True)
            began = time.monotonic()
            try:
                messages = self._gather()
            except SyncError as e:
                failures += 1
                self._missed = True  # nobody tells what changes meanwhile
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
                self._delete(self._take(messages, feed))
            elif time.monotonic() - began < LONG / 2:
                stop.wait(0.5)  # something in between answers without waiting

    def _gather(self) -> list[Message]:
        """Wait for messages; where there are many, as in a deployment, take up to a hundred for one look."""
        messages = found = self._queue.receive(LONG)
        while len(found) == BATCH and len(messages) < PAGE:
            try:
                found = self._queue.receive(0)
            except SyncError:
                break  # the next turn meets it again
            messages = [*messages, *found]
        return messages

    def _take(self, messages: Sequence[Message], feed: Feed) -> list[Message]:
        """Look at the stops among *messages*, hand on what else there is, and return those that are done with."""
        stops: list[TaskEvent] = []
        others: list[tuple[TaskEvent, Message]] = []
        done: list[Message] = []
        for message in messages:
            try:
                event = parse(message.body)
            except ValueError as e:
                self._report(message, str(e))
                continue
            if event is None or not self._inventory.takes(event.cluster, event.arn):
                done.append(message)
            elif event.stopping:
                stops.append(event)
                done.append(message)
            else:
                others.append((event, message))
        self._looks.hand_on(others)
        if stops:
            self._looks.look(stops, feed)
        return done

    def _report(self, message: Message, reason: str) -> None:
        """Log a message that is no event, once; it stays in the queue for its dead-letter queue."""
        if message.id in self._poison:
            return
        if len(self._poison) >= _MOST:
            self._poison.clear()
        self._poison[message.id] = None
        _log.warning("event_not_understood", queue=self._queue.url, message=message.id, reason=reason)

    def _delete(self, messages: Sequence[Message]) -> None:
        self._in_batches(self._queue.delete, messages)

    def _in_batches(self, call: Callable[[Sequence[Message]], None], messages: Sequence[Message]) -> None:
        """Make calls whose failure only means that messages come again later."""
        for start in range(0, len(messages), BATCH):
            try:
                call(messages[start : start + BATCH])
            except SyncError:
                continue
