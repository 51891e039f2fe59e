"""A plan for one service: the changes that turn what is there into what is wanted.

    wanted   current          →
    A        -                Register(A)
    A        A, ours          -, Update(A) or SetHealth(A)
    A        A, another's     Conflict
    A        B, ours, unwanted, on A's address, where an address may be there once
                              Update(B → A): taken over in place, never without an address
    -        A, ours          Deregister(A)
    -        A, another's     -

Only what carries our own mark is ever changed. Order: create the service, register, update, then remove.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from syncer.core.identity import target_id
from syncer.core.model import Complete, Conflict, Health, Instance, ServiceInfo, Skip
from syncer.core.rules import RouteRules
from syncer.core.wanted import Wanted, is_ours


@dataclass(frozen=True, slots=True)
class CreateService:
    """Create a service with the route's records."""

    service: str
    records: frozenset[str]
    ttl: int
    owner: str
    origin: str


@dataclass(frozen=True, slots=True)
class UpdateService:
    """Change the TTL of a service of ours; its other settings stay as they are."""

    service: str
    info: ServiceInfo
    ttl: int


@dataclass(frozen=True, slots=True)
class Register:
    """Register an instance that is not there."""

    instance: Instance

    @property
    def service(self) -> str:
        """The target's service."""
        return self.instance.service


@dataclass(frozen=True, slots=True)
class Update:
    """Replace an instance of ours in place, under the id it has."""

    before: Instance
    instance: Instance

    @property
    def service(self) -> str:
        """The target's service."""
        return self.instance.service


@dataclass(frozen=True, slots=True)
class SetHealth:
    """Write another health on an instance of ours, and nothing else."""

    before: Health
    instance: Instance

    @property
    def service(self) -> str:
        """The target's service."""
        return self.instance.service


@dataclass(frozen=True, slots=True)
class Deregister:
    """Remove an instance of ours."""

    instance: Instance

    @property
    def service(self) -> str:
        """The target's service."""
        return self.instance.service


@dataclass(frozen=True, slots=True)
class DeleteService:
    """Delete a service of ours that is empty."""

    service: str
    info: ServiceInfo


InstanceChange = Register | Update | SetHealth | Deregister
Change = CreateService | UpdateService | InstanceChange | DeleteService

_ORDER: tuple[type, ...] = (
    CreateService,
    UpdateService,
    Register,
    Update,
    SetHealth,
    Deregister,
    DeleteService,
)


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """What is to be done about one service of the target, and what is deliberately not done."""

    service: str
    """The target's name."""
    source: str | None
    """The source's name; None where no source service leads to this name any more."""
    changes: tuple[Change, ...] = ()
    skipped: tuple[Skip, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    held: tuple[Deregister, ...] = ()
    """Removals that the guard does not let pass."""
    hold: str = ""
    """Why they are held, with the arithmetic."""
    owned: int = 0
    """How many instances of this service are ours now."""
    offered: int = 0
    """How many instances the source offers for it."""
    unreadable: tuple[str, ...] = ()
    """Why nothing was planned, where a side could not be read."""

    @property
    def removals(self) -> tuple[Deregister, ...]:
        """The removals among the changes."""
        return tuple(change for change in self.changes if isinstance(change, Deregister))


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return *changes* in the order in which they are safe: what adds first, what removes last."""
    return tuple(
        sorted(changes, key=lambda change: (_ORDER.index(type(change)), change.service, instance_id(change)))
    )


def instance_id(change: Change) -> str:
    """Return the id of the instance that *change* is about; empty for a change of the service itself."""
    return change.instance.id if isinstance(change, InstanceChange) else ""


def make_plan(
    rules: RouteRules, name: str, want: Wanted, current: Complete
) -> tuple[tuple[Change, ...], tuple[Conflict, ...]]:
    """Return the changes that turn *current* into *want*, in order, and what somebody else holds."""
    ours = {item.id: item for item in current.instances if is_ours(item, rules)}
    theirs = {item.id: item for item in current.instances if item.id not in ours}
    placed, surplus = _place(rules, want.instances, ours)
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    for instance, before in placed:
        holder = theirs.get(instance.id)
        if holder is not None:
            by = holder.mark.owner if holder.mark else "somebody without a mark"
            conflicts.append(Conflict(name, instance.id, f"the id {instance.id!r} is held by {by}", by))
        elif before is None:
            changes.append(Register(instance))
        else:
            changes.extend(_difference(before, instance, current.info))
    changes.extend(Deregister(item) for item in surplus)
    changes.extend(
        _service_changes(rules, name, current, needed=any(isinstance(c, Register) for c in changes))
    )
    return ordered(changes), tuple(conflicts)


def _place(
    rules: RouteRules, instances: tuple[Instance, ...], ours: dict[str, Instance]
) -> tuple[list[tuple[Instance, Instance | None]], list[Instance]]:
    """Give every wanted instance its id: the one it has, one on its address that is free, or a new one."""
    by_origin = {(item.mark.service, item.mark.instance): item for item in ours.values() if item.mark}
    placed: list[tuple[Instance, Instance | None]] = []
    new: list[Instance] = []
    for item in instances:
        before = by_origin.pop((item.mark.service, item.mark.instance), None) if item.mark else None
        if before is None:
            new.append(item)
        else:
            placed.append((replace(item, id=before.id), before))
    placed_ids = {before.id for _, before in placed if before is not None}
    free = {item.id: item for item in ours.values() if item.id not in placed_ids}
    for item in new:
        heir = next((old for old in free.values() if set(old.addresses) & set(item.addresses)), None)
        if heir is not None and rules.carrier.unique_address:
            del free[heir.id]
            placed.append((replace(item, id=heir.id), heir))
        else:
            placed.append((replace(item, id=_new_id(item, ours)), None))
    return placed, sorted(free.values(), key=lambda item: item.id)


def _new_id(item: Instance, ours: dict[str, Instance]) -> str:
    mark = item.mark
    assert mark is not None
    attempt = 0
    while (candidate := target_id(mark.origin, mark.service, mark.instance, attempt)) in ours:
        attempt += 1
    return candidate


def _difference(before: Instance, after: Instance, info: ServiceInfo | None) -> list[Change]:
    changes: list[Change] = []
    if replace(before, health=after.health) != after:
        changes.append(Update(before, after))
    if (info is None or info.health_settable) and before.health.serves != after.health.serves:
        changes.append(SetHealth(before.health, after))
    return changes


def _service_changes(rules: RouteRules, name: str, current: Complete, *, needed: bool) -> list[Change]:
    if not rules.carrier.service_entities:
        return []
    info = current.info
    if info is None:
        return [CreateService(name, rules.records, rules.ttl, rules.owner, rules.source)] if needed else []
    if info.owner == rules.owner and info.records and info.ttl not in {None, rules.ttl}:
        return [UpdateService(name, info, rules.ttl)]
    return []
