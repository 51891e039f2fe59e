"""What happened and what is the matter, remembered for whoever asks: bounded, whatever happens."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from syncer.core.plan import ServicePlan, instance_id
from syncer.core.ports import Ending
from syncer.core.report import ChangeReport, PassReport
from syncer.observe.books import Book
from syncer.observe.records import (
    LONGEST,
    ChangeRecord,
    Concern,
    FailureRecord,
    PassRecord,
    RouteFacts,
    concern_of,
)
from syncer.observe.words import endpoint_of, kind

_RECENT: Final = 200
"""Changes that are kept, over all routes."""
_OF_A_SERVICE: Final = 5
"""Changes that are kept of each service."""
_SERVICES: Final = 1_000
"""Services of a route whose last changes are kept; the longest without a change goes first."""
_DETAILS: Final = 5_000
"""Skips and conflicts of a route that are kept with their reasons; the counts go on."""
_FAILURES: Final = 500
"""Failures of a route that are kept."""
_LAGS: Final = 500


class _RouteStore:
    """What is remembered of one route. The store's lock guards it."""

    def __init__(self) -> None:
        self.passes = 0
        self.last_pass: PassRecord | None = None
        self.last_full: PassRecord | None = None
        self.last_complete: float | None = None
        self.report: PassReport | None = None
        self.not_listed: tuple[str, ...] = ()
        self.book: Book[Concern] = Book(self._concern)
        self.details = 0
        self.held_since: dict[str, float] = {}
        self.failures: dict[tuple[str, str], FailureRecord] = {}
        self.further: set[tuple[str, str]] = set()
        self.totals: Counter[tuple[str, str]] = Counter()
        self.lags: deque[float] = deque(maxlen=_LAGS)
        self.history: dict[str, tuple[ChangeRecord, ...]] = {}
        self.since: dict[str, dict[str, float]] = {}

    def _concern(self, plan: ServicePlan, before: Concern | None) -> Concern | None:
        size = before.size if before else 0
        concern = concern_of(plan, before, _DETAILS - self.details + size)
        self.details += (concern.size if concern else 0) - size
        return concern


class StatusStore:
    """An observer that remembers. Thread-safe; memory is bounded by the number of services, not by time."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Take the time from *clock*: seconds since the epoch."""
        self.started = clock()
        self._clock = clock
        self._lock = threading.Lock()
        self._routes: dict[str, _RouteStore] = {}
        self._recent: deque[tuple[str, ChangeRecord]] = deque(maxlen=_RECENT)

    def passed(self, report: PassReport) -> None:
        """Remember a pass."""
        now = self._clock()
        with self._lock:
            store = self._routes.setdefault(report.route, _RouteStore())
            store.passes += 1
            store.report = report if not report.plans else _without_plans(report)
            store.last_pass = PassRecord(now, report.seconds, report.full, len(report.plans), report.waiting)
            if report.full:
                store.last_full = store.last_pass
            if report.full or report.errors:
                store.not_listed = report.errors
            if not report.errors and not report.unreadable:
                store.last_complete = now
            for service, _, concern in store.book.note(report):
                if concern is None or not concern.held:
                    store.held_since.pop(service, None)
                else:
                    store.held_since.setdefault(service, now)
            if report.full:
                store.details = sum(concern.size for concern in store.book.of(report.route).values())
            _forget(store, report)

    def changed(self, report: ChangeReport) -> None:
        """Remember a change that ended."""
        outcome = report.outcome
        change = outcome.change
        error = outcome.error
        record = ChangeRecord(
            self._clock(),
            kind(change),
            outcome.ending.value,
            report.source_service,
            change.service,
            instance_id(change),
            endpoint_of(change),
            report.seconds,
            error.code if error else "",
            str(error)[:LONGEST] if error else "",
        )
        with self._lock:
            store = self._routes.setdefault(report.route, _RouteStore())
            store.totals[record.kind, record.ending] += 1
            self._recent.append((report.route, record))
            _remember(store, record)
            if outcome.ending is Ending.DONE:
                store.lags.append(report.seconds)
                _date(store, record)
            _follow_failure(store, record)

    def facts(self, route: str) -> RouteFacts:
        """Return what is known of *route*."""
        with self._lock:
            store = self._routes.get(route)
            if store is None:
                return RouteFacts()
            report = store.report
            return RouteFacts(
                store.passes,
                store.last_pass,
                store.last_full,
                store.last_complete,
                report.owned if report else 0,
                report.offered if report else 0,
                store.not_listed,
                report.untranslated if report else (),
                dict(store.book.of(route)),
                dict(store.held_since),
                tuple(store.failures.values()),
                len(store.failures) + len(store.further),
                dict(store.totals),
                tuple(store.lags),
            )

    def recent(self) -> tuple[tuple[str, ChangeRecord], ...]:
        """Return the last changes of all routes, each with its route, the latest first."""
        with self._lock:
            return tuple(reversed(self._recent))

    def history(self, route: str, service: str) -> tuple[ChangeRecord, ...]:
        """Return the last changes of the target's *service*, the latest first."""
        with self._lock:
            store = self._routes.get(route)
            return tuple(reversed(store.history.get(service, ()))) if store else ()

    def since(self, route: str, service: str) -> dict[str, float]:
        """Return when each instance of ours arrived, by id; those that were there before the start are not named."""
        with self._lock:
            store = self._routes.get(route)
            return dict(store.since.get(service, {})) if store else {}


