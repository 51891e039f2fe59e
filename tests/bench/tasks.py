"""ECS tasks: from an event in the queue to all targets, polling in place of events, and a large cluster read whole."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
import yaml
from botocore.config import Config

from syncer.core.model import Complete, Listed
from syncer.systems.aws import Access
from syncer.systems.ecs.freshness import JUST_READ
from syncer.systems.ecs.source import EcsSource, SourceOptions, ViewOptions
from tests.bench.latency import settle_quickly
from tests.bench.rig import NAMESPACE, Rig, quantile, rig
from tests.bench.table import Row
from tests.emulator.ecs_server import EmulatedAwsWithEcs

_REGION = "us-east-1"
_ZONE = "example.com"
_POLL = 5.0
"""Seconds between the reads of ours where it has no events."""
_POLLER = 30.0
"""Seconds between the reads of a plain poller."""


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

    Each task starts as soon as the one before was told to stop, so its writes meet that one's removals. As in the
    other scenarios, Cloud Map counts as written when it has received RegisterInstance: its operation takes a second
    more. The first task, which creates the Cloud Map service, is not counted.

    The poller is computed, not run: it finds a task on average after half of its 30 s, and then needs as long as ours.
    """
    with rig(throttle=None) as bench:
        ground = _ground(bench)
        with bench.syncing(_command(bench, ground.settings(queue=ground.queue))):
            ground.post("events", queue_url=ground.queue)
            _one(ground, 0)
            took = [_one(ground, number) for number in range(1, samples + 1)]
    whole = [max(times.values()) for times in took]
    median, high = quantile(whole, 0.5), quantile(whole, 0.99)
    each = ", ".join(f"{name} {quantile([times[name] for times in took], 0.5):.0f}" for name in took[0])
    longest = max(_polled(12))
    within = _POLL + high / 1000
    return [
        Row(
            "ECS task started → in Consul, a target group and Route 53, RegisterInstance received (poller computed)",
            median,
            "ms",
            "≤ 300",
            median <= 300,
            _POLLER * 500 + median,
            f"median of {samples} without a pause; {each}",
        ),
        Row("  … p99", high, "ms", "≤ 1000", high <= 1000, _POLLER * 990 + high),
        Row(
            f"  … without events, polled every {_POLL:g} s: longest of 12",
            longest,
            "s",
            f"≤ {within:.2f}",
            longest <= within,
            None,
            "target: the interval and the p99 above",
        ),
    ]


def read(tasks: int = 1000, services: int = 50) -> list[Row]:
    """A large cluster, read whole by a new process, and once more. Every call counts.

    A task definition is read by a call of its own, since ECS has none for several, and never again.
    """
    with EmulatedAwsWithEcs() as aws:
        for number in range(tasks):
            aws.ecs.start_task("prod", service=f"svc-{number % services}", public_ip=True)
        aws.ecs_endpoint.latency = 0.03
        access = Access(region=aws.region, endpoint_url=aws.endpoint_url, timeout=10)
        source = EcsSource("prod", access, SourceOptions(clusters=("prod",)), (ViewOptions(),))
        first = _read(aws, source, tasks)
        time.sleep(JUST_READ + 0.1)  # younger than that, what is known answers without a call
        again = _read(aws, source, tasks)
        source.close()
    rows = []
    for what, (made, seconds, calls), new in (("first", first, services), ("second", again, 0)):
        target = "≤ 25" + (f" and one for each of {new} new task definitions" if new else "")
        rows += [
            Row(
                f"a cluster of {tasks} tasks in {services} services, {what} full read",
                seconds,
                "s",
                "≤ 3",
                seconds <= 3,
                None,
                "30 ms a call",
            ),
            Row("  … calls", calls, "", target, calls <= 25 + new, None, made),
        ]
    return rows


def _read(aws: EmulatedAwsWithEcs, source: EcsSource, tasks: int) -> tuple[str, float, int]:
    """Read everything; return which calls were made, the seconds, and the number of calls."""
    aws.ecs_endpoint.calls.reset()
    view = source.views[""]
    began = time.monotonic()
    listed = view.services()
    assert isinstance(listed, Listed)
    reads = [view.read(name) for name in listed.names]
    seconds = time.monotonic() - began
    assert sum(len(item.instances) for item in reads if isinstance(item, Complete)) == tasks
    counts = Counter(entry.operation for entry in aws.ecs_endpoint.calls.entries())
    made = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    return made, seconds, counts.total()


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

    places = ground.places()
    with ThreadPoolExecutor(len(places)) as pool:
        for watched in [pool.submit(watch, *place) for place in places.items()]:
            watched.result()
    ground.post("stop", task=task["task"])
    return {name: took[name] for name in places}


def _polled(samples: int) -> list[float]:
    """Return the seconds that tasks take without events, started at moments spread evenly over the interval."""
    with rig(throttle=None) as bench:
        ground = _ground(bench)
        with bench.syncing(_command(bench, ground.settings(poll=_POLL))):
            _one(ground, 0)
            took = []
            for number in range(1, samples + 1):
                time.sleep(_POLL * (number - 0.5) / samples)  # a poll has just been seen
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
