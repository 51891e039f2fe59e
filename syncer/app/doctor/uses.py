"""What the routes that are on make us use in AWS, with whose rights: what nothing leads to needs no right."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from syncer.app.routes import active, namespace_key, source_of
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.settings.crossing import views
from syncer.settings.ecs import EcsSource, EcsView
from syncer.settings.namespaces import Namespace
from syncer.settings.routes import Route

_GLOB: Final = frozenset("*?[")
_ZONE_ID: Final = re.compile(r"[A-Z0-9]{8,32}")
"""As :func:`syncer.systems.route53.zones.find_zone` tells an id from a name."""


@dataclass(frozen=True, slots=True)
class NamespaceUse:
    """A namespace of Cloud Map."""

    label: str
    account: Account
    section: Namespace
    written: bool
    """Whether anything is carried into it."""

    @property
    def key(self) -> str:
        """The key of its place."""
        return namespace_key(self.label)

    @property
    def dns(self) -> bool:
        """Whether it may have DNS, for all that the settings say."""
        create = self.section.create
        return "http" not in {self.section.type, create.type if create else None}


@dataclass(frozen=True, slots=True)
class SourceUse:
    """The ECS clusters of one source."""

    key: str
    account: Account
    section: EcsSource
    views: tuple[EcsView, ...]
    """Those that routes begin at."""

    @property
    def lists_clusters(self) -> bool:
        """Whether the clusters are looked for."""
        return any(map(is_glob, self.section.clusters))

    @property
    def service_tags(self) -> bool:
        """Whether the tags of ECS services are read."""
        return any(view.service_tags or view.dialect == "target-group-tags" for view in self.views)


@dataclass(frozen=True, slots=True)
class ZoneUse:
    """A hosted zone of Route 53."""

    key: str
    account: Account
    route: Route
    """One of those that lead there; all say the same of it."""

    @property
    def reference(self) -> str:
        """The zone's id or name."""
        return self.route.place

    @property
    def by_id(self) -> bool:
        """Whether it is known by its id, and not by its name."""
        return _ZONE_ID.fullmatch(self.reference) is not None


@dataclass(frozen=True, slots=True)
class GroupsUse:
    """The target groups of one Region that carry the tag of our owner."""

    key: str
    account: Account
    origins: tuple[str, ...]
    """The sources of all routes that lead there."""

    @property
    def region(self) -> str:
        """The Region."""
        return self.key.removeprefix("elb/")


Use = NamespaceUse | SourceUse | ZoneUse | GroupsUse
_Key = TypeVar("_Key", bound=Hashable)


def is_glob(cluster: str) -> bool:
    """Whether *cluster*, as the settings name it, stands for several."""
    return not _GLOB.isdisjoint(cluster)


def uses(settings: Settings) -> tuple[Use, ...]:
    """Return everything in AWS that is used: namespaces, sources, zones, target groups, each in the settings' order."""
    return (*_namespaces(settings), *_sources(settings), *_targets(settings))


def by(found: Iterable[Use], key: Callable[[Account], _Key]) -> dict[_Key, list[Use]]:
    """Return *found* by what *key* says of their accounts."""
    groups: dict[_Key, list[Use]] = {}
    for use in found:
        groups.setdefault(key(use.account), []).append(use)
    return groups


def _namespaces(settings: Settings) -> Iterator[NamespaceUse]:
    routes = active(settings)
    used = {key for route in routes for key in (route.source, route.target)}
    written = {route.target for route in routes}
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        key = namespace_key(label)
        if key in used:
            yield NamespaceUse(label, section.account(settings.aws), section, key in written)


def _sources(settings: Settings) -> Iterator[SourceUse]:
    known = views(settings.ecs)
    used = dict.fromkeys(route.source for route in active(settings) if route.source in known)
    for section in settings.ecs:
        key = f"ecs/{section.name}"
        chosen = tuple(known[source] for source in used if source_of(source) == key)
        if chosen:
            yield SourceUse(key, section.account(settings.aws), section, chosen)


def _targets(settings: Settings) -> Iterator[ZoneUse | GroupsUse]:
    by_target: dict[str, list[Route]] = {}
    for planned in active(settings):
        if isinstance(planned.section, Route) and planned.section.kind in {"route53", "elb"}:
            by_target.setdefault(planned.target, []).append(planned.section)
    for key, routes in by_target.items():
        account = routes[0].account(settings.aws)
        if routes[0].kind == "route53":
            yield ZoneUse(key, account, routes[0])
        else:
            yield GroupsUse(key, account, tuple(sorted({route.source for route in routes})))
