"""What goes into one request, and what of a request that was refused is tried apart."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from syncer.systems.desk import Job
from syncer.systems.route53.records import Key, RecordChange

MOST_RECORDS: Final = 1000
MOST_CHARACTERS: Final = 32_000
"""What a request may hold. Source: Route 53 API reference, ChangeResourceRecordSets."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What one change of an instance does to record sets: together with others, but never in parts."""

    job: Job
    changes: tuple[RecordChange, ...]


def merged(units: Iterable[Unit]) -> tuple[RecordChange, ...]:
    """Return the changes of all *units*, each record set once: two instances may clear the same simple record.

    Deletions come first, so that what stood in the way is gone when its successor is written.
    """
    seen: dict[Key, RecordChange] = {}
    for unit in units:
        for item in unit.changes:
            if item.record.key not in seen or item.action == "UPSERT":
                seen[item.record.key] = item
    return tuple(sorted(seen.values(), key=lambda item: item.action != "DELETE"))


def batches(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    """Yield *units*, in order, in batches that one request can hold; a unit is asked for when there is room for it."""
    batch: list[Unit] = []
    records = characters = 0
    for unit in units:
        more = sum(change.records for change in unit.changes)
        longer = sum(change.characters for change in unit.changes)
        if batch and (records + more > MOST_RECORDS or characters + longer > MOST_CHARACTERS):
            yield batch
            batch, records, characters = [], 0, 0
        batch.append(unit)
        records, characters = records + more, characters + longer
    if batch:
        yield batch


def parted(batch: Sequence[Unit], message: str) -> tuple[Sequence[Unit], Sequence[Unit]]:
    """Return *batch*, of two units at least, in two: what Route 53's *message* does not name and what it names.

    Where that tells nothing apart, its halves.
    """
    named = [unit for unit in batch if _named(unit, message)]
    if 0 < len(named) < len(batch):
        return [unit for unit in batch if unit not in named], named
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def _named(unit: Unit, message: str) -> bool:
    records = [change.record for change in unit.changes]
    identifiers = [record.identifier for record in records if record.identifier]
    return any(text in message for text in identifiers) or any(
        f"'{record.name}." in message or f" {record.name}." in message for record in records
    )
