"""What is carried from one side to the other: the same settings for both directions, with a few of each."""

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from syncer.core.carrier import Carrier
from syncer.core.filters import Filter
from syncer.core.names import Naming
from syncer.core.rules import Address, RouteRules, SameName, Unhealthy
from syncer.settings.base import Model, Problem, Switch
from syncer.settings.texts import Glob
from syncer.settings.types import DAY, Shape, Span

Record = Literal["A", "AAAA", "SRV", "CNAME"]
NamePart = Annotated[
    str, Shape(r"[A-Za-z0-9_.-]{0,63}", "cannot be part of a name", "write at most 63 of A-Z a-z 0-9 - _ .")
]
ServiceName = Annotated[
    str, Shape(r"[!-~]{1,127}", "is no service's name", "write 1 to 127 characters without blanks")
]
SourceName = Annotated[
    str, Shape(r"[\s\S]+", "is no service's name", "write the name that the service has in the source")
]
"""Whatever a source calls a service: one that the target cannot take is just what is to be renamed."""
Text = Annotated[str, Field(min_length=1)]


class Carrying(Model):
    """What is carried, under which names, and with what added."""

    include: tuple[Glob, ...] = Field(default=(), examples=[["web-*", "api"]])
    """Names of services (in the source) that are carried, as globs. Nothing written: all."""
    exclude: tuple[Glob, ...] = Field(default=(), examples=[["*-test"]])
    """Names of services (in the source) that are not carried, as globs; wins over every include."""
    include_tags: tuple[Glob, ...] = Field(default=(), examples=[["public"]])
    """An instance is carried only if one of its tags matches one of these globs. Nothing written: all."""
    exclude_tags: tuple[Glob, ...] = Field(default=(), examples=[["canary"]])
    """An instance is not carried if one of its tags matches one of these globs."""
    include_attributes: dict[Text, Glob] = Field(default={}, examples=[{"env": "prod*"}])
    """An instance is carried only if each of these attributes (service meta in Consul) is there and matches its
    glob."""
    exclude_attributes: dict[Text, Glob] = Field(default={}, examples=[{"sync": "no"}])
    """An instance is not carried if one of these attributes (service meta in Consul) matches its glob."""
    prefix: NamePart = Field(default="", examples=["aws-"])
    """Put before each name. Default: names are carried unchanged."""
    suffix: NamePart = Field(default="", examples=["-dc1"])
    """Put behind each name. Default: names are carried unchanged."""
    rename: dict[SourceName, ServiceName] = Field(default={}, examples=[{"legacy_api": "api"}])
    """Name in the source, whatever it is, to name in the target; prefix and suffix do not count for these. No two may
    lead to one name."""
    tags: tuple[Text, ...] = Field(default=(), examples=[["from-sync"]])
    """Tags that every carried instance gets beside its own."""
    attributes: dict[Text, str] = Field(default={}, examples=[{"datacenter": "dc1"}])
    """Attributes (service meta in Consul) that every carried instance gets; they replace its own of the same name."""
    keep_last: bool = True
    """Whether the last instance of a service stays although it is unhealthy: some answer may be better than none, and
    a broken check must not empty a name."""
    same_name: SameName = SameName.MERGE
    """Where the target has instances of its own under the name: `merge` puts ours beside them, `skip` leaves the
    service alone."""
    transit: bool = False
    """Whether what another syncer wrote is carried on. Loops are recognised by the registries that an entry has
    passed; still, leave it off unless two syncers form a chain on purpose."""

    def filter(self) -> Filter:
        """Return what is taken."""
        return Filter(
            self.include,
            self.exclude,
            self.include_tags,
            self.exclude_tags,
            MappingProxyType(dict(self.include_attributes)),
            MappingProxyType(dict(self.exclude_attributes)),
        )

    def naming(self) -> Naming:
        """Return how names are changed."""
        return Naming(self.prefix, self.suffix, MappingProxyType(dict(self.rename)))

    def rules(self, route: str, owner: str, source: str, target: str, carrier: Carrier) -> RouteRules:
        """Return the core's rules for the route *route* from registry *source* to registry *target*."""
        return RouteRules(
            id=route,
            owner=owner,
            source=source,
            target=target,
            carrier=carrier,
            naming=self.naming(),
            filter=self.filter(),
            extra_tags=self.tags,
            extra_attributes=MappingProxyType(dict(self.attributes)),
            keep_last=self.keep_last,
            same_name=self.same_name,
            transit=self.transit,
            records=frozenset(),
        )

    @override
    def problems(self) -> Iterator[Problem]:
        """Rename tables must be reversible, and a filter must let something through."""
        for problem in self.naming().problems():
            yield Problem(("rename",), problem, "write another name for one of them")
        if "*" in self.exclude:
            yield Problem(
                ("exclude",), "excludes every service", "write enabled: false, or name what is excluded"
            )
        for glob in sorted(set(self.include) & set(self.exclude) - {"*"}):
            yield Problem(
                ("include",),
                f"names {glob!r}, which exclude names too, and exclude wins",
                "keep it in one of the two",
                about=(("exclude",),),
            )


