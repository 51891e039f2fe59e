"""The records of the emulated Cloud Map and their wire shapes.

Source of the shapes: the ``servicediscovery`` model that botocore carries.
"""

from dataclasses import dataclass, field
from typing import Any

HEALTHY, UNHEALTHY, UNKNOWN = "HEALTHY", "UNHEALTHY", "UNKNOWN"


@dataclass(slots=True, eq=False)
class Operation:
    """An accepted change and how far it is. ``seq`` grows with every update."""

    id: str
    type: str
    targets: dict[str, str]
    owner: str
    created: float
    updated: float
    seq: int
    status: str = "SUBMITTED"
    error_code: str = ""
    error_message: str = ""

    def summary(self) -> dict[str, Any]:
        """Return the ``OperationSummary``."""
        return {"Id": self.id, "Status": self.status}

    def wire(self) -> dict[str, Any]:
        """Return the ``Operation``."""
        body: dict[str, Any] = {
            "Id": self.id,
            "OwnerAccount": self.owner,
            "Type": self.type,
            "Status": self.status,
            "CreateDate": self.created,
            "UpdateDate": self.updated,
            "Targets": self.targets,
        }
        if self.error_code:
            body |= {"ErrorCode": self.error_code, "ErrorMessage": self.error_message}
        return body


@dataclass(slots=True, eq=False)
class Health:
    """The custom health of one instance; ``wish`` is on its way until ``due``."""

    status: str
    wish: str | None = None
    due: float = 0.0


@dataclass(slots=True, eq=False)
class Instance:
    """One registration. Replaced as a whole by the next one of the same id."""

    id: str
    attributes: dict[str, str]
    creator_request_id: str
    account: str

    def wire(self) -> dict[str, Any]:
        """Return the ``Instance``."""
        body: dict[str, Any] = {
            "Id": self.id,
            "Attributes": self.attributes,
            "CreatedByAccount": self.account,
        }
        if self.creator_request_id:
            body["CreatorRequestId"] = self.creator_request_id
        return body

    def summary(self) -> dict[str, Any]:
        """Return the ``InstanceSummary``."""
        return {"Id": self.id, "Attributes": self.attributes, "CreatedByAccount": self.account}


@dataclass(slots=True, eq=False)
class Service:
    """A service: what the control plane holds, and what the data plane shows of it."""

    id: str
    arn: str
    account: str
    name: str
    namespace: "Namespace"
    type: str
    seq: int
    created: float
    creator_request_id: str
    description: str = ""
    records: dict[str, int] = field(default_factory=dict)
    routing: str = "MULTIVALUE"
    health_check: dict[str, Any] | None = None
    custom_health: dict[str, Any] | None = None
    visible_from: float = 0.0
    revision: int = 0
    instances: dict[str, Instance] = field(default_factory=dict)
    discovered: dict[str, Instance] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    in_flight: dict[str, tuple[Operation, str]] = field(default_factory=dict)
    pending_new: set[str] = field(default_factory=set)
    attributes: dict[str, str] = field(default_factory=dict)

    def status_of(self, instance_id: str) -> str:
        """Return HEALTHY, UNHEALTHY, or UNKNOWN where the service has no check."""
        if self.custom_health is not None:
            health = self.health.get(instance_id)
            return health.status if health else HEALTHY
        return HEALTHY if self.health_check else UNKNOWN

    def summary(self) -> dict[str, Any]:
        """Return the ``ServiceSummary``: no namespace id in it."""
        body: dict[str, Any] = {
            "Id": self.id,
            "Arn": self.arn,
            "ResourceOwner": self.account,
            "Name": self.name,
            "Type": self.type,
            "InstanceCount": len(self.instances),
            "CreateDate": self.created,
            "CreatedByAccount": self.account,
        }
        if self.description:
            body["Description"] = self.description
        if self.records:
            body["DnsConfig"] = {
                "NamespaceId": self.namespace.id,
                "RoutingPolicy": self.routing,
                "DnsRecords": [{"Type": kind, "TTL": ttl} for kind, ttl in self.records.items()],
            }
        if self.health_check:
            body["HealthCheckConfig"] = self.health_check
        if self.custom_health is not None:
            body["HealthCheckCustomConfig"] = self.custom_health
        return body

    def wire(self) -> dict[str, Any]:
        """Return the ``Service``."""
        more = {"NamespaceId": self.namespace.id, "CreatorRequestId": self.creator_request_id}
        return self.summary() | more


@dataclass(slots=True, eq=False)
class Namespace:
    """A namespace of one of the three types."""

    id: str
    arn: str
    account: str
    name: str
    type: str
    http_name: str
    seq: int
    created: float
    creator_request_id: str
    description: str = ""
    vpc: str = ""
    zone_id: str = ""
    soa_ttl: int = 900
    services: dict[str, Service] = field(default_factory=dict)
    instance_count: int = 0

    @property
    def is_dns(self) -> bool:
        """Whether DNS answers for it."""
        return self.type != "HTTP"

    def key(self, service_name: str) -> str:
        """Return what *service_name* is unique by: DNS does not tell cases apart."""
        return service_name.lower() if self.is_dns else service_name

    def wire(self) -> dict[str, Any]:
        """Return the ``Namespace``; without ``CreatorRequestId`` it is the ``NamespaceSummary``."""
        properties: dict[str, Any] = {
            "HttpProperties": {"HttpName": self.http_name},
            "DnsProperties": {"SOA": {}},
        }
        if self.is_dns:
            properties["DnsProperties"] = {"HostedZoneId": self.zone_id, "SOA": {"TTL": self.soa_ttl}}
        body: dict[str, Any] = {
            "Id": self.id,
            "Arn": self.arn,
            "ResourceOwner": self.account,
            "Name": self.name,
            "Type": self.type,
            "ServiceCount": len(self.services),
            "Properties": properties,
            "CreateDate": self.created,
            "CreatorRequestId": self.creator_request_id,
        }
        if self.description:
            body["Description"] = self.description
        return body
