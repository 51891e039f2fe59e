"""One route at work: take what is dirty, read, plan, guard, submit, report."""

import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial

import structlog

from syncer.core.guard import GuardLimits, Standing, guard
from syncer.core.model import Complete, Listed
from syncer.core.plan import DeleteService, Deregister, Register, ServicePlan
from syncer.core.ports import Outcome, Writer
from syncer.core.reconcile import Pair, reconcile
from syncer.core.report import ChangeReport, Observers, PassReport
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Agenda, Backoff
from syncer.engine.dirty import Batch, Dirty
from syncer.engine.failures import Failures
from syncer.engine.holds import HoldPolicy, Holds
from syncer.engine.mirror import Mirror
from syncer.engine.pairing import Pairing
from syncer.engine.permission import Permission
from syncer.engine.submission import Submission

_log = structlog.get_logger()

_EMPTIED = 0.5
"""Seconds from a removal until its service is looked at again."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a route goes about its work; the times are seconds."""

    limits: GuardLimits = field(default_factory=GuardLimits)
    hold: HoldPolicy = field(default_factory=HoldPolicy)
    backoff: Backoff = field(default_factory=Backoff)
    debounce: float = 0.05
    forget_after: float = 600.0
    """How long a service of ours stays empty before it is deleted."""


@dataclass(slots=True)
class _Totals:
    owned: dict[str, int] = field(default_factory=dict)
    offered: dict[str, int] = field(default_factory=dict)

    def note(self, plan: ServicePlan) -> None:
        if plan.unreadable:
            return
        for book, count in ((self.owned, plan.owned), (self.offered, plan.offered)):
            if count:
                book[plan.service] = count
            else:
                book.pop(plan.service, None)


