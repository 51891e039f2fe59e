"""The engine carries tasks from their start to a target and back on their stop."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.model import Health, Instance
from syncer.core.names import Naming
from syncer.core.ports import End
from syncer.core.report import Observers
from syncer.core.rules import Address, RouteRules, Unhealthy
from syncer.engine.engine import Engine, Timing
from syncer.engine.route import Policy
from syncer.systems.ecs.source import EcsSource, ViewOptions
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.support.wait import eventually
from tests.systems.ecs.steps import MakeSource

ANY = re.compile(r".*")
TARGET = Carrier(
    lambda _name: None, AttributeLimits(30, ANY, 255, ANY, 1024), public_addresses=True, healths=True
)


@dataclass
class Running:
    """An engine at work in a thread, from a source's views into one registry in memory."""

    source: EcsSource
    routes: tuple[RouteRules, ...]
    stop: threading.Event = field(default_factory=threading.Event)
    target: MemoryRegistry = field(default_factory=lambda: MemoryRegistry("memory/one", TARGET))

    def __post_init__(self) -> None:
        self.engine = Engine(self.stop, Timing(full=600.0), Observers())
        for end in self.source.ends():
            self.engine.attach(end)
        self.engine.attach(End(self.target, (MemoryWatch(self.target),), MemoryWriter(self.target)))
        for rules in self.routes:
            self.engine.join(rules, Policy())
        self.thread = threading.Thread(target=self.engine.run, daemon=True)

    def held(self, service: str) -> tuple[Instance, ...]:
        read = self.target.read(service)
        return tuple(getattr(read, "instances", ()))

    def addresses(self, service: str) -> set[str | None]:
        return {item.ipv4 for item in self.held(service)}


def route(source: str, name: str, **rules: object) -> RouteRules:
    made = RouteRules(name, "us", source, "memory/one", TARGET)
    return replace(made, **rules)  # type: ignore[arg-type]  # the test knows the fields


@pytest.fixture
def running(aws: EmulatedAwsWithEcs, make_source: MakeSource) -> Iterator[Running]:
    views = (ViewOptions(drain=6.0), ViewOptions("public"))
    source = make_source(views, queue_url=aws.ecs_queue())
    routes = (
        route("ecs/prod", "private", unhealthy=Unhealthy.MARK),
        route("ecs/prod/public", "public", address=Address.PUBLIC, naming=Naming(suffix="-public")),
    )
    made = Running(source, routes)
    yield made
    made.stop.set()
    made.thread.join(60)


def test_a_task_is_in_the_target_while_it_runs(
    aws: EmulatedAwsWithEcs, world: EcsWorld, running: Running
) -> None:
    aws.ecs_events(aws.ecs_queue())
    first = world.start_task("prod", service="web", public_ip="54.1.1.1")
    assert first.interface is not None
    running.thread.start()
    eventually(lambda: running.addresses("web") == {first.interface.ipv4 if first.interface else None})
    eventually(lambda: running.addresses("web-public") == {"54.1.1.1"})
    second = world.start_task("prod", service="web", public_ip="54.1.1.2")
    eventually(lambda: running.addresses("web-public") == {"54.1.1.1", "54.1.1.2"})
    eventually(lambda: len(running.addresses("web")) == 2)
    world.stop_task(second)
    eventually(lambda: Health.CRITICAL in {item.health for item in running.held("web")})
    eventually(lambda: running.addresses("web-public") == {"54.1.1.1"})
    eventually(lambda: running.addresses("web") == {first.interface.ipv4 if first.interface else None})


def test_while_ecs_cannot_be_read_nothing_is_withdrawn(
    aws: EmulatedAwsWithEcs, world: EcsWorld, running: Running
) -> None:
    aws.ecs_events(aws.ecs_queue())
    tasks = [world.start_task("prod", service="web", public_ip=True) for _ in range(3)]
    running.thread.start()
    eventually(lambda: len(running.held("web")) == 3)
    eventually(lambda: len(running.held("web-public")) == 3)
    aws.ecs_endpoint.faults.add(EcsFault(operation="*", code="AccessDeniedException"))
    world.stop_task(tasks[0])
    started = aws.ecs_endpoint.calls.count("ListTasks")
    eventually(lambda: aws.ecs_endpoint.calls.count("ListTasks") > started)
    assert len(running.held("web")) == 3
    aws.ecs_endpoint.faults.clear()
    eventually(lambda: len(running.held("web-public")) == 2)
    eventually(lambda: len(running.held("web")) == 2)
