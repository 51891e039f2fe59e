"""Removals that the guard holds: since when, when they may go, and which of them somebody approved."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from syncer.core.plan import Back, DeleteService, Deregister, Register, ServicePlan, ordered


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """When a held removal is believed after all."""

    release_after: float = 600.0
    """Seconds that the source must have stayed that way."""
    confirmations: int = 3
    """Complete reads, one after another, that must have said so."""
    window: float = 60.0
    """Seconds over which removals add up against the limits."""


@dataclass(slots=True)
class Hold:
    """One service whose removals are held."""

    since: float
    """``time.monotonic()``."""
    removals: frozenset[str]
    """The ids of the instances, in the target."""
    reason: str
    back: Back | None = None
    """When the source counts as back; until then what is held stays held."""
    confirmed: int = 1

    @property
    def count(self) -> int:
        """How many removals are held."""
        return len(self.removals)


@dataclass(slots=True)
class Holds:
    """What a route holds, what of it was approved, and what it let through lately. Thread-safe.

    An approval is good for the very removals that were held when it was given, each until it is carried out or no
    longer planned: what is planned later, for whatever reason, is judged anew.
    """

    policy: HoldPolicy
    _held: dict[str, Hold] = field(default_factory=dict)
    _approved: dict[str, frozenset[str]] = field(default_factory=dict)
    _recent: deque[tuple[float, str, str]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def held(self) -> dict[str, Hold]:
        """What is held at present, by target service: a copy."""
        with self._lock:
            return dict(self._held)

    def approve(self) -> dict[str, int]:
        """Let everything pass that is held at this moment; return how many removals, by service."""
        with self._lock:
            for service, hold in self._held.items():
                self._approve(service, hold)
            return {service: hold.count for service, hold in self._held.items()}

    def release(self) -> None:
        """Let those pass whose source stayed that way long enough, read completely again and again."""
        now = time.monotonic()
        with self._lock:
            for service, hold in self._held.items():
                old = now - hold.since >= self.policy.release_after
                if old and hold.confirmed >= self.policy.confirmations:
                    self._approve(service, hold)
                    hold.since, hold.confirmed = now, 0

    def set_aside(self, plan: ServicePlan) -> ServicePlan:
        """Return *plan* without the removals that are approved: these are no business of the guard.

        Approvals of what *plan* does not ask for are used up.
        """
        if plan.unreadable:
            return plan
        with self._lock:
            if plan.service not in self._approved:
                return plan
            asked = {removal.instance.id for removal in plan.removals}
            approved = self._approved[plan.service] & asked
            if approved:
                self._approved[plan.service] = approved
            else:
                del self._approved[plan.service]
        changes = tuple(
            change
            for change in plan.changes
            if not (isinstance(change, Deregister) and change.instance.id in approved)
        )
        return replace(plan, changes=changes)

    def put_back(self, judged: ServicePlan, whole: ServicePlan) -> ServicePlan:
        """Return *judged*, which the guard made of *whole* without its approved removals, with these again."""
        seen = {change.instance.id for change in (*judged.removals, *judged.held)}
        missing = tuple(change for change in whole.removals if change.instance.id not in seen)
        return replace(judged, changes=ordered((*judged.changes, *missing))) if missing else judged

    def recent(self) -> Mapping[str, int]:
        """Return how many instances were let go within the window and are not back, by service."""
        horizon = time.monotonic() - self.policy.window
        with self._lock:
            while self._recent and self._recent[0][0] < horizon:
                self._recent.popleft()
            # One that is tried several times, or comes and goes, is one.
            return Counter(service for service, _ in {item[1:] for item in self._recent})

    def came_back(self, changes: Iterable[Register]) -> None:
        """Note that *changes* went to the writer: what is there again is not lost."""
        back = {(change.service, change.instance.id) for change in changes}
        if back:
            with self._lock:
                self._recent = deque(item for item in self._recent if item[1:] not in back)

    def keep(self, plan: ServicePlan, offered: int) -> ServicePlan:
        """Return *plan*, as the guard left it, with what is held already held on until most of the source is back.

        That less is missing than before is no proof: after Consul has lost its catalogue, services return one by one.
        *offered* is what the source offers over all services.
        """
        with self._lock:
            hold = self._held.get(plan.service)
            if hold is None or hold.back is None or plan.unreadable:
                return plan
            if (offered if hold.back.whole else plan.offered) >= hold.back.least:
                return plan
            kept = tuple(change for change in plan.doubtful if change.instance.id in hold.removals)
            reason, back = hold.reason, hold.back
        if not kept:
            return plan
        changes = tuple(
            item for item in plan.changes if item not in kept and not isinstance(item, DeleteService)
        )
        return replace(plan, changes=changes, held=(*plan.held, *kept), hold=plan.hold or reason, back=back)

    def let_through(self, removals: Iterable[Deregister]) -> None:
        """Note that *removals* went to the writer.

        Those that were approved, and those of what the source says has ended, do not count against the limits.
        """
        now = time.monotonic()
        with self._lock:
            self._recent.extend(
                (now, removal.service, removal.instance.id)
                for removal in removals
                if not removal.ended and removal.instance.id not in self._approved.get(removal.service, ())
            )

    def note(self, plan: ServicePlan) -> None:
        """Take notice of *plan* as the guard left it."""
        removals = frozenset(removal.instance.id for removal in plan.held)
        with self._lock:
            hold = self._held.get(plan.service)
            if plan.unreadable:
                if hold is not None:
                    hold.since, hold.confirmed = time.monotonic(), 0
            elif not removals:
                self._held.pop(plan.service, None)
            elif hold is None:
                self._held[plan.service] = Hold(time.monotonic(), removals, plan.hold, plan.back)
            else:
                hold.removals, hold.reason, hold.back = removals, plan.hold, plan.back
                hold.confirmed += 1

    def _approve(self, service: str, hold: Hold) -> None:
        self._approved[service] = self._approved.get(service, frozenset()) | hold.removals
