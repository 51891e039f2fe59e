"""Commands where no route begins or ends in Consul, so that nobody may ask it; and those that only look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import syncer
from tests.e2e.tasks import CLUSTER, TaskWorld
from tests.emulator.ecs_model import EmulatedTask

ROUTE = "ecs/prod->route53/example.com"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TaskWorld]:
    """A world with a cluster and a hosted zone."""
    with TaskWorld(tmp_path) as world:
        assert world.zone
        world.ecs.cluster(CLUSTER)
        yield world


@pytest.fixture
def task(world: TaskWorld) -> EmulatedTask:
    """A task with a public address."""
    return world.ecs.start_task(CLUSTER, service="web", ports={"app": (80,)}, public_ip="54.1.2.3")


@pytest.fixture
def file(world: TaskWorld) -> Path:
    """Settings with a route from ECS into the zone; Consul would not answer."""
    source, _, target = ROUTE.partition("->")
    return world.file(
        {
            "owner": "tests",
            "consul": {"address": "http://127.0.0.1:9"},
            "aws": {"region": world.aws.region, "endpoint_url": world.aws.endpoint_url},
            "ecs": [{"name": "prod", "clusters": [CLUSTER]}],
            "routes": [{"source": source, "target": target}],
            "http": False,
        }
    )


def test_what_was_written_is_withdrawn_without_a_word_about_consul(
    world: TaskWorld, task: EmulatedTask, file: Path
) -> None:
    assert syncer("once", "-c", file).returncode == 0
    assert [item["ResourceRecords"] for item in world.records()] == [[{"Value": "54.1.2.3"}]]
    done = syncer("withdraw", "--yes", "-c", file)
    assert done.returncode == 0
    assert done.stderr == ""
    assert world.records() == []


def test_what_is_held_cannot_be_approved_and_the_command_says_what_happens_instead(
    world: TaskWorld, task: EmulatedTask, file: Path
) -> None:
    assert syncer("approve", "-c", file).stdout == "nothing is held\n"
    assert syncer("once", "-c", file).returncode == 0
    world.ecs.stop_task(task)
    held = syncer("approve", "-c", file)
    assert held.returncode == 1
    first, second = held.stdout.splitlines()
    assert (
        first
        == f"{ROUTE}: web.example.com: 1 removals held: the source is empty, and 1 of ours are in the target"
    )
    assert second == "what is held passes as guard.release_after says"
    done = syncer("approve", ROUTE, "-c", file)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"syncer: these settings do not use Consul, by which a running syncer would be told; {second}\n"
    )


def test_to_look_at_what_is_held_or_planned_creates_no_namespace(world: TaskWorld) -> None:
    namespace = {"name": "new.internal", "create": {"type": "http"}}
    file = world.file(world.tree({"namespaces": [namespace]}))
    for command in ("approve", "plan"):
        done = syncer(command, "-c", file)
        assert (done.returncode, done.stderr) == (0, "")
    assert world.aws.calls.count("CreateHttpNamespace") == 0
    assert syncer("once", "-c", file).returncode == 0
    assert world.aws.calls.count("CreateHttpNamespace") == 1
    assert syncer("approve", "-c", file).returncode == 0
