"""ECS, EC2 and SSM over HTTP: finds the world of the caller's account and Region, and answers from it."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from . import ecs_ec2
from .calls import Calls
from .ecs_api import ECS_PREFIX, HANDLERS, SSM_PREFIX
from .ecs_faults import EcsFaults
from .ecs_world import EcsWorld
from .errors import ApiError
from .httpd import Request
from .protocol import BROKEN, Reply, scope_of

_HTML = Reply(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html")
_GARBLED = Reply(200, b"<html><body>Please log in</body></html>", "text/html")


class EcsEndpoint:
    """Answers requests for ECS, those of EC2 and SSM that concern tasks, and None for all others."""

    def __init__(self, world_of: Callable[[str, str], EcsWorld], stopping: threading.Event) -> None:
        self._world_of = world_of
        self._stopping = stopping
        self.calls = Calls(100_000)
        self.faults = EcsFaults()
        self.latency = 0.0
        """Seconds that each call takes."""

    def handle(self, request: Request) -> Reply | None:
        """Return the reply, or None for what belongs to somebody else."""
        target = request.headers.get("x-amz-target", "")
        if target.startswith(ECS_PREFIX) or target in HANDLERS:
            operation = target.removeprefix(ECS_PREFIX).removeprefix(SSM_PREFIX)
            return self._answer(
                operation, request, lambda world: _json(target, world, request.body), _json_error
            )
        form = ecs_ec2.parameters(request.body) if b"Action=Describe" in request.body else {}
        if not ecs_ec2.concerns(form):
            return None

        def query(world: EcsWorld) -> Reply:
            return Reply(200, ecs_ec2.answer(world, form), "text/xml")

        return self._answer(form["Action"], request, query, _xml_error)

    def _answer(
        self,
        operation: str,
        request: Request,
        carry_out: Callable[[EcsWorld], Reply],
        refuse: Callable[[ApiError], Reply],
    ) -> Reply:
        received = time.monotonic()
        where = scope_of(request.headers.get("authorization", ""))
        if self.latency:
            self._stopping.wait(self.latency)
        world = self._world_of(*where)
        outcome = "ok"
        try:
            reply = self._faulty(operation, request.body)
            if reply is not None:
                outcome = "fault"
            else:
                with world.lock:
                    reply = carry_out(world)
        except ApiError as error:
            reply, outcome = refuse(error), error.code
        self.calls.note(received, where, operation, _params(request.body), outcome)
        return reply

    def _faulty(self, operation: str, body: bytes) -> Reply | None:
        fault = self.faults.take(operation, body)
        if fault is None:
            return None
        match fault.kind:
            case "error":
                raise ApiError(fault.code, "A fault on purpose.")
            case "http500":
                return _HTML
            case "reset":
                return BROKEN
            case "garbled":
                return _GARBLED
            case "delay":
                self._stopping.wait(fault.seconds)
                return None


def _json(target: str, world: EcsWorld, body: bytes) -> Reply:
    handler = HANDLERS.get(target)
    if handler is None:
        raise ApiError("UnknownOperationException", f"{target} is not emulated.")
    answer = handler(world, json.loads(body or b"{}"))
    for bend in world.on_answer:
        bend(answer)
    return Reply(200, json.dumps(answer, separators=(",", ":")).encode())


def _json_error(error: ApiError) -> Reply:
    return Reply(400, json.dumps({"__type": error.code, "message": error.message}).encode())


def _xml_error(error: ApiError) -> Reply:
    return Reply(400, ecs_ec2.error(error.code, error.message), "text/xml")


def _params(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return dict(ecs_ec2.parameters(body))
    return found if isinstance(found, dict) else {}
