"""The settings as a whole."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field
from typing_extensions import override

from syncer.settings.aws import Aws
from syncer.settings.base import Model, Problem
from syncer.settings.consul import Consul
from syncer.settings.crossing import route_problems, views
from syncer.settings.directions import CloudMapToConsul, ConsulToCloudMap
from syncer.settings.ecs import EcsSource
from syncer.settings.lease import Lease
from syncer.settings.namespaces import Namespace
from syncer.settings.routes import Resolved, Route
from syncer.settings.service import Guard, Http, Intervals, Log
from syncer.settings.types import Shape, wrong

Owner = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?",
        "is no owner id",
        "write at most 63 of A-Z a-z 0-9 . _ -, such as vpc-prod",
    ),
]

_CONSUL = "consul"
"""What routes call Consul, so that no namespace is called so there."""


def _some(value: tuple[Namespace, ...]) -> tuple[Namespace, ...]:
    if not value:
        raise wrong(
            "is empty",
            "write at least one, such as - name: corp.internal, or leave the key out beside routes",
        )
    return value


class Defaults(Model):
    """What every namespace's directions begin with.

    A namespace's own keys come before these, key by key: mappings (`rename`, `attributes` and so on) are joined,
    lists are replaced.
    """

    consul_to_cloudmap: ConsulToCloudMap = ConsulToCloudMap()
    """From Consul into Cloud Map."""
    cloudmap_to_consul: CloudMapToConsul = CloudMapToConsul()
    """From Cloud Map into Consul."""


class Settings(Model):
    """The settings of consul-cloudmap-sync."""

    owner: Owner = Field(examples=["vpc-prod"])
    """The id of this installation, written on everything that it registers. Unique among all that write to the same
    registries; replicas share it. Never change it while something is registered: what carries the old one would be
    somebody else's."""
    consul: Consul = Consul()
    aws: Aws = Aws()
    defaults: Defaults = Defaults()
    namespaces: Annotated[tuple[Namespace, ...], AfterValidator(_some)] = Field(
        default=(), examples=[[{"name": "corp.internal"}]], json_schema_extra={"minItems": 1}
    )
    """The Cloud Map namespaces to keep in step with Consul. At least one, unless there are `routes`."""
    ecs: tuple[EcsSource, ...] = Field(default=(), examples=[[{"name": "prod"}]])
    """ECS clusters whose tasks are a source. Where they are written, `routes` say."""
    routes: tuple[Route, ...] = Field(default=(), examples=[[{"source": "ecs/prod", "target": "consul"}]])
    """From ECS into Consul, namespaces, hosted zones and target groups."""
    guard: Guard = Guard()
    intervals: Intervals = Intervals()
    lease: Lease = Lease()
    http: Http = Http()
    log: Log = Log()

    @property
    def uses_consul(self) -> bool:
        """Whether Consul is needed: for a direction, a route, or leases."""
        sides = (
            side for item in self.namespaces for side in (item.consul_to_cloudmap, item.cloudmap_to_consul)
        )
        into = (route.enabled and route.kind == "consul" for route in self.routes)
        return self.lease.enabled or any(side.enabled for side in sides) or any(into)

    def has_plain_names(self, source: str) -> bool:
        """Whether the view that routes call *source* names services plainly, not by whole domain names."""
        view = views(self.ecs).get(source)
        return view is not None and view.dialect == "plain"

    def resolved_routes(self) -> tuple[Resolved, ...]:
        """Return the routes from ECS, each with the label of its namespace; those of no namespace are left out."""
        found = ((route, self._place(route)) for route in self.routes)
        return tuple(Resolved(route, place) for route, place in found if place is not None)

    def _place(self, route: Route) -> str | None:
        if route.kind != "namespace":
            return route.place
        wanted = route.target.lower()
        if wanted == _CONSUL:
            return None
        named = zip(self.labels(), self.namespaces, strict=True)
        names = {
            label: {label.lower(), item.known_as.lower(), (item.id or "").lower()} for label, item in named
        }
        found = [label for label, known in names.items() if wanted in known]
        exact = [label for label in found if label.lower() == wanted]
        return next(iter(exact or found), None) if len(exact or found) == 1 else None

    def labels(self) -> tuple[str, ...]:
        """Return a name for each namespace, in their order: unique, fit for a command line, the same at each start.

        It is the namespace's own name or id, with what tells it apart from others of that name behind it, or from
        Consul: ``consul@cloudmap``.
        """
        known = [(item.known_as.lower(), *self._traits(item)) for item in self.namespaces]
        return tuple(_label(self.namespaces[i].known_as, traits, known) for i, traits in enumerate(known))

    def _traits(self, item: Namespace) -> tuple[str, str, str]:
        account = item.account(self.aws)
        number = (account.role_arn or "").split(":")[4:5]
        return (item.type or (item.create.type if item.create else ""), account.region or "", "".join(number))

    @override
    def problems(self) -> Iterator[Problem]:
        """No namespace stands there twice, and routes have both their ends."""
        if not self.namespaces and not self.routes:
            yield Problem(
                ("namespaces",),
                "is missing",
                "write namespaces: [{name: corp.internal}], or ecs and routes",
                (("routes",),),
            )
        yield from route_problems(self)
        known = [(item.known_as.lower(), *self._traits(item)) for item in self.namespaces]
        for i, own in enumerate(known):
            first = next((n for n in range(i) if _same(known[n], own)), None)
            if first is not None:
                keys = ("name", "id", "type", "region", "role_arn", "create")
                yield Problem(
                    ("namespaces", i),
                    f"may be the same as namespaces[{first}]",
                    "keep one, or write in both the type, region or role_arn that tells them apart",
                    tuple(("namespaces", n, key) for n in (first, i) for key in keys),
                )


def _same(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> bool:
    """Whether two namespaces cannot be told apart: a type tells only where both have one."""
    types = {one[1], other[1]}
    return (one[0], *one[2:]) == (other[0], *other[2:]) and (len(types) == 1 or "" in types)


def _label(name: str, own: tuple[str, ...], known: Sequence[tuple[str, ...]]) -> str:
    same = [traits for traits in known if traits[0] == own[0]]
    for i in range(1, len(own)):
        if len({traits[i] for traits in same}) > 1 and own[i]:
            name += f"@{own[i]}"
    return f"{name}@cloudmap" if name.lower() == _CONSUL else name
