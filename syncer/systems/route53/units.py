"""One change of an instance as changes of record sets, which are carried out together or not at all.

change            record sets
Register, Update  UPSERT each address; DELETE what the entry had beside
Deregister        DELETE what the entry has
any of them       and, where that was asked for, DELETE what makes way: the simple records in its place, and the
                  records that another tool called by the same task's id
"""

from collections.abc import Iterable, Iterator

from syncer.core.errors import Refused
from syncer.core.model import Instance
from syncer.core.plan import Change, Deregister, Register, Update
from syncer.systems.route53.mapping import Mapping, task_of
from syncer.systems.route53.records import RecordChange, RecordSet

IN_THE_WAY = "RecordInTheWay"


def make_unit(
    change: Change, there: tuple[RecordSet, ...] | None, mapping: Mapping
) -> tuple[RecordChange, ...]:
    """Return what *change* does to the record sets of its name; *there* is what they are, None if not known.

    Raises:
        Refused: somebody else's record excludes ours, or the change is none that a zone knows.
    """
    match change:
        case Register(instance=instance) | Update(instance=instance):
            before = change.before if isinstance(change, Update) else instance
            wanted = mapping.to_records(instance)
            cleared = tuple(_cleared(wanted, there or (), mapping))
            beside = _entry(before, there, mapping) + _same_task(instance, there or (), mapping)
            written = {record.key for record in wanted}
            removed = tuple(record for record in beside if record.key not in written)
            return (
                *_each("DELETE", cleared),
                *_each("UPSERT", wanted),
                *_each("DELETE", removed),
            )
        case Deregister(instance=instance):
            held = _entry(instance, there, mapping)
            return tuple(_each("DELETE", held + _same_task(instance, there or (), mapping)))
        case _:
            raise Refused(f"a hosted zone knows no {type(change).__name__}", code="Unknown")


def _each(action: str, records: Iterable[RecordSet]) -> Iterator[RecordChange]:
    return (RecordChange(action, record) for record in records)


def _entry(
    instance: Instance, there: tuple[RecordSet, ...] | None, mapping: Mapping
) -> tuple[RecordSet, ...]:
    """Return the record sets that *instance* has: as they are, or as they must be where that is not known."""
    if there is None:
        return mapping.to_records(instance)
    identifier = mapping.identifier(instance)
    return tuple(record for record in there if record.multivalue and record.identifier == identifier)


def _cleared(
    wanted: tuple[RecordSet, ...], there: tuple[RecordSet, ...], mapping: Mapping
) -> Iterator[RecordSet]:
    """Yield the simple records that make way for *wanted*. Raises Refused where one does not."""
    kinds = {record.type for record in wanted}
    for record in there:
        in_the_way = record.type == "CNAME" or (record.type in kinds and not record.multivalue)
        if not in_the_way:
            continue
        if not mapping.makes_way(record):
            advice = ": delete it, or set take_over" if record.simple and record.type in kinds else ""
            raise Refused(
                f"{record.name} has {record.describe()} of somebody else, which excludes ours{advice}",
                code=IN_THE_WAY,
            )
        yield record


def _same_task(instance: Instance, there: tuple[RecordSet, ...], mapping: Mapping) -> tuple[RecordSet, ...]:
    """Return the records that another tool called by the id of the task that *instance* is."""
    parts = instance.mark.instance.split("/") if instance.mark else ()
    return tuple(
        record
        for record in there
        if record.multivalue and mapping.makes_way(record) and task_of(record) in parts
    )
