"""A worker with routes from ECS makes the calls that the printed policy allows, and needs most of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from syncer.app.doctor.policies import ITSELF, iam_policies
from syncer.settings import load
from tests.deploy.operations import FOLDERS, action, known
from tests.deploy.test_policies import actions, running, seen
from tests.doctor.ground import Ground
from tests.e2e.tasks import CLUSTER
from tests.e2e.world import NAMESPACE, Tree
from tests.support.wait import eventually

READY = ("cloud-map-read", "cloud-map-write", "ecs", "ecs-events", "route53", "target-groups")
HOST = "192.168.7.5"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A Consul and an AWS with tasks, a zone and no target group yet."""
    with Ground(tmp_path) as world:
        assert world.zone
        yield world


def settings(ground: Ground) -> Tree:
    """Return settings of a worker with a route into each kind of target."""
    views = {
        "plain": {},
        "names": {"dialect": "public-discovery", "zone": "example.com"},
        "groups": {"dialect": "target-group-tags"},
    }
    routes = (
        {"source": "ecs/prod", "target": "consul"},
        {"source": "ecs/prod", "target": NAMESPACE},
        {"source": "ecs/prod/names", "target": "route53/example.com"},
        {"source": "ecs/prod/groups", "target": f"elb/{ground.aws.region}"},
    )
    alone = {"name": NAMESPACE, "consul_to_cloudmap": False, "cloudmap_to_consul": False}
    tasks = ground.with_tasks(views, *routes, clusters=["pro*"])
    return ground.tree(tasks, {"namespaces": [alone], "intervals": {"forget_empty": "1s"}})


def called_of_ecs(ground: Ground) -> set[str]:
    """Return the actions that calls about tasks needed."""
    return {
        action(next(service for service in FOLDERS["ecs"] if name in known(service)), name)
        for name in ground.whole.ecs_endpoint.calls.report()["counts"]
    }


def test_a_worker_that_lives_through_tasks_calls_only_what_is_printed(ground: Ground, tmp_path: Path) -> None:
    arn = ground.group("web")
    file = tmp_path / "worker.yaml"
    file.write_text(yaml.safe_dump(settings(ground)))
    ground.ecs.service(CLUSTER, "edge", {"ecs-a.lbName": arn})
    host = ground.ecs.host(CLUSTER, HOST, anywhere=True)
    ground.whole.ecs_endpoint.calls.reset()
    ground.aws.calls.reset()
    with running(file):
        task = ground.ecs.start_task(
            CLUSTER, service="web", public_ip="54.1.2.3", tags={"public-discovery:name": "www"}
        )
        ground.ecs.start_task(
            CLUSTER, service="edge", launch_type="EXTERNAL", host=host, ports={"app": (8080,)}
        )
        eventually(lambda: ground.records() != [], message="a record was written")
        eventually(
            lambda: [host for host, _ in ground.targets(arn)] == [HOST], message="a target was registered"
        )
        eventually(lambda: ground.in_consul("web") != [], message="Consul has the task")
        eventually(lambda: "web" in ground.cloud.state(), message="the namespace has the task")
        ground.ecs.stop_task(task)
        eventually(lambda: ground.records() == [], message="the record is gone")
        eventually(lambda: "web" not in ground.cloud.state(), message="the service is gone")
        made = seen(ground.aws) | called_of_ecs(ground)
    printed = {
        name
        for statement in iam_policies(load(file, {}))[ITSELF]["Statement"]
        for name in statement["Action"]
    }
    made -= {"sqs:SendMessage"}  # the emulated EventBridge
    assert made - printed == set()
    assert printed - actions(*READY) == set()
    wanted = {
        "sqs:DeleteMessage",
        "ssm:DescribeInstanceInformation",
        "ecs:DescribeServices",
        "ecs:ListClusters",
    }
    assert made >= wanted
    assert len(made) >= 20
