"""The emulated AWS with an ECS of its own in place of moto's, which advances tasks by itself and knows no public IP."""

import threading
from typing import Any

import boto3
from botocore.config import Config
from typing_extensions import override

from .ecs_control import PREFIX, EcsControl
from .ecs_endpoint import EcsEndpoint
from .ecs_events import EventStream, envelope
from .ecs_model import EmulatedTask
from .ecs_world import EcsWorld
from .httpd import Answer, Request
from .server import EmulatedAws
from .settings import DEFAULT_ACCOUNT, Settings


class EmulatedAwsWithEcs(EmulatedAws):
    """As `EmulatedAws`, with `ecs`, the world of the default account and Region, and `ecs_at` for others."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        self._worlds: dict[tuple[str, str], EcsWorld] = {}
        self._worlds_lock = threading.Lock()
        super().__init__(settings, **options)
        self.ecs = self.ecs_at(DEFAULT_ACCOUNT, self.region)
        self.ecs_endpoint = EcsEndpoint(self.ecs_at, self._stopping)
        self._ecs_control = EcsControl(self.ecs, self.ecs_events)

    def ecs_at(self, account: str, region: str) -> EcsWorld:
        """Return the world of *account* and *region*."""
        with self._worlds_lock:
            return self._worlds.setdefault((account, region), EcsWorld(account, region))

    def ecs_queue(self, name: str = "ecs-events", **attributes: str) -> str:
        """Create a queue in moto's SQS; return its URL at this endpoint."""
        url: str = self._sqs().create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def ecs_events(self, queue_url: str, world: EcsWorld | None = None, **options: Any) -> EventStream:
        """Send the events of *world* to a queue from now on; the options are those of `EventStream`."""
        sqs = self._sqs()
        source = world or self.ecs

        def send(body: str) -> None:
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

        stream = EventStream(send, **options)

        def emit(task: EmulatedTask) -> None:
            stream.emit(envelope(task, source.region, source.account))

        source.on_change.append(emit)
        return stream

    def _sqs(self) -> Any:
        return boto3.client("sqs", **self.client_options(config=Config(retries={"total_max_attempts": 1})))

    @override
    def _route(self, request: Request) -> Answer:
        if request.path.startswith(PREFIX):
            return self._ecs_control.handle(request)
        return self.ecs_endpoint.handle(request) or super()._route(request)
