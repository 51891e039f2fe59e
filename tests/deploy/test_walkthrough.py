"""The walk-through, typed as it stands: from an empty VPC to both names, and away again."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.walk import CIDR, Walk, steps

# From the text beside the commands: what a reader with ACLs and TLS writes instead.
ADDRESS = "http://consul-server.corp.internal:8500"
WITH_SECRETS = "ConsulPort=8501 ConsulTokenSecretArn=$TOKEN_ARN ConsulCaSecretArn=$CA_ARN"
QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/sync-events-Queue-0123456789AB"


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """Somebody at the beginning."""
    with Walk(tmp_path) as walker:
        yield walker


def script(walk: Walk) -> str:
    """Return everything that is typed, in order."""
    walk.client("ecs").create_cluster(clusterName="prod")
    here = ids(walk)
    return "\n".join(typed(walk, here, *step) for step in steps())


def ids(walk: Walk) -> dict[str, str]:
    """Make a VPC; return what stands in place of the ids on the page."""
    ec2 = walk.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24")["Subnet"]["SubnetId"]
        for number in (1, 2)
    ]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    return {"VPC": vpc, "SUBNETS": ",".join(subnets), "ROUTE_TABLES": tables[0]["RouteTableId"]}


def typed(walk: Walk, here: dict[str, str], number: int, kind: str, text: str) -> str:
    """Return a block as it is typed: what a reader must fill in is filled in, files are written."""
    if number == 1:
        for name, value in here.items():
            text, found = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert found == 1, name
    if kind == "yaml":
        assert ADDRESS in text or QUEUE in text
        text = text.replace(ADDRESS, walk.consul.https_url)
        text = text.replace(QUEUE, "$(output sync-events QueueUrl)")
        return f"cat >>syncer.yaml <<END\n{text}END\n"
    return text.replace("ConsulPort=8500", WITH_SECRETS)


def test_every_command_of_the_walk_through_works_and_both_names_answer(walk: Walk) -> None:
    done = walk.follow(script(walk))
    assert done.returncode == 0, done.stdout + done.stderr
    assert walk.asked == {
        "web.corp.internal": ["10.0.1.10"],
        "web.service.consul": ["10.0.1.10"],
        "orders.corp.internal": ["10.0.2.20"],
        "-port=8600 web.service.consul 127.0.0.1": ["10.0.1.10"],
        "-port=8600 orders.service.consul 127.0.0.1": ["10.0.2.20"],
    }
    login, *_ = (words.split(" --password-stdin ") for words in walk.docker)
    assert len(login[1].split()) == 2, "registry and password"
    assert [words.split()[0] for words in walk.docker] == ["login", "build", "push"]
    assert done.stdout.count("syncer.yaml: in order") == 2
    assert walk.stacks.names() == {"sync-namespaces"}
    assert len(walk.client("servicediscovery").list_namespaces()["Namespaces"]) == 2
