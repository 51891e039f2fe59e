"""A small world to look at: routes whose mirrors hold what the test puts there, and reports as the engine makes them."""

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.errors import SyncError
from syncer.core.model import Complete, Conflict, Health, Instance, Mark, Read, ServiceInfo, Skip
from syncer.core.names import Naming
from syncer.core.plan import Change, Deregister, Register, ServicePlan
from syncer.core.ports import Ending, Outcome
from syncer.core.report import ChangeReport, PassReport
from syncer.core.rules import RouteRules
from syncer.observe.views import Side, Watched

ANYTHING = re.compile(".*", re.DOTALL)
CARRIER = Carrier(lambda _: None, AttributeLimits(30, ANYTHING, 255, ANYTHING, 1024))
OUT = "consul->corp.internal"
BACK = "corp.internal->consul"
A_RECORDS = ServiceInfo("srv-1", "prod", frozenset({"A"}), 15)


@dataclass
class Registry:
    """What was last read of one registry."""

    id: str
    reads: dict[str, Read] = field(default_factory=dict)
    ready: bool = True

    def peek(self) -> Mapping[str, Read]:
        """Return all reads."""
        return dict(self.reads)


@dataclass
class Route:
    """A route between two such registries."""

    rules: RouteRules
    source: Registry
    target: Registry
    last_pass: float | None = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The route's id."""
        return self.rules.id


class Scene:
    """Consul and the namespace corp.internal, with a route each way; owner ``prod``."""

    def __init__(self, *, prefix: str = "") -> None:
        self.consul = Registry("consul/dc1")
        self.cloudmap = Registry("cloudmap/ns-1")
        out = RouteRules(OUT, "prod", self.consul.id, self.cloudmap.id, CARRIER, Naming(prefix))
        back = RouteRules(BACK, "prod", self.cloudmap.id, self.consul.id, CARRIER, Naming())
        self.out = Route(out, self.consul, self.cloudmap)
        self.back = Route(back, self.cloudmap, self.consul)
        self.sides = {
            self.consul.id: Side("Consul dc1", "service.consul"),
            self.cloudmap.id: Side("corp.internal", "corp.internal"),
        }
        self.routes = [self.out, self.back]

    def watched(self) -> list[Watched]:
        """Return the routes as the page is given them."""
        return [
            Watched(route, self.sides[route.source.id], self.sides[route.target.id]) for route in self.routes
        ]

    def carry(
        self, service: str, *instances: Instance, route: Route | None = None, info: ServiceInfo | None = None
    ) -> None:
        """Put *instances* where *route* would have put them."""
        route = route or self.out
        name = route.rules.naming.forward(service) or service
        route.source.reads.setdefault(service, Complete(service, ()))
        default = A_RECORDS if route is self.out else None
        route.target.reads[name] = Complete(name, instances, info or default)


def ours(
    service: str,
    id: str,  # noqa: A002 - the model's own word
    ipv4: str = "10.0.0.1",
    *,
    port: int | None = 80,
    origin: str = "consul/dc1",
    owner: str = "prod",
    health: Health = Health.PASSING,
    tags: tuple[str, ...] = (),
    attributes: Mapping[str, str] = MappingProxyType({}),
) -> Instance:
    """Return an instance that carries our mark."""
    return Instance(
        service,
        id,
        ipv4,
        port=port,
        health=health,
        tags=tags,
        attributes=attributes,
        mark=Mark(owner, origin, service, f"{id}-origin"),
    )


def passed(
    *plans: ServicePlan,
    route: str = OUT,
    full: bool = False,
    submitted: Mapping[str, int] = MappingProxyType({}),
    errors: tuple[str, ...] = (),
    untranslated: tuple[Skip | Conflict, ...] = (),
    owned: int = 0,
    offered: int = 0,
    waiting: int = 0,
) -> PassReport:
    """Return the report of a pass."""
    return PassReport(
        route, full, 0.012, plans, dict(submitted), waiting, untranslated, errors, owned, offered
    )


def ended(
    change: Change,
    ending: Ending = Ending.DONE,
    error: SyncError | None = None,
    *,
    route: str = OUT,
    source: str | None = None,
    seconds: float = 0.025,
) -> ChangeReport:
    """Return the report of a change that ended."""
    return ChangeReport(route, Outcome(change, ending, error), source or change.service, seconds)


def registered(service: str, *ids: str) -> Iterable[ChangeReport]:
    """Return the reports of registrations that arrived."""
    return [ended(Register(ours(service, id))) for id in ids]  # noqa: A001 - the model's own word


def held_plan(service: str, count: int, reason: str = "") -> ServicePlan:
    """Return a plan with *count* removals held."""
    removals = tuple(Deregister(ours(service, f"i-{number}", f"10.9.0.{number}")) for number in range(count))
    reason = (
        reason
        or f"service {service}: {count} of {count} would be removed; 10 may be at once (30 %, at least 10)"
    )
    return ServicePlan(service, service, held=removals, hold=reason, owned=count)
