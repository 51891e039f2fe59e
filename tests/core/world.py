"""A registry as a pure function: what a snapshot is after a change, and which changes it refuses.

It knows nothing of owners or plans: it takes whatever the registry it stands for would take.
"""

from collections.abc import Iterable
from dataclasses import replace

from syncer.core.model import Complete, Health, Instance, ServiceInfo
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    SetHealth,
    Update,
    UpdateService,
)
from syncer.core.rules import RouteRules


class Impossible(Exception):
    """The registry refuses the change."""


def apply(rules: RouteRules, snapshot: Complete, change: Change) -> Complete:
    """Return *snapshot* after *change*.

    Raises:
        Impossible: a registry would refuse it.
    """
    match change:
        case CreateService():
            return _create(rules, snapshot, change)
        case UpdateService():
            return replace(snapshot, info=replace(_info(snapshot), ttl=change.ttl))
        case DeleteService():
            if snapshot.instances:
                raise Impossible("the service has instances")
            return replace(snapshot, info=None)
        case Register() | Update():
            return _write(rules, snapshot, change.instance)
        case SetHealth():
            return _set_health(rules, snapshot, change)
        case Deregister():
            rest = tuple(item for item in snapshot.instances if item.id != change.instance.id)
            return replace(snapshot, instances=rest)


def carry_out(
    rules: RouteRules, snapshot: Complete, changes: Iterable[Change]
) -> tuple[Complete, list[Change]]:
    """Apply all *changes* one after the other; return the end, and the changes that were refused."""
    refused: list[Change] = []
    for change in changes:
        try:
            snapshot = apply(rules, snapshot, change)
        except Impossible:
            refused.append(change)
    return snapshot, refused


def _info(snapshot: Complete) -> ServiceInfo:
    if snapshot.info is None:
        raise Impossible("there is no such service")
    return snapshot.info


def _create(rules: RouteRules, snapshot: Complete, change: CreateService) -> Complete:
    if not rules.carrier.service_entities or snapshot.info is not None:
        raise Impossible("there is such a service, or no such thing as a service")
    return replace(snapshot, info=ServiceInfo("srv-new", change.owner, change.records, change.ttl))


def _exclusive(rules: RouteRules, snapshot: Complete, instance: Instance) -> set[str]:
    if not rules.carrier.unique_address:
        return set()
    if snapshot.info is None:
        return set(instance.addresses)
    named = {"A": instance.ipv4, "AAAA": instance.ipv6}
    return {address for record, address in named.items() if address and record in snapshot.info.records}


def _write(rules: RouteRules, snapshot: Complete, instance: Instance) -> Complete:
    if rules.carrier.service_entities:
        _info(snapshot)
    if rules.carrier.stored is not None:
        instance = replace(rules.carrier.stored(instance), health=Health.PASSING)
    rest = tuple(item for item in snapshot.instances if item.id != instance.id)
    mine = _exclusive(rules, snapshot, instance)
    if any(mine & _exclusive(rules, snapshot, item) for item in rest):
        raise Impossible("the address is there already")
    return replace(snapshot, instances=(*rest, instance))


def _set_health(rules: RouteRules, snapshot: Complete, change: SetHealth) -> Complete:
    if not rules.carrier.healths or (snapshot.info is not None and not snapshot.info.health_settable):
        raise Impossible("health cannot be written there")
    if all(item.id != change.instance.id for item in snapshot.instances):
        raise Impossible("there is no such instance")
    written = tuple(
        replace(item, health=change.instance.health) if item.id == change.instance.id else item
        for item in snapshot.instances
    )
    return replace(snapshot, instances=written)
