"""A plan for one service: the changes that turn what is there into what is wanted.

    wanted   current          →
    A        -                Register(A)
    A        A, ours          -, Update(A) or SetHealth(A)
    A        A, another's     Conflict
    A        B, ours, on A's address, where an address may be there once
                              Update(B → A): taken over in place, never without an address
    -        A, ours          Deregister(A)
    -        A, another's     -

Only what carries our own mark is ever changed. Order: create the service, register, update, then remove. A plan has
at most one change for each instance: where its health and something else differ, the Update goes first, and the next
plan sees whether the registry took the health with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from syncer.core.identity import target_id
from syncer.core.model import Complete, Conflict, Health, Instance, ServiceInfo, Skip
from syncer.core.offer import origin
from syncer.core.place import place
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
    ended: bool = False
    """Whether the source says itself that it has ended, and does not just name it no more."""

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

_ORDER: Final[Mapping[type, int]] = {
    CreateService: 0,
    UpdateService: 1,
    Register: 2,
    Update: 3,
    SetHealth: 3,
    Deregister: 5,
    DeleteService: 6,
}


@dataclass(frozen=True, slots=True)
class Back:
    """When a source that was suddenly smaller counts as back."""

    least: int
    """So many instances it must offer again."""
    whole: bool
    """Whether for the route as a whole, or for the one service."""


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
    back: Back | None = None
    """When fewer missing ones are judged anew; None: always, as where they only wait for what went a moment ago."""
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

    @property
    def doubtful(self) -> tuple[Deregister, ...]:
        """Those removals that rest on nothing but the source not naming something any more."""
        return tuple(change for change in self.removals if not change.ended)


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return *changes* in the order in which they are safe: what adds first, what removes last.

    Of the updates, those that leave their instance serving come first: one that takes over is there before the
    other turns critical.
    """
    return tuple(sorted(changes, key=lambda change: (_rank(change), change.service, instance_id(change))))


def _rank(change: Change) -> int:
    falls = isinstance(change, Update | SetHealth) and not change.instance.health.serves
    return _ORDER[type(change)] + falls


def instance_id(change: Change) -> str:
    """Return the id of the instance that *change* is about; empty for a change of the service itself."""
    return change.instance.id if isinstance(change, InstanceChange) else ""


def make_plan(
    rules: RouteRules, name: str, want: Wanted, current: Complete
) -> tuple[tuple[Change, ...], tuple[Conflict, ...]]:
    """Return the changes that turn *current* into *want*, in order, and what somebody else holds.

    The origins of *want* differ from each other. The order in which *current* was read plays no part.
    """
    ours = sorted((item for item in current.instances if is_ours(item, rules)), key=lambda item: item.id)
    theirs = {item.id: item for item in current.instances if not is_ours(item, rules)}
    slots = place(rules, want.instances, ours, current.info)
    taken = {item.id for item in ours}
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    for item in want.instances:
        before = slots.get(origin(item))
        if before is not None:
            changes.extend(_difference(rules, before, replace(item, id=before.id), current.info))
            continue
        new = replace(item, id=_new_id(item, taken))
        holder = theirs.get(new.id)
        if holder is None:
            changes.append(Register(new))
        else:
            by = holder.mark.owner if holder.mark else "somebody without a mark"
            reason = f"the id {new.id!r} of {name!r} is held by {by!r}"
            conflicts.append(want.named(Conflict(*origin(item), reason, by)))
    kept = {before.id for before in slots.values()}
    changes.extend(Deregister(item, ended=origin(item) in want.ended) for item in ours if item.id not in kept)
    changes.extend(_service_changes(rules, name, want, changes, current.info))
    return ordered(changes), tuple(conflicts)


def _new_id(item: Instance, taken: set[str]) -> str:
    """Return an id for *item* that is not in *taken*: an entry that was taken over keeps the id it began with."""
    mark = item.mark
    assert mark is not None
    attempt = 0
    parts = (mark.origin, mark.service, mark.instance)
    while (candidate := target_id(*parts, attempt, name=item.service)) in taken:
        attempt += 1
    taken.add(candidate)
    return candidate


def _difference(
    rules: RouteRules, before: Instance, after: Instance, info: ServiceInfo | None
) -> tuple[Change, ...]:
    if replace(before, health=after.health) != after:
        return (Update(before, after),)
    if rules.settable(info) and before.health.serves != after.health.serves:
        return (SetHealth(before.health, after),)
    return ()


def _service_changes(
    rules: RouteRules, name: str, want: Wanted, changes: list[Change], info: ServiceInfo | None
) -> tuple[Change, ...]:
    if not rules.carrier.service_entities:
        return ()
    if info is None:
        needed = any(isinstance(change, Register) for change in changes)
        return (CreateService(name, rules.records, rules.ttl, rules.owner, rules.source),) if needed else ()
    if want.instances and info.owner == rules.owner and info.records and info.ttl not in {None, rules.ttl}:
        return (UpdateService(name, info, rules.ttl),)
    return ()