class Direction(Carrying, Switch):
    """One direction. `true` and `false` are short for the key `enabled`."""

    enabled: bool = True
    """Whether anything is carried in this direction. Turning it off leaves in place what was carried before."""
    unhealthy: Unhealthy

    @override
    def rules(self, route: str, owner: str, source: str, target: str, carrier: Carrier) -> RouteRules:
        """Return the core's rules for the route *route* from registry *source* to registry *target*."""
        rules = super().rules(route, owner, source, target, carrier)
        return replace(rules, unhealthy=self.unhealthy)


class ConsulToCloudMap(Direction):
    """From Consul into Cloud Map. `true` and `false` are short for the key `enabled`."""

    unhealthy: Unhealthy = Unhealthy.WITHDRAW
    """What becomes of a critical instance: `withdraw` takes it out of Cloud Map, as Consul's own DNS leaves it out;
    `mark` keeps it there as UNHEALTHY, which takes about 30 s to show and lasts only while others are healthy."""
    records: tuple[Record, ...] = Field(default=("A",), examples=[["A", "SRV"]])
    """DNS records of the services that are created: any of A, AAAA and SRV, or CNAME alone; `[]` makes services that
    only the API finds. With A the plain name answers. Every instance must be able to fill all of them. Cannot be
    changed for services that exist. Does not count in an HTTP namespace."""
    ttl: Annotated[int, Span(least=0, most=DAY, whole=True)] = 15
    """How long resolvers may keep an answer, in whole seconds."""
    address: Address = Address.PRIVATE
    """Which address is carried: `private`, or `public` (`wan` among Consul's tagged addresses). Instances without the
    one that is chosen are skipped."""

    @override
    def rules(self, route: str, owner: str, source: str, target: str, carrier: Carrier) -> RouteRules:
        """Return the core's rules for the route *route* from registry *source* to registry *target*."""
        rules = super().rules(route, owner, source, target, carrier)
        return replace(rules, records=frozenset(self.records), ttl=self.ttl, address=self.address)

    @override
    def problems(self) -> Iterator[Problem]:
        """CNAME goes with no other record."""
        yield from super().problems()
        if "CNAME" in self.records and len(self.records) > 1:
            yield Problem(
                ("records",),
                "has CNAME beside others, which DNS does not allow",
                "write [CNAME], or leave it out",
            )


class CloudMapToConsul(Direction):
    """From Cloud Map into Consul. `true` and `false` are short for the key `enabled`."""

    unhealthy: Unhealthy = Unhealthy.MARK
    """What becomes of an UNHEALTHY instance: `mark` carries it with a critical check, so that Consul's DNS leaves it
    out and its web page shows it; `withdraw` takes it out of Consul."""
