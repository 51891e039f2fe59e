"""Events of the emulated ECS on their way to a queue, as EventBridge wraps them; some lost, doubled or late by choice."""

import json
import queue
import random
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .ecs_model import EmulatedTask


def envelope(task: EmulatedTask, region: str, account: str) -> dict[str, Any]:
    """Return *task* as the event ``ECS Task State Change`` (ECS developer guide, task state change events)."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": region,
        "resources": [task.arn],
        "detail": task.event_detail(),
    }


class EventStream:
    """Sends events one by one, in a thread; every n-th is lost or doubled, *shuffle* are held back and mixed."""

    def __init__(
        self,
        send: Callable[[str], None],
        *,
        lose_every: int = 0,
        double_every: int = 0,
        shuffle: int = 0,
        seed: int = 1,
    ) -> None:
        self._send = send
        self._lose_every = lose_every
        self._double_every = double_every
        self._shuffle = shuffle
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._held: list[str] = []
        self._going: queue.Queue[str] = queue.Queue()
        self.emitted = 0
        threading.Thread(target=self._deliver, name="emulated-events", daemon=True).start()

    def emit(self, event: dict[str, Any]) -> None:
        """Take one event."""
        body = json.dumps(event)
        with self._lock:
            self.emitted += 1
            if self._lose_every and self.emitted % self._lose_every == 0:
                return
            doubled = self._double_every and self.emitted % self._double_every == 0
            self._held.extend([body] * (2 if doubled else 1))
            if len(self._held) > self._shuffle:
                self._flush()

    def flush(self) -> None:
        """Send what is held back, and wait until all is sent."""
        with self._lock:
            self._flush()
        self._going.join()

    def _flush(self) -> None:
        if self._shuffle:
            self._random.shuffle(self._held)
        for body in self._held:
            self._going.put(body)
        self._held.clear()

    def _deliver(self) -> None:
        while True:
            body = self._going.get()
            try:
                self._send(body)
            except (BotoCoreError, ClientError):
                continue  # the emulator stops: nobody waits for it any more
            finally:
                self._going.task_done()
