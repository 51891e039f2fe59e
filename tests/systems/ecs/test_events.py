"""Events hurry: one look at the task that is named, and the views that hold it are told."""

import json
import threading
import time
import uuid
from typing import Any

import boto3
import pytest
from structlog.testing import capture_logs

from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.aws import Access
from syncer.systems.ecs.dialects import PublicDiscovery
from syncer.systems.ecs.events import TaskEvent, parse
from syncer.systems.ecs.source import ViewOptions
from tests.emulator.ecs_events import envelope
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.support.wait import eventually
from tests.systems.ecs.steps import MakeSource, Watching, ids, known_as, snapshot


@pytest.fixture
def queue(aws: EmulatedAwsWithEcs) -> str:
    return aws.ecs_queue()


@pytest.fixture
def sqs(aws: EmulatedAwsWithEcs) -> Any:
    return boto3.client("sqs", **aws.client_options())


def left(sqs: Any, queue: str) -> tuple[int, int]:
    """Return how many messages wait, and how many were received and not deleted."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_a_started_and_a_stopped_task_are_hinted_at_and_read_without_a_full_read(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    world.start_task("prod", service="other")
    with Watching(make_source(queue_url=queue)) as watching:
        view = watching.registry
        snapshot(view)
        aws.ecs_endpoint.calls.reset()
        stream = aws.ecs_events(queue)
        task = world.start_task("prod", service="web", public_ip="54.1.1.1")
        eventually(lambda: "web" in watching.hinted())
        read = view.read("web", fresh=True)
        assert isinstance(read, Complete)
        assert [item.public_ipv4 for item in read.instances] == ["54.1.1.1"]
        watching.forget()
        world.stop_task(task, upto="RUNNING")
        eventually(lambda: "web" in watching.hinted())
        read = view.read("web", fresh=True)
        assert isinstance(read, Complete)
        assert read.instances == ()
        assert [item.public_ipv4 for item in read.ended] == ["54.1.1.1"]
        stream.flush()
        assert aws.ecs_endpoint.calls.count("ListTasks") == 0
        assert aws.ecs_endpoint.calls.count("DescribeNetworkInterfaces") == 1
        assert "other" not in watching.hinted()


def test_a_change_of_health_is_hinted_at(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    task = world.start_task("prod", service="web")
    aws.ecs_events(queue)
    with Watching(make_source(queue_url=queue)) as watching:
        assert snapshot(watching.registry)["web"][0].health.serves
        world.set_health(task, "UNHEALTHY")
        eventually(lambda: "web" in watching.hinted())
        read = watching.registry.read("web", fresh=True)
        assert isinstance(read, Complete)
        assert not read.instances[0].health.serves


def test_every_view_of_a_source_is_told_what_concerns_it(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    source = make_source(
        (ViewOptions(), ViewOptions("public", PublicDiscovery("example.com"))), queue_url=queue
    )
    with Watching(source) as plain, Watching(source, "public") as public:
        snapshot(plain.registry)
        snapshot(public.registry)
        aws.ecs_events(queue)
        world.start_task("prod", service="web", public_ip=True, tags={"public-discovery:name": "www"})
        eventually(lambda: "www.example.com" in public.hinted())
        eventually(lambda: "web" in plain.hinted())
        assert public.hinted() == {"www.example.com"}


def test_a_duplicate_or_an_old_event_costs_no_call(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    task = world.start_task("prod", service="web")
    event = envelope(task, "us-east-1", "123456789012")
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_endpoint.calls.reset()
        for version in (task.version, task.version, 1):
            event["detail"]["version"] = version
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        eventually(lambda: left(sqs, queue) == (0, 0))
        assert aws.ecs_endpoint.calls.count() == 0
        assert not watching.hints


def test_what_is_no_event_is_logged_once_and_left_in_the_queue(
    world: EcsWorld, aws: EmulatedAwsWithEcs, make_source: MakeSource, sqs: Any
) -> None:
    queue = aws.ecs_queue("impatient", VisibilityTimeout="1")
    deep = "[" * 100_000
    detail = '{"clusterArn": "c", "taskArn": "t", "version": Infinity}'
    endless = f'{{"detail-type": "ECS Task State Change", "detail": {detail}}}'
    bodies = [
        "not JSON",
        "[]",
        "{}",
        deep,
        endless,
        '{"detail-type": "ECS Task State Change", "detail": {"taskArn": 1}}',
    ]
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    with capture_logs() as logs, Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_events(queue)
        world.start_task("prod", service="web")
        eventually(lambda: "web" in watching.hinted())
        time.sleep(2.5)  # until they came again
        assert sum(left(sqs, queue)) == len(bodies)
    assert [log["event"] for log in logs] == ["event_not_understood"] * len(bodies)


def test_an_event_of_another_kind_or_cluster_is_done_with(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    other = world.start_task("elsewhere", service="web")
    event = envelope(other, "us-east-1", "123456789012")
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_endpoint.calls.reset()
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event))
        sqs.send_message(
            QueueUrl=queue, MessageBody=json.dumps({**event, "detail-type": "ECS Service Action"})
        )
        eventually(lambda: left(sqs, queue) == (0, 0))
        assert aws.ecs_endpoint.calls.count() == 0


def test_an_event_of_a_namesake_cluster_in_another_account_is_done_with(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    world.start_task("prod", service="web")
    theirs = aws.ecs_at("210987654321", "us-east-1").start_task("prod", service="web")
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_endpoint.calls.reset()
        sqs.send_message(
            QueueUrl=queue, MessageBody=json.dumps(envelope(theirs, "us-east-1", "210987654321"))
        )
        eventually(lambda: left(sqs, queue) == (0, 0))
        assert aws.ecs_endpoint.calls.count() == 0


def test_a_defect_in_who_takes_a_hint_keeps_the_message(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    source = make_source(queue_url=queue)
    (watch,) = source.end().watches
    stop, told = threading.Event(), threading.Event()

    def fail(_hint: Hint) -> None:
        told.set()
        raise RuntimeError("a defect")

    snapshot(source.views[""])
    aws.ecs_events(queue)
    with capture_logs() as logs:
        thread = threading.Thread(target=watch.run, args=(fail, print, stop))
        thread.start()
        world.start_task("prod", service="web")
        assert told.wait(60)
        eventually(lambda: logs)
        assert left(sqs, queue)[1] > 0
        stop.set()
        thread.join(60)
    assert [log["event"] for log in logs] == ["ecs_looks_failed"]


def test_if_the_task_cannot_be_described_everything_is_read_again(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_events(queue)
        aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeTasks", code="AccessDeniedException"))
        task = world.start_task("prod", service="web")
        eventually(lambda: any(hint.services is None for hint in watching.hints))
        aws.ecs_endpoint.faults.clear()
        eventually(lambda: known_as(task) in ids(watching.registry, "web"))


def test_an_event_that_runs_ahead_of_the_api_is_followed_up(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    task = world.start_task("prod", service="web", upto="PENDING")
    ahead = envelope(task, "us-east-1", "123456789012")
    ahead["detail"]["version"] = task.version + 2
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(ahead))
        eventually(lambda: left(sqs, queue) == (0, 0))
        assert not watching.hints
        world.advance(task, "RUNNING")  # no event: the stream is not on
        eventually(lambda: "web" in watching.hinted())


@pytest.mark.parametrize("version", ["the same", None])
def test_a_stop_is_believed_whatever_its_version(
    aws: EmulatedAwsWithEcs,
    world: EcsWorld,
    queue: str,
    make_source: MakeSource,
    sqs: Any,
    version: str | None,
) -> None:
    task = world.start_task("prod", service="web")
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        before = task.version
        world.stop_task(task, upto="RUNNING")
        task.version = before
        told = envelope(task, "us-east-1", "123456789012")
        if version is None:
            del told["detail"]["version"]
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(told))
        eventually(lambda: "web" in watching.hinted())
        read = watching.registry.read("web", fresh=True)
        assert isinstance(read, Complete)
        assert read.instances == ()


def test_a_public_address_that_is_associated_later_is_found(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_events(queue)
        task = world.start_task("prod", service="web")
        eventually(lambda: "web" in watching.hinted())
        assert snapshot(watching.registry)["web"][0].public_ipv4 is None
        watching.forget()
        assert task.interface is not None
        task.interface.public_ipv4 = "54.1.1.9"
        eventually(lambda: "web" in watching.hinted())
        assert snapshot(watching.registry)["web"][0].public_ipv4 == "54.1.1.9"


def test_an_interface_that_ec2_shows_late_is_asked_for_again(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        task = world.start_task("prod", service="web", public_ip="54.1.1.1", upto="ACTIVATING")
        assert task.interface is not None
        task.interface.visible = False
        aws.ecs_events(queue)
        world.advance(task, "RUNNING")
        eventually(lambda: "web" in watching.hinted())
        watching.forget()
        aws.ecs_endpoint.faults.add(
            EcsFault(operation="DescribeTasks", code="AccessDeniedException", count=1)
        )
        task.interface.visible = True
        eventually(lambda: "web" in watching.hinted())
        assert snapshot(watching.registry)["web"][0].public_ipv4 == "54.1.1.1"


def test_who_may_not_take_leaves_the_events_and_reads_everything_when_its_turn_comes(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    turn: list[bool] = []
    with Watching(make_source(queue_url=queue, may_take=lambda: bool(turn))) as watching:
        snapshot(watching.registry)
        aws.ecs_events(queue).flush()
        task = world.start_task("prod", service="web")
        time.sleep(0.3)
        assert not watching.hints
        turn.append(True)
        eventually(lambda: any(hint.services is None for hint in watching.hints))
        assert known_as(task) in ids(watching.registry, "web")


def test_a_queue_that_cannot_be_read_is_logged_once_and_taken_up_again(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    url = f"{aws.endpoint_url}/123456789012/late"
    with capture_logs() as logs, Watching(make_source(queue_url=url)) as watching:
        snapshot(watching.registry)
        eventually(lambda: any(log["event"] == "event_queue_unreadable" for log in logs))
        aws.ecs_events(aws.ecs_queue("late"))
        world.start_task("prod", service="web")
        eventually(lambda: "web" in watching.hinted())
    assert [log["event"] for log in logs] == ["event_queue_unreadable", "event_queue_readable"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_events_lost_doubled_and_shuffled_lead_to_the_same_state(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any, seed: int
) -> None:
    stream = aws.ecs_events(queue, lose_every=2, double_every=5, shuffle=12, seed=seed)
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        tasks = [world.start_task("prod", service=f"s{number % 4}", public_ip=True) for number in range(24)]
        for number, task in enumerate(tasks):
            if number % 3 == 0:
                world.stop_task(task)
            elif number % 3 == 1:
                world.set_health(task, "UNHEALTHY")
        stream.flush()
        eventually(lambda: left(sqs, queue) == (0, 0))
        time.sleep(1.1)  # until the last full read is old
        found = snapshot(watching.registry)
    assert found == snapshot(make_source().views[""])
    assert sum(map(len, found.values())) == 16


def test_shuffled_and_doubled_events_alone_lead_to_the_right_state(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    stream = aws.ecs_events(queue, double_every=3, shuffle=20)
    with Watching(make_source(queue_url=queue)) as watching:
        snapshot(watching.registry)
        aws.ecs_endpoint.calls.reset()
        tasks = [world.start_task("prod", service=f"s{number % 4}") for number in range(16)]
        for task in tasks[::2]:
            world.stop_task(task)
        stream.flush()
        eventually(lambda: left(sqs, queue) == (0, 0))
        found = {f"s{number}": ids(watching.registry, f"s{number}") for number in range(4)}
        assert aws.ecs_endpoint.calls.count("ListTasks") == 0
    assert set().union(*found.values()) == {known_as(task) for task in tasks[1::2]}


def test_leaving_does_not_wait_for_the_long_poll(queue: str, make_source: MakeSource) -> None:
    with Watching(make_source(queue_url=queue)) as watching:
        time.sleep(0.3)
        began = time.monotonic()
        watching.stop.set()
        watching.thread.join(60)
        assert time.monotonic() - began < 15, "a long poll takes 20 seconds"


def test_what_comes_after_leaving_goes_back_to_the_queue(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, sqs: Any
) -> None:
    with Watching(make_source(queue_url=queue)):
        time.sleep(0.3)  # until it waits for messages
    sqs.send_message(QueueUrl=queue, MessageBody="for somebody else")
    eventually(lambda: left(sqs, queue) == (1, 0))
    eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))


def test_a_watch_that_left_hands_on_to_the_next(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource
) -> None:
    source = make_source((ViewOptions(), ViewOptions("again")), queue_url=queue)
    with Watching(source, "again") as second:
        with Watching(source) as first:
            snapshot(first.registry)
            snapshot(second.registry)
        aws.ecs_events(queue)
        world.start_task("prod", service="web")
        eventually(lambda: "web" in second.hinted())
        assert not first.hints


def test_without_a_queue_changes_are_noticed_within_an_interval(
    world: EcsWorld, make_source: MakeSource
) -> None:
    with Watching(make_source(poll=0.5)) as watching:
        snapshot(watching.registry)
        task = world.start_task("prod", service="web", public_ip=True)
        eventually(lambda: "web" in watching.hinted())
        watching.forget()
        world.stop_task(task)
        eventually(lambda: "web" in watching.hinted())
        assert ids(watching.registry, "web") == set()


def test_polling_asks_again_for_an_interface_that_ec2_shows_late(
    world: EcsWorld, make_source: MakeSource
) -> None:
    with Watching(make_source(poll=3.0)) as watching:
        snapshot(watching.registry)
        task = world.start_task("prod", service="web", public_ip="54.1.1.1")
        assert task.interface is not None
        task.interface.visible = False
        eventually(lambda: "web" in watching.hinted())
        watching.forget()
        task.interface.visible = True
        eventually(lambda: "web" in watching.hinted())
        assert snapshot(watching.registry)["web"][0].public_ipv4 == "54.1.1.1"


def test_polling_survives_failures(aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource) -> None:
    with Watching(make_source(poll=0.3)) as watching:
        snapshot(watching.registry)
        aws.ecs_endpoint.faults.add(EcsFault(operation="*", code="AccessDeniedException"))
        world.start_task("prod", service="web")
        eventually(lambda: aws.ecs_endpoint.calls.count("ListTasks") >= 2)
        aws.ecs_endpoint.faults.clear()
        eventually(lambda: "web" in watching.hinted())


def test_the_queue_may_be_in_another_endpoint_than_ecs(
    aws: EmulatedAwsWithEcs, world: EcsWorld, queue: str, make_source: MakeSource, access: Access
) -> None:
    urls = dict.fromkeys(("ecs", "ec2", "ssm", "sqs"), aws.endpoint_url)
    source = make_source(given=Access(region="us-east-1", endpoint_urls=urls), queue_url=queue)
    with Watching(source) as watching:
        snapshot(watching.registry)
        aws.ecs_events(queue)
        world.start_task("prod", service="web")
        eventually(lambda: "web" in watching.hinted())


def test_an_event_says_cluster_task_and_version() -> None:
    body = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "ECS Task State Change",
        "detail": {"clusterArn": "arn:aws:ecs:us-east-1:1:cluster/prod", "taskArn": "arn:t", "version": 5},
    }
    assert parse(json.dumps(body)) == TaskEvent("prod", "arn:t", 5)
