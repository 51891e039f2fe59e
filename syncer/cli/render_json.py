"""A plan as plain values, for programs: whatever the text says, without having to read it out of a sentence."""

from collections.abc import Iterable
from typing import Any

from syncer.cli.render import REMARKS, VERBS, describe, symbol, totals
from syncer.core.model import Conflict, Skip
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    SetHealth,
    Update,
    UpdateService,
    instance_id,
)
from syncer.core.report import PassReport
from syncer.settings.namespaces import Namespace

Json = dict[str, Any]


def plan_json(reports: Iterable[PassReport], created: Iterable[Namespace] = ()) -> Json:
    """Return namespaces, routes with changes, held removals, conflicts, skips and errors, and how many of each."""
    reports, created = tuple(reports), tuple(created)
    counted = totals(reports, created)
    return {
        "namespaces": [_namespace_json(section) for section in created],
        "routes": [_route_json(report) for report in reports],
        "summary": {verb: counted[sign] for sign, verb in VERBS.items()}
        | {remark: counted[remark] for remark in REMARKS},
    }


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
        **_details(change),
    }


def _details(change: Change) -> Json:
    """Return what the service or the instance is once *change* is done; of a removal, what it is until then."""
    match change:
        case CreateService(records=records, ttl=ttl):
            return {"records": sorted(records), "ttl": ttl if records else None}
        case UpdateService(info=info, ttl=ttl):
            return {"records": sorted(info.records), "ttl": ttl}
        case DeleteService(info=info):
            return {"records": sorted(info.records), "ttl": info.ttl}
        case Register(instance=it) | Update(instance=it) | SetHealth(instance=it) | Deregister(instance=it):
            return {"address": next(iter(it.addresses), None), "port": it.port, "health": it.health.value}


def _remark_json(item: Skip | Conflict) -> Json:
    plain: Json = {"service": item.service, "instance": item.instance, "reason": item.reason}
    return plain | ({"advice": item.advice} if isinstance(item, Skip) else {"holder": item.holder})
