"""The settings as places and links of names."""

from syncer.app.naming import Link, Place, cloudmap_place, consul_place
from syncer.settings import Settings
from syncer.settings.texts import split_address

_DNS_PORT = 53


def places(settings: Settings, datacenter: str = "") -> tuple[Place, ...]:
    """Return Consul and every namespace; *datacenter* is the agent's own, where the settings name none."""
    consul = settings.consul
    found = [consul_place(consul.dns_domain(datacenter or consul.datacenter or "dc1"), consul.dns_server)]
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        records = frozenset[str](section.consul_to_cloudmap.records)
        resolver = split_address(section.dns_resolver, _DNS_PORT) if section.dns_resolver else None
        found.append(cloudmap_place(label, section.name or label, records, resolver))
    return tuple(found)


def links(settings: Settings) -> tuple[Link, ...]:
    """Return every direction that is on."""
    found = []
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        if section.consul_to_cloudmap.enabled:
            found.append(Link("consul", label, section.consul_to_cloudmap.naming()))
        if section.cloudmap_to_consul.enabled:
            found.append(Link(label, "consul", section.cloudmap_to_consul.naming()))
    return tuple(found)
