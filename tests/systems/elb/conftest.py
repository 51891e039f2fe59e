import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from syncer.systems.aws import Access, Aws
from syncer.systems.elb.target import ElbTarget, Options
from tests.emulator.elb_server import WithTargetGroups
from tests.systems.elb.steps import ORIGIN, OWNER, MakeGroup, MakeTarget

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[WithTargetGroups]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    with WithTargetGroups() as running:
        yield running


@pytest.fixture
def client(aws: WithTargetGroups) -> Iterator[Any]:
    """A user's own client."""
    made = boto3.client("elbv2", **aws.client_options(config=ONCE))
    yield made
    made.close()


@pytest.fixture
def vpc(aws: WithTargetGroups) -> Iterator[str]:
    """The id of a VPC of 10.0.0.0/16 and 10.1.0.0/16."""
    ec2 = boto3.client("ec2", **aws.client_options(config=ONCE))
    created = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=created, CidrBlock="10.1.0.0/16")
    yield str(created)
    ec2.close()


@pytest.fixture
def make_group(client: Any, vpc: str) -> MakeGroup:
    """Makes target groups; ours unless tags are given."""

    def make(name: str = "web", kind: str = "ip", **tags: str) -> str:
        created = client.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType=kind)
        arn = str(created["TargetGroups"][0]["TargetGroupArn"])
        given = tags or {"sync-owner": OWNER}
        client.add_tags(ResourceArns=[arn], Tags=[{"Key": k, "Value": v} for k, v in given.items()])
        return arn

    return make


@pytest.fixture
def group(make_group: MakeGroup) -> str:
    """The ARN of a group that is ours."""
    return make_group()


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def make_target(aws: WithTargetGroups, stop: threading.Event) -> Iterator[MakeTarget]:
    """Makes targets of all groups that are ours, unless other options are given."""
    reached = Aws(Access(region=aws.region, endpoint_url=aws.endpoint_url, timeout=5.0), stop=stop)
    made: list[ElbTarget] = []

    def make(**options: Any) -> ElbTarget:
        given = {"owner": OWNER, "origins": (ORIGIN,), "region": aws.region, "debounce": 0.02, **options}
        made.append(ElbTarget(reached, Options(**given)))
        return made[-1]

    yield make
    for target in made:
        target.close(5.0)
    reached.close()


@pytest.fixture
def target(make_target: MakeTarget) -> ElbTarget:
    return make_target()
