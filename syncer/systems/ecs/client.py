"""The calls that reading tasks takes, each a page or a batch; every answer is whole or an error."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from syncer.core.errors import Garbled
from syncer.systems.aws import Answer, Aws, required

PAGE: Final = 100
"""Tasks and container instances, at most, in one call of ECS (API reference, ListTasks and DescribeTasks)."""
INTERFACES: Final = 200
"""Values, at most, in one filter of EC2 (EC2 user guide, Filtering)."""
SERVICES: Final = 10
"""Services, at most, in one call (API reference, DescribeServices)."""
MANAGED: Final = 50
"""Managed nodes, at most, in one page (SSM API reference, DescribeInstanceInformation)."""


class EcsApi:
    """ECS, EC2 and SSM as far as tasks go. Every method raises :class:`SyncError` unless it has all it was asked for."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def clusters(self) -> tuple[str, ...]:
        """Return the ARNs of all active clusters."""
        return tuple(arn for page in self._pages("ecs", "ListClusters", "clusterArns") for arn in page)

    def tasks(self, cluster: str) -> Iterator[list[str]]:
        """Yield, page by page, the ARNs of the tasks of *cluster* that are meant to run."""
        return self._pages(
            "ecs", "ListTasks", "taskArns", cluster=cluster, maxResults=PAGE, desiredStatus="RUNNING"
        )

    def describe_tasks(self, cluster: str, arns: Sequence[str]) -> Answer:
        """Return ``tasks``, with their tags, and ``failures`` of at most :data:`PAGE` tasks."""
        answer = self._aws.retry("ecs", "DescribeTasks", cluster=cluster, tasks=list(arns), include=["TAGS"])
        required(answer, "tasks")
        return answer

    def definition(self, arn: str) -> Any:
        """Return the task definition *arn*."""
        return required(
            self._aws.retry("ecs", "DescribeTaskDefinition", taskDefinition=arn), "taskDefinition"
        )

    def services(self, cluster: str, names: Sequence[str]) -> list[Any]:
        """Return those of at most :data:`SERVICES` services that exist, with their tags."""
        answer = self._aws.retry(
            "ecs", "DescribeServices", cluster=cluster, services=list(names), include=["TAGS"]
        )
        found: list[Any] = required(answer, "services")
        return found

    def container_instances(self, cluster: str, arns: Sequence[str]) -> list[Any]:
        """Return those of at most :data:`PAGE` hosts that are in *cluster*."""
        answer = self._aws.retry(
            "ecs", "DescribeContainerInstances", cluster=cluster, containerInstances=list(arns)
        )
        found: list[Any] = required(answer, "containerInstances")
        return found

    def interfaces(self, ids: Sequence[str]) -> list[Any]:
        """Return those of at most :data:`INTERFACES` network interfaces that exist.

        By filter: in ``NetworkInterfaceIds`` one that has gone would fail them all.
        """
        name = "network-interface-id"
        pages = self._filtered("DescribeNetworkInterfaces", "NetworkInterfaces", name, ids)
        return [item for page in pages for item in page]

    def instances(self, ids: Sequence[str]) -> list[Any]:
        """Return those of at most :data:`INTERFACES` EC2 instances that exist."""
        pages = self._filtered("DescribeInstances", "Reservations", "instance-id", ids)
        return [item for page in pages for reservation in page for item in reservation.get("Instances", ())]

    def managed_nodes(self, ids: Sequence[str]) -> list[Any]:
        """Return those of at most :data:`MANAGED` nodes that SSM manages: the hosts of ECS Anywhere."""
        filters = [{"Key": "InstanceIds", "Values": list(ids)}]
        pages = self._pages(
            "ssm",
            "DescribeInstanceInformation",
            "InstanceInformationList",
            Filters=filters,
            MaxResults=MANAGED,
        )
        return [item for page in pages for item in page]

    def _filtered(self, operation: str, member: str, name: str, values: Sequence[str]) -> Iterator[list[Any]]:
        return self._pages("ec2", operation, member, Filters=[{"Name": name, "Values": list(values)}])

    def _pages(self, service: str, operation: str, member: str, **parameters: Any) -> Iterator[list[Any]]:
        """Yield every page's *member*; a token that comes back unchanged is an error, not an end."""
        key = "nextToken" if service == "ecs" else "NextToken"
        while True:
            answer = self._aws.retry(service, operation, **parameters)
            yield required(answer, member)
            token = answer.get(key)
            if not token:
                return
            if token == parameters.get(key):
                raise Garbled(f"{operation}: the same page again")
            parameters[key] = token
