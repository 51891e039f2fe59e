"""Between instances and targets. A target is an address and a port; it holds nothing else, no mark either."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from syncer.core.errors import Refused
from syncer.core.identity import target_id
from syncer.core.model import Health, Instance, Mark

ALL_ZONES: Final = "all"
DRAINING: Final = "Target.DeregistrationInProgress"
_HEALTH: Final[Mapping[str, Health]] = {
    "healthy": Health.PASSING,
    "unhealthy": Health.CRITICAL,
    "unhealthy.draining": Health.CRITICAL,
}

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An address and a port in a group."""

    address: str
    """In its canonical form."""
    port: int

    @property
    def name(self) -> str:
        """What it is known by, as the instance in its own mark."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def to_target(instance: Instance) -> Target:
    """Return *instance*, by its IPv4 address if it has one, as a target.

    Raises:
        Refused: it has no address, or no port.
    """
    target = Target(_canonical(instance.ipv4 or instance.ipv6 or ""), instance.port or 0)
    if not _is_address(target) or not target.port:
        lack = "port" if _is_address(target) else "address"
        raise Refused(f"{instance.origin_id!r} has no {lack} to be a target", code="NoTarget")
    return target


def to_api(target: Target, networks: tuple[Network, ...]) -> dict[str, Any]:
    """Return *target* as the API takes it, in a VPC of *networks*.

    Outside of them the API asks for the availability zone ``all``; inside it finds out by itself. Source: Elastic
    Load Balancing API reference, TargetDescription.
    """
    address = ip_address(target.address)
    description: dict[str, Any] = {"Id": target.address, "Port": target.port}
    if any(address in network for network in networks):
        return description
    return description | {"AvailabilityZone": ALL_ZONES}


def to_instance(service: str, given: Mapping[str, Any], mark: Mark | None) -> Instance | None:
    """Return one of DescribeTargetHealth's descriptions with *mark*, of which the target fills in the instance.

    None for a target that is on its way out, and for one that is no address.
    """
    health = given.get("TargetHealth", {})
    target = Target(_canonical(str(given["Target"]["Id"])), int(given["Target"]["Port"]))
    if health.get("Reason") == DRAINING or health.get("State") == "draining" or not _is_address(target):
        return None
    six = ":" in target.address
    return Instance(
        service=service,
        id=target.name if mark is None else target_id(mark.origin, "", target.name),
        ipv4=None if six else target.address,
        ipv6=target.address if six else None,
        port=target.port,
        health=_HEALTH.get(str(health.get("State")), Health.UNKNOWN),
        mark=replace(mark, instance=target.name) if mark else None,
    )


def stored(instance: Instance) -> Instance:
    """Return what a target group gives back of *instance*: an address and a port.

    What it is known by is these two: its mark and its id are made of them. Doing so twice changes nothing.
    """
    mark = instance.mark
    four = _canonical(instance.ipv4) if instance.ipv4 else None
    six = None if four or not instance.ipv6 else _canonical(instance.ipv6)
    name = Target(four or six or "", instance.port or 0).name
    return Instance(
        service=instance.service,
        id=target_id(mark.origin, "", name) if mark else instance.id,
        ipv4=four,
        ipv6=six,
        port=instance.port,
        mark=replace(mark, service="", chain=(), instance=name) if mark else None,
    )


def networks(blocks: list[str]) -> tuple[Network, ...]:
    """Return CIDR blocks as networks.

    Raises:
        ValueError: one is none.
    """
    return tuple(ip_network(block, strict=False) for block in blocks)


def _canonical(address: str) -> str:
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address


def _is_address(target: Target) -> bool:
    try:
        ip_address(target.address)
    except ValueError:
        return False
    return True
