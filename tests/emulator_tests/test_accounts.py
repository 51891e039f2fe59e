from collections.abc import Callable
from typing import Any

import requests

from tests.emulator import EmulatedAws

OTHER = "210987654321"


def assumed(make_client: Callable[..., Any], account: str) -> dict[str, Any]:
    sts = make_client("sts")
    role = f"arn:aws:iam::{account}:role/reader"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }


def test_an_assumed_role_sees_its_own_account_only(
    client: Any, make_client: Callable[..., Any], aws: EmulatedAws, corp: str
) -> None:
    there = make_client(**assumed(make_client, OTHER))
    assert there.list_namespaces()["Namespaces"] == []
    aws.seed.at(account=OTHER).namespace("theirs", "HTTP")
    (theirs,) = there.list_namespaces()["Namespaces"]
    assert theirs["ResourceOwner"] == OTHER
    assert OTHER in theirs["Arn"]
    assert [n["Id"] for n in client.list_namespaces()["Namespaces"]] == [corp]
    assert {e.account for e in aws.calls.entries()} == {OTHER, "123456789012"}


def test_regions_keep_apart(
    client: Any, make_client: Callable[..., Any], aws: EmulatedAws, corp: str
) -> None:
    aws.seed.at(region="eu-west-1").namespace("corp.internal")
    there = make_client(region_name="eu-west-1")
    (theirs,) = there.list_namespaces()["Namespaces"]
    assert theirs["Id"] != corp
    assert ":eu-west-1:" in theirs["Arn"]


def test_the_host_prefix_of_the_data_plane_is_served(aws: EmulatedAws, web: str) -> None:
    answer = requests.post(
        f"{aws.endpoint_url}/",
        json={"NamespaceName": "corp.internal", "ServiceName": "web"},
        headers={
            "X-Amz-Target": "Route53AutoNaming_v20170314.DiscoverInstances",
            "Host": "data-servicediscovery.us-east-1.amazonaws.com",
            "Content-Type": "application/x-amz-json-1.1",
        },
        timeout=5,
    )
    assert answer.json()["Instances"] == []
    assert web


def test_other_services_of_aws_answer_beside_it(make_client: Callable[..., Any]) -> None:
    sqs = make_client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "hello"
    ecs = make_client("ecs")
    ecs.create_cluster(clusterName="prod")
    assert len(ecs.list_clusters()["clusterArns"]) == 1
    assert make_client("ec2").describe_vpcs()["Vpcs"]
    assert make_client("elbv2").describe_target_groups()["TargetGroups"] == []
    assert make_client("ssm").describe_parameters()["Parameters"] == []


def test_another_emulator_starts_empty(client: Any, corp: str) -> None:
    assert corp
    with EmulatedAws() as second:
        assert second.state.registries == {}
    assert len(client.list_namespaces()["Namespaces"]) == 1
