"""What must fit between ECS sources, their views, namespaces and routes."""

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from syncer.settings.base import Problem
from syncer.settings.ecs import EcsSource, EcsView
from syncer.settings.routes import Resolved, Route

_DIALECTS = {
    "hosted-zone-tags": "route53",
    "public-discovery": "route53",
    "target-group-tags": "elb",
}
_TARGETS_OWN = {
    "ttl": "ttl_seconds",
    "take_over": "take_over",
    "role_arn": "role_arn",
    "external_id": "external_id",
    "dns_resolver": "dns_resolver",
}
"""What routes with one target must agree on, by key; what is left out counts as its default."""
_GROUP = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:([a-z0-9-]+):[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+"
)
_TITLES = {"route53": "route53/<zone>", "elb": "elb/<region>"}


class Sections(Protocol):
    """The sections that are looked at."""

    @property
    def ecs(self) -> tuple[EcsSource, ...]:
        """The sources."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes from them."""

    def labels(self) -> tuple[str, ...]:
        """The labels of the namespaces."""

    def resolved_routes(self) -> tuple[Resolved, ...]:
        """Those routes whose target is known."""


def views(sources: Sequence[EcsSource]) -> dict[str, EcsView]:
    """Return all views by what routes call them; without any written, a source has the plain one."""
    found: dict[str, EcsView] = {}
    for source in sources:
        for name, view in source.views.items() or (("plain", EcsView()),):
            found[f"ecs/{source.name}" + ("" if name == "plain" else f"/{name}")] = view
    return found


def route_problems(settings: Sections) -> Iterator[Problem]:
    """Yield what does not fit; see the texts."""
    yield from _sources(settings)
    known = views(settings.ecs)
    resolved = {id(item.route): item for item in settings.resolved_routes()}
    first: dict[tuple[str, str], int] = {}
    for i, route in enumerate(settings.routes):
        here = ("routes", i)
        view = known.get(route.source)
        if view is None:
            yield Problem(
                (*here, "source"), f"names no view: {route.source}", _among(list(known)), (("ecs",),)
            )
        found = resolved.get(id(route))
        if found is None:
            yield _unknown((*here, "target"), route.target, settings.labels())
            continue
        ends = (route.source, found.target)
        if ends in first:
            yield Problem(
                here,
                f"has the ends of routes[{first[ends]}]",
                "write a view of its own under ecs for it: an entry is known by the view that it comes from",
                tuple(("routes", n, key) for n in (first[ends], i) for key in ("source", "target")),
            )
        first.setdefault(ends, i)
        if view is not None:
            yield from _fitting(here, route, view)
    yield from _agreeing(settings)


def _unknown(path: tuple[str, int, str], target: str, labels: Sequence[str]) -> Problem:
    """Return what to say of a target that is no single namespace."""
    several = [label for label in labels if label.lower().startswith(f"{target.lower()}@")]
    if len(several) < 2:
        known = ["consul", *labels, *_TITLES.values()]
        return Problem(path, f"names no namespace: {target}", _among(known), (("namespaces",),))
    problem, advice = f"names {len(several)} namespaces", _among(several)
    return Problem(path, problem, advice, (("namespaces",),))


def _sources(settings: Sections) -> Iterator[Problem]:
    names = [source.name.lower() for source in settings.ecs]
    queues = [source.queue for source in settings.ecs]
    used = {route.source.split("/")[1].lower() for route in settings.routes}
    for i, name in enumerate(names):
        if name in names[:i]:
            yield Problem(
                ("ecs", i, "name"),
                f"is that of ecs[{names.index(name)}], too",
                "write another",
                (("ecs", names.index(name), "name"),),
            )
        first = queues.index(queues[i])
        if queues[i] is not None and first < i:
            yield Problem(
                ("ecs", i, "queue"),
                f"is that of ecs[{first}], too, and an event that one of them takes is lost to the other",
                "make a queue for each",
                (("ecs", first, "queue"),),
            )
        if name not in used:
            yield Problem(
                ("ecs", i),
                "is the source of no route",
                f"write one under routes, such as - {{source: ecs/{settings.ecs[i].name}, target: consul}}",
                (("routes",), ("ecs", i, "name")),
            )


def _fitting(here: tuple[str, int], route: Route, view: EcsView) -> Iterator[Problem]:
    """Yield where a view and a kind of target do not go together."""
    needed = _DIALECTS.get(view.dialect)
    if needed is not None and needed != route.kind:
        yield Problem(
            (*here, "target"),
            f"does not take the dialect {view.dialect}",
            f"write {_TITLES[needed]}, or a view with the dialect plain as the source",
            ((*here, "source"), ("ecs",)),
        )
    zone = route.zone_name
    names = (view.zone or "").lower().removesuffix(".")
    strange = ""
    if route.kind == "route53" and not zone and view.zone_id and route.place != view.zone_id:
        strange = view.zone_id
    within = f".{names}".endswith(f".{zone}") or f".{zone}".endswith(f".{names}")
    if zone and names and not within:
        strange = names
    if strange:
        yield Problem(
            (*here, "target"),
            f"is another zone than the view's, {strange}",
            f"write route53/{strange}",
            ((*here, "source"), ("ecs",)),
        )
    if route.kind == "elb" and view.dialect == "plain":
        yield from _groups(here, route)


def _groups(here: tuple[str, int], route: Route) -> Iterator[Problem]:
    """Yield what is wrong with the target groups of a view that does not name them itself."""
    if not route.rename:
        advice = "write the ARN of the target group for each service, such as {web: arn:aws:elasticloadbalancing:...}"
        yield Problem(
            (*here, "rename"), "is missing", advice, ((*here, "target"), (*here, "source"), ("ecs",))
        )
    for name, arn in route.rename.items():
        group = _GROUP.fullmatch(arn)
        if group is None or group[1] != route.place:
            yield Problem(
                (*here, "rename", name),
                f"is no target group of {route.place}",
                "write the whole ARN of a target group of that Region",
                ((*here, "target"),),
            )


def _agreeing(settings: Sections) -> Iterator[Problem]:
    """Yield where routes into one zone, or the groups of one Region, differ in what is the target's own."""
    seen: dict[str, int] = {}
    for i, route in enumerate(settings.routes):
        if route.kind not in _TITLES:
            continue
        before = seen.setdefault(f"{route.kind}/{route.place}", i)
        for key, name in _TARGETS_OWN.items():
            if getattr(settings.routes[before], name) != getattr(route, name):
                yield Problem(
                    ("routes", i, key),
                    f"is not that of routes[{before}], which has the same target",
                    "write the same in both",
                    (("routes", before, key), ("routes", before, "target"), ("routes", i, "target")),
                )


def _among(names: Sequence[str]) -> str:
    if not names:
        return "write a source under ecs"
    return f"write one of {', '.join(names)}" if len(names) > 1 else f"write {names[0]}"
