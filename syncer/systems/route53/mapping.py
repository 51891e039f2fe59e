"""Between instances and record sets: pure functions of what a zone's writer and reader agree on."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from syncer.core.errors import Refused
from syncer.core.model import Health, Instance
from syncer.systems.route53.identifiers import Identifiers
from syncer.systems.route53.records import ADDRESSES, MULTIVALUE, RecordSet, canonical

TTL: Final = "ttl"
"""The attribute that says how many seconds an instance's records may be kept."""
_SECONDS: Final = re.compile(r"[0-9]{1,10}")
_MOST: Final = 2**31 - 1
"""Source: Route 53 API reference, ResourceRecordSet, TTL."""
_TASK: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A task's id, long format and old. Source: ECS developer guide, resource names and ids."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How instances are written into one zone, and read again."""

    identifiers: Identifiers
    ttl: int = 60
    """Seconds, for instances without an attribute ``ttl`` of their own."""
    take_over: bool = False
    """Whether simple records, and records called by a task's id, make way for ours of the same name."""

    def stored(self, instance: Instance) -> Instance:
        """Return what the zone gives back of *instance*: its addresses, lifetime and mark."""
        mark = instance.mark
        return Instance(
            service=instance.service,
            id=instance.id,
            ipv4=canonical(instance.ipv4) if instance.ipv4 else None,
            ipv6=canonical(instance.ipv6) if instance.ipv6 else None,
            health=Health.PASSING,
            attributes=MappingProxyType({TTL: str(self._ttl(instance))}),
            mark=self.identifiers.stored(mark) if mark else None,
        )

    def identifier(self, instance: Instance) -> str:
        """Return the SetIdentifier of *instance*.

        Raises:
            Refused: it carries no mark, so it is not ours to write.
        """
        if instance.mark is None:
            raise Refused(f"{instance.id!r} of {instance.service!r} carries no mark", code="NotOurs")
        return self.identifiers.write(instance.mark, instance.id)

    def to_records(self, instance: Instance) -> tuple[RecordSet, ...]:
        """Return the record sets that *instance* has: one for each kind of address.

        Raises:
            Refused: it has no address, or no mark.
        """
        found = zip(ADDRESSES, (instance.ipv4, instance.ipv6), strict=True)
        records = tuple(
            RecordSet(
                name=instance.service,
                type=kind,
                ttl=self._ttl(instance),
                values=(canonical(address),),
                identifier=self.identifier(instance),
                routing=MULTIVALUE,
            )
            for kind, address in found
            if address
        )
        if not records:
            raise Refused(f"{instance.id!r} of {instance.service!r} has no address", code="NoAddress")
        return records

    def to_instances(self, name: str, records: Iterable[RecordSet]) -> tuple[Instance, ...]:
        """Return what *records*, all called *name*, are: ours and other syncers' by their marks, the rest without.

        What makes way for ours is left out.
        """
        ours: dict[str, Instance] = {}
        others: list[Instance] = []
        for record in records:
            if record.type not in (*ADDRESSES, "CNAME"):
                continue
            known = self.identifiers.read(record.identifier) if _writable(record) else None
            if known is not None:
                instance_id, mark = known
                begun = ours.get(record.identifier) or Instance(name, instance_id, mark=mark)
                ours[record.identifier] = _joined(begun, record)
            elif not self.makes_way(record):
                others.extend(_native(name, record))
        return tuple(sorted((*ours.values(), *others), key=lambda item: item.id))

    def makes_way(self, record: RecordSet) -> bool:
        """Whether *record* is one of those that ours take the place of."""
        if not self.take_over or record.type not in ADDRESSES:
            return False
        if record.multivalue:
            return task_of(record) is not None and self.identifiers.read(record.identifier) is None
        return record.simple

    def _ttl(self, instance: Instance) -> int:
        text = instance.attributes.get(TTL, "")
        return min(int(text), _MOST) if _SECONDS.fullmatch(text) else self.ttl


def task_of(record: RecordSet) -> str | None:
    """Return the task that *record* is called by; None where its SetIdentifier is no task's id."""
    last = record.identifier.rsplit("/", 1)[-1]
    return last if _TASK.fullmatch(last) else None


def _writable(record: RecordSet) -> bool:
    return record.multivalue and record.type in ADDRESSES


def _joined(instance: Instance, record: RecordSet) -> Instance:
    """Return *instance* with the address of *record*; what we would never write differs from all that we would."""
    address = ",".join(record.values)
    ttls = {text for text in (instance.attributes.get(TTL), str(record.ttl)) if text}
    attributes = MappingProxyType({TTL: "/".join(sorted(ttls))})
    if record.type == "A":
        return replace(instance, ipv4=address, attributes=attributes)
    return replace(instance, ipv6=address, attributes=attributes)


def _native(name: str, record: RecordSet) -> Iterator[Instance]:
    """Yield an instance for each value of somebody else's record."""
    for value in record.values or (record.alias,):
        instance = Instance(name, "/".join(filter(None, (record.type, record.identifier, value))))
        if record.alias or record.type == "CNAME":
            yield replace(instance, hostname=value.rstrip("."))
        elif record.type == "A":
            yield replace(instance, ipv4=value)
        else:
            yield replace(instance, ipv6=value)
