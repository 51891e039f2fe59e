"""Between Consul's catalog and the model, both ways; pure."""

import functools
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from types import MappingProxyType
from typing import Any, Final

from syncer.core.errors import Refused
from syncer.core.identity import MAX_LABEL, dns_label, short_digest
from syncer.core.model import Health, Instance, nothing
from syncer.systems.consul.answers import Check, Entry, Service
from syncer.systems.consul.marks import from_meta, to_meta

NODE_PREFIX: Final = "cloudmap-sync"
NODE_ADDRESS: Final = "192.0.2.1"
"""A synthetic node is no host: an address that leads nowhere (RFC 5737). Its services all have their own."""
NODE_META: Final = {"external-node": "true"}

# Beside an address: Consul's own keys do not cover a name that comes with one.
_HOSTNAME: Final = "hostname"
_SHORT_DIGEST: Final = 11
"""A digest with its hyphen."""


def node_name(prefix: str, origin: str) -> str:
    """Return the synthetic node that holds what came from the registry *origin*; a DNS label, if *prefix* lets it."""
    room = max(MAX_LABEL - len(prefix) - 1, _SHORT_DIGEST)
    slug = dns_label(origin)
    if len(slug) > room:
        slug = f"{dns_label(origin, room - _SHORT_DIGEST)}-{short_digest(origin)}".strip("-")
    return f"{prefix}-{slug}"


def to_instance(entry: Entry, node_prefix: str = NODE_PREFIX) -> Instance:
    """Return *entry* in the model's words.

    Its id is ``node/id``, since an id is unique on its node only; on the synthetic node of its origin, where we gave
    the id ourselves, it is the plain id.
    """
    service = entry.Service
    mark, attributes = from_meta(service.Meta or {}, service.Service)
    own = mark is not None and entry.Node.Node == node_name(node_prefix, mark.origin)
    addresses = _addresses(entry, verbatim=own)
    return Instance(
        service=sys.intern(service.Service),
        id=service.ID if own else f"{entry.Node.Node}/{service.ID}",
        ipv4=addresses.ipv4,
        ipv6=addresses.ipv6,
        hostname=addresses.hostname,
        port=service.Port or None,
        public_ipv4=addresses.public_ipv4,
        public_ipv6=addresses.public_ipv6,
        public_port=_public_port(service, addresses),
        health=health_of(entry.Checks or ()),
        tags=tuple(sorted(set(map(sys.intern, service.Tags or ())))),
        attributes=_shared(tuple(sorted(attributes.items()))),
        mark=mark,
        kind=service.Kind,
    )


