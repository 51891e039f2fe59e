"""One service, both sides read: what is to be done about it. The same function serves every route."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from syncer.core.model import Complete, Conflict, Read, Skip, Unreadable
from syncer.core.plan import DeleteService, Deregister, ServicePlan, make_plan
from syncer.core.rules import RouteRules
from syncer.core.wanted import Wanted, is_ours, wanted


@dataclass(frozen=True, slots=True)
class Pair:
    """One service under both its names, as both sides were read."""

    target_name: str
    target: Read
    source_name: str | None = None
    """None where no source service leads to the target's name; then *source* is ignored."""
    source: Read | None = None
    """None counts as unreadable where there is a source's name: what was not looked at is not gone."""
    collision: Conflict | None = None
    """Set where another source service would meet this one under its name."""


def reconcile(rules: RouteRules, pair: Pair, *, may_remove: bool = True, forget: bool = False) -> ServicePlan:
    """Return the plan for *pair*.

    Nothing is planned where a side is unreadable or the name is contested. *may_remove* is false until both
    registries were read completely once; *forget* is true when an empty service of ours has been empty long enough.
    """
    unreadable = tuple(_unreadable(pair))
    empty = ServicePlan(pair.target_name, pair.source_name, unreadable=unreadable)
    if not isinstance(pair.target, Complete) or unreadable:
        return empty
    owned = sum(is_ours(item, rules) for item in pair.target.instances)
    if pair.collision is not None:
        return replace(empty, conflicts=(pair.collision,), owned=owned)
    want = _wanted(rules, pair)
    changes, conflicts = make_plan(rules, pair.target_name, want, pair.target)
    if not may_remove:
        changes = tuple(change for change in changes if not isinstance(change, Deregister))
    if may_remove and forget and _forgettable(rules, pair.target, want):
        assert pair.target.info is not None
        changes = (*changes, DeleteService(pair.target_name, pair.target.info))
    return replace(
        empty,
        changes=changes,
        skipped=want.skipped,
        conflicts=(*want.conflicts, *conflicts),
        owned=owned,
        offered=want.offered,
    )


def _unreadable(pair: Pair) -> Iterator[str]:
    if pair.source_name is not None and pair.source is None:
        yield "source: it was not read"
    if pair.source_name is not None and isinstance(pair.source, Unreadable):
        yield f"source: {pair.source.reason}"
    if isinstance(pair.target, Unreadable):
        yield f"target: {pair.target.reason}"


def _wanted(rules: RouteRules, pair: Pair) -> Wanted:
    if pair.source_name is None or not isinstance(pair.source, Complete):
        return Wanted((), ())
    denied = rules.filter.service(pair.source_name)
    if denied is not None:
        return Wanted((), (denied,))
    assert isinstance(pair.target, Complete)
    return wanted(rules, pair.target_name, pair.source, pair.target)


def _forgettable(rules: RouteRules, target: Complete, want: Wanted) -> bool:
    """Whether *target* is an empty service that we created and nobody wants now."""
    info = target.info
    return info is not None and info.owner == rules.owner and not target.instances and not want.instances


def untranslated(skip: Skip | Conflict) -> ServicePlan:
    """Return the plan for a source service that gets no name in the target: nothing, with the reason."""
    skipped = (skip,) if isinstance(skip, Skip) else ()
    conflicts = (skip,) if isinstance(skip, Conflict) else ()
    return ServicePlan("", skip.service, skipped=skipped, conflicts=conflicts)
