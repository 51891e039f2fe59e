"""Metrics for Prometheus; the only module that imports its client."""

import platform
from collections.abc import Callable
from typing import Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

from syncer import __version__
from syncer.core.plan import ServicePlan
from syncer.core.ports import Ending
from syncer.core.report import ChangeReport, PassReport
from syncer.observe.books import Book
from syncer.observe.words import kind

PREFIX: Final = "consul_cloudmap_sync"
_LAG: Final = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1, 2, 4, 8, 15, 30, 60, 120, 300, 900)
_PASS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)
_CALL: Final = (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1, 2, 5, 10, 30)
_THROTTLES: Final = frozenset(
    {
        "429",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttled",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
"""Error codes by which a registry asks for fewer calls."""

_Counts = tuple[int, int, int, int]
"""Held, skipped, conflicts, unreadable of one service."""


class Call(Protocol):
    """What a system tells of one call to its registry. A call that waited for a change may say ``blocking``."""

    @property
    def operation(self) -> str:
        """Such as ``RegisterInstance``; never a name or an id."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def error(self) -> str:
        """The error's code; empty where it succeeded."""


class Metrics:
    """An observer that counts, with a registry of its own. Thread-safe."""

    def __init__(self) -> None:
        # A second series for every counter, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call] # published without types
        self.registry = CollectorRegistry()
        self._book: Book[_Counts] = Book(_counts)
        self._declare_passes()
        self._declare_changes()
        self._declare_surroundings()

    def passed(self, report: PassReport) -> None:
        """Count a pass."""
        route = report.route
        scope = "full" if report.full else "partial"
        self._passes.labels(route, scope).inc()
        self._pass_seconds.labels(route, scope).observe(report.seconds)
        if not report.errors and not report.unreadable:
            self._last_pass.labels(route).set_to_current_time()
        if report.full or report.errors:
            self._unlisted.labels(route).set(len(report.errors))
        self._owned.labels(route).set(report.owned)
        self._offered.labels(route).set(report.offered)
        self._waiting.labels(route).set(report.waiting)
        self._note_services(report)

    def changed(self, report: ChangeReport) -> None:
        """Count a change that ended."""
        outcome = report.outcome
        self._changes.labels(report.route, kind(outcome.change), outcome.ending.value).inc()
        if outcome.ending is Ending.DONE:
            self._lag.labels(report.route).observe(report.seconds)
        if outcome.error is not None:
            self._errors.labels(report.route, outcome.error.code).inc()

    def calls(self, system: str) -> Callable[[Call], None]:
        """Return what *system* tells of each call that it makes."""
        known: dict[tuple[str, str], Counter] = {}
        timers: dict[str, Histogram] = {}

        def count(call: Call) -> None:
            key = (call.operation, call.error)
            counter = known.get(key)
            if counter is None:
                counter = known[key] = self._calls.labels(system, call.operation, call.error or "none")
            counter.inc()
            if call.error in _THROTTLES:
                self._throttles.labels(system, call.operation).inc()
            if not getattr(call, "blocking", False):
                timer = timers.get(call.operation)
                if timer is None:
                    timer = timers[call.operation] = self._call_seconds.labels(system, call.operation)
                timer.observe(call.seconds)

        return count

    def watch_age(self, registry: str, watch: str, age: Callable[[], float]) -> None:
        """Have *age* asked at each scrape: seconds since *watch* last heard of *registry*; NaN for never."""
        self._watch_age.labels(registry, watch).set_function(age)

    def leading(self, lease: str, *, held: bool) -> None:
        """Note that this process took *lease*, or lost it."""
        self._leader.labels(lease).set(held)

    def ready(self, check: Callable[[], bool]) -> None:
        """Have *check* asked at each scrape: whether ``/readyz`` is content."""
        self._ready.set_function(lambda: float(check()))

    def render(self, accept: str = "") -> tuple[str, bytes]:
        """Return everything as a content type and a body, in the format that the Accept header *accept* prefers."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self.registry)

    def _note_services(self, report: PassReport) -> None:
        moved = self._book.note(report)
        gauges = (self._held, self._skipped, self._conflicts, self._unreadable)
        nameless = len(report.untranslated)
        if moved or report.full:
            sums = [sum(column) for column in zip(*self._book.of(report.route).values(), strict=True)]
            for gauge, value in zip(gauges, sums or (0, 0, 0, 0), strict=True):
                gauge.labels(report.route).set(value)
        self._untranslated.labels(report.route).set(nameless)

    def _declare_passes(self) -> None:
        self._passes = self._counter(
            "passes", "Passes made; a full one looks at every service.", "route", "scope"
        )
        self._pass_seconds = self._histogram(
            "pass_duration_seconds", "How long a pass took, without its changes.", _PASS, "route", "scope"
        )
        self._last_pass = self._gauge(
            "last_pass_timestamp_seconds", "When a pass last read everything that it looked at.", "route"
        )
        self._owned = self._gauge("owned_instances", "Instances in the target that are ours.", "route")
        self._offered = self._gauge("offered_instances", "Instances that the source offers.", "route")
        self._waiting = self._gauge(
            "waiting_changes",
            "Changes that waited after the last pass: for others, or for another try.",
            "route",
        )
        self._held = self._gauge("held_removals", "Removals that the guard holds back.", "route")
        self._skipped = self._gauge("skipped", "Things deliberately not carried over.", "route")
        self._untranslated = self._gauge(
            "untranslated_services", "Source services that have no name in the target.", "route"
        )
        self._conflicts = self._gauge("conflicts", "Things wanted that somebody else holds.", "route")
        self._unreadable = self._gauge(
            "unreadable_services", "Services that could not be read on one side.", "route"
        )
        self._unlisted = self._gauge("unlisted_registries", "Registries that could not be listed.", "route")

    def _declare_changes(self) -> None:
        self._changes = self._counter(
            "changes", "Changes that ended, by how they ended.", "route", "kind", "result"
        )
        self._errors = self._counter("change_errors", "Changes that failed, by error code.", "route", "code")
        self._lag = self._histogram(
            "lag_seconds", "From the first hint of a change to its arrival in the target.", _LAG, "route"
        )

    def _declare_surroundings(self) -> None:
        self._calls = self._counter(
            "api_calls",
            "Calls to a registry, by error code (none: it succeeded).",
            "system",
            "operation",
            "code",
        )
        self._throttles = self._counter(
            "api_throttles",
            "Calls that a registry refused because there were too many.",
            "system",
            "operation",
        )
        self._call_seconds = self._histogram(
            "api_call_duration_seconds",
            "How long a call took; calls that wait for a change are left out.",
            _CALL,
            "system",
            "operation",
        )
        self._watch_age = self._gauge(
            "watch_age_seconds", "Since a watch last heard of its registry.", "registry", "watch"
        )
        self._leader = self._gauge("leader", "Whether this process holds the lease (1) or not (0).", "lease")
        self._ready = self._gauge("ready", "Whether /readyz is content (1) or not (0).")
        build = self._gauge("build_info", "Always 1; what runs stands in the labels.", "version", "python")
        build.labels(__version__, platform.python_version()).set(1)
        ProcessCollector(namespace=PREFIX, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", text, labels, registry=self.registry, buckets=buckets)


def _counts(plan: ServicePlan, before: _Counts | None) -> _Counts | None:
    if plan.unreadable:
        held, skipped, conflicts, _ = before or (0, 0, 0, 0)
        return (held, skipped, conflicts, 1)
    if not (plan.held or plan.skipped or plan.conflicts):
        return None
    return (len(plan.held), len(plan.skipped), len(plan.conflicts), 0)
