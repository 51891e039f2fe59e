"""The world of the end-to-end tests with ECS, hosted zones and target groups in it."""

from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import dns.exception
import dns.resolver
from botocore.config import Config

from tests.e2e.world import FAST, OWNER, Tree, World
from tests.emulator.ecs_events import EventStream
from tests.emulator.ecs_world import EcsWorld
from tests.emulator.whole import WholeAws

CLUSTER = "prod"
ZONE = "example.com"
_ONCE = Config(retries={"total_max_attempts": 1})


class TaskWorld(World):
    """As :class:`World`; its ECS has one cluster, whose events go into one queue."""

    def __init__(self, folder: Path) -> None:
        self.whole = WholeAws(FAST)
        super().__init__(folder, aws=self.whole)

    @property
    def ecs(self) -> EcsWorld:
        """The ECS of the default account and Region."""
        return self.whole.ecs

    @cached_property
    def queue(self) -> str:
        """The queue of events; they go into it from now on."""
        url = self.whole.ecs_queue()
        self.ecs.cluster(CLUSTER)
        self.stream: EventStream = self.whole.ecs_events(url)
        return url

    @cached_property
    def zone(self) -> str:
        """The id of the hosted zone example.com, created if need be."""
        created = self._client("route53").create_hosted_zone(Name=ZONE, CallerReference="1")
        return str(created["HostedZone"]["Id"]).rsplit("/", 1)[-1]

    def records(self) -> list[dict[str, Any]]:
        """Return the address records of the zone."""
        listed = self._client("route53").list_resource_record_sets(HostedZoneId=self.zone)
        return [item for item in listed["ResourceRecordSets"] if item["Type"] in {"A", "AAAA"}]

    def group(self, name: str, **tags: str) -> str:
        """Return the ARN of a new target group that is ours, with *tags* beside."""
        ec2, elb = self._client("ec2"), self._client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        given = {"sync-owner": OWNER, **tags}
        elb.add_tags(ResourceArns=[arn], Tags=[{"Key": key, "Value": text} for key, text in given.items()])
        return arn

    def targets(self, arn: str) -> list[tuple[str, int]]:
        """Return the targets of a group that are not on their way out, sorted."""
        described = self._client("elbv2").describe_target_health(TargetGroupArn=arn)
        return sorted(
            (item["Target"]["Id"], item["Target"]["Port"])
            for item in described["TargetHealthDescriptions"]
            if item["TargetHealth"]["State"] != "draining"
        )

    def with_tasks(self, views: Tree | None = None, *routes: Tree, **source: Any) -> Tree:
        """Return settings with the cluster as a source of *views*, and *routes* from it."""
        ecs = {"name": "prod", "clusters": [CLUSTER], "queue": self.queue, "views": views or {}, **source}
        return {"ecs": [ecs], "routes": list(routes)}

    def ask(self, name: str, kind: str = "A") -> list[str]:
        """Ask the VPC's resolver for *name*; return its answers, sorted, none where there is no such name."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = [self.aws.dns_address[0]], self.aws.dns_address[1]
        resolver.lifetime = 30.0
        try:
            return sorted(item.to_text() for item in resolver.resolve(name, kind, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def _client(self, service: str) -> Any:
        return boto3.client(service, **self.aws.client_options(config=_ONCE))  # type: ignore[call-overload]  # any service
