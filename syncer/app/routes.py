"""The routes that the settings describe, and the places between which they lead, without asking any registry.

A place's key is ``consul``, ``cloudmap/<label of the namespace>``, ``ecs/<source>``, ``ecs/<source>/<view>``,
``route53/<zone>`` or ``elb/<region>``, as the settings name it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from syncer.settings import Settings
from syncer.settings.directions import Direction
from syncer.settings.routes import Resolved, Route

CONSUL: Final = "consul"


def namespace_key(label: str) -> str:
    """Return the key of the namespace with that label."""
    return f"cloudmap/{label}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A route that the settings describe."""

    id: str
    """What it is called: unique, and fit for a command line."""
    source: str
    """The key of the place where it begins."""
    target: str
    section: Direction | Route
    """What the settings say of it."""

    @property
    def undecided(self) -> bool:
        """Whether which address is carried is left to the kind of target."""
        return isinstance(self.section, Route) and self.section.address is None


def planned(settings: Settings) -> tuple[Planned, ...]:
    """Return all routes, those that are turned off included."""
    found: list[Planned] = []
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        key = namespace_key(label)
        found.append(Planned(f"consul->{label}", CONSUL, key, section.consul_to_cloudmap))
        found.append(Planned(f"{label}->consul", key, CONSUL, section.cloudmap_to_consul))
    found.extend(
        Planned(item.id, item.route.source, _key(item), item.route) for item in settings.resolved_routes()
    )
    return tuple(found)


def _key(item: Resolved) -> str:
    return namespace_key(item.place) if item.route.kind == "namespace" else item.target


def active(settings: Settings) -> tuple[Planned, ...]:
    """Return the routes that are on."""
    return tuple(route for route in planned(settings) if route.section.enabled)


def route_names(settings: Settings, *, disabled: bool = False) -> tuple[str, ...]:
    """Return the ids of all routes that are on; with *disabled* those that are turned off, too."""
    return tuple(route.id for route in (planned if disabled else active)(settings))


def source_of(key: str) -> str:
    """Return the key of the ECS source that the view *key* belongs to; other keys as they are."""
    return "/".join(key.split("/")[:2]) if key.startswith("ecs/") else key


@dataclass(frozen=True, slots=True)
class Group:
    """Places that one replica works on, and whose lease it holds for that."""

    members: tuple[str, ...]
    """Keys, sorted; ECS sources without their views."""

    @property
    def label(self) -> str:
        """What it is called in front of a person; a namespace alone by its own label."""
        return " + ".join(key.removeprefix("cloudmap/") for key in self.members)

    @property
    def sources(self) -> tuple[str, ...]:
        """The ECS sources in it."""
        return tuple(key for key in self.members if key.startswith("ecs/"))


def groups(settings: Settings) -> Mapping[str, Group]:
    """Return, for each place but Consul, the group that it belongs to.

    Each namespace is a group of its own, unless tasks are written into it: the replica that takes the events of an
    ECS source must be the one that writes all that follows from them.
    """
    members: dict[str, set[str]] = {}
    for route in planned(settings):
        ends = {source_of(key) for key in (route.source, route.target) if key != CONSUL}
        joined = ends.union(*(members.get(key, set()) for key in ends))
        members.update(dict.fromkeys(joined, joined))
    return {key: Group(tuple(sorted(found))) for key, found in members.items()}
