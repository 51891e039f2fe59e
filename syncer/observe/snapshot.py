"""The status as plain data: what ``/status.json`` gives, and what the page shows. Its keys are stable.

    version     1; grows when a key changes its meaning
    program     name, version, owner, started
    now         when this was put together; all times are UTC, ISO 8601
    ready       ok, problems
    summary     services, instances (in step, over all routes), held, failing, conflicts, unreadable, skipped: counts
    routes      id, source and target (registry, label, dns, read), passes, last_pass (at, seconds, full, services,
                waiting), last_full_pass (at, seconds), last_complete_pass, owned, offered, held, failing, conflicts,
                skipped, unreadable (counts), not_listed (reasons), lag (last, median, p99: seconds; of), changes
                (kind → result → count)
    services    total, page, pages, limit, items: route, owner, health, source and target (registry, service, dns,
                note), beside, instances (id, origin_id, address, public_addresses, health, since, tags, attributes)
    held        count, items: route, source_service, service, removals, reason, since, advice
    failing     count, items: route, kind, source_service, service, instance, address, code, error, since, last, times
    unreadable  count, items: route, source_service, service, reasons
    conflicts   count, items: route, service, instance, reason, holder
    skipped     count, items: route, service, instance, reason, advice
    changes     items, the latest first: at, route, kind, result, source_service, service, instance, address, seconds,
                code, error; with ``service=``, the last ones of that service

The lists below ``services`` hold the first that the question finds; ``count`` is of all that were found, and may be
larger. ``since`` is null for what was there before the program started.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from syncer import __version__
from syncer.core.model import Instance
from syncer.observe.attention import LISTED, Attention, change_data, counts, moment, total_counts
from syncer.observe.health import Health
from syncer.observe.query import Query
from syncer.observe.records import PassRecord, RouteFacts
from syncer.observe.rows import Name, Row, rows, shown_attributes
from syncer.observe.status import StatusStore
from syncer.observe.views import Side, Watched
from syncer.observe.words import endpoint

Json = dict[str, Any]
VERSION: Final = 1


class Status:
    """Answers questions about the status, from the store and from what was last read."""

    def __init__(
        self, store: StatusStore, watched: Callable[[], Iterable[Watched]], health: Health, *, owner: str = ""
    ) -> None:
        """Ask *watched* for the routes, each time."""
        self._store = store
        self._watched = watched
        self._health = health
        self._owner = owner

    def snapshot(self, query: Query) -> Json:
        """Return what *query* asks for, as the module says."""
        watched = tuple(self._watched())
        facts = {item.route.id: self._store.facts(item.route.id) for item in watched}
        everything = rows(watched, Query())
        found = rows(watched, query) if query.narrowed else everything
        problems = self._health.ready()
        return {
            "version": VERSION,
            "program": {
                "name": "consul-cloudmap-sync",
                "version": __version__,
                "owner": self._owner,
                "started": moment(self._store.started),
            },
            "now": moment(time.time()),
            "ready": {"ok": not problems, "problems": list(problems)},
            "summary": _summary(everything, facts.values()),
            "routes": [_route(item, facts[item.route.id]) for item in watched],
            "services": self._services(found, query),
            **Attention(query).gather(facts),
            "changes": {"items": self._changes(watched, query)},
        }

    def _services(self, found: list[Row], query: Query) -> Json:
        pages = max(1, -(-len(found) // query.limit))
        page = min(query.page, pages)
        shown = found[(page - 1) * query.limit : page * query.limit]
        return {
            "total": len(found),
            "page": page,
            "pages": pages,
            "limit": query.limit,
            "items": [self._row(row) for row in shown],
        }

    def _row(self, row: Row) -> Json:
        since = self._store.since(row.route, row.target.service)
        return {
            "route": row.route,
            "owner": row.owner,
            "health": row.health.value,
            "source": _name(row.source),
            "target": _name(row.target),
            "beside": row.beside,
            "instances": [_instance(item, since.get(item.id)) for item in row.instances],
        }

    def _changes(self, watched: Iterable[Watched], query: Query) -> list[Json]:
        if query.service:
            records = [
                (item.route.id, record)
                for item in watched
                for name in {query.service, item.route.rules.naming.forward(query.service)} - {None}
                for record in self._store.history(item.route.id, str(name))
            ]
            records.sort(key=lambda pair: -pair[1].when)
        else:
            records = list(self._store.recent())
        return [
            {"at": moment(record.when), "route": route, **change_data(record)}
            for route, record in records
            if query.takes(
                route, (record.source_service, record.service), record.instance, record.address, record.code
            )
        ][:LISTED]


def _summary(everything: list[Row], facts: Iterable[RouteFacts]) -> Json:
    instances = sum(len(row.instances) for row in everything)
    return {"services": len(everything), "instances": instances, **total_counts(facts)}


def _route(item: Watched, facts: RouteFacts) -> Json:
    route = item.route
    changes: dict[str, dict[str, int]] = defaultdict(dict)
    for (kind, ending), count in sorted(facts.totals.items()):
        changes[kind][ending] = count
    return {
        "id": route.id,
        "source": _side(item.source, route.source.id, ready=route.source.ready),
        "target": _side(item.target, route.target.id, ready=route.target.ready),
        "passes": facts.passes,
        "last_pass": _pass(facts.last_pass),
        "last_full_pass": _pass(facts.last_full),
        "last_complete_pass": moment(facts.last_complete),
        "owned": facts.owned,
        "offered": facts.offered,
        **counts(facts),
        "not_listed": list(facts.not_listed),
        "lag": _lag(facts.lags),
        "changes": dict(changes),
    }


def _side(side: Side, registry: str, *, ready: bool) -> Json:
    return {"registry": registry, "label": side.label, "dns": side.dns, "read": ready}


def _pass(record: PassRecord | None) -> Json | None:
    if record is None:
        return None
    return {
        "at": moment(record.when),
        "seconds": round(record.seconds, 4),
        "full": record.full,
        "services": record.services,
        "waiting": record.waiting,
    }


def _lag(lags: tuple[float, ...]) -> Json:
    if not lags:
        return {"last": None, "median": None, "p99": None, "of": 0}
    ranked = sorted(lags)
    return {
        "last": round(lags[-1], 4),
        "median": round(ranked[len(ranked) // 2], 4),
        "p99": round(ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)], 4),
        "of": len(ranked),
    }


def _name(name: Name) -> Json:
    return {"registry": name.registry, "service": name.service, "dns": name.dns, "note": name.note}


def _instance(item: Instance, since: float | None) -> Json:
    return {
        "id": item.id,
        "origin_id": item.origin_id,
        "address": endpoint(item),
        "public_addresses": [address for address in (item.public_ipv4, item.public_ipv6) if address],
        "health": item.health.value,
        "since": moment(since),
        "tags": list(item.tags),
        "attributes": dict(shown_attributes(item)),
    }
