"""The world that the doctor examines where there are tasks, and what tests do to it beside."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3

from tests.e2e.tasks import TaskWorld
from tests.e2e.world import FAST, World
from tests.emulator.whole import WholeAws
from tests.support.consul_agent import ConsulAgent

_AT_ONCE = 10


class Ground(TaskWorld):
    """As :class:`TaskWorld`, never throttled, with its queue, its zone and its target groups in the hands of the tests."""

    def __init__(self, folder: Path, consul: ConsulAgent | None = None) -> None:
        self.whole = WholeAws(replace(FAST, throttle=None))
        World.__init__(self, folder, consul=consul, aws=self.whole)

    def waiting(self) -> int:
        """Return how many events wait in the queue for whoever takes them."""
        return self._attribute(self.queue, "ApproximateNumberOfMessages")

    def received(self) -> int:
        """Return how many events of the queue are in somebody's hands."""
        return self._attribute(self.queue, "ApproximateNumberOfMessagesNotVisible")

    def fill(self, queue: str, count: int) -> None:
        """Put *count* messages into *queue*."""
        sqs = self.client("sqs")
        for start in range(0, count, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, count))
            entries = [{"Id": str(number), "MessageBody": "{}"} for number in some]
            assert not sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")

    def remember(self, seconds: int) -> None:
        """Have resolvers remember for that long that a name of the zone is not there."""
        route53 = self.client("route53")
        listed = route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        (soa,) = (record for record in listed if record["Type"] == "SOA")
        changes = [{"Action": "UPSERT", "ResourceRecordSet": {**soa, "TTL": seconds}}]
        route53.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes})

    def register(self, arn: str, address: str, port: int) -> None:
        """Register a target of a group."""
        self.client("elbv2").register_targets(TargetGroupArn=arn, Targets=[{"Id": address, "Port": port}])

    def remove_groups(self) -> None:
        """Remove every target group."""
        elb = self.client("elbv2")
        for group in elb.describe_target_groups()["TargetGroups"]:
            elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    def client(self, service: str) -> Any:
        """Return a client of *service*."""
        make: Any = boto3.client
        return make(service, **self.aws.client_options())

    def _attribute(self, queue: str, name: str) -> int:
        told = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return int(told["Attributes"][name])
