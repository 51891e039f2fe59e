"""What the emulated ECS holds: tasks and what belongs to them, as they are put on the wire."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LaunchType = Literal["FARGATE", "EC2", "EXTERNAL"]

LIFE = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
"""A task's last status, in order (ECS developer guide, task lifecycle)."""
ENDING = LIFE.index("DEACTIVATING")


@dataclass(frozen=True, slots=True)
class EmulatedDefinition:
    """One revision of a task definition: container name to its container ports."""

    arn: str
    network_mode: str
    ports: Mapping[str, tuple[int, ...]]

    def wire(self) -> dict[str, Any]:
        """Return it as DescribeTaskDefinition has it."""
        own = self.network_mode in ("awsvpc", "host")
        family, _, revision = self.arn.rsplit("/", 1)[-1].rpartition(":")
        return {
            "taskDefinitionArn": self.arn,
            "family": family,
            "revision": int(revision),
            "networkMode": self.network_mode,
            "status": "ACTIVE",
            "containerDefinitions": [
                {
                    "name": name,
                    "image": "scratch",
                    "portMappings": [
                        {"containerPort": port, "hostPort": port if own else 0, "protocol": "tcp"}
                        for port in ports
                    ],
                }
                for name, ports in self.ports.items()
            ],
        }


@dataclass(slots=True)
class EmulatedInterface:
    """A network interface of a task."""

    id: str
    ipv4: str
    subnet: str
    zone: str
    public_ipv4: str | None = None
    ipv6: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    visible: bool = True
    """Whether EC2 shows it already."""


@dataclass(slots=True)
class EmulatedHost:
    """A container instance: an EC2 instance (``i-…``) or a machine elsewhere (``mi-…``)."""

    arn: str
    id: str
    ipv4: str
    public_ipv4: str | None = None
    ipv6: str | None = None
    zone: str = ""
    next_port: int = 32768

    def wire(self) -> dict[str, Any]:
        """Return it as DescribeContainerInstances has it."""
        return {
            "containerInstanceArn": self.arn,
            "ec2InstanceId": self.id,
            "status": "ACTIVE",
            "agentConnected": True,
        }


@dataclass(slots=True)
class EmulatedService:
    """An ECS service, as far as it has a name and tags."""

    arn: str
    name: str
    cluster_arn: str
    tags: dict[str, str] = field(default_factory=dict)

    def wire(self, *, tags: bool) -> dict[str, Any]:
        """Return it as DescribeServices has it."""
        body: dict[str, Any] = {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": self.cluster_arn,
            "status": "ACTIVE",
        }
        if tags:
            body["tags"] = pairs(self.tags)
        return body


@dataclass(slots=True, kw_only=True)
class EmulatedTask:
    """A task. Change it through the world only: the world counts versions and emits events."""

    arn: str
    cluster_arn: str
    group: str
    definition: EmulatedDefinition
    launch_type: LaunchType
    zone: str
    interface: EmulatedInterface | None = None
    host: EmulatedHost | None = None
    bindings: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """Container name to pairs of container port and host port."""
    tags: dict[str, str] = field(default_factory=dict)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    health: str = "UNKNOWN"
    version: int = 1
    created: float = field(default_factory=time.time)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def attached(self) -> bool:
        """Whether it has its interface by now, or its host's ports."""
        return LIFE.index(self.last_status) >= LIFE.index("PENDING")

    def wire(self, *, tags: bool) -> dict[str, Any]:
        """Return it as DescribeTasks has it, without the times."""
        body: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": self.cluster_arn,
            "taskDefinitionArn": self.definition.arn,
            "group": self.group,
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "healthStatus": self.health,
            "launchType": self.launch_type,
            "availabilityZone": self.zone,
            "version": self.version,
            "attachments": self._attachments("ElasticNetworkInterface"),
            "containers": [self._container(name) for name in self.definition.ports],
            "createdAt": self.created,
        }
        if self.host is not None:
            body["containerInstanceArn"] = self.host.arn
        if tags:
            body["tags"] = pairs(self.tags)
        return body

    def event_detail(self) -> dict[str, Any]:
        """Return it as an event's ``detail`` has it: other spellings, and no tags."""
        body = self.wire(tags=False)
        body["attachments"] = self._attachments("eni")
        body["createdAt"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.created))
        return body

    def _attachments(self, kind: str) -> list[dict[str, Any]]:
        if self.interface is None:
            return []
        details = {"subnetId": self.interface.subnet}
        if self.attached:
            details["networkInterfaceId"] = self.interface.id
            details["macAddress"] = "02:00:00:00:00:01"
            details["privateIPv4Address"] = self.interface.ipv4
        return [
            {
                "id": f"attachment-{self.id}",
                "type": kind,
                "status": "ATTACHED" if self.attached else "PRECREATED",
                "details": [{"name": name, "value": value} for name, value in details.items()],
            }
        ]

    def _container(self, name: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "containerArn": f"{self.arn}/{name}",
            "taskArn": self.arn,
            "name": name,
            "lastStatus": self.last_status,
            "healthStatus": self.health,
            "networkBindings": [],
            "networkInterfaces": [],
        }
        if self.interface is not None and self.attached:
            body["networkInterfaces"] = [{"privateIpv4Address": self.interface.ipv4}]
        if self.host is not None and self.last_status == "RUNNING":
            body["networkBindings"] = [
                {"bindIP": bind, "containerPort": inner, "hostPort": outer, "protocol": "tcp"}
                for bind in ("0.0.0.0", "::")
                for inner, outer in reversed(self.bindings.get(name, ()))
            ]
        return body


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as ECS has them."""
    return [{"key": key, "value": value} for key, value in tags.items()]
