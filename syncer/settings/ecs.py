"""ECS tasks as a source: which clusters are read, how changes are noticed, and under which names tasks are offered."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from typing_extensions import override

from syncer.settings.aws import Account, Aws, ExternalId
from syncer.settings.base import Model, Problem
from syncer.settings.texts import Glob, Region, RoleArn
from syncer.settings.types import Period, Shape, wrong

Dialect = Literal["plain", "hosted-zone-tags", "public-discovery", "target-group-tags"]
LaunchType = Literal["FARGATE", "EC2", "EXTERNAL", "MANAGED_INSTANCES"]
_FIELDS = ("service", "cluster", "family", "region")

Name = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?",
        "is no name that fits here",
        "write at most 63 letters, digits and inner - or _",
    ),
]
Cluster = Annotated[
    str,
    Shape(
        r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]{1,255}|[A-Za-z0-9_*?\[\]!-]{1,255}",
        "is no cluster",
        "write a cluster's name, a glob over names such as prod-*, or a whole ARN",
    ),
]
QueueUrl = Annotated[
    str,
    Shape(
        r"https?://[^/@\s]+/[0-9]{12}/[A-Za-z0-9_-]{1,80}",
        "is no queue's URL",
        "write https://sqs.<region>.amazonaws.com/<account, 12 digits>/<queue>",
    ),
]
ZoneId = Annotated[
    str,
    Shape(
        r"[A-Z0-9]{8,32}", "is no hosted zone's id", "write it as Route 53 shows it, such as Z0123456789ABC"
    ),
]
ZoneName = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})+\.?",
        "is no zone's name",
        "write a domain, such as example.com",
    ),
]


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise wrong("is empty", "write a list such as [prod, edge-*]")
    return value


Clusters = Annotated[tuple[Cluster, ...], AfterValidator(_some), Field(json_schema_extra={"minItems": 1})]
TagKey = Annotated[str, Field(min_length=1, max_length=128)]


def _template(value: str) -> str:
    bare = re.sub(r"\{(?:" + "|".join(_FIELDS) + r")\}", "", value)
    if "{" in bare or "}" in bare:
        raise wrong("has something in braces that is not known", "write {" + "}, {".join(_FIELDS) + "}")
    if "{service}" not in value and "{family}" not in value:
        raise wrong("gives all services one name", "write {service} in it, or {family}")
    return value


Template = Annotated[str, AfterValidator(_template), Field(min_length=1, max_length=255)]
"""A name with fields in braces."""


class EcsView(Model):
    """Tasks of the source under one system of names; a registry of its own, for routes to start from."""

    dialect: Dialect = "plain"
    """How names are made. `plain`: from the ECS service's name. `hosted-zone-tags`: from the task tags
    `PUBLICHOSTEDZONE` and `HOSTEDZONEID`. `public-discovery`: from the tag `public-discovery:name` of the task or its
    network interface. `target-group-tags`: target groups from the tag `ecs-a.lbName` of the ECS service."""
    name: Template = Field(default="{service}", examples=["{cluster}-{service}"])
    """The name of a service, for `plain`: with `{service}`, `{cluster}`, `{family}` or `{region}` in it. A stand-alone
    task's service is its family."""
    ports: Literal["first", "each"] = "first"
    """For `plain`: whether only the first port of the first container counts, or each port is offered as well, under
    `<service>-<port>`."""
    zone_id: ZoneId | None = Field(default=None, examples=["Z0123456789ABC"])
    """For `hosted-zone-tags`: the hosted zone; tasks whose tag names another are not offered."""
    zone: ZoneName | None = Field(default=None, examples=["example.com"])
    """For `public-discovery`: the zone's name, which is put behind each name."""
    include: tuple[Glob, ...] = Field(default=(), examples=[["web-*"]])
    """Names of ECS services, and families of stand-alone tasks, that are taken, as globs. Nothing written: all."""
    exclude: tuple[Glob, ...] = Field(default=(), examples=[["*-test"]])
    """Names that are not taken; wins over every include."""
    clusters: tuple[Glob, ...] = Field(default=(), examples=[["prod"]])
    """Of the source's clusters, those that are taken, by short name, as globs. Nothing written: all."""
    launch_types: tuple[LaunchType, ...] = Field(default=(), examples=[["FARGATE"]])
    """Launch types that are taken. Nothing written: all."""
    include_tags: dict[TagKey, Glob] = Field(default={}, examples=[{"env": "prod*"}])
    """A task is taken only if each of these ECS tags is there and matches its glob."""
    exclude_tags: dict[TagKey, Glob] = Field(default={}, examples=[{"sync": "no"}])
    """A task is not taken if one of these ECS tags matches its glob."""
    standalone: bool = True
    """Whether tasks are taken that no ECS service keeps."""
    service_tags: bool = False
    """Whether the tags of the ECS service count beside those of the task. Costs one call for ten services."""
    tags_as_attributes: tuple[Glob, ...] = Field(default=(), examples=[["team", "app:*"]])
    """Keys of ECS tags that become attributes (service meta in Consul), as globs."""
    tags_as_tags: tuple[Glob, ...] = Field(default=(), examples=[["release"]])
    """Keys of ECS tags that become tags, written `key=value`, as globs."""
    drain: Literal["at_once", "unhealthy"] = "at_once"
    """What becomes of a task that is told to stop: it leaves at once, or stays unhealthy for `drain_for` first."""
    drain_for: Period = 60.0
    """How long a stopping task stays, unhealthy, with `drain: unhealthy`. The TTL of the names is a good measure."""

    @property
    def drain_seconds(self) -> float:
        """Seconds that a stopping task stays; 0 for at once."""
        return self.drain_for if self.drain == "unhealthy" else 0.0

    @override
    def problems(self) -> Iterator[Problem]:
        """Each dialect has keys of its own."""
        for key, dialect in (("zone_id", "hosted-zone-tags"), ("zone", "public-discovery")):
            written = getattr(self, key) is not None
            if self.dialect == dialect and not written:
                yield Problem(
                    (key,), "is missing", f"write it: the dialect {dialect} needs it", (("dialect",),)
                )
            if self.dialect != dialect and written:
                yield Problem(
                    (key,), f"does not belong to the dialect {self.dialect}", "leave it out", (("dialect",),)
                )