class Route:
    """One source registry to one target registry. :meth:`run` is its thread; :meth:`step` one pass."""

    def __init__(
        self,
        rules: RouteRules,
        source: Mirror,
        target: Mirror,
        writer: Writer,
        agenda: Agenda,
        policy: Policy,
        observers: Observers,
    ) -> None:
        self.rules = rules
        self.source = source
        self.target = target
        self.dirty = Dirty(policy.debounce)
        self.failures = Failures(policy.backoff)
        self.holds = Holds(policy.hold)
        self.submission = Submission(target, writer, self.failures, self._again, self._ended)
        self.last_pass: float | None = None
        """``time.monotonic()`` of the last pass that read everything it looked at."""
        self.may_write = Permission()
        """Asked at a pass's beginning and at its end: both must lie in one term."""
        self._agenda = agenda
        self._policy = policy
        self._observers = observers
        self._pairing = Pairing(rules, source, target)
        self._totals = _Totals()
        self._empty_since: dict[str, float] = {}
        self._list_failures = 0
        self._defects = 0

    @property
    def id(self) -> str:
        """The route's id."""
        return self.rules.id

    def run(self, stop: threading.Event) -> None:
        """Make passes over what is dirty until *stop* is set and the route is woken."""
        while (batch := self.dirty.take(stop)) is not None:
            try:
                self.step(batch)
                self._defects = 0
            except Exception:  # noqa: BLE001 - a defect in one pass must not end the route; it is logged whole
                if stop.is_set():  # the mirrors are closed: what a pass reads is broken off
                    return
                _log.exception("pass_failed", route=self.id)
                self._defects += 1
                delay = self._policy.backoff.after(self._defects)
                self._agenda.after(delay, (self.id, "full"), self.dirty.add_all)

    def step(self, batch: Batch, *, write: bool = True) -> PassReport:
        """Make one pass over *batch*; with *write* false nothing is submitted, and the report is a plan."""
        began = time.monotonic()
        term = self.may_write.term() if write else 0
        errors = self._pairing.relist() if batch.full else ()
        if errors:
            self._list_failures += 1
            delay = self._policy.backoff.after(self._list_failures)
            self._agenda.after(delay, (self.id, "full"), self.dirty.add_all)
            batch = replace(batch, full=False)
        plans = self._guarded([self._plan(pair) for pair in self._pairing.pairs(batch)])
        if batch.full and not errors:
            self._list_failures = 0
            plans = self._after_first_full(plans, batch)
        submitted = None
        if term and term == self.may_write.term():
            submitted = self.submission.submit(plans, since=batch.since or began)
            self.holds.came_back(item for item in submitted.changes if isinstance(item, Register))
            self.holds.let_through(item for item in submitted.changes if isinstance(item, Deregister))
        report = PassReport(
            self.id,
            batch.full,
            time.monotonic() - began,
            plans,
            submitted.kinds if submitted else {},
            submitted.waiting if submitted else 0,
            tuple(self._pairing.untranslated.values()),
            errors,
            sum(self._totals.owned.values()),
            sum(self._totals.offered.values()),
        )
        if not errors and not report.unreadable:
            self.last_pass = time.monotonic()
        self._observers.passed(report)
        return report

    def approve(self) -> dict[str, int]:
        """Let the removals pass that are held at this moment; return how many, by target service. Thread-safe."""
        approved = self.holds.approve()
        self.dirty.add(targets=frozenset(approved))
        return approved

    def _after_first_full(self, plans: tuple[ServicePlan, ...], batch: Batch) -> tuple[ServicePlan, ...]:
        """Once both sides were read completely, removals may be planned: plan again what the first pass could not."""
        if self.source.ready and self.target.ready:
            return plans
        for mirror in (self.source, self.target):
            mirror.attempted()
        return self._guarded([self._plan(pair) for pair in self._pairing.pairs(batch)])

    def _plan(self, pair: Pair) -> ServicePlan:
        may_remove = self.source.ready and self.target.ready
        plan = reconcile(self.rules, pair, may_remove=may_remove, forget=self._forget(pair))
        if plan.unreadable and plan.service in self.holds.held:
            self.holds.note(plan)
        self._totals.note(plan)
        return plan

    def _guarded(self, plans: list[ServicePlan]) -> tuple[ServicePlan, ...]:
        totals = self._totals
        plans = self._still_offered(plans)
        standing = Standing(sum(totals.owned.values()), sum(totals.offered.values()), self.holds.recent())
        self.holds.release()
        judged = guard(map(self.holds.set_aside, plans), self._policy.limits, standing)
        guarded = tuple(
            map(self.holds.put_back, (self.holds.keep(plan, standing.offered) for plan in judged), plans)
        )
        for plan in guarded:
            self.holds.note(plan)
        if self.holds.held:
            self._agenda.after(self._policy.hold.window / 2, (self.id, "held"), self._look_again)
        return guarded

    def _still_offered(self, plans: list[ServicePlan]) -> list[ServicePlan]:
        """Before a whole service is removed, count anew what the source still has.

        A source that loses everything is noticed service by service. Whoever goes first would find all others still
        offered, by what was read of them before, and the source would not look empty until little is left.
        """
        vanished = [plan for plan in plans if plan.doubtful and not plan.offered and plan.source is not None]
        if not vanished:
            return plans
        listing = self.source.registry.services()
        if isinstance(listing, Listed):
            back = self.rules.naming.back
            for target in [name for name in self._totals.offered if back(name) not in listing.names]:
                del self._totals.offered[target]
            return plans
        for plan in vanished:
            self._again(plan.service, self._policy.backoff.after(1))
        reason = f"source: {listing.reason}"
        return [
            replace(plan, changes=(), unreadable=(reason,)) if plan in vanished else plan for plan in plans
        ]

    def _look_again(self) -> None:
        """Have the held services read completely again: on that rests whether their removals are believed."""
        services = frozenset(self.holds.held)
        names = frozenset(filter(None, map(self.rules.naming.back, services)))
        from_source = {name for name in names if self.rules.filter.service(name) is None}
        self.source.reread(from_source)
        self.dirty.add(targets=services)

    def _forget(self, pair: Pair) -> bool:
        target = pair.target
        if not isinstance(target, Complete):
            return False
        if target.instances or target.info is None or target.info.owner != self.rules.owner:
            self._empty_since.pop(pair.target_name, None)
            return False
        since = self._empty_since.setdefault(pair.target_name, time.monotonic())
        left = since + self._policy.forget_after - time.monotonic()
        if left > 0:
            self._again(pair.target_name, left + 0.05)
        return left <= 0

    def _again(self, service: str, seconds: float) -> None:
        if seconds <= 0:
            self._look_at(service)
        else:
            self._agenda.after(seconds, (self.id, "again", service), partial(self._look_at, service))

    def _look_at(self, service: str) -> None:
        self.dirty.add(targets=frozenset({service}))

    def _ended(self, outcome: Outcome, since: float) -> None:
        change = outcome.change
        if isinstance(change, DeleteService):
            self._empty_since.pop(change.service, None)
        elif isinstance(change, Deregister) and self.rules.carrier.service_entities:
            # It may have been the last: from when on its service is empty is noticed by a look at it alone.
            self._agenda.after(
                _EMPTIED, (self.id, "emptied", change.service), partial(self._look_at, change.service)
            )
        source_service = self.rules.naming.back(change.service)
        self._observers.changed(ChangeReport(self.id, outcome, source_service, time.monotonic() - since))
