"""EC2's query protocol for what ECS tasks need: network interfaces and instances by filter."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from .ecs_model import EmulatedHost, EmulatedInterface
from .ecs_world import EcsWorld
from .errors import ApiError

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_MOST_VALUES = 200


def parameters(body: bytes) -> dict[str, str]:
    """Return the form of a request of the query protocol; empty where it is none."""
    return dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))


def concerns(form: Mapping[str, str]) -> bool:
    """Whether the request asks by filter for what the emulated ECS knows; all else is moto's."""
    names = {"DescribeNetworkInterfaces": "network-interface-id", "DescribeInstances": "instance-id"}
    wanted = names.get(form.get("Action", ""))
    return wanted is not None and wanted in _filters(form)


def answer(world: EcsWorld, form: Mapping[str, str]) -> bytes:
    """Return the answer's XML. Raises ApiError."""
    action = form["Action"]
    filters = _filters(form)
    if any(len(values) > _MOST_VALUES for values in filters.values()):
        raise ApiError(
            "FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200"
        )
    root = ET.Element(f"{action}Response", xmlns=_NAMESPACE)
    _add(root, "requestId", "emulated")
    if action == "DescribeNetworkInterfaces":
        found = ET.SubElement(root, "networkInterfaceSet")
        for key in filters["network-interface-id"]:
            interface = world.interfaces.get(key)
            if interface is not None and interface.visible:
                _interface(ET.SubElement(found, "item"), interface)
    else:
        found = ET.SubElement(root, "reservationSet")
        wanted = set(filters["instance-id"])
        for host in world.hosts.values():
            if host.id in wanted and host.id.startswith("i-"):
                _instance(ET.SubElement(found, "item"), host)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def error(code: str, message: str) -> bytes:
    """Return an error answer's XML."""
    root = ET.Element("Response")
    item = ET.SubElement(ET.SubElement(root, "Errors"), "Error")
    _add(item, "Code", code)
    _add(item, "Message", message)
    _add(root, "RequestID", "emulated")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _filters(form: Mapping[str, str]) -> dict[str, list[str]]:
    """Return filter names with their values, from ``Filter.1.Name`` and ``Filter.1.Value.1``."""
    found: dict[str, list[str]] = {}
    number = 1
    while f"Filter.{number}.Name" in form:
        start = f"Filter.{number}.Value."
        found[form[f"Filter.{number}.Name"]] = [value for key, value in form.items() if key.startswith(start)]
        number += 1
    return found


def _interface(item: ET.Element, interface: EmulatedInterface) -> None:
    _add(item, "networkInterfaceId", interface.id)
    _add(item, "subnetId", interface.subnet)
    _add(item, "availabilityZone", interface.zone)
    _add(item, "status", "in-use")
    _add(item, "privateIpAddress", interface.ipv4)
    if interface.public_ipv4:
        _add(ET.SubElement(item, "association"), "publicIp", interface.public_ipv4)
    _items(item, "ipv6AddressesSet", [interface.ipv6] if interface.ipv6 else [], _ipv6)
    _items(item, "tagSet", interface.tags.items(), _tag)


def _instance(reservation: ET.Element, host: EmulatedHost) -> None:
    item = ET.SubElement(ET.SubElement(reservation, "instancesSet"), "item")
    _add(item, "instanceId", host.id)
    _add(item, "privateIpAddress", host.ipv4)
    if host.public_ipv4:
        _add(item, "ipAddress", host.public_ipv4)
    _add(ET.SubElement(item, "placement"), "availabilityZone", host.zone)
    interface = ET.SubElement(ET.SubElement(item, "networkInterfaceSet"), "item")
    _items(interface, "ipv6AddressesSet", [host.ipv6] if host.ipv6 else [], _ipv6)


def _items(
    parent: ET.Element, name: str, values: Iterable[Any], add: Callable[[ET.Element, Any], None]
) -> None:
    collection = ET.SubElement(parent, name)
    for value in values:
        add(ET.SubElement(collection, "item"), value)


def _ipv6(item: ET.Element, value: str) -> None:
    _add(item, "ipv6Address", value)


def _tag(item: ET.Element, value: tuple[str, str]) -> None:
    _add(item, "key", value[0])
    _add(item, "value", value[1])


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text
