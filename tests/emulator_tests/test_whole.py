"""The command serves everything at one endpoint, and its ECS is driven over HTTP."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from tests.emulator_tests.conftest import ONCE
from tests.emulator_tests.steps import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    words = [sys.executable, "-m", "tests.emulator", "--region", "us-east-1"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["endpoint_url"]
        finally:
            process.terminate()


def client(url: str, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=ONCE,
    )


def post(url: str, action: str, **body: Any) -> requests.Response:
    return requests.post(f"{url}/_emulator/ecs/{action}", json=body, timeout=30)


def test_a_task_that_is_started_is_known_to_ecs_and_told_in_the_queue(url: str) -> None:
    sqs = client(url, "sqs")
    queue = sqs.create_queue(QueueName="ecs-events")["QueueUrl"]
    assert post(url, "events", queue_url=queue).status_code == 200
    task = post(url, "start", cluster="prod", service="shop", public_ip="54.1.2.3").json()
    assert client(url, "ecs").list_tasks(cluster="prod")["taskArns"] == [task["task"]]
    told: list[str] = []

    def running() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            detail = json.loads(message["Body"])["detail"]
            told.extend([detail["lastStatus"]] if detail["taskArn"] == task["task"] else [])
        return "RUNNING" in told

    eventually(running)


def test_zones_and_target_groups_are_served_beside_it(url: str) -> None:
    route53 = client(url, "route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    record = {"Name": "a.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "54.1.2.3"}]}
    change = {"Action": "CREATE", "ResourceRecordSet": record}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": [change]})
    listed = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert [item["ResourceRecords"] for item in listed if item["Type"] == "A"] == [[{"Value": "54.1.2.3"}]]
    vpc = client(url, "ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    elb = client(url, "elbv2")
    made = elb.create_target_group(Name="shop", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": port} for port in (80, 81)])
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert sorted(item["Target"]["Port"] for item in health) == [80, 81]


@pytest.mark.parametrize(
    ("action", "body"),
    [("stop", {"task": "none"}), ("stop", {}), ("nothing", {}), ("start", {"colour": "red"})],
)
def test_a_mistake_is_told_with_its_reason(url: str, action: str, body: dict[str, Any]) -> None:
    answer = post(url, action, **body)
    assert answer.status_code == 400
    assert answer.json()["error"]
