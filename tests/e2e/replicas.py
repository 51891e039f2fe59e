"""Replicas of one installation, each a process of its own, and each with a door of its own to Cloud Map."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count, groupby
from pathlib import Path
from typing import Any

from tests.e2e.cloud import WRITES
from tests.e2e.world import World
from tests.emulator.httpd import HttpServer, Request
from tests.emulator.protocol import TARGET_PREFIX, Reply
from tests.emulator.wire import json_error


@dataclass
class Door:
    """Passes calls on to the world's Cloud Map, and keeps the times of those that write."""

    world: World
    writes: list[tuple[float, str]] = field(default_factory=list)
    """``time.monotonic()`` of the arrival, and the operation; whatever becomes of it."""

    def __post_init__(self) -> None:
        ids = count(1)
        self._server = HttpServer(("127.0.0.1", 0), self._route, lambda: f"door-{next(ids)}")
        self.url = "http://{}:{}".format(*self._server.server_address)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve until the block ends."""
        self._server.start()
        try:
            yield
        finally:
            self._server.stop()

    def _route(self, request: Request) -> Reply:
        target = request.headers.get("x-amz-target", "")
        if not target.startswith(TARGET_PREFIX):
            return json_error("UnknownOperationException", "only Cloud Map is behind this door", 400)
        operation = target.removeprefix(TARGET_PREFIX)
        if operation in WRITES:
            self.writes.append((time.monotonic(), operation))
        return self.world.aws.api.handle(operation, request.headers.get("authorization", ""), request.body)


@dataclass
class Replica:
    """One process; the parent ends it with the block that began it."""

    name: str
    door: Door
    process: "subprocess.Popen[bytes]"
    log: Path

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, timeout: float = 60) -> int:
        """Wait for its end, and return its exit code."""
        return self.process.wait(timeout)


@contextmanager
def replicas(world: World, *changes: Mapping[str, Any], names: str = "ab") -> Iterator[dict[str, Replica]]:
    """Run a replica for each letter of *names*, with leases; *changes* are laid over the settings."""
    with ExitStack() as stack:
        found = {}
        for name in names:
            door = Door(world)
            stack.enter_context(door.open())
            own = {"aws": {"endpoint_url": door.url}, "lease": {"enabled": True, "ttl": 10}}
            file = world.file(world.tree(own, *changes), f"{name}.yaml")
            log = world.folder / f"{name}.log"
            found[name] = stack.enter_context(_running(name, door, file, log))
        yield found


@contextmanager
def _running(name: str, door: Door, file: Path, log: Path) -> Iterator[Replica]:
    command = [sys.executable, "-m", "syncer", "run", "-c", str(file)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(os.environ))
        try:
            yield Replica(name, door, process, log)
        finally:
            process.kill()
            process.wait(60)


def holder(world: World, found: Mapping[str, Replica]) -> Replica | None:
    """Return the replica that holds the lease of the world's namespace, by its process's number in the key."""
    key = f"/v1/kv/cloudmap-sync/tests/lease/{world.namespace_id}"
    items = world.consul.call("GET", "/v1/kv/cloudmap-sync/", params={"recurse": ""})
    item = next(item for item in items if item["Key"] == key.removeprefix("/v1/kv/"))
    if "Session" not in item:
        return None
    who = json.loads(world.consul.call("GET", key, params={"raw": ""})["holder"].rpartition("/")[2])
    return next((replica for replica in found.values() if replica.process.pid == who), None)


def turns(*found: Replica) -> list[str]:
    """Return who wrote, in turn: a name appears again only where somebody else wrote in between."""
    writes = sorted((when, replica.name) for replica in found for when, _ in replica.door.writes)
    return [name for name, _ in groupby(writes, key=lambda write: write[1])]
