"""Which of our entries in the target becomes which wanted instance."""

from syncer.core.model import Instance, ServiceInfo
from syncer.core.offer import Origin, origin
from syncer.core.rules import RouteRules


def place(
    rules: RouteRules, instances: tuple[Instance, ...], ours: list[Instance], info: ServiceInfo | None
) -> dict[Origin, Instance]:
    """Return which of *ours*, in order of id, becomes which wanted instance, by origin; the rest is surplus.

    An instance keeps the entry it has. But where an address may be there once, the entry that has the address goes
    to whoever is there now: two that swap their addresses swap their entries, and no change waits for another.
    Whoever lost its entry that way takes over the one that was left for it.
    """
    own = _own(instances, ours)
    holders = _holders(rules, instances, ours, info)
    slots = {key: own[key] for key, found in holders.items() if key in own and own[key] in found}
    heirs = {old.id: key for key, old in slots.items()}
    for key, found in holders.items():
        free = next((old for old in found if old.id not in heirs), None)
        if key not in slots and free is not None:
            slots[key] = free
            heirs[free.id] = key
    for key in [key for key in holders if key not in slots]:
        left = own.get(key)
        while left is not None and left.id in heirs:
            left = own.get(heirs[left.id])
        if left is not None:
            slots[key] = left
            heirs[left.id] = key
    return slots


def _own(instances: tuple[Instance, ...], ours: list[Instance]) -> dict[Origin, Instance]:
    """Return the entry that each wanted instance has, by origin; of several, one that is in its place already."""
    places = {origin(item): (item.addresses, item.port) for item in instances}
    own: dict[Origin, Instance] = {}
    for old in reversed(ours):
        key = origin(old)
        other = own.get(key)
        in_place = other is not None and (other.addresses, other.port) == places.get(key)
        if key in places and (not in_place or (old.addresses, old.port) == places[key]):
            own[key] = old
    return own


def _holders(
    rules: RouteRules, instances: tuple[Instance, ...], ours: list[Instance], info: ServiceInfo | None
) -> dict[Origin, list[Instance]]:
    """Return, for each wanted instance, those of *ours* that hold an address which may be there only once."""
    at: dict[str, list[Instance]] = {}
    for old in ours:
        for address in rules.exclusive(old, info):
            at.setdefault(address, []).append(old)
    return {
        origin(item): [old for address in rules.exclusive(item, info) for old in at.get(address, ())]
        for item in instances
    }
