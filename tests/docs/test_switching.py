"""Coming from consul-aws, as its page tells it, step by step."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tests.emulator import EmulatedAws
from tests.emulator.settings import Settings
from tests.support.consul_agent import ConsulAgent

_KEPT = {
    key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SYNCER_", "CONSUL_"))
}
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true"}


class Story:
    """Two instances in Consul, and what consul-aws has made of them in Cloud Map."""

    def __init__(self, aws: EmulatedAws, consul: ConsulAgent, settings: Path) -> None:
        self.aws = aws
        self.settings = settings
        settings.write_text(
            f"owner: vpc-prod\nconsul:\n  address: {consul.http_url}\n"
            f"aws:\n  region: {aws.region}\n  endpoint_url: {aws.endpoint_url}\n"
            f"namespaces:\n  - name: corp.internal\n    cloudmap_to_consul: false\n"
        )
        aws.seed.namespace("corp.internal", "DNS_PRIVATE")
        self.web = aws.seed.service(
            "corp.internal", "web", records={"SRV": 60}, Description="Imported from Consul"
        )
        for number in (1, 2):
            address = f"10.0.1.{number}"
            consul.register("web", f"web-{number}", address, 8080, status="passing")
            attributes = {"AWS_INSTANCE_IPV4": address, "AWS_INSTANCE_PORT": "8080"}
            aws.seed.instance(self.web, f"{address}_8080", attributes)

    def syncer(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run ``syncer``."""
        command = [str(Path(sys.executable).with_name("syncer")), *words, "-c", str(self.settings)]
        return subprocess.run(
            command, env=_KEPT | _CREDENTIALS, capture_output=True, text=True, timeout=60, check=False
        )

    def addresses(self) -> dict[str, str]:
        """Return who holds each address in Cloud Map: the owner, or nobody."""
        options = self.aws.client_options(config=Config(inject_host_prefix=False))
        listed = boto3.client("servicediscovery", **options).list_instances(ServiceId=self.web)["Instances"]
        found = [one["Attributes"] for one in listed]
        return {one["AWS_INSTANCE_IPV4"]: one.get("sync-owner", "") for one in found}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """The beginning of the story."""
    with EmulatedAws(Settings(operation_delay=0.05, discover_lag=0.05)) as aws, ConsulAgent() as consul:
        yield Story(aws, consul, tmp_path / "syncer.yaml")


def test_what_consul_aws_holds_is_named_as_a_conflict_and_left_alone(story: Story) -> None:
    (route,) = json.loads(story.syncer("plan", "--json").stdout)["routes"]
    assert {one["holder"] for one in route["conflicts"]} == {"consul-aws"}
    assert len(route["conflicts"]) == 2
    assert route["changes"] == []
    assert story.syncer("once").returncode == 1
    assert story.addresses() == {"10.0.1.1": "", "10.0.1.2": ""}


def test_each_instance_that_is_deregistered_is_replaced_while_the_other_stays(story: Story) -> None:
    story.aws.seed.deregister(story.web, "10.0.1.1_8080")
    story.syncer("once")
    assert story.addresses() == {"10.0.1.1": "vpc-prod", "10.0.1.2": ""}
    story.aws.seed.deregister(story.web, "10.0.1.2_8080")
    done = story.syncer("once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert story.addresses() == {"10.0.1.1": "vpc-prod", "10.0.1.2": "vpc-prod"}
