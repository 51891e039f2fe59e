"""What the target should hold of one service, made from what the source holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from syncer.core.model import Complete, Conflict, Instance, ServiceInfo, Skip
from syncer.core.offer import Origin, offer, origin
from syncer.core.rules import RouteRules, SameName, Unhealthy

_ANY: Final = "*"
_Note = TypeVar("_Note", Skip, Conflict)
_Port = int | str | None
"""A port, whatever the port, or None where none is known."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The instances that the target should hold; their ids are still the origin's, the plan gives them new ones."""

    instances: tuple[Instance, ...]
    skipped: tuple[Skip, ...]
    conflicts: tuple[Conflict, ...] = ()
    offered: int = 0
    """How many instances the source offers, whatever becomes of them for their health or their address."""
    called: Mapping[Origin, Origin] = field(default_factory=dict)
    """What the source calls those whose mark the target does not hold whole."""
    ended: frozenset[Origin] = frozenset()
    """What the source says has ended, as our marks in the target name it."""

    def named(self, note: _Note) -> _Note:
        """Return *note* about what the source calls it."""
        return _named(note, self.called)


def wanted(rules: RouteRules, name: str, source: Complete, target: Complete) -> Wanted:
    """Return what the target should hold under *name*, given both sides.

    Exclusions come first: what is no plain service, what a syncer wrote (echo), what the filters deny, what has no
    address that the target's records can answer with. Then what is there natively already, then health, then one
    instance for each address where the target takes no more. The order of the instances read plays no part.
    """
    made = offer(rules, name, source, target.info)
    offered = made.instances
    ours = tuple(item for item in target.instances if is_ours(item, rules))
    native = tuple(item for item in target.instances if not is_ours(item, rules))
    if rules.same_name is SameName.SKIP and any(item.mark is None for item in native):
        reason = f"the target has a service {name!r} of its own, and same_name is skip"
        return Wanted((), (Skip(source.service, None, reason),), offered=len(offered))
    registered = _registered(rules, offered, ours, target.info)
    free, held, conflicts = _unheld(rules, offered, native, registered, target.info)
    others = any(item.health.serves and not item.kind for item in native)
    kept, withdrawn = _by_health(rules, free, registered, others=others, settable=rules.settable(target.info))
    single, sharing = _one_per_address(rules, kept, ours, target.info)
    notes = (*held, *withdrawn, *sharing)
    return Wanted(
        tuple(sorted(single, key=origin)),
        (
            *_unchangeable(rules, source.service, target.info),
            *made.skipped,
            *(_named(note, made.called) for note in notes),
        ),
        tuple(_named(conflict, made.called) for conflict in conflicts),
        len(offered),
        made.called,
        _ended(rules, name, source, target.info),
    )


def is_ours(instance: Instance, rules: RouteRules) -> bool:
    """Whether *instance* was written by this route of this owner: by equality, not by likeness."""
    mark = instance.mark
    return mark is not None and mark.owner == rules.owner and mark.origin == rules.source


def _named(note: _Note, called: Mapping[Origin, Origin]) -> _Note:
    service, instance = called.get((note.service, note.instance or ""), (note.service, note.instance))
    return replace(note, service=service, instance=instance)


def _ended(rules: RouteRules, name: str, source: Complete, info: ServiceInfo | None) -> frozenset[Origin]:
    """Return what of *source* has ended, under the origins that it had in the target."""
    if rules.carrier.stored is None or not source.ended:
        return frozenset(item.key for item in source.ended)
    there = offer(rules, name, replace(source, instances=source.ended), info).instances
    return frozenset(map(origin, there))


def _skip(instance: Instance, reason: str, advice: str = "") -> Skip:
    return Skip(*origin(instance), reason, advice)


def _unchangeable(rules: RouteRules, service: str, info: ServiceInfo | None) -> tuple[Skip, ...]:
    """Say so where a service of ours has other records than the route asks for now."""
    if info is None or info.owner != rules.owner or not info.records or info.records == rules.records:
        return ()
    has, asked = (" and ".join(sorted(records)) or "no" for records in (info.records, rules.records))
    reason = f"it has {has} records there, which cannot be changed; the route asks for {asked} records"
    return (Skip(service, None, reason, "delete the service there: it is created anew"),)


def _registered(
    rules: RouteRules, offered: list[Instance], ours: tuple[Instance, ...], info: ServiceInfo | None
) -> set[Origin]:
    """Return the origins of which the target has something of ours: their entry, or one on an exclusive address.

    The plan may hand that address over to them in place, and be interrupted at any point.
    """
    addresses = {address for item in ours for address in rules.exclusive(item, info)}
    heirs = (item for item in offered if not addresses.isdisjoint(rules.exclusive(item, info)))
    return {origin(item) for item in (*ours, *heirs)}


