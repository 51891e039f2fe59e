"""How to reach AWS: credentials, endpoints, and how fast."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from syncer.settings.base import Model, Problem
from syncer.settings.texts import Region, RoleArn, Url
from syncer.settings.types import Period, Shape

Endpoint = Literal[
    "servicediscovery", "data-servicediscovery", "sts", "ecs", "ec2", "route53", "elbv2", "sqs", "ssm"
]
"""An AWS service whose endpoint can be set on its own; `data-servicediscovery` is Cloud Map's data plane."""

Operation = Literal[
    "CreateHttpNamespace",
    "CreatePrivateDnsNamespace",
    "CreatePublicDnsNamespace",
    "CreateService",
    "DeleteService",
    "DeregisterInstance",
    "DiscoverInstances",
    "DiscoverInstancesRevision",
    "GetInstance",
    "GetInstancesHealthStatus",
    "GetNamespace",
    "GetOperation",
    "GetService",
    "ListInstances",
    "ListNamespaces",
    "ListOperations",
    "ListServices",
    "ListTagsForResource",
    "RegisterInstance",
    "TagResource",
    "UntagResource",
    "UpdateInstanceCustomHealthStatus",
    "UpdateService",
]
"""The operations of Cloud Map that a rate can be given for."""

ExternalId = Annotated[
    str,
    Shape(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", "is no external id", "write 2 to 1,224 of A-Z a-z 0-9 _+=,.@:/-"),
]


@dataclass(frozen=True, slots=True)
class Account:
    """With whose rights, and in which Region, a namespace is worked on."""

    region: str | None
    """None leaves it to the AWS SDK's own chain."""
    profile: str | None
    role_arn: str | None
    external_id: str | None


class Rate(Model):
    """A token bucket: calls a second in the long run, and how many may come at once."""

    rate: float = Field(gt=0, le=100_000, examples=[50])
    """Calls a second in the long run, for each account and Region."""
    burst: int = Field(ge=1, le=100_000, examples=[100])
    """Calls that may come at once after a calm."""


class Aws(Model):
    """Credentials and endpoints for AWS.

    What is not written here is left to the AWS SDK's own chain: `AWS_REGION`, `AWS_PROFILE` and the other `AWS_*`
    variables, the shared files, the task's role.
    """

    region: Region | None = Field(default=None, examples=["eu-central-1"])
    """The Region of all namespaces that name no other. Default: the SDK's chain."""
    profile: str | None = Field(default=None, min_length=1, examples=["production"])
    """The profile in the shared configuration files. Default: the SDK's chain."""
    role_arn: RoleArn | None = Field(default=None, examples=["arn:aws:iam::123456789012:role/cloudmap-sync"])
    """A role to assume first, for all namespaces that name no other. Default: none."""
    external_id: ExternalId | None = Field(default=None, examples=["vpc-prod"])
    """The external id that the role's trust policy asks for. Not a secret."""
    endpoint_url: Url | None = Field(default=None, examples=["http://127.0.0.1:5000"])
    """One endpoint for every AWS service: an emulator, or a proxy. Default: AWS's own."""
    endpoint_urls: dict[Endpoint, Url] = Field(
        default={},
        examples=[{"servicediscovery": "https://vpce-0123.servicediscovery.eu-central-1.vpce.amazonaws.com"}],
    )
    """Endpoints of single services, such as VPC endpoints; they come before `endpoint_url`."""
    timeout: Period = 10.0
    """How long one attempt of a call may take."""
    rates: dict[Operation, Rate] = Field(
        default={}, examples=[{"RegisterInstance": {"rate": 50, "burst": 100}}]
    )
    """Rates for single operations of Cloud Map, in place of the built-in ones. AWS does not publish its limits;
    the built-in rates are those that are known to work. Throttling lowers them, calm raises them again."""
    sweep_per_second: float = Field(default=5.0, ge=0, le=1_000)
    """Calls a second, for each namespace, that look whether a service has changed unnoticed
    (`DiscoverInstancesRevision`). 0 leaves it to the full pass."""
    health_probes_per_second: float = Field(default=1.0, ge=0, le=1_000)
    """Calls a second, for each namespace, that look for health changes, which no revision tells
    (`GetInstancesHealthStatus`). 0 leaves it to the full pass."""

    @override
    def problems(self) -> Iterator[Problem]:
        """An external id belongs to a role."""
        if self.external_id and not self.role_arn:
            yield Problem(
                ("external_id",), "stands without role_arn", "write role_arn, too", about=(("role_arn",),)
            )
