"""Coming from a tool for ECS whose tags work here, as the pages tell it, step by step and with their own settings."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.cli.process import Done, syncer
from tests.docs.pages import DOCS
from tests.e2e.tasks import TaskWorld

_ONCE = Config(retries={"total_max_attempts": 1})
ONE, TWO = "54.1.2.1", "54.1.2.2"


class Switch:
    """A world in which the tool that is to be switched off has written already."""

    def __init__(self, world: TaskWorld, page: str, heading: str, **instead: str) -> None:
        """Take the settings from below *heading* of *page*, with each key of *instead* replaced by its value."""
        self.world = world
        section = (DOCS / "targets" / page).read_text().split(f"\n### {heading}")[-1]
        section = section.split(f"\n## {heading}")[-1]
        found = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
        assert found
        text = found[1]
        for name, value in instead.items():
            assert name in text
            text = text.replace(name, value)
        self._written = yaml.safe_load(text)

    def client(self, service: str) -> Any:
        """Return a client of the emulated AWS."""
        options = self.world.aws.client_options(config=_ONCE)
        return boto3.client(service, **options)  # type: ignore[call-overload]  # any service

    def run(self, command: str, *words: str, **route: Any) -> Done:
        """Run ``syncer`` with the page's settings and *route* laid over its only route."""
        (written,) = self._written["routes"]
        routes = [written | route]
        aws = {"region": self.world.aws.region, "endpoint_url": self.world.aws.endpoint_url}
        tree = {"owner": "tests", "aws": aws, "http": False} | self._written | {"routes": routes}
        return syncer(command, *words, "-c", self.world.file(tree))

    def change(self, action: str, name: str, address: str, identifier: str = "") -> None:
        """Write or delete a record of the zone, as the old tool does; multivalue where it has an *identifier*."""
        record: dict[str, Any] = {
            "Name": name,
            "Type": "A",
            "TTL": 60,
            "ResourceRecords": [{"Value": address}],
        }
        if identifier:
            record |= {"SetIdentifier": identifier, "MultiValueAnswer": True}
        change = {"Action": action, "ResourceRecordSet": record}
        self.client("route53").change_resource_record_sets(
            HostedZoneId=self.world.zone, ChangeBatch={"Changes": [change]}
        )

    def identifiers(self, name: str) -> list[str]:
        """Return whose the records called *name* are: ours by ``sync``, others by their SetIdentifier."""
        found = (
            item.get("SetIdentifier", "simple") for item in self.world.records() if item["Name"] == f"{name}."
        )
        return sorted("sync" if item.startswith("sync/tests/") else item for item in found)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TaskWorld]:
    """A world with the clusters that the pages name, and the hosted zone example.com."""
    with TaskWorld(tmp_path) as world:
        world.ecs.cluster("prod")
        world.ecs.cluster("edge")
        assert world.zone
        yield world


@contextmanager
def never_empty(look: Callable[[], object]) -> Iterator[None]:
    """Look again and again until the block ends; raise AssertionError where something was missing once."""
    stop, seen = threading.Event(), list[object]()

    def go() -> None:
        while not stop.wait(0.02):
            seen.append(look())

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
    assert seen
    assert all(seen)


def changes(done: Done) -> Mapping[str, Any]:
    """Return the only route of a plan."""
    (route,) = json.loads(done.stdout)["routes"]
    assert isinstance(route, dict)
    return route