class EcsSource(Model):
    """Clusters in one account and Region whose tasks are a source."""

    name: Name = Field(examples=["prod"])
    """Part of the registry's id, `ecs/<name>`, which is written into marks: do not change it later."""
    clusters: Clusters = Field(default=("default",), examples=[["prod", "edge-*"]])
    """Clusters, by name, by ARN, or as globs over names."""
    region: Region | None = Field(default=None, examples=["eu-west-1"])
    """The clusters' Region. Default: the Region in `aws`."""
    role_arn: RoleArn | None = Field(default=None, examples=["arn:aws:iam::210987654321:role/cloudmap-sync"])
    """The role to assume for this source, in place of the one in `aws`."""
    external_id: ExternalId | None = Field(default=None, examples=["vpc-prod"])
    """The external id that this role asks for. Default: the one in `aws`."""
    queue: QueueUrl | None = Field(
        default=None, examples=["https://sqs.eu-central-1.amazonaws.com/123456789012/ecs-events"]
    )
    """The SQS queue into which EventBridge puts `ECS Task State Change`. Each source needs one of its own. Default:
    the clusters are polled."""
    poll: Period = 30.0
    """How often all tasks are read where there is no queue."""
    views: dict[Name, EcsView] = Field(
        default={}, examples=[{"public": {"dialect": "public-discovery", "zone": "example.com"}}]
    )
    """Views by name, each a registry `ecs/<source>/<view>`; one that is called `plain` is `ecs/<source>`. Nothing
    written: `plain` alone."""

    def account(self, aws: Aws) -> Account:
        """Return with whose rights, and in which Region, the source is read."""
        return Account(
            region=self.region or aws.region,
            profile=aws.profile,
            role_arn=self.role_arn or aws.role_arn,
            external_id=self.external_id or aws.external_id,
        )

    @override
    def problems(self) -> Iterator[Problem]:
        """An external id belongs to a role."""
        if self.external_id and not self.role_arn:
            yield Problem(
                ("external_id",), "stands without role_arn", "write role_arn, too", about=(("role_arn",),)
            )
