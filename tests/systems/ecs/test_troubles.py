"""Something cannot be read for a while: nothing that runs is withdrawn, and what can be told goes on being told."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from syncer.core.model import Complete, Unlisted, Unreadable
from syncer.systems.ecs.views import View
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.support.wait import eventually
from tests.systems.ecs.steps import MakeSource, Watching, ids, known_as, snapshot


@pytest.fixture
def queue(aws: EmulatedAwsWithEcs) -> str:
    return aws.ecs_queue()


def holds(view: View, service: str, *tasks: Any) -> Callable[[], bool]:
    """Return whether *view* says, when asked, that *service* is just *tasks*."""

    def asked() -> bool:
        read = view.read(service, fresh=True)
        return isinstance(read, Complete) and {item.id for item in read.instances} == set(
            map(known_as, tasks)
        )

    return asked


@pytest.mark.parametrize("operation", ["DescribeNetworkInterfaces", "DescribeTaskDefinition"])
def test_a_task_that_starts_while_a_part_cannot_be_read_is_there_once_it_can(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, operation: str
) -> None:
    first = world.start_task("prod", service="web", family="one")
    aws.ecs_events(queue)
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        fault = aws.ecs_endpoint.faults.add(EcsFault(operation=operation, code="UnauthorizedOperation"))
        second = world.start_task("prod", service="web", family="two")
        eventually(lambda: fault.hits)
        assert ids(watching.registry, "web") == {known_as(first)}
        eventually(lambda: isinstance(watching.registry.services(), Unlisted), message="it is told")
        watching.forget()
        aws.ecs_endpoint.faults.clear()
        eventually(lambda: "web" in watching.hinted())
        assert ids(watching.registry, "web") == {known_as(first), known_as(second)}


def test_a_stop_that_is_told_leaves_while_another_task_cannot_be_read(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    first, second = (world.start_task("prod", service="web") for _ in range(2))
    aws.ecs_events(queue)
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        fault = aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeNetworkInterfaces", code="Denied"))
        world.start_task("prod", service="web")
        eventually(lambda: fault.hits)
        world.stop_task(first, upto="RUNNING")
        eventually(holds(watching.registry, "web", second))
        aws.ecs_endpoint.faults.clear()


def test_a_stop_leaves_at_once_while_ec2_keeps_others_waiting(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    first, second = (world.start_task("prod", service="web") for _ in range(2))
    aws.ecs_events(queue)
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        delay = EcsFault(operation="DescribeNetworkInterfaces", kind="delay", seconds=600)
        fault = aws.ecs_endpoint.faults.add(delay)
        world.start_task("prod", service="web")
        eventually(lambda: fault.hits)
        world.stop_task(first, upto="RUNNING")
        eventually(lambda: "web" in watching.hinted())
        read = watching.registry.read("web", fresh=True)
        assert isinstance(read, Complete)
        assert [item.id for item in read.instances] == [known_as(second)]
        assert [item.id for item in read.ended] == [known_as(first)]
        aws.ecs_endpoint.faults.clear()


def test_a_cluster_that_cannot_be_read_any_more_holds_up_no_other(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    here, there = world.start_task("prod", service="web"), world.start_task("edge", service="web")
    with Watching(make_source(clusters=("prod", "edge"), poll=0.3)) as watching:
        view = watching.registry
        assert len(snapshot(view)["web"]) == 2
        aws.ecs_endpoint.faults.add(
            EcsFault(operation="ListTasks", code="AccessDeniedException", holding="edge")
        )
        world.stop_task(here)
        now = world.start_task("prod", service="web")
        expected = {known_as(now), known_as(there, "edge")}

        def moved() -> bool:
            read = view.read("web", fresh=True)
            return isinstance(read, Complete) and {item.id for item in read.instances} == expected

        eventually(moved)
        eventually(lambda: isinstance(view.services(), Unlisted), message="it is told")
        aws.ecs_endpoint.faults.clear()


def test_where_another_may_have_written_meanwhile_a_task_that_cannot_be_read_holds_its_service(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web")
    turn = [True]
    with Watching(make_source(queue_url=queue, may_take=lambda: bool(turn))) as watching:
        snapshot(watching.registry)
        turn.clear()
        time.sleep(2.5)
        aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeNetworkInterfaces", code="Denied"))
        world.start_task("prod", service="web")
        turn.append(True)
        eventually(lambda: isinstance(watching.registry.read("web", fresh=True), Unreadable))
        aws.ecs_endpoint.faults.clear()


def test_while_the_queue_cannot_be_read_the_clusters_are(
    world: EcsWorld, aws: EmulatedAwsWithEcs, make_source: MakeSource
) -> None:
    url = f"{aws.endpoint_url}/123456789012/none"
    with Watching(make_source(queue_url=url, poll=0.5)) as watching:
        snapshot(watching.registry)
        task = world.start_task("prod", service="web")
        eventually(holds(watching.registry, "web", task))
        eventually(lambda: any(hint.services is None for hint in watching.hints))
        watching.forget()
        world.stop_task(task)
        eventually(holds(watching.registry, "web"))
        eventually(lambda: watching.hints)
