"""The safety fuse: removals beyond a share of what we own are held, everything else passes.

A source that reads as empty, or as much smaller than it was, is more often broken than gone. What the source itself
says has ended is no such case, and does not count.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor

from syncer.core.plan import Back, DeleteService, ServicePlan


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """How much may go at once."""

    share: float = 0.3
    """0 to 1: removals up to this share of what we own pass."""
    floor: int = 10
    """So many removals pass whatever their share."""

    def allowed(self, owned: int) -> int:
        """Return how many of *owned* instances may be removed."""
        return max(self.floor, floor(round(self.share * owned, 6)))  # 0.29 * 100 is 28.999…

    def rest(self, owned: int) -> int:
        """Return how many of *owned* are left when a share went that may go, whatever the floor."""
        return ceil(round((1 - self.share) * owned, 6))


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why removals are held."""

    reason: str
    back: Back | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a route owns and is offered as a whole, of which a pass sees only the services that it touches."""

    owned: int
    """Instances of ours in the target, over all services."""
    offered: int
    """Instances that the source offers, over all services."""
    recent: Mapping[str, int]
    """Instances removed a short while ago, by target service: many small steps count as one large one."""


def guard(
    plans: Iterable[ServicePlan],
    limits: GuardLimits,
    standing: Standing,
    released: Collection[str] = (),
    *,
    approved: bool = False,
) -> tuple[ServicePlan, ...]:
    """Return *plans* with the removals that are too many moved from ``changes`` to ``held``, and the reason.

    The limits hold for each service and for the route as a whole; an empty source holds every removal. *released*
    names target services whose removals pass all the same; *approved* lets everything pass.
    """
    listed = tuple(plans)
    if approved:
        return listed
    verdict = _route_verdict(listed, limits, standing, released)
    return tuple(
        plan if plan.service in released else _held(plan, verdict or _service_verdict(plan, limits, standing))
        for plan in listed
    )


def _route_verdict(
    plans: tuple[ServicePlan, ...], limits: GuardLimits, standing: Standing, released: Collection[str]
) -> Verdict | None:
    asked = sum(len(plan.doubtful) for plan in plans if plan.service not in released)
    if not asked:
        return None
    if standing.offered == 0:
        reason = f"the source is empty, and {standing.owned} of ours are in the target"
        return Verdict(reason, Back(limits.rest(standing.owned), whole=True))
    recent = sum(count for service, count in standing.recent.items() if service not in released)
    return _verdict("route", asked, recent, standing.owned, limits)


def _service_verdict(plan: ServicePlan, limits: GuardLimits, standing: Standing) -> Verdict | None:
    asked = len(plan.doubtful)
    return _verdict(
        f"service {plan.service}", asked, standing.recent.get(plan.service, 0), plan.owned, limits
    )


def _verdict(scope: str, asked: int, recent: int, owned: int, limits: GuardLimits) -> Verdict | None:
    before = owned + recent
    allowed = limits.allowed(before)
    if not asked or asked + recent <= allowed:
        return None
    lately = f" after {recent} a moment ago" if recent else ""
    reason = (
        f"{scope}: {asked} of {before} would be removed{lately}; "
        f"{allowed} may be at once ({limits.share * 100:g} %, at least {limits.floor})"
    )
    # Without what went a moment ago they would pass.
    return Verdict(reason, Back(limits.rest(owned), scope == "route") if asked > allowed else None)


def _held(plan: ServicePlan, verdict: Verdict | None) -> ServicePlan:
    held = plan.doubtful
    if verdict is None or not held:
        return plan
    passing = tuple(item for item in plan.changes if item not in held and not isinstance(item, DeleteService))
    return replace(plan, changes=passing, held=held, hold=verdict.reason, back=verdict.back)
