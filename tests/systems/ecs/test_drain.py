"""A task that stops leaves at once, or stays critical for its time."""

import time

from syncer.core.model import Complete, Health
from syncer.systems.ecs.source import ViewOptions
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.support.wait import eventually
from tests.systems.ecs.steps import MakeSource, Watching, ids, instances, snapshot


def test_a_stopping_task_is_critical_for_its_time_and_then_gone(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    queue = aws.ecs_queue()
    source = make_source((ViewOptions(drain=2.0), ViewOptions("now")), queue_url=queue)
    task = world.start_task("prod", service="web", public_ip="54.1.1.1")
    with Watching(source) as watching, Watching(source, "now") as at_once:
        (before,) = snapshot(watching.registry)["web"]
        snapshot(at_once.registry)
        aws.ecs_events(queue)
        world.stop_task(task)
        eventually(lambda: "web" in watching.hinted())
        (during,) = instances(watching.registry, "web")
        assert during.health is Health.CRITICAL
        assert (during.id, during.ipv4, during.public_ipv4) == (before.id, before.ipv4, before.public_ipv4)
        eventually(lambda: "web" in at_once.hinted())
        assert instances(at_once.registry, "web") == ()
        watching.forget()
        eventually(lambda: any(hint.reason == "drained" for hint in watching.hints))
        assert instances(watching.registry, "web") == ()


def test_a_stop_that_only_a_full_read_finds_drains_too(world: EcsWorld, make_source: MakeSource) -> None:
    view = make_source((ViewOptions(drain=60.0),)).views[""]
    task = world.start_task("prod", service="web")
    assert [item.health for item in snapshot(view)["web"]] == [Health.PASSING]
    world.stop_task(task)
    world.forget(task)
    time.sleep(1.1)
    assert [item.health for item in snapshot(view)["web"]] == [Health.CRITICAL]
    time.sleep(1.1)
    assert [item.health for item in snapshot(view)["web"]] == [Health.CRITICAL]


def test_a_task_that_was_never_seen_running_does_not_drain(world: EcsWorld, make_source: MakeSource) -> None:
    view = make_source((ViewOptions(drain=60.0),)).views[""]
    task = world.start_task("prod", service="web", upto="ACTIVATING")
    snapshot(view)
    world.stop_task(task)
    time.sleep(1.1)
    assert snapshot(view) == {}


def test_a_task_that_a_list_has_missed_comes_back(world: EcsWorld, make_source: MakeSource) -> None:
    view = make_source().views[""]
    task = world.start_task("prod", service="web")
    assert len(ids(view, "web")) == 1
    del world.tasks[task.arn]
    time.sleep(1.1)
    assert snapshot(view) == {}
    world.tasks[task.arn] = task
    time.sleep(1.1)
    assert len(snapshot(view)["web"]) == 1


def test_a_full_read_tells_what_ecs_says_was_stopped_from_what_is_only_missing(
    world: EcsWorld, make_source: MakeSource
) -> None:
    view = make_source().views[""]
    told, lost = world.start_task("prod", service="web"), world.start_task("prod", service="web")
    assert len(ids(view, "web")) == 2
    world.stop_task(told, upto="STOPPED")
    world.forget(lost)
    time.sleep(1.1)
    assert snapshot(view) == {}
    after = view.read("web")
    assert isinstance(after, Complete)
    assert [item.id for item in after.ended] == [f"prod/{told.id}"]