@functools.lru_cache(maxsize=10_000)
def _shared(attributes: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return *attributes* as a mapping that all instances with the same ones share."""
    return MappingProxyType(dict(attributes)) if attributes else nothing()


def health_of(checks: Iterable[Check]) -> Health:
    """Return the worst of *checks*, an instance's and its node's; maintenance is a critical check among them."""
    return Health.worst([_HEALTH.get(check.Status, Health.UNKNOWN) for check in checks])


_HEALTH: Final = {
    "passing": Health.PASSING,
    "warning": Health.WARNING,
    "critical": Health.CRITICAL,
    "maintenance": Health.CRITICAL,
    "": Health.CRITICAL,
}


def to_status(health: Health) -> str:
    """Return the status of the check that stands for *health*; what is not known is not held against it."""
    return "passing" if health is Health.UNKNOWN else health.value


def to_service(instance: Instance) -> dict[str, Any]:
    """Return the Service of a catalog registration.

    Raises:
        Refused: it has no mark, or one too long, or no address.
    """
    if instance.mark is None:
        raise Refused(f"{instance.id!r} carries no mark", code="mark")
    if not instance.addresses:
        raise Refused(f"{instance.id!r} has no address", code="address")
    return {
        "ID": instance.id,
        "Service": instance.service,
        "Address": instance.addresses[0],
        "Port": instance.port or 0,
        "Tags": list(instance.tags),
        "Meta": {**instance.attributes, **to_meta(instance.mark)},
        "TaggedAddresses": _tagged(instance),
    }


def to_check(instance: Instance, node: str) -> dict[str, Any]:
    """Return the Check that carries the health of *instance* on *node*."""
    origin = instance.mark.origin if instance.mark else "its origin"
    return {
        "Node": node,
        "CheckID": f"service:{instance.id}",
        "Name": "Health in its origin",
        "Status": to_status(instance.health),
        "ServiceID": instance.id,
        "Output": f"{instance.health.value} in {origin}",
    }


def to_registration(instance: Instance, node_prefix: str = NODE_PREFIX) -> dict[str, Any]:
    """Return one catalog registration with service and check; it makes the node where that is missing.

    Raises:
        Refused: see :func:`to_service`.
    """
    service = to_service(instance)
    assert instance.mark is not None
    node = node_name(node_prefix, instance.mark.origin)
    return {
        "Node": node,
        "Address": NODE_ADDRESS,
        "NodeMeta": dict(NODE_META),
        "SkipNodeUpdate": True,
        "Service": service,
        "Check": to_check(instance, node),
    }


@dataclass(frozen=True, slots=True)
class _Addresses:
    ipv4: str | None = None
    ipv6: str | None = None
    hostname: str | None = None
    public_ipv4: str | None = None
    public_ipv6: str | None = None


def _addresses(entry: Entry, *, verbatim: bool) -> _Addresses:
    """Sort the addresses of *entry* by family.

    An agent repeats an address under every tag, so ``wan`` says something only where it differs; not so for what we
    wrote ourselves (*verbatim*).
    """
    primary, tagged = _named(entry)
    private = _by_family(
        [primary, tagged.get("lan", ""), tagged.get("lan_ipv4", ""), tagged.get("lan_ipv6", "")]
    )
    # Where a user gives "wan" alone, an agent fills "wan_ipv4" with the private address (measured on 1.8.7).
    named = [tagged.get("wan_ipv4", ""), tagged.get("wan_ipv6", ""), tagged.get("wan", "")]
    public = _by_family(item for item in named if verbatim or item not in private.values())
    return _Addresses(
        ipv4=private.get(4),
        ipv6=private.get(6),
        hostname=tagged.get(_HOSTNAME) or (None if _family(primary) else primary or None),
        public_ipv4=_differing(public.get(4), private.get(4), verbatim=verbatim),
        public_ipv6=_differing(public.get(6), private.get(6), verbatim=verbatim),
    )


def _named(entry: Entry) -> tuple[str, dict[str, str]]:
    """Return the address and its tagged companions: the service's own, or its node's where it has none."""
    service: Service = entry.Service
    if service.Address:
        return service.Address, {key: item.Address for key, item in (service.TaggedAddresses or {}).items()}
    return entry.Node.Address, dict(entry.Node.TaggedAddresses or {})


def _public_port(service: Service, addresses: _Addresses) -> int | None:
    """Return the port that *service* has at its public address, where that is another than its own."""
    public = {addresses.public_ipv4, addresses.public_ipv6} - {None}
    tagged = service.TaggedAddresses or {}
    items = (tagged[name] for name in ("wan_ipv4", "wan_ipv6", "wan") if name in tagged)
    ports = (item.Port for item in items if item.Address in public)
    return next((port for port in ports if port != service.Port and 0 < port < 65536), None)


def _by_family(addresses: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for address in addresses:
        family = _family(address)
        if family:
            found.setdefault(family, address)
    return found


def _family(address: str) -> int:
    """Return 4, 6, or 0 for what is no address."""
    try:
        return 4 if isinstance(ip_address(address), IPv4Address) else 6
    except ValueError:
        return 0


def _differing(public: str | None, private: str | None, *, verbatim: bool) -> str | None:
    return public if verbatim or public != private else None


def _tagged(instance: Instance) -> dict[str, dict[str, object]]:
    public = instance.public_ipv4 or instance.public_ipv6
    named = {
        "lan": instance.addresses[0],
        "lan_ipv4": instance.ipv4,
        "lan_ipv6": instance.ipv6,
        "wan": public,
        "wan_ipv4": instance.public_ipv4,
        "wan_ipv6": instance.public_ipv6,
        _HOSTNAME: instance.hostname if instance.addresses[0] != instance.hostname else None,
    }
    port = instance.port or 0
    outside = instance.public_port or port
    return {
        key: {"Address": value, "Port": outside if key.startswith("wan") else port}
        for key, value in named.items()
        if value
    }
