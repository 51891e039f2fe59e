"""The demo's ECS: a cluster whose events go into a queue, and a hosted zone for the public names of its tasks."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

import boto3

CLUSTER = "prod"
ZONE = "example.com"


@dataclass(frozen=True, slots=True)
class Tasks:
    """ECS as the demo drives it."""

    url: str
    """Of the emulated AWS."""
    queue: str
    """The URL of the queue that EventBridge would fill."""

    def start(self, service: str, public: str) -> dict[str, Any]:
        """Start a Fargate task of *service* with the public address *public*; return what is known of it."""
        return self._post("start", cluster=CLUSTER, service=service, ports={"app": [8080]}, public_ip=public)

    def stop(self, task: str) -> None:
        """Tell a task to stop."""
        self._post("stop", task=task, upto="RUNNING")

    def _post(self, action: str, **body: Any) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the emulator's own address
            f"{self.url}/_emulator/ecs/{action}", data=json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            found = json.load(answer)
        return found if isinstance(found, dict) else {}


def prepare(url: str, region: str) -> Tasks:
    """Create the queue, the cluster and the hosted zone at the emulated AWS of *url*."""
    options: Any = {
        "region_name": region,
        "endpoint_url": url,
        "aws_access_key_id": "demo",
        "aws_secret_access_key": "demo",
    }
    queue = boto3.client("sqs", **options).create_queue(QueueName="ecs-events")["QueueUrl"]
    boto3.client("route53", **options).create_hosted_zone(Name=ZONE, CallerReference="demo")
    made = Tasks(url, queue)
    made._post("service", cluster=CLUSTER, name="shop")  # noqa: SLF001 - of the same module
    made._post("events", queue_url=queue)  # noqa: SLF001 - of the same module
    return made
