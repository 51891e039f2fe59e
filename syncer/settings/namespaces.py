"""The Cloud Map namespaces that are kept in step with Consul."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from typing_extensions import override

from syncer.settings.aws import Account, Aws, ExternalId
from syncer.settings.base import Model, Problem
from syncer.settings.directions import CloudMapToConsul, ConsulToCloudMap
from syncer.settings.texts import Region, RoleArn, Server, Vpc
from syncer.settings.types import Shape, wrong

Kind = Literal["private", "public", "http"]
_ARN = r"arn:aws[a-z-]*:servicediscovery:[a-z0-9-]+:[0-9]{12}:namespace/ns-[a-z0-9]+"
_DNS_NAME = r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*"

Name = Annotated[
    str,
    Shape(
        r"(?!ns-[a-z0-9]{16}$|arn:)[!-~]{1,1024}",
        "is no namespace's name",
        "write its name, such as corp.internal; an id or an ARN goes under the key id",
    ),
]
Id = Annotated[
    str, Shape(rf"ns-[a-z0-9]{{1,61}}|{_ARN}", "is no namespace's id", "write ns-..., or the whole ARN")
]


class Creation(Model):
    """How to create the namespace where it does not exist."""

    type: Kind = Field(examples=["private"])
    """`private`: DNS inside the VPC; `public`: DNS for everybody, a domain of yours; `http`: no DNS."""
    vpc: Vpc | None = Field(default=None, examples=["vpc-0123456789abcdef0"])
    """The VPC that a private namespace answers in."""
    description: str | None = Field(
        default=None, min_length=1, max_length=1024, examples=["kept by cloudmap-sync"]
    )
    """What the AWS console shows beside the name."""

    @override
    def problems(self) -> Iterator[Problem]:
        """A private namespace needs a VPC, the others have none."""
        if self.type == "private" and self.vpc is None:
            yield Problem(
                ("vpc",),
                "is missing",
                "write the VPC that the private namespace answers in, vpc-...",
                (("type",),),
            )
        if self.type != "private" and self.vpc is not None:
            yield Problem(
                ("vpc",),
                f"does not belong to the type {self.type}",
                "leave it out, or write type: private",
                (("type",),),
            )


def _creation(value: Any) -> Any:
    if value in (False, "false", "no", "off"):
        return None
    if value in (True, "true", "yes", "on"):
        raise wrong(
            "says too little", "write create: {type: private, vpc: vpc-...}, {type: public} or {type: http}"
        )
    return value


class Namespace(Model):
    """One namespace, and what is carried between it and Consul.

    What the two directions do not say, they take from `defaults`.
    """

    name: Name | None = Field(default=None, examples=["corp.internal"])
    """The namespace's name. Either `name` or `id` must be written."""
    id: Id | None = Field(default=None, examples=["ns-0123456789abcdef"])
    """The namespace's id or ARN; for one that another account shares, the ARN."""
    type: Kind | None = Field(default=None, examples=["private"])
    """Which one is meant where several namespaces of the account have the name: `private`, `public` or `http`."""
    region: Region | None = Field(default=None, examples=["eu-west-1"])
    """The namespace's Region. Default: the Region in `aws`."""
    role_arn: RoleArn | None = Field(default=None, examples=["arn:aws:iam::210987654321:role/cloudmap-sync"])
    """The role to assume for this namespace, in place of the one in `aws`."""
    external_id: ExternalId | None = Field(default=None, examples=["vpc-prod"])
    """The external id that this role asks for. Default: the one in `aws`."""
    create: Annotated[
        Creation | None, BeforeValidator(_creation, json_schema_input_type=Creation | Literal[False] | None)
    ] = None
    """How to create the namespace where it does not exist; `false`, or nothing, makes a missing one a fault."""
    dns_resolver: Server | None = Field(default=None, examples=["10.0.0.2"])
    """The DNS server that `syncer names --resolve` asks for this namespace's names. Default: the system's."""
    consul_to_cloudmap: ConsulToCloudMap = ConsulToCloudMap()
    """From Consul into this namespace."""
    cloudmap_to_consul: CloudMapToConsul = CloudMapToConsul()
    """From this namespace into Consul."""

    def account(self, aws: Aws) -> Account:
        """Return with whose rights, and in which Region, this namespace is worked on."""
        return Account(
            region=self.region or self._arn_region or aws.region,
            profile=aws.profile,
            role_arn=self.role_arn or aws.role_arn,
            external_id=self.external_id or aws.external_id,
        )

    @property
    def known_as(self) -> str:
        """The name, or the id without the rest of its ARN."""
        return self.name or (self.id or "").rpartition("/")[2]

    @property
    def _arn_region(self) -> str | None:
        return self.id.split(":")[3] if self.id and self.id.startswith("arn:") else None

    @override
    def problems(self) -> Iterator[Problem]:
        """A namespace is known by one of name and id, and only a name can be created."""
        both = (("name",), ("id",))
        if self.name is None and self.id is None:
            yield Problem((), "has neither name nor id", "write name: corp.internal, or id: ns-...", both)
        if self.name is not None and self.id is not None:
            yield Problem(("id",), "stands beside name", "keep one of the two", both)
        if self.external_id and not self.role_arn:
            yield Problem(
                ("external_id",), "stands without role_arn", "write role_arn, too", (("role_arn",),)
            )
        if self.region and self._arn_region and self.region != self._arn_region:
            yield Problem(("region",), "is another than the ARN's", "leave it out", (("id",),))
        if self.create is not None:
            yield from self._creation_problems(self.create)

    def _creation_problems(self, create: Creation) -> Iterator[Problem]:
        if self.id is not None:
            yield Problem(("create",), "stands beside id", "write name in place of id", (("id",),))
        if self.type is not None and self.type != create.type:
            yield Problem(
                ("create", "type"),
                f"is {create.type}, but type is {self.type}",
                "write one type",
                (("type",),),
            )
        if self.name and create.type != "http" and not re.fullmatch(_DNS_NAME, self.name):
            yield Problem(
                ("name",), "is no DNS name", "write labels of letters, digits and -", (("create",),)
            )
