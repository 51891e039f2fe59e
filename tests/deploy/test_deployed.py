"""The templates, deployed: everything that moto's CloudFormation knows, and the rest by the calls it stands for."""

import ast
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.deploy.templates import MISSING_IN_MOTO, NAMES, decided, filled, template, without
from tests.emulator import EmulatedAws
from tests.emulator.settings import Settings
from tests.support.wait import eventually

CIDR = "10.20.0.0/16"


class Cloud:
    """An emulated account with a VPC, and stacks in it."""

    def __init__(self, aws: EmulatedAws) -> None:
        self.aws = aws
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.20.{number}.0/24")["Subnet"]["SubnetId"]
            for number in (1, 2)
        ]
        tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
        self.table = tables[0]["RouteTableId"]

    def client(self, service: str) -> Any:
        """Return a client of *service*."""
        make: Any = boto3.client
        return make(service, **self.aws.client_options(config=Config(inject_host_prefix=False)))

    def deploy(
        self, name: str, stands_for: dict[str, Any] | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Deploy the template *name* but for what moto does not know; return its outputs.

        *stands_for* has the values that come from what is left out, such as ``Name.Arn``.
        """
        body, _ = without(filled(decided(template(name), parameters), stands_for or {}), MISSING_IN_MOTO)
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=json.dumps(body),
            Parameters=[
                {"ParameterKey": key, "ParameterValue": str(value)} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")
        return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}

    def resources(self, name: str) -> dict[str, str]:
        """Return the resources of a stack: name to physical id."""
        found = self.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def worker(self, **parameters: Any) -> dict[str, Any]:
        """Deploy the worker."""
        given = {
            "Image": "example/consul-cloudmap-sync:1",
            "VpcId": self.vpc,
            "SubnetIds": ",".join(self.subnets),
        }
        return self.deploy("worker", **(given | parameters))

    def statements(self, role: str) -> list[dict[str, Any]]:
        """Return what a role of the worker is allowed."""
        iam, name = self.client("iam"), self.resources("worker")[role]
        found: list[dict[str, Any]] = []
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            # moto shows a document that came in a template as Python would, not as JSON.
            found += (ast.literal_eval(document) if isinstance(document, str) else document)["Statement"]
        return found

    def allowed(self) -> set[str]:
        """Return the actions that the worker's task role may take."""
        found: set[str] = set()
        for statement in self.statements("TaskRole"):
            given = statement["Action"]
            found |= {given} if isinstance(given, str) else set(given)
        return found

    def task(self) -> Any:
        """Return the worker's task definition."""
        arn = self.resources("worker")["TaskDefinition"]
        return self.client("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """An account without anything but a VPC."""
    with EmulatedAws(Settings(operation_delay=0.05)) as aws:
        yield Cloud(aws)


def test_every_template_is_deployed_here() -> None:
    assert NAMES == ("consul-for-trial", "endpoints", "events", "namespaces", "worker")


def test_the_least_worker_runs_one_task_that_may_only_use_cloud_map(cloud: Cloud) -> None:
    outputs = cloud.worker()
    (service,) = cloud.client("ecs").describe_services(
        cluster=cloud.resources("worker")["Cluster"], services=[outputs["ServiceName"]]
    )["services"]
    assert service["desiredCount"] == 1
    assert outputs["ClusterName"] == cloud.resources("worker")["Cluster"]
    assert {one.split(":")[0] for one in cloud.allowed()} == {"servicediscovery", "route53"}
    (own,) = cloud.task()["containerDefinitions"]
    assert own["image"] == "example/consul-cloudmap-sync:1"
    assert own["readonlyRootFilesystem"] is True
    assert own["stopTimeout"] == 30
    assert own.get("secrets", []) == []


def test_a_worker_that_only_reads_cloud_map_may_not_write_it(cloud: Cloud) -> None:
    cloud.worker(CloudMapWrite="no")
    assert cloud.allowed()
    assert all(one.split(":")[1].startswith(("Get", "List", "Discover")) for one in cloud.allowed())


def test_a_worker_without_namespaces_may_do_nothing_with_cloud_map(cloud: Cloud) -> None:
    cloud.worker(CloudMapRead="no", CreateNamespaces="yes", HostedZoneArns="arn:aws:route53:::hostedzone/Z1")
    assert {one.split(":")[0] for one in cloud.allowed()} == {"route53"}


def test_a_worker_may_write_addresses_in_its_zones_and_targets_of_its_groups_alone(cloud: Cloud) -> None:
    cloud.worker(
        CloudMapRead="no",
        HostedZoneArns="arn:aws:route53:::hostedzone/Z1",
        TargetGroupsOwner="vpc-prod",
    )
    found = {one["Sid"]: one for one in cloud.statements("TaskRole")}
    assert found["Records"]["Resource"] == ["arn:aws:route53:::hostedzone/Z1"]
    types = {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA"]}
    assert found["Records"]["Condition"] == {"ForAllValues:StringEquals": types}
    tag = {"aws:ResourceTag/sync-owner": "vpc-prod"}
    assert found["OwnGroups"]["Condition"] == {"StringEquals": tag}


def test_a_worker_with_everything_gets_a_right_for_everything(cloud: Cloud) -> None:
    outputs = cloud.worker(
        Tasks=2,
        SettingsParameter="/cloudmap-sync/settings",
        ConsulTokenSecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:token-abcdef",
        ConsulCaSecretArn="arn:aws:secretsmanager:eu-west-1:123456789012:secret:ca-abcdef",
        MetricsCidr=CIDR,
        CreateNamespaces="yes",
        EcsSource="yes",
        EventsQueueArn="arn:aws:sqs:eu-west-1:123456789012:events",
        HostedZoneArns="arn:aws:route53:::hostedzone/Z1,arn:aws:route53:::hostedzone/Z2",
        TargetGroupsOwner="vpc-prod",
        RoleArns="arn:aws:iam::210987654321:role/cloudmap-sync",
    )
    assert outputs["TaskRoleArn"].startswith("arn:aws:iam::")
    assert {one.split(":")[0] for one in cloud.allowed()} == {
        "servicediscovery", "route53", "ecs", "ec2", "ssm", "sqs", "elasticloadbalancing", "sts",
    }  # fmt: skip
    (own,) = cloud.task()["containerDefinitions"]
    assert [one["name"] for one in own["secrets"]] == [
        "SETTINGS_YAML",
        "SYNCER_CONSUL__TOKEN",
        "CONSUL_CA_PEM",
    ]
    resources = {one["Sid"]: one["Resource"] for one in cloud.statements("ExecutionRole")}
    assert resources["Settings"].endswith(":parameter/cloudmap-sync/settings")
    assert len(resources["Secrets"]) == 2
    (group,) = cloud.client("ec2").describe_security_groups(GroupIds=[outputs["SecurityGroupId"]])[
        "SecurityGroups"
    ]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [9110]


def test_the_name_of_the_settings_may_do_without_its_slash(cloud: Cloud) -> None:
    cloud.worker(SettingsParameter="settings")
    resources = {one["Sid"]: one["Resource"] for one in cloud.statements("ExecutionRole")}
    assert resources["Settings"].endswith(":parameter/settings")


def test_an_event_of_ecs_reaches_the_queue_and_nothing_else_does(cloud: Cloud) -> None:
    outputs = cloud.deploy("events")
    sqs = cloud.client("sqs")
    events = cloud.client("events")
    for kind in ("ECS Task State Change", "ECS Container Instance State Change"):
        events.put_events(
            Entries=[{"Source": "aws.ecs", "DetailType": kind, "Detail": json.dumps({"kind": kind})}]
        )
    messages = sqs.receive_message(QueueUrl=outputs["QueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=1)[
        "Messages"
    ]
    assert [json.loads(one["Body"])["detail-type"] for one in messages] == ["ECS Task State Change"]
    told = sqs.get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["All"])["Attributes"]
    redrive = json.loads(told["RedrivePolicy"])
    dead = sqs.get_queue_attributes(QueueUrl=outputs["DeadLettersUrl"], AttributeNames=["QueueArn"])[
        "Attributes"
    ]
    assert redrive["deadLetterTargetArn"] == dead["QueueArn"]


def test_events_of_other_clusters_are_left_out_where_some_are_named(cloud: Cloud) -> None:
    ours = "arn:aws:ecs:eu-west-1:123456789012:cluster/ours"
    outputs = cloud.deploy("events", ClusterArns=ours)
    events = cloud.client("events")
    for arn in (ours, ours + "-not"):
        detail = json.dumps({"clusterArn": arn})
        events.put_events(
            Entries=[{"Source": "aws.ecs", "DetailType": "ECS Task State Change", "Detail": detail}]
        )
    messages = cloud.client("sqs").receive_message(
        QueueUrl=outputs["QueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=1
    )["Messages"]
    assert [json.loads(one["Body"])["detail"]["clusterArn"] for one in messages] == [ours]


def test_only_the_rule_may_send_to_the_queue(cloud: Cloud) -> None:
    outputs = cloud.deploy("events")
    _, missing = without(template("events"), MISSING_IN_MOTO)
    (rule,) = cloud.client("events").list_rules()["Rules"]
    values = {"Queue": outputs["QueueUrl"], "Queue.Arn": outputs["QueueArn"], "Rule.Arn": rule["Arn"]}
    properties = filled(missing["QueuePolicy"]["Properties"], values)
    sqs = cloud.client("sqs")
    for url in properties["Queues"]:
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
        )
    told = sqs.get_queue_attributes(QueueUrl=outputs["QueueUrl"], AttributeNames=["Policy"])["Attributes"][
        "Policy"
    ]
    allowed = [one for one in json.loads(told)["Statement"] if one["Effect"] == "Allow"]
    assert [one["Condition"]["ArnEquals"]["aws:SourceArn"] for one in allowed] == [rule["Arn"]]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({}, 8),
        ({"Ecs": "yes"}, 11),
        ({"TargetGroups": "yes"}, 10),
        ({"Ecs": "yes", "TargetGroups": "yes", "Roles": "yes"}, 13),
    ],
    ids=["cloud-map", "ecs", "target-groups", "everything"],
)
def test_there_is_an_endpoint_for_each_service_that_is_called(
    cloud: Cloud, parameters: dict[str, Any], count: int
) -> None:
    cloud.deploy(
        "endpoints",
        VpcId=cloud.vpc,
        SubnetIds=",".join(cloud.subnets),
        RouteTableIds=cloud.table,
        ClientCidr=CIDR,
        **parameters,
    )
    found = cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    names = {one["ServiceName"].split(".", 3)[3] for one in found}
    assert len(names) == len(found) == count
    assert {"servicediscovery", "data-servicediscovery", "logs", "s3"} <= names


def test_the_server_for_trial_answers_under_a_name_in_the_namespace(cloud: Cloud) -> None:
    namespace = cloud.aws.seed.namespace("corp.internal", "DNS_PRIVATE")
    _, missing = without(template("consul-for-trial"), MISSING_IN_MOTO)
    properties = filled(missing["Name"]["Properties"], {"NamespaceId": namespace})
    service = cloud.client("servicediscovery").create_service(**properties)["Service"]
    assert service["Name"] == "consul-server"
    outputs = cloud.deploy(
        "consul-for-trial",
        {"Name.Arn": service["Arn"]},
        VpcId=cloud.vpc,
        SubnetIds=",".join(cloud.subnets),
        ClientCidr=CIDR,
        NamespaceId=namespace,
    )
    (running,) = cloud.client("ecs").describe_services(
        cluster=outputs["ClusterName"], services=[outputs["ServiceName"]]
    )["services"]
    assert running["desiredCount"] == 1


def test_the_namespaces_are_made_with_a_short_memory_for_names_that_do_not_exist(cloud: Cloud) -> None:
    _, missing = without(template("namespaces"), MISSING_IN_MOTO)
    values = {"Name": "corp.internal", "ConsulName": "service.consul", "VpcId": cloud.vpc, "NegativeTtl": 15}
    cloudmap = cloud.client("servicediscovery")
    for resource in missing.values():
        operation = cloudmap.create_private_dns_namespace(**filled(resource["Properties"], values))[
            "OperationId"
        ]

        def done(operation: str = operation) -> bool:
            told = cloudmap.get_operation(OperationId=operation)["Operation"]
            assert told["Status"] != "FAIL", told
            return bool(told["Status"] == "SUCCESS")

        eventually(done, message="a namespace was created")
    found = cloudmap.list_namespaces()["Namespaces"]
    assert {one["Name"] for one in found} == {"corp.internal", "service.consul"}
    assert {one["Properties"]["DnsProperties"]["SOA"]["TTL"] for one in found} == {15}