def _unheld(
    rules: RouteRules,
    offered: list[Instance],
    native: tuple[Instance, ...],
    registered: set[Origin],
    info: ServiceInfo | None,
) -> tuple[list[Instance], list[Skip], list[Conflict]]:
    """Leave out what the target holds natively, or another syncer or another route of ours put there.

    What a user registered wins always. What another syncer wrote wins over what is new; beside what we have
    registered it may stand: if each of two syncers withdrew for the other, nothing would be left.
    """
    holders: dict[str, list[tuple[_Port, Instance]]] = {}
    for other in sorted(native, key=_holder_rank):
        for address, port in _slots(rules, other, info):
            holders.setdefault(address, []).append((port, other))
    free: list[Instance] = []
    held: list[Skip] = []
    conflicts: list[Conflict] = []
    for item in offered:
        found = [
            (other, address)
            for address, port in _slots(rules, item, info)
            for taken, other in holders.get(address, ())
            if _meet(port, taken) and _yields(rules, item, other, known=origin(item) in registered, port=port)
        ]
        if not found:
            free.append(item)
            continue
        other, address = min(found, key=lambda pair: _holder_rank(pair[0]))
        if other.mark is None:
            held.append(_skip(item, f"{address} is registered there already, not by a syncer"))
        elif other.mark.owner == rules.owner:
            held.append(_skip(item, f"{address} is registered there already, from {other.mark.origin}"))
        else:
            by = other.mark.owner
            conflicts.append(Conflict(*origin(item), f"{address} is already there, from {by!r}", by))
    return free, held, conflicts


def _holder_rank(instance: Instance) -> tuple[bool, str]:
    return (instance.mark is not None, instance.id)


def _slots(rules: RouteRules, instance: Instance, info: ServiceInfo | None) -> Iterator[tuple[str, _Port]]:
    """Yield what only one instance should hold: an address with its port, some addresses whatever the port."""
    for address in rules.exclusive(instance, info):
        yield (address, _ANY)
    for address in instance.addresses:
        yield (address, instance.port)


def _meet(one: _Port, other: _Port) -> bool:
    """Whether two ports of one address are the same thing: a port that is not known may be any."""
    if _ANY in {one, other}:
        return one == other
    return one is None or other is None or one == other


def _yields(rules: RouteRules, item: Instance, other: Instance, *, known: bool, port: _Port) -> bool:
    """Whether *item*, which is *known* there or not, makes way for *other*, which has an address of its.

    Two routes of one owner may find one instance in two sources, and register it at the same time. Then just one of
    them withdraws, that with the lesser source, if the other has all its addresses: ids are compared, since both come
    to the same answer by that.
    """
    if other.mark is None:
        return True
    if other.mark.owner == rules.owner and (known or port != _ANY):
        return other.mark.origin > rules.source and {*item.addresses} <= {*other.addresses}
    return not known or port == _ANY


def _by_health(
    rules: RouteRules,
    instances: list[Instance],
    registered: set[Origin],
    *,
    others: bool,
    settable: bool,
) -> tuple[list[Instance], list[Skip]]:
    """Leave out what is critical, unless that would be written on it, or nothing would be left for its health alone.

    Where all turn critical at once, all that are registered stay: resolvers then answer with them, as with the last.
    """
    if rules.unhealthy is Unhealthy.MARK and settable:
        return instances, []
    serving = [item for item in instances if item.health.serves]
    critical = [item for item in instances if not item.health.serves]
    if not serving and not others and rules.keep_last:
        serving = [item for item in critical if origin(item) in registered]
        critical = [item for item in critical if origin(item) not in registered]
    return serving, [_skip(item, "it is critical") for item in critical]


def _one_per_address(
    rules: RouteRules, instances: list[Instance], ours: tuple[Instance, ...], info: ServiceInfo | None
) -> tuple[list[Instance], list[Skip]]:
    """Choose one instance for each address: the healthy before others, what has it already before what is new."""
    held = {(origin(item), address) for item in ours for address in rules.exclusive(item, info)}

    def rank(item: Instance) -> tuple[bool, bool, Origin]:
        in_place = any((origin(item), address) in held for address in rules.exclusive(item, info))
        return (not item.health.serves, not in_place, origin(item))

    taken: dict[str, Instance] = {}
    chosen: list[Instance] = []
    sharing: list[Skip] = []
    for item in sorted(instances, key=rank):
        addresses = rules.exclusive(item, info)
        first = next((taken[address] for address in addresses if address in taken), None)
        if first is None:
            taken.update(dict.fromkeys(addresses, item))
            chosen.append(item)
        else:
            reason = (
                f"{first.origin_id} of this service has the same address, and one address is registered once"
            )
            sharing.append(_skip(item, reason, "write records: [SRV]"))
    return chosen, sharing
