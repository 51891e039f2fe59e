"""Events of ECS, as EventBridge puts them into an SQS queue: what a message says, and the queue itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from syncer.systems.aws import Aws
from syncer.systems.ecs.model import STOPPED
from syncer.systems.ecs.parse import short_name

TASK_STATE_CHANGE: Final = "ECS Task State Change"
BATCH: Final = 10
"""Messages, at most, in one call of SQS."""


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """A hint that a task has changed; nothing in it is taken for data."""

    cluster: str
    """The short name."""
    arn: str
    version: int | None = None
    """The task's version after the change; the same on duplicates, lower on what comes late. None where it is not
    told: then there is always something to look at."""
    stopping: bool = False
    """Whether the task stops, or is to stop, by what it says."""

    @property
    def order(self) -> tuple[int, bool]:
        """Of two events of a task, the greater one came later."""
        return (-1 if self.version is None else self.version, self.stopping)


def parse(body: str) -> TaskEvent | None:
    """Return the event in a message's *body*; None for an event of another kind.

    Raises ValueError for what is no event at all. The envelope's own ``version`` says nothing (EventBridge user
    guide, AWS service event metadata).
    """
    try:
        envelope = json.loads(body)
        if envelope["detail-type"] != TASK_STATE_CHANGE:
            return None
        detail = envelope["detail"]
        version = detail.get("version")
        return TaskEvent(
            short_name(detail["clusterArn"]),
            str(detail["taskArn"]),
            None if version is None else int(version),
            STOPPED in {detail.get("desiredStatus"), detail.get("lastStatus")},
        )
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError, RecursionError) as e:
        raise ValueError(f"no event of ECS: {e!r}") from e


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the queue."""

    id: str
    receipt: str
    body: str


class Queue:
    """One SQS queue. Thread-safe; every method raises :class:`SyncError` where a call fails."""

    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self.url = url

    def receive(self, wait: int) -> list[Message]:
        """Return up to :data:`BATCH` messages; wait up to *wait* seconds, 20 at most, for the first."""
        answer = self._aws.call(
            "sqs",
            "ReceiveMessage",
            longer=20.0,
            QueueUrl=self.url,
            MaxNumberOfMessages=BATCH,
            WaitTimeSeconds=wait,
        )
        raw: list[Any] = answer.get("Messages", [])
        return [Message(item["MessageId"], item["ReceiptHandle"], item["Body"]) for item in raw]

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete *messages*; one that could not be deleted comes again, which does no harm."""
        entries = [{"Id": str(place), "ReceiptHandle": item.receipt} for place, item in enumerate(messages)]
        if entries:
            self._aws.call("sqs", "DeleteMessageBatch", QueueUrl=self.url, Entries=entries)

    def give_back(self, messages: Sequence[Message]) -> None:
        """Let others receive *messages* at once."""
        entries = [
            {"Id": str(place), "ReceiptHandle": item.receipt, "VisibilityTimeout": 0}
            for place, item in enumerate(messages)
        ]
        if entries:
            self._aws.call("sqs", "ChangeMessageVisibilityBatch", QueueUrl=self.url, Entries=entries)
