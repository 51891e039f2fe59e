"""Cloud Map's instances and services as the core's values, and back; pure.

The names of attributes and their rules: Cloud Map API reference, RegisterInstance.
"""

import functools
import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from syncer.core.model import Health, Instance, Mark, ServiceInfo, nothing
from syncer.systems.cloudmap.marks import (
    CONSUL_AWS,
    CONSUL_AWS_DESCRIPTION,
    PREFIXES,
    from_attributes,
    to_attributes,
)

IPV4: Final = "AWS_INSTANCE_IPV4"
IPV6: Final = "AWS_INSTANCE_IPV6"
PORT: Final = "AWS_INSTANCE_PORT"
CNAME: Final = "AWS_INSTANCE_CNAME"
ALIAS: Final = "AWS_ALIAS_DNS_NAME"
INIT_HEALTH: Final = "AWS_INIT_HEALTH_STATUS"
ECS: Final = "ECS_SERVICE_NAME"
TAGS: Final = "sync-tags"

HEALTHY: Final = "HEALTHY"
UNHEALTHY: Final = "UNHEALTHY"

_OWNED = re.compile(r"Kept by consul-cloudmap-sync \(owner=(?P<owner>[^;)]*); origin=(?P<origin>[^)]*)\)")


def description(owner: str, origin: str) -> str:
    """Return what we write into the description of a service that we create: it says so, and whose it is."""
    return f"Kept by consul-cloudmap-sync (owner={owner}; origin={origin})"


def owner_of(text: str | None) -> str | None:
    """Return the owner that a service's description names; None where a user created the service."""
    if text == CONSUL_AWS_DESCRIPTION:
        return CONSUL_AWS
    found = _OWNED.search(text or "")
    return found["owner"] if found else None


def to_info(service: Mapping[str, Any]) -> ServiceInfo:
    """Return what a ServiceSummary, or a Service, says of a service as a whole."""
    records = (service.get("DnsConfig") or {}).get("DnsRecords") or ()
    return ServiceInfo(
        id=service["Id"],
        owner=owner_of(service.get("Description")),
        records=_kinds(tuple(record["Type"] for record in records)),
        ttl=min((int(record["TTL"]) for record in records), default=None),
        health_settable=service.get("HealthCheckCustomConfig") is not None,
    )


def to_instance(
    service: str,
    instance_id: str,
    attributes: Mapping[str, str],
    status: str | None,
    owner: str | None = None,
) -> Instance:
    """Return one instance of *service* with its *attributes* and health *status* (None: nobody says).

    *owner* is the service's: what stands in a service of consul-aws was written by it.
    """
    mark = from_attributes(attributes)
    if mark is None and owner == CONSUL_AWS:
        mark = Mark(CONSUL_AWS, "consul", service, instance_id)
    return Instance(
        service=service,
        id=instance_id,
        ipv4=attributes.get(IPV4) or None,
        ipv6=attributes.get(IPV6) or None,
        hostname=attributes.get(CNAME) or attributes.get(ALIAS) or None,
        port=_port(attributes.get(PORT)),
        health=to_health(status or attributes.get(INIT_HEALTH)),
        tags=tuple(sorted({sys.intern(tag) for tag in attributes.get(TAGS, "").split(",") if tag})),
        attributes=_shared(tuple(sorted(item for item in attributes.items() if _is_users(item[0])))),
        mark=mark,
        managed_by="ecs" if ECS in attributes else "",
    )


def to_health(status: str | None) -> Health:
    """Return Cloud Map's *status* in our words: what is not UNHEALTHY serves; UNKNOWN is what has no check."""
    return Health.CRITICAL if status == UNHEALTHY else Health.PASSING


def from_health(health: Health) -> str:
    """Return *health* in Cloud Map's words."""
    return HEALTHY if health.serves else UNHEALTHY


def from_instance(instance: Instance, *, health: bool) -> dict[str, str]:
    """Return the attributes to register *instance* with; *health* where the service has a custom health check.

    Raises:
        Refused: its mark is too long.
    """
    attributes = dict(instance.attributes)
    if instance.ipv4:
        attributes[IPV4] = instance.ipv4
    if instance.ipv6:
        attributes[IPV6] = instance.ipv6
    if instance.hostname:
        attributes[CNAME] = instance.hostname
    if instance.port is not None:
        attributes[PORT] = str(instance.port)
    if instance.tags:
        attributes[TAGS] = ",".join(instance.tags)
    if instance.mark is not None:
        attributes |= to_attributes(instance.mark)
    if health and not instance.health.serves:
        attributes[INIT_HEALTH] = UNHEALTHY
    return attributes


@functools.lru_cache
def _kinds(types: tuple[str, ...]) -> frozenset[str]:
    """Return *types* as a set that all services with these records share."""
    return frozenset(types)


@functools.lru_cache(maxsize=10_000)
def _shared(attributes: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return *attributes* as a mapping that all instances with the same ones share."""
    return MappingProxyType(dict(attributes)) if attributes else nothing()


def _is_users(key: str) -> bool:
    return not key.startswith(("AWS_", *PREFIXES))


def _port(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and 0 < int(text) < 65536 else None
