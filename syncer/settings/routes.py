"""Routes from ECS: which view of which source is written where, and how it is changed on the way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from syncer.core.carrier import Carrier
from syncer.core.rules import Address, RouteRules, Unhealthy
from syncer.settings.aws import Account, Aws, ExternalId
from syncer.settings.base import Model, Problem
from syncer.settings.directions import Carrying, Record
from syncer.settings.texts import RoleArn, Server
from syncer.settings.types import DAY, Shape, Span

Kind = Literal["consul", "namespace", "route53", "elb"]
SourceKey = Annotated[
    str,
    Shape(
        r"ecs/[A-Za-z0-9_-]{1,63}(?:/[A-Za-z0-9_-]{1,63})?",
        "is no source",
        "write ecs/<source>, or ecs/<source>/<view>, as they are called under ecs",
    ),
]
TargetKey = Annotated[
    str,
    Shape(
        r"[!-~]{1,1024}",
        "is no target",
        "write consul, a namespace's name, route53/<zone> or elb/<region>",
    ),
]
_FOREIGN: dict[str, frozenset[str]] = {
    "consul": frozenset({"records", "ttl", "take_over", "role_arn", "external_id", "dns_resolver"}),
    "namespace": frozenset({"take_over", "role_arn", "external_id", "dns_resolver"}),
    "route53": frozenset({"records", "tags", "attributes"}),
    "elb": frozenset(
        {"prefix", "suffix", "tags", "attributes", "records", "ttl", "take_over", "address", "same_name"}
        | {"dns_resolver"}
    ),
}
"""Keys that say nothing about a kind of target."""
_ZONE_ID = re.compile(r"[A-Z0-9]{8,32}")
_ZONE_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_TTL = {"route53": 60}


class Ends(Model):
    """Where a route begins and ends."""

    source: SourceKey = Field(examples=["ecs/prod"])
    """Where it begins: `ecs/<source>`, or `ecs/<source>/<view>`."""
    target: TargetKey = Field(examples=["consul"])
    """Where it ends: `consul`; a namespace by its name, id or label; `route53/<name or id of a hosted zone>`; or
    `elb/<region>`, for target groups. `consul` is always Consul: a namespace of that name is `consul@cloudmap`."""
    enabled: bool = True
    """Whether anything is carried. Turning it off leaves in place what was carried before."""


class Route(Carrying, Ends):
    """From a view of ECS tasks into one registry. Each source and target go together once."""

    address: Address | None = Field(default=None, examples=["public"])
    """Which address is carried: `private` or `public`. Default: `public` into public and HTTP namespaces and into
    public hosted zones, `private` elsewhere. Tasks without the one that is chosen are skipped. Consul gets the other
    one as well, as `wan` among the tagged addresses."""
    unhealthy: Unhealthy | None = Field(default=None, examples=["withdraw"])
    """What becomes of a task whose containers are unhealthy: `mark` writes it on the entry, where the target is
    Consul or a namespace; `withdraw` takes it out. Default: `mark` in Consul, `withdraw` elsewhere."""
    records: tuple[Record, ...] | None = Field(default=None, examples=[["A", "SRV"]])
    """For a namespace: DNS records of the services that are created, as in `defaults.consul_to_cloudmap`. Default:
    `[A]`."""
    ttl: Annotated[int, Span(least=0, most=DAY, whole=True)] | None = Field(default=None, examples=["60s"])
    """For a namespace or a hosted zone: how long resolvers may keep an answer. Default: 15 s in a namespace, 60 s in a
    hosted zone."""
    take_over: bool = False
    """For a hosted zone: whether simple A and AAAA records, and multivalue records that are called by a task's id,
    make way for ours. Meant for switching over from another tool; leave it off afterwards."""
    role_arn: RoleArn | None = Field(default=None, examples=["arn:aws:iam::210987654321:role/records"])
    """For a hosted zone or target groups: the role to assume, in place of the one in `aws`."""
    external_id: ExternalId | None = Field(default=None, examples=["vpc-prod"])
    """The external id that this role asks for. Default: the one in `aws`."""
    dns_resolver: Server | None = Field(default=None, examples=["10.0.0.2"])
    """For a hosted zone: the DNS server that `syncer names --resolve` asks for its names. Default: the system's."""

    @property
    def kind(self) -> Kind:
        """What kind of registry the target is."""
        if self.target == "consul":
            return "consul"
        system, _, rest = self.target.partition("/")
        if rest and system == "route53":
            return "route53"
        return "elb" if rest and system == "elb" else "namespace"

    @property
    def place(self) -> str:
        """The zone or the Region of the target; else the target as it is written.

        A zone's name is in lower case and has no final dot.
        """
        if self.kind not in {"route53", "elb"}:
            return self.target
        rest = self.target.partition("/")[2]
        return rest if self.kind == "elb" or _ZONE_ID.fullmatch(rest) else rest.lower().removesuffix(".")

    @property
    def zone_name(self) -> str:
        """The name of the hosted zone; empty for other targets, and where the zone is known by its id alone."""
        return "" if self.kind != "route53" or _ZONE_ID.fullmatch(self.place) else self.place

    @property
    def ttl_seconds(self) -> int:
        """The TTL in force."""
        return _TTL.get(self.kind, 15) if self.ttl is None else self.ttl

    def account(self, aws: Aws) -> Account:
        """Return with whose rights a hosted zone or target groups are written."""
        return Account(
            region=self.place if self.kind == "elb" else aws.region,
            profile=aws.profile,
            role_arn=self.role_arn or aws.role_arn,
            external_id=self.external_id or aws.external_id,
        )

    @override
    def rules(self, route: str, owner: str, source: str, target: str, carrier: Carrier) -> RouteRules:
        """Return the core's rules for the route *route* from registry *source* to registry *target*."""
        rules = super().rules(route, owner, source, target, carrier)
        usual = Unhealthy.MARK if self.kind == "consul" else Unhealthy.WITHDRAW
        records = ("A",) if self.records is None else self.records
        return replace(
            rules,
            unhealthy=self.unhealthy or usual,
            address=self.address or Address.PRIVATE,
            records=frozenset(records if self.kind == "namespace" else ()),
            ttl=self.ttl_seconds,
        )

    @override
    def problems(self) -> Iterator[Problem]:
        """A zone or a Region must be one, and each kind of target has keys that say nothing about it."""
        yield from super().problems()
        if self.zone_name and not _ZONE_NAME.fullmatch(self.zone_name):
            advice = "write its name or its id, such as route53/example.com"
            yield Problem(("target",), f"names no hosted zone: {self.place}", advice)
        if self.kind == "elb" and not _REGION.fullmatch(self.place):
            advice = "write a Region's code, such as elb/eu-central-1"
            yield Problem(("target",), f"names no Region: {self.place}", advice)
        title = {
            "consul": "Consul",
            "namespace": "a namespace",
            "route53": "a hosted zone",
            "elb": "target groups",
        }
        foreign = _FOREIGN[self.kind]
        for key in sorted(foreign & self.model_fields_set):
            if getattr(self, key) != type(self).model_fields[key].default:
                elsewhere = self.kind == "namespace" and key in {"role_arn", "external_id", "dns_resolver"}
                advice = "write it under namespaces" if elsewhere else "leave it out"
                yield Problem((key,), f"has no meaning for {title[self.kind]}", advice, (("target",),))
        if self.unhealthy is Unhealthy.MARK and self.kind in {"route53", "elb"}:
            yield Problem(
                ("unhealthy",),
                f"is mark, which {title[self.kind]} cannot show",
                "leave it out, or write withdraw",
                (("target",),),
            )
        if self.records and "CNAME" in self.records and "records" not in foreign:
            yield Problem(("records",), "has CNAME, which no task can fill", "write A, AAAA or SRV")
        if self.external_id and not self.role_arn and "external_id" not in foreign:
            yield Problem(
                ("external_id",), "stands without role_arn", "write role_arn, too", about=(("role_arn",),)
            )


@dataclass(frozen=True, slots=True)
class Resolved:
    """A route with what the rest of the settings say about its ends."""

    route: Route
    place: str
    """The namespace's label, the zone or the Region; ``consul``."""

    @property
    def id(self) -> str:
        """What the route is called: unique, and fit for a command line."""
        return f"{self.route.source}->{self.target}"

    @property
    def target(self) -> str:
        """What the target is called: as the settings write it, a namespace by its label."""
        return f"{self.route.kind}/{self.place}" if self.route.kind in {"route53", "elb"} else self.place