def test_from_the_step_functions_prototype_no_name_is_without_an_address(world: TaskWorld) -> None:
    switch = Switch(world, "route53.md", "From the Step Functions prototype", Z0123456789ABC=world.zone)
    tags = {"PUBLICHOSTEDZONE": "example.com", "HOSTEDZONEID": world.zone}
    for address in (ONE, TWO):
        world.ecs.start_task("prod", service="shop", ports={"app": (80,)}, public_ip=address, tags=tags)
    switch.change("CREATE", "shop.example.com", TWO)
    switch.change("CREATE", "ended.example.com", "54.1.2.9")

    assert len(changes(switch.run("plan", "--json"))["changes"]) == 2
    assert switch.identifiers("shop.example.com") == ["simple"]
    with never_empty(lambda: world.ask("shop.example.com")):
        done = switch.run("once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "record_taken_over" in done.stderr
    assert world.ask("shop.example.com") == [ONE, TWO]
    assert switch.identifiers("ended.example.com") == ["simple"]

    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        switch.change("UPSERT", "shop.example.com", ONE)
    assert switch.run("once", take_over=False).returncode == 0
    assert switch.run("withdraw", "--yes", take_over=False).returncode == 0
    assert switch.identifiers("shop.example.com") == []
    assert switch.identifiers("ended.example.com") == ["simple"]


def test_from_public_discovery_each_task_keeps_its_address(world: TaskWorld) -> None:
    switch = Switch(world, "route53.md", "From cdk-ecs-public-discovery")
    tags = {"public-discovery:name": "www"}
    tasks = [
        world.ecs.start_task("prod", service="www", ports={"app": (80,)}, public_ip=address, tags=tags)
        for address in (ONE, TWO)
    ]
    for task, address in zip(tasks, (ONE, TWO), strict=True):
        switch.change("CREATE", "www.example.com", address, task.id)
    unseen = "0123456789abcdef0123456789abcdef"
    switch.change("CREATE", "www.example.com", "54.1.2.9", unseen)

    assert switch.run("once", take_over=False).returncode == 0
    assert switch.identifiers("www.example.com") == sorted([unseen, *(task.id for task in tasks)])

    with never_empty(lambda: set(world.ask("www.example.com")) >= {ONE, TWO}):
        assert switch.run("once").returncode == 0
    assert switch.identifiers("www.example.com") == [unseen, "sync", "sync"]

    switch.change("UPSERT", "www.example.com", ONE, tasks[0].id)
    world.ecs.stop_task(tasks[0])
    assert switch.run("once").returncode == 0
    with pytest.raises(ClientError, match="InvalidChangeBatch"):
        switch.change("DELETE", "www.example.com", ONE, tasks[0].id)
    assert switch.identifiers("www.example.com") == [unseen, "sync"]
    assert switch.run("once", take_over=False).returncode == 0


def test_from_the_ecs_anywhere_sample_no_target_is_removed_to_be_registered_again(world: TaskWorld) -> None:
    instead = {"eu-central-1": world.aws.region}
    switch = Switch(world, "target-groups.md", "Switching over from the ECS Anywhere sample", **instead)
    client = switch.client("elbv2")
    arn = world.group("edge", **{"ecs-a.lbVpcCidr": "10.0.0.0/8"})
    client.remove_tags(ResourceArns=[arn], TagKeys=["sync-owner"])
    host = world.ecs.host("edge", "192.168.7.5", anywhere=True)
    world.ecs.service("edge", "web", {"ecs-a.lbName": arn})
    options: dict[str, Any] = {"launch_type": "EXTERNAL", "host": host, "public_ip": False}
    task = world.ecs.start_task("edge", service="web", ports={"app": (80,)}, **options)
    ((_, port),) = task.bindings["app"]
    there, stale = ("192.168.7.5", port), ("192.168.7.6", 4000)
    targets = [{"Id": address, "Port": port, "AvailabilityZone": "all"} for address, port in (there, stale)]
    client.register_targets(TargetGroupArn=arn, Targets=targets)

    def planned() -> list[tuple[str, str]]:
        made = changes(switch.run("plan", "--json"))["changes"]
        return [(item["symbol"], item["what"].split()[0]) for item in made]

    assert planned() == [("+", f"192.168.7.5:{port}")]
    refused = switch.run("once").stderr
    assert f"{arn} carries no tag sync-owner: tag it with sync-owner=tests" in refused
    assert world.targets(arn) == sorted([there, stale])

    client.add_tags(ResourceArns=[arn], Tags=[{"Key": "sync-owner", "Value": "tests"}])
    assert planned() == [("-", "192.168.7.6:4000")]
    with never_empty(lambda: there in world.targets(arn)):
        assert switch.run("once").returncode == 0
    assert world.targets(arn) == [there]
    client.register_targets(TargetGroupArn=arn, Targets=targets[:1])
    assert planned() == []
