"""The settings as places and links of names."""

from collections.abc import Iterator

from syncer.app.naming import Link, Place, cloudmap_place, consul_place, nameless_place, zone_place
from syncer.app.routes import CONSUL, Planned, active, namespace_key, planned
from syncer.core.names import Naming
from syncer.settings import Settings
from syncer.settings.texts import split_address
from syncer.systems.route53.names import plain, within

_DNS_PORT = 53
_TITLES = {"ecs": "ECS", "elb": "Target groups", "route53": "Route 53"}


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
        records = frozenset[str](section.consul_to_cloudmap.records)
        resolver = split_address(section.dns_resolver, _DNS_PORT) if section.dns_resolver else None
        found.append(cloudmap_place(label, section.name or label, records, resolver))
    known = {CONSUL, *map(namespace_key, settings.labels())}
    others = {key: None for route in planned(settings) for key in (route.source, route.target)}
    found.extend(_other(key) for key in others if key not in known)
    return tuple(found)


def links(settings: Settings) -> tuple[Link, ...]:
    """Return every route that is on."""
    return tuple(_links(settings))


def _links(settings: Settings) -> Iterator[Link]:
    for route in active(settings):
        yield Link(route.source, route.target, _naming(settings, route))


def _naming(settings: Settings, route: Planned) -> Naming:
    naming, zone = route.section.naming(), _zone(route.target)
    return within(naming, zone) if zone and settings.has_plain_names(route.source) else naming


def _other(key: str) -> Place:
    zone = _zone(key)
    system, _, rest = key.partition("/")
    return zone_place(key, zone) if zone else nameless_place(key, f"{_TITLES[system]} {rest}")


def _zone(key: str) -> str:
    """Return the name of the hosted zone *key*; empty for what is none, and where the settings give its id alone."""
    system, _, rest = key.partition("/")
    return plain(rest) if system == "route53" and "." in rest else ""
