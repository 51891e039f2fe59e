"""A plan as text for people and as JSON for programs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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

Json = dict[str, Any]

_SYMBOLS: Mapping[type, str] = {
    CreateService: "+",
    UpdateService: "~",
    Register: "+",
    Update: "~",
    SetHealth: "~",
    Deregister: "-",
    DeleteService: "-",
}


def plan_text(
    reports: Iterable[PassReport], created: Iterable[Namespace] = (), *, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines of a plan: ``+`` adds, ``~`` changes, ``-`` removes, ``!`` is held, in conflict or unreadable.

    The namespaces *created* first come first. With *verbose* what is skipped is listed too, with the reason.
    """
    totals: Counter[str] = Counter()
    for section in created:
        totals["+"] += 1
        yield f"+ namespace {section.known_as} ({_kind(section)}): `syncer once` or `syncer run` creates it"
    for report in reports:
        yield f"{report.route}"
        lines = list(_route_lines(report, totals, verbose=verbose))
        yield from lines or ["  nothing to do"]
    yield summary(totals)


def summary(totals: Mapping[str, int]) -> str:
    """Return the last line of a plan."""
    parts = [
        f"{totals.get('+', 0)} to add",
        f"{totals.get('~', 0)} to change",
        f"{totals.get('-', 0)} to remove",
    ]
    remarks = ("held", "conflicts", "unreadable", "skipped")
    parts.extend(f"{totals[key]} {key}" for key in remarks if totals.get(key))
    return "Plan: " + ", ".join(parts) + "."


def plan_json(reports: Iterable[PassReport], created: Iterable[Namespace] = ()) -> Json:
    """Return a plan as plain values: routes with changes, held removals, conflicts, skips and errors."""
    return {
        "namespaces": [_namespace_json(section) for section in created],
        "routes": [_route_json(report) for report in reports],
    }


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


def _route_lines(report: PassReport, totals: Counter[str], *, verbose: bool) -> Iterator[str]:
    for error in report.errors:
        totals["unreadable"] += 1
        yield f"  ! {error}"
    for plan in report.plans:
        yield from _service_lines(plan, totals, verbose=verbose)
    for item in report.untranslated:
        yield from _remark(item, totals, verbose=verbose)


def _service_lines(plan: ServicePlan, totals: Counter[str], *, verbose: bool) -> Iterator[str]:
    for change in plan.changes:
        totals[symbol(change)] += 1
        name = f"{change.service}/{instance_id(change)}".rstrip("/")
        yield f"  {symbol(change)} {name:<48} {describe(change)}"
    for reason in plan.unreadable:
        totals["unreadable"] += 1
        yield f"  ! {plan.service}: not planned, {reason}"
    if plan.held:
        totals["held"] += len(plan.held)
        yield f"  ! {plan.service}: {len(plan.held)} removals held: {plan.hold}"
    remarks: tuple[Skip | Conflict, ...] = (*plan.conflicts, *plan.skipped)
    for item in remarks:
        yield from _remark(item, totals, verbose=verbose)


def _remark(item: Skip | Conflict, totals: Counter[str], *, verbose: bool) -> Iterator[str]:
    name = f"{item.service}/{item.instance}" if item.instance else item.service
    if isinstance(item, Conflict):
        totals["conflicts"] += 1
        yield f"  ! {name}: conflict: {item.reason}"
        return
    totals["skipped"] += 1
    if verbose:
        advice = f" → {item.advice}" if item.advice else ""
        yield f"    {name}: skipped: {item.reason}{advice}"


def _route_json(report: PassReport) -> Json:
    return {
        "route": report.route,
        "owned": report.owned,
        "offered": report.offered,
        "errors": list(report.errors),
        "changes": [_change_json(change) for plan in report.plans for change in plan.changes],
        "held": [
            {
                "service": plan.service,
                "instances": [item.instance.id for item in plan.held],
                "reason": plan.hold,
            }
            for plan in report.plans
            if plan.held
        ],
        "unreadable": [
            {"service": plan.service, "reasons": list(plan.unreadable)}
            for plan in report.plans
            if plan.unreadable
        ],
        "conflicts": [_remark_json(item) for plan in report.plans for item in plan.conflicts]
        + [_remark_json(item) for item in report.untranslated if isinstance(item, Conflict)],
        "skipped": [_remark_json(item) for plan in report.plans for item in plan.skipped]
        + [_remark_json(item) for item in report.untranslated if isinstance(item, Skip)],
    }


def _namespace_json(section: Namespace) -> Json:
    create = section.create
    return {
        "symbol": "+",
        "name": section.known_as,
        "region": section.region,
        "type": create and create.type,
        "vpc": create and create.vpc,
    }


def _change_json(change: Change) -> Json:
    return {
        "action": type(change).__name__,
        "symbol": symbol(change),
        "service": change.service,
        "instance": instance_id(change) or None,
        "what": describe(change),
    }


def _remark_json(item: Skip | Conflict) -> Json:
    plain: Json = {"service": item.service, "instance": item.instance, "reason": item.reason}
    return plain | ({"advice": item.advice} if isinstance(item, Skip) else {"holder": item.holder})