def _without_plans(report: PassReport) -> PassReport:
    """Return what of *report* is kept: its plans hold instances, many of them."""
    return PassReport(
        report.route,
        report.full,
        report.seconds,
        (),
        untranslated=report.untranslated,
        owned=report.owned,
        offered=report.offered,
    )


def _forget(store: _RouteStore, report: PassReport) -> None:
    """Forget failures that nobody wants to repeat, and when instances arrived that are gone."""
    for plan in report.plans:
        if plan.unreadable:
            continue
        if not (plan.owned or plan.changes):
            store.since.pop(plan.service, None)
        if store.failures:
            wanted = {instance_id(change) for change in (*plan.changes, *plan.held)}
            _drop(store, {key for key in _failing(store) if key[0] == plan.service and key[1] not in wanted})
    if report.full:
        seen = {plan.service for plan in report.plans}
        for service in [service for service in store.since if service not in seen]:
            del store.since[service]


def _remember(store: _RouteStore, record: ChangeRecord) -> None:
    earlier = store.history.pop(record.service, ())
    store.history[record.service] = (*earlier[1 - _OF_A_SERVICE :], record)
    if len(store.history) > _SERVICES:
        del store.history[next(iter(store.history))]


def _date(store: _RouteStore, record: ChangeRecord) -> None:
    if record.kind == "register":
        store.since.setdefault(record.service, {})[record.instance] = record.when
    elif record.kind == "deregister":
        arrived = store.since.get(record.service, {})
        arrived.pop(record.instance, None)
        if not arrived:
            store.since.pop(record.service, None)


def _failing(store: _RouteStore) -> set[tuple[str, str]]:
    return store.further | store.failures.keys()


def _drop(store: _RouteStore, keys: set[tuple[str, str]]) -> None:
    store.further -= keys
    for key in keys:
        store.failures.pop(key, None)


def _follow_failure(store: _RouteStore, record: ChangeRecord) -> None:
    key = (record.service, record.instance)
    if record.ending == "done":
        if store.failures:
            _drop(store, {key})
    elif record.ending == "failed":
        before = store.failures.get(key)
        if before is None and len(store.failures) >= _FAILURES:
            store.further.add(key)
            return
        store.further.discard(key)
        first, times = (before.first, before.times) if before else (record.when, 0)
        store.failures[key] = FailureRecord(first, times + 1, record)
