"""The emulated ECS driven over HTTP, below ``/_emulator/ecs``: for programs that are not Python, and for a demo."""

import json
from collections.abc import Callable
from typing import Any

from .ecs_model import EmulatedTask
from .ecs_world import EcsWorld
from .httpd import Request
from .protocol import Reply

PREFIX = "/_emulator/ecs/"


class EcsControl:
    """Answers requests below `PREFIX`; a mistake in the request is a 400 with its reason."""

    def __init__(self, world: EcsWorld, send_events: Callable[[str], Any]) -> None:
        """Drive *world*; *send_events* has its events go to the queue of a URL from now on."""
        self._world = world
        self._send_events = send_events

    def handle(self, request: Request) -> Reply:
        """Return the reply as JSON."""
        try:
            body = json.loads(request.body or b"{}")
            answer = self._answer(request.method, request.path.removeprefix(PREFIX), body)
        except (ValueError, TypeError, KeyError) as error:
            return Reply(400, json.dumps({"error": repr(error)}).encode(), "application/json")
        return Reply(200, json.dumps(answer).encode(), "application/json")

    def _answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if (method, path) == ("GET", "tasks"):
            return [shown(task) for task in self._world.tasks.values()]
        actions: dict[str, Callable[[], Any]] = {
            "start": lambda: self._start(body),
            "advance": lambda: self._world.advance(self._task(body), body["upto"]),
            "stop": lambda: self._world.stop_task(self._task(body), upto=body.get("upto", "STOPPED")),
            "health": lambda: self._world.set_health(self._task(body), body["health"]),
            "forget": lambda: self._world.forget(self._task(body)),
            "service": lambda: self._world.service(body["cluster"], body["name"], body.get("tags")).arn,
            "host": lambda: self._world.host(**body).arn,
            "events": lambda: self._send_events(body["queue_url"]),
        }
        action = actions[path]
        if method != "POST":
            raise ValueError(f"{path} is done by POST")
        done = action()
        return done if isinstance(done, dict | str) else {}

    def _start(self, body: dict[str, Any]) -> dict[str, Any]:
        if "host" in body:
            body["host"] = self._world.hosts[body["host"]]
        return shown(self._world.start_task(**body))

    def _task(self, body: dict[str, Any]) -> EmulatedTask:
        wanted = body["task"]
        for arn, task in self._world.tasks.items():
            if wanted in (arn, task.id):
                return task
        raise KeyError(f"no task {wanted}")


def shown(task: EmulatedTask) -> dict[str, Any]:
    """Return what a person wants to know of *task*."""
    return {
        "task": task.arn,
        "id": task.id,
        "group": task.group,
        "last_status": task.last_status,
        "desired_status": task.desired_status,
        "health": task.health,
        "ipv4": task.interface.ipv4 if task.interface else task.host.ipv4 if task.host else None,
        "public_ipv4": task.interface.public_ipv4
        if task.interface
        else task.host.public_ipv4
        if task.host
        else None,
    }
