"""ECS tasks: from an event in the queue to all targets, polling in place of events, and a large cluster read whole."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
import yaml
from botocore.config import Config

from syncer.core.model import Complete, Listed
from syncer.systems.aws import Access
from syncer.systems.ecs.source import EcsSource, SourceOptions, ViewOptions
from tests.bench.latency import settle_quickly
from tests.bench.rig import NAMESPACE, Rig, quantile, rig
from tests.bench.table import Row
from tests.emulator.ecs_server import EmulatedAwsWithEcs

_REGION = "us-east-1"
_ZONE = "example.com"


@dataclass(frozen=True, slots=True)
class _Ground:
    """What tasks are written into."""

    bench: Rig
    queue: str
    zone: str
    group: str
    clients: dict[str, Any]

    def post(self, action: str, **body: Any) -> Any:
        return self.bench.emulator("POST", f"/_emulator/ecs/{action}", body)

    def settings(self, **source: Any) -> dict[str, Any]:
        view = {"rename": {"shop": self.group}}
        targets = ("consul", NAMESPACE, f"route53/{self.zone}")
        routes = [{"source": "ecs/prod", "target": target} for target in targets]
        groups = {"source": "ecs/prod/groups", "target": f"elb/{_REGION}", **view}
        ecs = {"name": "prod", "clusters": ["prod"], "views": {"plain": {}, "groups": {}}, **source}
        return {"ecs": [ecs], "routes": [*routes, groups]}

    def places(self) -> dict[str, Callable[[dict[str, Any]], bool]]:
        """Return, for each target, whether a task has been written there."""
        return {
            "Consul": lambda task: any(
                entry["Service"]["Address"] == task["ipv4"] for entry in self.bench.health("shop")
            ),
            "Cloud Map": lambda task: any(
                (entry["params"].get("InstanceId") or "").startswith(task["id"])
                for entry in self.bench.entries("RegisterInstance")
            ),
            "Route 53": lambda task: any(
                task["public_ipv4"] in str(item.get("ResourceRecords"))
                for item in self.clients["route53"].list_resource_record_sets(HostedZoneId=self.zone)[
                    "ResourceRecordSets"
                ]
            ),
            "target group": lambda task: any(
                item["Target"]["Id"] == task["ipv4"]
                for item in self.clients["elbv2"].describe_target_health(TargetGroupArn=self.group)[
                    "TargetHealthDescriptions"
                ]
            ),
        }


def events(samples: int = 50) -> list[Row]:
    """From a task's start, which puts its events into the queue, to Consul, a namespace, a zone and a group.

    The baseline is the same without a queue, every five seconds: other tools poll more seldom.
    """
    with rig(throttle=None) as bench:
        ground = _ground(bench)
        settings = ground.settings(queue=ground.queue)
        with bench.syncing(_command(bench, settings)):
            ground.post("events", queue_url=ground.queue)
            _one(ground, 0)
            took = [_one(ground, number) for number in range(1, samples + 1)]
    whole = [max(times.values()) for times in took]
    median, high = quantile(whole, 0.5), quantile(whole, 0.99)
    slowest = ", ".join(f"{name} {quantile([t[name] for t in took], 0.5):.0f}" for name in took[0])
    what = "ECS task running → in Consul, Cloud Map, Route 53 and a target group"
    polled = _polled(6, 5.0)
    return [
        Row(
            what,
            median,
            "ms",
            "≤ 300",
            median <= 300,
            quantile(polled, 0.5) * 1000,
            f"median of {samples}: {slowest}",
        ),
        Row("  … p99", high, "ms", "≤ 1000", high <= 1000, max(polled) * 1000),
        Row(
            "  … without events, polled every 5 s: longest",
            max(polled),
            "s",
            "≤ 5 + the above",
            max(polled) <= 6,
        ),
    ]


def read(tasks: int = 1000) -> list[Row]:
    """A large cluster, read whole by a new process."""
    with EmulatedAwsWithEcs() as aws:
        for number in range(tasks):
            aws.ecs.start_task("prod", service=f"svc-{number % 50}", public_ip=True)
        aws.ecs_endpoint.latency = 0.03
        access = Access(region=aws.region, endpoint_url=aws.endpoint_url, timeout=10)
        source = EcsSource("prod", access, SourceOptions(clusters=("prod",)), (ViewOptions(),))
        view = source.views[""]
        began = time.monotonic()
        listed = view.services()
        assert isinstance(listed, Listed)
        reads = [view.read(name) for name in listed.names]
        seconds = time.monotonic() - began
        assert sum(len(item.instances) for item in reads if isinstance(item, Complete)) == tasks
        calls = aws.ecs_endpoint.calls
        definitions = calls.count("DescribeTaskDefinition")
        rest = calls.count() - definitions
        source.close()
    return [
        Row(
            f"a cluster of {tasks} tasks, full read", seconds, "s", "≤ 3", seconds <= 3, None, "30 ms a call"
        ),
        Row(
            "  … calls", rest, "", "≤ 25", rest <= 25, None, f"and {definitions} once, one a task definition"
        ),
    ]


def _one(ground: _Ground, number: int) -> dict[str, float]:
    """Start one task, wait until it is everywhere, and stop it; return the milliseconds to each place."""
    ground.bench.emulator("DELETE", "/_emulator/calls")
    public = f"54.1.{number // 250}.{number % 250 + 1}"
    began = time.monotonic()
    task = ground.post("start", cluster="prod", service="shop", ports={"app": [8080]}, public_ip=public)
    took: dict[str, float] = {}

    def watch(name: str, written: Callable[[dict[str, Any]], bool]) -> None:
        settle_quickly(partial(written, task), 60)
        took[name] = (time.monotonic() - began) * 1000

    threads = [threading.Thread(target=watch, args=item) for item in ground.places().items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(
        1.2
    )  # the next one finds Route 53's budget of requests filled again, as tasks do that come singly
    ground.post("stop", task=task["task"])
    time.sleep(1.2)
    return took


def _polled(samples: int, interval: float) -> list[float]:
    with rig(throttle=None) as bench:
        ground = _ground(bench)
        with bench.syncing(_command(bench, ground.settings(poll=interval))):
            _one(ground, 0)
            took = []
            for number in range(1, samples + 1):
                time.sleep(0.73 * number)  # no two samples begin at the same moment of an interval
                took.append(max(_one(ground, number).values()) / 1000)
            return took


def _ground(bench: Rig) -> _Ground:
    clients = {name: _client(bench, name) for name in ("sqs", "route53", "elbv2", "ec2")}
    queue = clients["sqs"].create_queue(QueueName="ecs-events")["QueueUrl"]
    zone = clients["route53"].create_hosted_zone(Name=_ZONE, CallerReference="bench")["HostedZone"]["Id"]
    vpc = clients["ec2"].create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = clients["elbv2"].create_target_group(
        Name="shop", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )
    group = made["TargetGroups"][0]["TargetGroupArn"]
    clients["elbv2"].add_tags(ResourceArns=[group], Tags=[{"Key": "sync-owner", "Value": "bench"}])
    ground = _Ground(bench, queue, zone.rsplit("/", 1)[-1], group, clients)
    ground.post("service", cluster="prod", name="shop")
    return ground


def _command(bench: Rig, more: dict[str, Any]) -> list[str]:
    command = bench.ours()
    path = bench.folder / "syncer.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | more))
    return command


def _client(bench: Rig, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        region_name=_REGION,
        endpoint_url=bench.aws_url,
        aws_access_key_id="bench",
        aws_secret_access_key="bench",
        config=Config(retries={"total_max_attempts": 1}),
    )
