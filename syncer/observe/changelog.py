"""The log of what was done: one line for each change, with both names; passes only where something is new."""

import threading
from collections.abc import Iterable
from typing import Final

import structlog

from syncer.core.plan import ServicePlan, instance_id
from syncer.core.ports import Ending
from syncer.core.report import ChangeReport, PassReport
from syncer.observe.books import Book
from syncer.observe.progress import Progress
from syncer.observe.words import endpoint_of, kind

_log = structlog.get_logger()

_LINES: Final = 20
"""Lines about services that one pass may write; a registry that is down must not write one for each service."""

_State = tuple[str, tuple[str, ...], tuple[str, ...]]
"""What is worth a line when it changes: why removals are held, conflicts, why a side is unreadable."""


class ChangeLog:
    """An observer that writes the log. Thread-safe."""

    def __init__(self, *, progress_above: int = 50, progress_every: float = 5.0) -> None:
        """Tell every *progress_every* seconds how far it is while more than *progress_above* changes are under way."""
        self._above, self._every = progress_above, progress_every
        self._lock = threading.Lock()
        self._book: Book[_State] = Book(_state)
        self._errors: dict[str, tuple[str, ...]] = {}
        self._progress: dict[str, Progress] = {}

    def passed(self, report: PassReport) -> None:
        """Write a line for what is new since the last pass, and one for the pass itself at ``debug``."""
        with self._lock:
            self._follow(report.route).submitted(sum(report.submitted.values()))
            moved = self._book.note(report)
            listed_before = self._errors.get(report.route, ())
            if report.errors or report.full:
                self._errors[report.route] = report.errors
        _log.debug(
            "passed",
            route=report.route,
            full=report.full,
            services=len(report.plans),
            ms=_ms(report.seconds),
            submitted=dict(report.submitted),
            waiting=report.waiting,
        )
        self._say_errors(report, listed_before)
        self._say_moved(report.route, moved)

    def changed(self, report: ChangeReport) -> None:
        """Write a line for a change that ended, and now and then how far all of them are."""
        with self._lock:
            standing = self._follow(report.route).ended()
        outcome = report.outcome
        fields = {
            "kind": kind(outcome.change),
            "route": report.route,
            "source_service": report.source_service,
            "target_service": outcome.change.service,
            "instance": instance_id(outcome.change),
            "address": endpoint_of(outcome.change),
            "ms": _ms(report.seconds),
        }
        match outcome.ending:
            case Ending.DONE:
                _log.info("changed", **fields)
            case Ending.FAILED:
                error = outcome.error
                code = error.code if error else ""
                _log.warning("change_failed", **fields, code=code, error=str(error) if error else "")
            case Ending.SUPERSEDED:
                _log.debug("change_superseded", **fields)
            case Ending.ABANDONED:
                _log.info("change_abandoned", **fields)
        if standing is not None:
            _log.info(
                "progress",
                route=report.route,
                done=standing.done,
                total=standing.total,
                per_second=round(standing.rate, 1),
                seconds_left=round(standing.left),
            )

    def _follow(self, route: str) -> Progress:
        progress = self._progress.get(route)
        if progress is None:
            progress = self._progress[route] = Progress(self._above, self._every)
        return progress

    def _say_errors(self, report: PassReport, before: tuple[str, ...]) -> None:
        if report.errors and report.errors != before:
            for error in report.errors:
                _log.warning("not_listed", route=report.route, reason=error)
        elif before and report.full:
            _log.info("listed_again", route=report.route)

    def _say_moved(self, route: str, moved: Iterable[tuple[str, _State | None, _State | None]]) -> None:
        lines = [
            (event, service, reason)
            for service, before, now in moved
            for event, reason in _news(before or ("", (), ()), now or ("", (), ()))
        ]
        for event, service, reason in lines[:_LINES]:
            bad = event in {"held", "conflict", "not_read"}
            say = _log.warning if bad else _log.info
            say(event, route=route, service=service, **({"reason": reason} if reason else {}))
        if len(lines) > _LINES:
            _log.warning("and_more", route=route, services=len(lines) - _LINES)


def _state(plan: ServicePlan, before: _State | None) -> _State | None:
    if plan.unreadable:
        hold, conflicts, _ = before or ("", (), ())
        return (hold, conflicts, plan.unreadable)
    if not (plan.hold or plan.conflicts):
        return None
    return (plan.hold, tuple(conflict.reason for conflict in plan.conflicts), ())


def _news(before: _State, now: _State) -> Iterable[tuple[str, str]]:
    """Yield what to say of a service, as event and reason. A reason that only changed its wording is no news."""
    if now[0] and not before[0]:
        yield "held", now[0]
    elif before[0] and not now[0]:
        yield "held_no_more", ""
    for reason in now[1]:
        if reason not in before[1]:
            yield "conflict", reason
    if before[1] and not now[1]:
        yield "conflict_no_more", ""
    if now[2] and not before[2]:
        yield "not_read", "; ".join(now[2])
    elif before[2] and not now[2]:
        yield "read_again", ""


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
