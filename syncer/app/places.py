"""The settings as places and links of names."""

from collections.abc import Iterator

from syncer.app.kinds import (
    cloudmap_place,
    consul_place,
    groups_place,
    http_place,
    unnamed_namespace_place,
    unnamed_zone_place,
    view_place,
    zone_place,
)
from syncer.app.naming import Link, Place, Server
from syncer.app.routes import CONSUL, Planned, active, namespace_key, planned
from syncer.core.names import Naming
from syncer.core.rules import Address
from syncer.settings import Settings
from syncer.settings.directions import ConsulToCloudMap
from syncer.settings.namespaces import Namespace
from syncer.settings.routes import Route
from syncer.settings.texts import split_address
from syncer.systems.route53.names import within

_DNS_PORT = 53


def places(settings: Settings, datacenter: str = "") -> tuple[Place, ...]:
    """Return Consul, every namespace, and what else routes begin or end in.

    *datacenter* is the agent's own, where the settings name none.
    """
    consul = settings.consul
    found: list[Place] = []
    if settings.uses_consul:
        where = consul.dns_domain(datacenter or consul.datacenter or "dc1")
        found.append(consul_place(where, consul.dns_server))
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        found.append(_namespace(label, section))
    known = {CONSUL, *map(namespace_key, settings.labels())}
    others = {key: None for route in planned(settings) for key in (route.source, route.target)}
    routes = {f"{route.kind}/{route.place}": route for route in settings.routes}
    found.extend(_other(key, routes.get(key)) for key in others if key not in known)
    return tuple(found)


def _namespace(label: str, section: Namespace) -> Place:
    if section.name is None:
        return unnamed_namespace_place(label)
    if _type(section) == "http":
        return http_place(label, section.name)
    records = frozenset[str](section.consul_to_cloudmap.records)
    return cloudmap_place(label, section.name, records, _server(section.dns_resolver))


def _type(section: Namespace) -> str:
    """Return the namespace's type, as far as the settings say it."""
    return section.type or (section.create.type if section.create else "")


def links(settings: Settings) -> tuple[Link, ...]:
    """Return every route that is on."""
    return tuple(_links(settings))


def _links(settings: Settings) -> Iterator[Link]:
    for route in active(settings):
        yield Link(route.source, route.target, _naming(settings, route), _public(settings, route))


def _public(settings: Settings, route: Planned) -> bool:
    """Whether public addresses are carried, as far as the settings say: zones count as public ones."""
    section = route.section
    if isinstance(section, Route) and section.address is None:
        types = dict(zip(map(namespace_key, settings.labels()), map(_type, settings.namespaces), strict=True))
        return section.kind == "route53" or types.get(route.target) in {"public", "http"}
    return isinstance(section, Route | ConsulToCloudMap) and section.address is Address.PUBLIC


def _naming(settings: Settings, route: Planned) -> Naming:
    section, naming = route.section, route.section.naming()
    zone = section.zone_name if isinstance(section, Route) else ""
    return within(naming, zone) if zone and settings.has_plain_names(route.source) else naming


def _other(key: str, route: Route | None) -> Place:
    """Return the place *key*, which is no namespace; *route* is one that leads there."""
    system, _, rest = key.partition("/")
    if system == "ecs":
        return view_place(key)
    if system == "elb":
        return groups_place(key, rest)
    if route is None or not route.zone_name:
        return unnamed_zone_place(key, rest)
    return zone_place(key, route.zone_name, _server(route.dns_resolver))


def _server(written: str | None) -> Server | None:
    return split_address(written, _DNS_PORT) if written else None
