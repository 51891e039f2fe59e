"""From a task to instances: pure functions."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from syncer.core.model import Health, Instance
from syncer.systems.ecs.model import Address, Placed, Port

_NO_KEY: Final = re.compile(r"[^A-Za-z0-9_-]")
"""What neither a key of Consul's service meta nor one of Cloud Map's attributes may hold."""


@dataclass(frozen=True, slots=True)
class Carry:
    """Which ECS tags an instance takes along: those of the task, of its service where read, of its interface."""

    attributes: tuple[str, ...] = ()
    """Globs on tag keys; each becomes an attribute, with ``-`` for what an attribute's key cannot hold."""
    tags: tuple[str, ...] = ()
    """Globs on tag keys; each becomes the tag ``key=value``, or ``key`` where the value is empty."""


NOTHING: Final = Carry()


def tag(placed: Placed, key: str) -> str | None:
    """Return the tag *key* of the task, or else of its interface; None without one."""
    return placed.task.tags.get(key, placed.address.tags.get(key) if placed.address else None)


def all_tags(placed: Placed) -> Mapping[str, str]:
    """Return the tags of interface, service and task; of one key, the task's counts first."""
    own = placed.address.tags if placed.address else {}
    return {**own, **(placed.service_tags or {}), **placed.task.tags}


def ports(placed: Placed) -> tuple[tuple[str, Port], ...]:
    """Return every port of every container, in the order of the task definition, each with its container's name."""
    declared = placed.definition.ports if placed.definition else {}
    bound = {container.name: container.bindings for container in placed.task.containers}
    order = (*declared, *(name for name in bound if name not in declared))
    own = placed.task.interface is not None
    return tuple(
        (name, port)
        for name in order
        for port in (declared.get(name, ()) if own else _sorted(name, bound, declared))
    )


def _sorted(
    name: str, bound: Mapping[str, tuple[Port, ...]], declared: Mapping[str, tuple[Port, ...]]
) -> tuple[Port, ...]:
    """Return a container's bindings in the order of its declared ports: ECS gives them in any order."""
    order = {port.number: place for place, port in enumerate(declared.get(name, ()))}
    return tuple(
        sorted(bound.get(name, ()), key=lambda port: (order.get(port.number, len(order)), port.number))
    )


def instance(
    placed: Placed,
    service: str,
    carry: Carry,
    *,
    port: int | None = None,
    part: str = "",
    container: str = "",
) -> Instance:
    """Return *placed* as an instance of *service*; *part* is added to its id where it is one of several."""
    task = placed.task
    address = placed.address or Address()
    return Instance(
        service=service,
        id=f"{task.cluster}/{task.id}" + (f"/{part}" if part else ""),
        ipv4=address.ipv4,
        ipv6=address.ipv6,
        port=port,
        public_ipv4=address.public_ipv4,
        public_ipv6=address.public_ipv6,
        health=task.health,
        tags=tuple(sorted(set(_carried_tags(placed, carry)))),
        attributes=attributes(placed, carry, container),
    )


def attributes(placed: Placed, carry: Carry, container: str = "") -> Mapping[str, str]:
    """Return what is said of the task, with keys that Consul and Cloud Map both take; ours win over its tags."""
    task = placed.task
    found = {
        "ecs-cluster": task.cluster,
        "ecs-service": task.service or "",
        "ecs-family": task.family,
        "ecs-revision": task.revision,
        "ecs-container": container,
        "ecs-launch-type": task.launch_type,
        "ecs-availability-zone": task.zone or (placed.address.zone if placed.address else ""),
        "ecs-region": task.region,
    }
    carried: dict[str, str] = {}
    for key, value in sorted(all_tags(placed).items()):
        if value and any(fnmatchcase(key, pattern) for pattern in carry.attributes):
            carried.setdefault(_NO_KEY.sub("-", key), value)
    return MappingProxyType({**carried, **{key: value for key, value in found.items() if value}})


def _carried_tags(placed: Placed, carry: Carry) -> Iterator[str]:
    for key, value in all_tags(placed).items():
        if any(fnmatchcase(key, pattern) for pattern in carry.tags):
            yield f"{key}={value}" if value else key


def public(item: Instance, more: Mapping[str, str]) -> Instance:
    """Return *item* with its public addresses as its only ones, and *more* attributes."""
    merged = MappingProxyType({**item.attributes, **more}) if more else item.attributes
    return replace(item, ipv4=item.public_ipv4, ipv6=item.public_ipv6, attributes=merged)


def draining(item: Instance) -> Instance:
    """Return *item* as it is while its task stops."""
    return replace(item, health=Health.CRITICAL)
