"""Removals that the guard holds: since when, and when they may go."""

import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncer.core.plan import ServicePlan


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
    count: int
    reason: str
    confirmed: int = 1


@dataclass(slots=True)
class Holds:
    """What a route holds, and what it let through lately. Used by the route's own thread alone."""

    policy: HoldPolicy
    held: dict[str, Hold] = field(default_factory=dict)
    approved: bool = False
    """Set by an approval; lets the next removals pass, once."""
    _recent: deque[tuple[float, str]] = field(default_factory=deque)

    def released(self) -> set[str]:
        """Return the services whose source stayed that way long enough, read completely again and again."""
        now = time.monotonic()
        return {
            service
            for service, hold in self.held.items()
            if now - hold.since >= self.policy.release_after and hold.confirmed >= self.policy.confirmations
        }

    def recent(self) -> Mapping[str, int]:
        """Return how many removals were let through within the window, by service."""
        horizon = time.monotonic() - self.policy.window
        while self._recent and self._recent[0][0] < horizon:
            self._recent.popleft()
        counts: dict[str, int] = {}
        for _, service in self._recent:
            counts[service] = counts.get(service, 0) + 1
        return counts

    def let_through(self, services: Iterable[str]) -> None:
        """Note one removal for each of *services*."""
        now = time.monotonic()
        self._recent.extend((now, service) for service in services)

    def note(self, plan: ServicePlan) -> None:
        """Take notice of *plan* as the guard left it."""
        hold = self.held.get(plan.service)
        if plan.unreadable:
            if hold is not None:
                hold.since, hold.confirmed = time.monotonic(), 0
        elif not plan.held:
            self.held.pop(plan.service, None)
        elif hold is None:
            self.held[plan.service] = Hold(time.monotonic(), len(plan.held), plan.hold)
        else:
            hold.count, hold.reason = len(plan.held), plan.hold
            hold.confirmed += 1
