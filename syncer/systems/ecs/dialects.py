"""Under which names a task is offered: plainly, or as the tags say that users have set for other tools."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final, Protocol

from syncer.core.model import Instance, nothing
from syncer.systems.ecs.mapping import NOTHING, Carry, instance, ports, public, tag
from syncer.systems.ecs.model import Placed

HOSTED_ZONE_NAME: Final = "PUBLICHOSTEDZONE"
HOSTED_ZONE_ID: Final = "HOSTEDZONEID"
DISCOVERY_NAME: Final = "public-discovery:name"
DISCOVERY_TTL: Final = "public-discovery:ttl"
TARGET_GROUPS: Final = "ecs-a.lbName"
TTL: Final = "ttl"
"""The attribute that carries the seconds which a record may be kept."""
FIELDS: Final = frozenset({"service", "cluster", "family", "region"})
"""What a template of names may hold in braces."""


class Ports(enum.StrEnum):
    """Which of a task's ports are offered."""

    FIRST = "first"
    """The first port of the first container that has one, in the order of the task definition."""
    EACH = "each"
    """Every port under a name of its own, ``<service>-<port>`` by the container's port, beside the first."""


class Dialect(Protocol):
    """A way to name tasks. Values in, values out."""

    @property
    def service_tags(self) -> bool:
        """Whether the tags of ECS services must be read for it."""

    def names(self, placed: Placed) -> frozenset[str] | None:
        """Return the names that *placed* is offered under; None where what is known of it does not tell."""

    def instances(self, placed: Placed) -> tuple[Instance, ...]:
        """Return what *placed*, read whole, is offered as."""

    def may_hold(self, cluster: str, name: str) -> bool:
        """Whether a task of *cluster* of which nothing is known might be offered under *name*."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A service for each ECS service, and for each family of stand-alone tasks."""

    template: str = "{service}"
    """The name, with fields of :data:`FIELDS`; ``service`` is the family for a stand-alone task."""
    ports: Ports = Ports.FIRST
    carry: Carry = NOTHING
    service_tags: bool = False

    def names(self, placed: Placed) -> frozenset[str] | None:
        """Return the plain name, and with :attr:`Ports.EACH` that of each port."""
        name = self._name(placed)
        if self.ports is Ports.FIRST:
            return frozenset({name})
        if placed.definition is None:
            return None
        return frozenset({name, *(f"{name}-{port.number}" for _, port in ports(placed))})

    def instances(self, placed: Placed) -> tuple[Instance, ...]:
        """Return the task with its first port, and with :attr:`Ports.EACH` an instance for each port."""
        name, found = self._name(placed), ports(placed)
        first = instance(placed, name, self.carry, port=found[0][1].host if found else None)
        if self.ports is Ports.FIRST:
            return (first,)
        each = (
            instance(
                placed,
                f"{name}-{port.number}",
                self.carry,
                port=port.host,
                part=f"{container}/{port.host}" + ("" if port.protocol == "tcp" else f"-{port.protocol}"),
                container=container,
            )
            for container, port in found
        )
        return (first, *each)

    def may_hold(self, cluster: str, name: str) -> bool:
        """Judge by what the template says of the cluster."""
        parts = []
        for text, field, _, _ in Formatter().parse(self.template):
            parts.append(re.escape(text))
            if field is not None:
                parts.append(re.escape(cluster) if field == "cluster" else ".*")
        if self.ports is Ports.EACH:
            parts.append("(-[0-9]+)?")
        return re.fullmatch("".join(parts), name) is not None

    def _name(self, placed: Placed) -> str:
        task = placed.task
        return self.template.format(
            service=task.name, cluster=task.cluster, family=task.family, region=task.region
        )


@dataclass(frozen=True, slots=True)
class HostedZoneTags:
    """Public names ``<ECS service>.<PUBLICHOSTEDZONE>`` for tasks whose tag HOSTEDZONEID is *zone_id*; in lower case."""

    zone_id: str
    carry: Carry = NOTHING
    service_tags: bool = False

    def names(self, placed: Placed) -> frozenset[str] | None:
        """Return the one name, or none where the tags are not there or name another zone."""
        tags = placed.task.tags
        domain = tags.get(HOSTED_ZONE_NAME, "").strip().strip(".")
        zone_id = tags.get(HOSTED_ZONE_ID, "").strip().removeprefix("/hostedzone/")
        return frozenset(
            {f"{placed.task.name}.{domain}".lower()} if domain and zone_id == self.zone_id else ()
        )

    def instances(self, placed: Placed) -> tuple[Instance, ...]:
        """Return the task with its public addresses."""
        return _public(self.names(placed), placed, self.carry, nothing())

    def may_hold(self, cluster: str, name: str) -> bool:
        """Return True: the tags decide."""
        return True


@dataclass(frozen=True, slots=True)
class PublicDiscovery:
    """Public names ``<public-discovery:name>.<zone>``, with the lifetime that ``public-discovery:ttl`` asks for."""

    zone: str
    """The zone's name, such as ``example.com``."""
    carry: Carry = NOTHING
    service_tags: bool = False

    def names(self, placed: Placed) -> frozenset[str] | None:
        """Return the one name; None where it may stand on an interface that was not read."""
        name = tag(placed, DISCOVERY_NAME)
        if name is None and placed.problem and placed.task.interface and placed.address is None:
            return None
        label = (name or "").strip().strip(".")
        return frozenset({f"{label}.{self.zone.strip('.')}".lower()} if label else ())

    def instances(self, placed: Placed) -> tuple[Instance, ...]:
        """Return the task with its public addresses, and the lifetime as the attribute ``ttl``."""
        ttl = (tag(placed, DISCOVERY_TTL) or "").strip()
        valid = ttl.isascii() and ttl.isdigit() and int(ttl) < 2**31
        more = {TTL: str(int(ttl))} if valid else nothing()
        return _public(self.names(placed), placed, self.carry, more)

    def may_hold(self, cluster: str, name: str) -> bool:
        """Return True: the tags decide."""
        return True


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """Services named by the target groups that the ECS service's tag ``ecs-a.lbName`` gives its containers.

    One ARN for each container in order of the containers' names; every port of the container is a target.
    """

    carry: Carry = NOTHING
    service_tags: bool = True

    def names(self, placed: Placed) -> frozenset[str] | None:
        """Return the groups; None where the tags of the service were not read."""
        return None if placed.service_tags is None else frozenset(self._groups(placed).values())

    def instances(self, placed: Placed) -> tuple[Instance, ...]:
        """Return an instance for each port of each container that has a group."""
        groups = self._groups(placed)
        return tuple(
            instance(
                placed,
                groups[container],
                self.carry,
                port=port.host,
                part=f"{container}/{port.host}",
                container=container,
            )
            for container, port in ports(placed)
            if container in groups and port.protocol == "tcp"
        )

    def may_hold(self, cluster: str, name: str) -> bool:
        """Return True: the tags decide."""
        return True

    def _groups(self, placed: Placed) -> Mapping[str, str]:
        """Return container name to target group's ARN."""
        arns = (placed.service_tags or {}).get(TARGET_GROUPS, "").split()
        names = sorted(container.name for container in placed.task.containers)
        return dict(zip(names, arns, strict=False))


def _public(
    names: frozenset[str] | None, placed: Placed, carry: Carry, more: Mapping[str, str]
) -> tuple[Instance, ...]:
    return tuple(public(instance(placed, name, carry), more) for name in sorted(names or ()))
