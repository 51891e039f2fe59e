"""The emulated ECS is as strict as the real one, and can be driven from elsewhere."""

import json
from typing import Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.support.wait import eventually


def client(aws: EmulatedAwsWithEcs, service: str) -> Any:
    return boto3.client(service, **aws.client_options())  # type: ignore[call-overload]  # any service


def refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_a_life_is_lived_step_by_step_with_a_version_and_an_event_for_each(world: EcsWorld) -> None:
    told: list[tuple[str, str, int]] = []
    world.on_change.append(lambda task: told.append((task.last_status, task.desired_status, task.version)))
    task = world.start_task("prod", service="web")
    world.stop_task(task)
    assert [status for status, _, _ in told] == [
        "PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING",
        "STOPPED",
    ]  # fmt: skip
    assert [desired for _, desired, _ in told] == ["RUNNING"] * 4 + ["STOPPED"] * 5
    assert [version for _, _, version in told] == list(range(1, 10))


def test_pages_limits_and_failures_are_those_of_ecs(aws: EmulatedAwsWithEcs, world: EcsWorld) -> None:
    ecs = client(aws, "ecs")
    arns = [world.start_task("prod", service="web", tags={"a": "b"}).arn for _ in range(101)]
    pages = [page["taskArns"] for page in ecs.get_paginator("list_tasks").paginate(cluster="prod")]
    assert [len(page) for page in pages] == [100, 1]
    assert refused(ecs.describe_tasks, cluster="prod", tasks=arns) == "InvalidParameterException"
    assert refused(ecs.describe_tasks, cluster="none", tasks=arns[:1]) == "ClusterNotFoundException"
    assert refused(ecs.list_tasks, cluster="prod", maxResults=101) == "InvalidParameterException"
    assert refused(ecs.describe_services, cluster="prod", services=["s"] * 11) == "InvalidParameterException"
    assert refused(ecs.describe_task_definition, taskDefinition="none:1") == "ClientException"
    assert refused(ecs.stop_task, cluster="prod", task=arns[0]) == "UnknownOperationException"
    found = ecs.describe_tasks(cluster="prod", tasks=[arns[0], "gone"])
    assert "tags" not in found["tasks"][0]
    assert found["failures"] == [{"arn": "gone", "reason": "MISSING"}]
    tagged = ecs.describe_tasks(cluster="prod", tasks=arns[:1], include=["TAGS"])
    assert tagged["tasks"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert ecs.list_tasks(cluster="prod", desiredStatus="STOPPED")["taskArns"] == []
    assert len(ecs.list_tasks(cluster="prod", serviceName="web", family="web")["taskArns"]) == 100
    assert ecs.describe_clusters(clusters=["prod", "none"])["failures"][0]["reason"] == "MISSING"


def test_interfaces_are_found_by_filter_and_others_stay_motos(
    aws: EmulatedAwsWithEcs, world: EcsWorld
) -> None:
    ec2 = client(aws, "ec2")
    task = world.start_task("prod", public_ip="54.1.1.1", ipv6="2600:1f18::1", interface_tags={"a": "b"})
    assert task.interface is not None

    def by_filter(*ids: str) -> Any:
        return ec2.describe_network_interfaces(
            Filters=[{"Name": "network-interface-id", "Values": list(ids)}]
        )

    (found,) = by_filter("eni-gone", task.interface.id)["NetworkInterfaces"]
    assert found["PrivateIpAddress"] == task.interface.ipv4
    assert found["Association"]["PublicIp"] == "54.1.1.1"
    assert found["Ipv6Addresses"] == [{"Ipv6Address": "2600:1f18::1"}]
    assert found["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert by_filter("eni-gone")["NetworkInterfaces"] == []
    with pytest.raises(ClientError, match="200"):
        by_filter(*(f"eni-{number}" for number in range(201)))
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []  # moto's
    assert ec2.describe_vpcs()["Vpcs"]


def test_a_host_is_an_ec2_instance_or_a_managed_node(aws: EmulatedAwsWithEcs, world: EcsWorld) -> None:
    host = world.host("prod", "10.9.0.1", public_ipv4="54.9.0.1")
    node = world.host("prod", "192.168.0.1", anywhere=True)
    raw = client(aws, "ecs").describe_container_instances(
        cluster="prod", containerInstances=[host.arn, node.arn]
    )
    assert [item["ec2InstanceId"] for item in raw["containerInstances"]] == [host.id, node.id]
    filters = [{"Name": "instance-id", "Values": [host.id, node.id]}]
    (reservation,) = client(aws, "ec2").describe_instances(Filters=filters)["Reservations"]
    assert reservation["Instances"][0]["PublicIpAddress"] == "54.9.0.1"
    ssm = client(aws, "ssm")
    (found,) = ssm.describe_instance_information()["InstanceInformationList"]
    assert (found["InstanceId"], found["IPAddress"]) == (node.id, "192.168.0.1")
    many = [{"Key": "InstanceIds", "Values": [f"mi-{number:017x}" for number in range(101)]}]
    assert refused(ssm.describe_instance_information, Filters=many) == "ValidationException"


def test_an_event_spells_things_in_its_own_way(aws: EmulatedAwsWithEcs, world: EcsWorld) -> None:
    queue = aws.ecs_queue()
    stream = aws.ecs_events(queue)
    task = world.start_task("prod", service="web", tags={"a": "b"}, upto="PENDING")
    stream.flush()
    sqs = client(aws, "sqs")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    events = [json.loads(message["Body"]) for message in messages]
    assert [event["detail"]["version"] for event in events] == [1, 2]
    assert {event["version"] for event in events} == {"0"}
    detail = events[-1]["detail"]
    assert (detail["group"], detail["taskArn"]) == ("service:web", task.arn)
    assert detail["attachments"][0]["type"] == "eni"
    assert "tags" not in detail
    assert isinstance(detail["createdAt"], str)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"lose_every": 2}, [1, 3]),
        ({"double_every": 2}, [1, 2, 2, 3, 4, 4]),
        ({"shuffle": 10, "seed": 3}, [1, 2, 3, 4]),
    ],
)
def test_events_are_lost_and_doubled_as_told(
    aws: EmulatedAwsWithEcs, world: EcsWorld, options: dict[str, Any], expected: list[int]
) -> None:
    queue = aws.ecs_queue()
    stream = aws.ecs_events(queue, **options)
    world.start_task("prod", service="web")
    stream.flush()
    messages = client(aws, "sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    versions = [json.loads(message["Body"])["detail"]["version"] for message in messages]
    assert sorted(versions) == expected


def test_the_world_can_be_driven_over_http(aws: EmulatedAwsWithEcs, world: EcsWorld) -> None:
    http = urllib3.PoolManager()

    def post(path: str, **body: Any) -> Any:
        answer = http.request("POST", f"{aws.endpoint_url}/_emulator/ecs/{path}", json=body)
        assert answer.status == 200, answer.data
        return answer.json()

    queue = aws.ecs_queue()
    post("events", queue_url=queue)
    started = post(
        "start", cluster="prod", service="web", public_ip=True, ports={"app": [8080]}, upto="PENDING"
    )
    assert started["public_ipv4"]
    post("advance", task=started["id"], upto="RUNNING")
    post("health", task=started["task"], health="UNHEALTHY")
    post("service", cluster="prod", name="web", tags={"ecs-a.lbName": "arn"})
    host = post("host", cluster="prod", ipv4="10.9.0.1")
    shared = post("start", cluster="prod", service="api", launch_type="EC2", host=host)
    assert shared["ipv4"] == "10.9.0.1"
    post("stop", task=started["id"])
    post("forget", task=started["id"])
    listed = http.request("GET", f"{aws.endpoint_url}/_emulator/ecs/tasks").json()
    assert [task["id"] for task in listed] == [shared["id"]]
    assert world.services["prod", "web"].tags == {"ecs-a.lbName": "arn"}
    wrong = http.request("POST", f"{aws.endpoint_url}/_emulator/ecs/nothing", json={})
    assert wrong.status == 400
    sqs = client(aws, "sqs")
    eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))


def test_faults_hit_the_calls_that_are_meant(aws: EmulatedAwsWithEcs, world: EcsWorld) -> None:
    ecs = client(aws, "ecs")
    world.cluster("other")
    aws.ecs_endpoint.faults.add(
        EcsFault(operation="ListTasks", code="ServerException", holding="prod", skip=1, count=4)
    )
    assert ecs.list_tasks(cluster="prod")["taskArns"] == []
    assert refused(ecs.list_tasks, cluster="prod") == "ServerException"
    assert ecs.list_tasks(cluster="other")["taskArns"] == []
    assert aws.ecs_endpoint.calls.count("ListTasks") > 2
