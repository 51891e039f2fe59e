"""From the SDK's answers to values: the one place that knows how ECS, EC2 and SSM spell things."""

import ipaddress
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from syncer.core.model import Health, nothing
from syncer.systems.ecs.model import Address, Container, Definition, Port, Task

_INTERFACES: Final = frozenset({"ElasticNetworkInterface", "eni"})
"""How an attachment's type is spelt by the API and by events."""
_LEFT: Final = frozenset({"DETACHED", "DELETED"})
"""States of an attachment that is none any more."""


def short_name(arn: str) -> str:
    """Return the last part of *arn*, or *arn* itself where it is a name already."""
    return arn.rsplit("/", 1)[-1]


def to_task(raw: Mapping[str, Any]) -> Task:
    """Return what DescribeTasks says of one task. Raises KeyError without an ARN, a cluster or a definition."""
    interface, address = _interface(raw)
    return Task(
        arn=raw["taskArn"],
        cluster=short_name(raw["clusterArn"]),
        group=raw.get("group", ""),
        definition=raw["taskDefinitionArn"],
        last_status=raw.get("lastStatus", ""),
        desired_status=raw.get("desiredStatus", ""),
        version=int(raw.get("version", 0)),
        health=Health.CRITICAL if raw.get("healthStatus") == "UNHEALTHY" else Health.PASSING,
        launch_type=raw.get("launchType", ""),
        zone=raw.get("availabilityZone", ""),
        interface=interface,
        interface_ipv4=address,
        container_instance=raw.get("containerInstanceArn"),
        containers=tuple(_container(item) for item in raw.get("containers", ())),
        tags=to_tags(raw.get("tags", ())),
    )


def _interface(raw: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return id and private address of the first interface that is the task's own; an empty id if it is still to come."""
    first: str | None = None
    for attachment in raw.get("attachments", ()):
        if attachment.get("type") in _INTERFACES and attachment.get("status") not in _LEFT:
            first = ""
            details = {item.get("name"): item.get("value") for item in attachment.get("details", ())}
            if details.get("networkInterfaceId"):
                return details["networkInterfaceId"], details.get("privateIPv4Address")
    return first, None


def _container(raw: Mapping[str, Any]) -> Container:
    ports = (port for item in raw.get("networkBindings", ()) for port in _bound(item))
    return Container(raw["name"], tuple(dict.fromkeys(ports)))  # once for IPv4, once for IPv6


def _bound(raw: Mapping[str, Any]) -> Iterable[Port]:
    protocol = raw.get("protocol", "tcp")
    if raw.get("containerPortRange") and raw.get("hostPortRange"):
        for inner, outer in zip(
            _range(raw["containerPortRange"]), _range(raw["hostPortRange"]), strict=False
        ):
            yield Port(inner, outer, protocol)
    elif raw.get("hostPort"):
        yield Port(int(raw.get("containerPort") or raw["hostPort"]), int(raw["hostPort"]), protocol)


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def to_definition(raw: Mapping[str, Any]) -> Definition:
    """Return the ports that a task definition declares."""
    ports = {
        container["name"]: tuple(dict.fromkeys(_declared(container.get("portMappings", ()))))
        for container in raw.get("containerDefinitions", ())
    }
    return Definition(MappingProxyType(ports))


def _declared(mappings: Iterable[Mapping[str, Any]]) -> Iterable[Port]:
    for mapping in mappings:
        protocol = mapping.get("protocol", "tcp")
        if mapping.get("containerPortRange"):
            for number in _range(mapping["containerPortRange"]):
                yield Port(number, number, protocol)
        elif mapping.get("containerPort"):
            yield Port(mapping["containerPort"], mapping["containerPort"], protocol)


def to_tags(raw: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """Return tags as a mapping; ECS writes their members small, EC2 large."""
    tags = {item.get("key", item.get("Key", "")): item.get("value", item.get("Value", "")) for item in raw}
    return MappingProxyType(tags) if tags else nothing()


def interface_address(raw: Mapping[str, Any]) -> Address:
    """Return the addresses of a network interface, as EC2's DescribeNetworkInterfaces has it."""
    association = raw.get("Association") or {}
    ipv6 = next((item.get("Ipv6Address") for item in raw.get("Ipv6Addresses", ())), None)
    return Address(
        ipv4=raw.get("PrivateIpAddress"),
        ipv6=ipv6,
        public_ipv4=association.get("PublicIp"),
        public_ipv6=_if_global(ipv6),
        zone=raw.get("AvailabilityZone", ""),
        tags=to_tags(raw.get("TagSet", ())),
    )


def instance_address(raw: Mapping[str, Any]) -> Address:
    """Return the addresses of a host, as EC2's DescribeInstances has it; its first interface counts."""
    ipv6 = raw.get("Ipv6Address") or next(
        (
            item.get("Ipv6Address")
            for nic in raw.get("NetworkInterfaces", ())
            for item in nic.get("Ipv6Addresses", ())
        ),
        None,
    )
    return Address(
        ipv4=raw.get("PrivateIpAddress"),
        ipv6=ipv6,
        public_ipv4=raw.get("PublicIpAddress") or None,
        public_ipv6=_if_global(ipv6),
        zone=(raw.get("Placement") or {}).get("AvailabilityZone", ""),
    )


def node_address(raw: Mapping[str, Any]) -> Address:
    """Return the address of a host of ECS Anywhere, as SSM's DescribeInstanceInformation has it."""
    text = raw.get("IPAddress") or ""
    try:
        version = ipaddress.ip_address(text).version
    except ValueError:
        return Address()
    return Address(ipv4=text) if version == 4 else Address(ipv6=text, public_ipv6=_if_global(text))


def _if_global(ipv6: str | None) -> str | None:
    """Return *ipv6* if it can be reached from elsewhere: an IPv6 address of AWS is its own public address."""
    return ipv6 if ipv6 and ipaddress.ip_address(ipv6).is_global else None
