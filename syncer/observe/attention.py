"""What wants attention, as plain data: held, failing, unreadable, in conflict, left out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from shlex import quote
from typing import Any, Final

from syncer.core.model import Conflict, Skip
from syncer.observe.query import Query
from syncer.observe.records import ChangeRecord, Concern, FailureRecord, RouteFacts

Json = dict[str, Any]
LISTED: Final = 100
"""Entries of each list, unless the question allows more."""
_CUT: Final = ("failing", "conflicts", "skipped")
"""The lists of which the store may keep less than it counts."""


def moment(seconds: float | None) -> str | None:
    """Return *seconds* since the epoch as UTC, ISO 8601, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(facts: RouteFacts) -> dict[str, int]:
    """Return how much there is of what wants attention on a route; of held removals, not services."""
    concerns = facts.concerns.values()
    nameless = sum(isinstance(item, Conflict) for item in facts.untranslated)
    return {
        "held": sum(concern.held for concern in concerns),
        "failing": facts.failure_count,
        "conflicts": sum(concern.conflict_count for concern in concerns) + nameless,
        "unreadable": sum(bool(concern.unreadable) for concern in concerns) + len(facts.not_listed),
        "skipped": sum(concern.skip_count for concern in concerns) + len(facts.untranslated) - nameless,
    }


def total_counts(facts: Iterable[RouteFacts]) -> dict[str, int]:
    """Return :func:`counts` over all routes."""
    totals = Counter(counts(RouteFacts()))
    for known in facts:
        totals.update(counts(known))
    return dict(totals)


def change_data(record: ChangeRecord) -> Json:
    """Return a change that ended as plain data."""
    return {
        "kind": record.kind,
        "result": record.ending,
        "source_service": record.source_service,
        "service": record.service,
        "instance": record.instance,
        "address": record.address,
        "seconds": round(record.seconds, 4),
        "code": record.code,
        "error": record.error,
    }


class Attention:
    """Gathers what *query* asks for."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._found: dict[str, list[Json]] = {
            key: [] for key in ("held", "failing", "unreadable", "conflicts", "skipped")
        }

    def gather(self, facts: Mapping[str, RouteFacts]) -> dict[str, Json]:
        """Return the lists, each with ``count`` and ``items``, from what is known of each route."""
        for route, known in facts.items():
            for failure in known.failures:
                self._failure(route, failure)
            for reason in known.not_listed:
                if self._query.takes(route, (), reason):
                    self._add("unreadable", route, source_service=None, service="", reasons=[reason])
            for nameless in known.untranslated:
                self._left(route, nameless, (nameless.service,))
            for service, concern in sorted(known.concerns.items()):
                self._concern(route, service, concern, known.held_since.get(service))
        totals = Counter({key: len(items) for key, items in self._found.items()})
        if not self._query.narrowed:
            known_all = total_counts(facts.values())
            totals |= Counter({key: known_all[key] for key in _CUT})
        most = max(LISTED, self._query.limit)
        return {key: {"count": totals[key], "items": items[:most]} for key, items in self._found.items()}

    def _add(self, key: str, route: str, **fields: Any) -> None:
        self._found[key].append({"route": route, **fields})

    def _failure(self, route: str, failure: FailureRecord) -> None:
        last = failure.last
        if self._query.takes(
            route, (last.source_service, last.service), last.instance, last.code, last.error
        ):
            times = {"since": moment(failure.first), "last": moment(last.when), "times": failure.times}
            self._add("failing", route, **change_data(last), **times)

    def _concern(self, route: str, service: str, concern: Concern, since: float | None) -> None:
        names = (concern.source, service)
        both = {"source_service": concern.source, "service": service}
        if concern.held and self._query.takes(route, names, concern.hold):
            advice = f"syncer approve {quote(route)}"
            held = {
                "removals": concern.held,
                "reason": concern.hold,
                "since": moment(since),
                "advice": advice,
            }
            self._add("held", route, **both, **held)
        if concern.unreadable and self._query.takes(route, names, *concern.unreadable):
            self._add("unreadable", route, **both, reasons=list(concern.unreadable))
        for conflict in concern.conflicts:
            self._left(route, conflict, (*names, conflict.service))
        for skip in concern.skips:
            self._left(route, skip, (*names, skip.service))

    def _left(self, route: str, left: Skip | Conflict, names: tuple[str | None, ...]) -> None:
        if not self._query.takes(route, names, left.instance or "", left.reason):
            return
        what = {"service": left.service, "instance": left.instance, "reason": left.reason}
        if isinstance(left, Conflict):
            self._add("conflicts", route, **what, holder=left.holder)
        else:
            self._add("skipped", route, **what, advice=left.advice)
