"""A plan as text for people."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from syncer.core.model import Conflict, Instance, Skip
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    ServicePlan,
    SetHealth,
    Update,
    UpdateService,
    instance_id,
)
from syncer.core.report import PassReport
from syncer.settings.namespaces import Namespace

_SYMBOLS: Mapping[type, str] = {
    CreateService: "+",
    UpdateService: "~",
    Register: "+",
    Update: "~",
    SetHealth: "~",
    Deregister: "-",
    DeleteService: "-",
}

VERBS: Final[Mapping[str, str]] = {"+": "add", "~": "change", "-": "remove"}
"""What each sign says."""
REMARKS: Final = ("held", "conflicts", "unreadable", "skipped")


def plan_text(
    reports: Iterable[PassReport], created: Iterable[Namespace] = (), *, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines of a plan: ``+`` adds, ``~`` changes, ``-`` removes, ``!`` is held, in conflict or unreadable.

    The namespaces *created* first come first. With *verbose* what is skipped is listed too, with the reason.
    """
    reports, created = tuple(reports), tuple(created)
    for section in created:
        yield f"+ namespace {section.known_as} ({_kind(section)}): `syncer once` or `syncer run` creates it"
    for report in reports:
        yield f"{report.route}"
        lines = list(_route_lines(report, verbose=verbose))
        yield from lines or ["  nothing to do"]
    yield summary(totals(reports, created))


def totals(reports: Iterable[PassReport], created: Iterable[Namespace] = ()) -> Counter[str]:
    """Return how much there is of what: ``+``, ``~``, ``-``, and the remarks of :func:`summary`."""
    found = Counter({"+": len(tuple(created))})
    for report in reports:
        found["unreadable"] += len(report.errors)
        for plan in report.plans:
            found.update(symbol(change) for change in plan.changes)
            found["unreadable"] += len(plan.unreadable)
            found["held"] += len(plan.held)
            found["conflicts"] += len(plan.conflicts)
            found["skipped"] += len(plan.skipped)
        conflicts = sum(isinstance(item, Conflict) for item in report.untranslated)
        found["conflicts"] += conflicts
        found["skipped"] += len(report.untranslated) - conflicts
    return found


def summary(counted: Mapping[str, int]) -> str:
    """Return the last line of a plan."""
    parts = [f"{counted.get(sign, 0)} to {verb}" for sign, verb in VERBS.items()]
    parts.extend(f"{counted[key]} {key}" for key in REMARKS if counted.get(key))
    return "Plan: " + ", ".join(parts) + "."


def symbol(change: Change) -> str:
    """Return ``+``, ``~`` or ``-`` for *change*."""
    return _SYMBOLS[type(change)]


def describe(change: Change) -> str:
    """Return what *change* is about, in a few words."""
    match change:
        case CreateService(records=records, ttl=ttl):
            kinds = "+".join(sorted(records))
            return f"service, {kinds} records, TTL {ttl} s" if records else "service, found by the API only"
        case UpdateService(info=info, ttl=ttl):
            return f"service, TTL {info.ttl} s → {ttl} s"
        case Register(instance=instance):
            return f"{where(instance)}  {instance.health}"
        case Update(before=before, instance=instance):
            return "; ".join(_differences(before, instance))
        case SetHealth(before=before, instance=instance):
            return f"{where(instance)}  {before} → {instance.health}"
        case Deregister(instance=instance):
            return where(instance)
        case DeleteService():
            return "service, empty"


def where(instance: Instance) -> str:
    """Return the address and port of *instance* as one would type them."""
    address = instance.addresses[0] if instance.addresses else "no address"
    if instance.port is None:
        return address
    return f"[{address}]:{instance.port}" if ":" in address else f"{address}:{instance.port}"


def _kind(section: Namespace) -> str:
    create = section.create
    return ", ".join(filter(None, (create.type, create.vpc))) if create else ""


def _differences(before: Instance, after: Instance) -> Iterator[str]:
    if where(before) != where(after):
        yield f"{where(before)} → {where(after)}"
    if before.tags != after.tags:
        yield f"tags {','.join(before.tags) or '-'} → {','.join(after.tags) or '-'}"
    for key in sorted({*before.attributes, *after.attributes}):
        old, new = before.attributes.get(key), after.attributes.get(key)
        if old != new:
            yield f"{key} {old or '-'} → {new or '-'}"
    if before.mark != after.mark:
        yield f"now stands for {after.origin_id}"
    if before.addresses[1:] != after.addresses[1:] or before.public_ipv4 != after.public_ipv4:
        yield "further addresses"


def _route_lines(report: PassReport, *, verbose: bool) -> Iterator[str]:
    for error in report.errors:
        yield f"  ! {error}"
    for plan in report.plans:
        yield from _service_lines(plan, verbose=verbose)
    for item in report.untranslated:
        yield from _remark(item, verbose=verbose)


def _service_lines(plan: ServicePlan, *, verbose: bool) -> Iterator[str]:
    for change in plan.changes:
        name = f"{change.service}/{instance_id(change)}".rstrip("/")
        yield f"  {symbol(change)} {name:<48} {describe(change)}"
    for reason in plan.unreadable:
        yield f"  ! {plan.service}: not planned, {reason}"
    if plan.held:
        yield f"  ! {plan.service}: {len(plan.held)} removals held: {plan.hold}"
    remarks: tuple[Skip | Conflict, ...] = (*plan.conflicts, *plan.skipped)
    for item in remarks:
        yield from _remark(item, verbose=verbose)


def _remark(item: Skip | Conflict, *, verbose: bool) -> Iterator[str]:
    name = f"{item.service}/{item.instance}" if item.instance else item.service
    if isinstance(item, Conflict):
        yield f"  ! {name}: conflict: {item.reason}"
        return
    if verbose:
        advice = f" → {item.advice}" if item.advice else ""
        yield f"    {name}: skipped: {item.reason}{advice}"
