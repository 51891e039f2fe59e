"""What is in step now: one row for each service of each route that has instances of ours in the target."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from syncer.core.model import Complete, Health, Instance, Read, ServiceInfo
from syncer.core.wanted import is_ours
from syncer.observe.query import Query
from syncer.observe.views import Side, Watched
from syncer.observe.words import endpoint

_SECRET: Final = re.compile(r"token|secret|passw|credential|api[_-]?key|private[_-]?key", re.IGNORECASE)
HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class Name:
    """What a service is called on one side."""

    registry: str
    """The side's label."""
    service: str
    dns: str
    """The plain DNS name; empty where DNS does not answer for it."""
    note: str = ""
    """Why the plain name has no address, where that is so."""


@dataclass(frozen=True, slots=True)
class Row:
    """One service that is carried."""

    route: str
    owner: str
    source: Name
    target: Name
    instances: tuple[Instance, ...]
    """Ours, in the target."""
    beside: int
    """How many instances the target has beside ours."""

    @property
    def health(self) -> Health:
        """The worst health of the instances."""
        return Health.worst([item.health for item in self.instances])


def rows(watched: Iterable[Watched], query: Query) -> list[Row]:
    """Return the rows that *query* asks for, by name; its page is not looked at."""
    found = [
        row
        for item in watched
        if not query.route or item.route.id == query.route
        for row in _rows(item, query)
    ]
    found.sort(key=lambda row: (row.source.service.casefold(), row.source.service, row.route))
    return found


def _rows(item: Watched, query: Query) -> Iterator[Row]:
    rules = item.route.rules
    source_reads = item.route.source.peek()
    for service, read in item.route.target.peek().items():
        if not isinstance(read, Complete):
            continue
        ours = [instance for instance in read.instances if is_ours(instance, rules)]
        if not ours or (query.health and not any(entry.health == query.health for entry in ours)):
            continue
        mark = ours[0].mark
        source_service = rules.naming.back(service) or (mark.service if mark else "") or service
        row = Row(
            item.route.id,
            rules.owner,
            name_of(item.source, source_service, source_reads.get(source_service)),
            name_of(item.target, service, read),
            tuple(sorted(ours, key=lambda entry: entry.id)),
            len(read.instances) - len(ours),
        )
        if _asked(row, query):
            yield row


def name_of(side: Side, service: str, read: Read | None) -> Name:
    """Return what *service* is called on *side*, as *read* there."""
    info = read.info if isinstance(read, Complete) else None
    if not side.dns or (info is not None and not info.records):
        return Name(side.label, service, "", "found by the API only")
    return Name(side.label, service, f"{service}.{side.dns}", _no_address(info))


def shown_attributes(instance: Instance) -> Mapping[str, str]:
    """Return the attributes of *instance*, without the values of those whose names speak of secrets."""
    return {
        key: HIDDEN if _SECRET.search(key) else value for key, value in sorted(instance.attributes.items())
    }


def _no_address(info: ServiceInfo | None) -> str:
    if info is None or info.records & {"A", "AAAA", "CNAME"}:
        return ""
    return "SRV records only: the plain name has no address"


def _asked(row: Row, query: Query) -> bool:
    if not (query.text or query.service):
        return True
    names = (row.source.service, row.target.service)
    if not query.text:
        return query.takes(row.route, names)
    more = [row.source.dns, row.target.dns]
    for instance in row.instances:
        more += (endpoint(instance), instance.id, instance.origin_id, *instance.addresses, *instance.tags)
    return query.takes(row.route, names, *more)
