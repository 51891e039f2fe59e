"""What the target should hold of one service, made from what the source holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from syncer.core.carrier import fit
from syncer.core.model import Complete, Conflict, Health, Instance, Mark, Skip
from syncer.core.rules import Address, RouteRules, SameName, Unhealthy

_UNUSABLE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - refused, not bound to


@dataclass(frozen=True, slots=True)
class Wanted:
    """The instances that the target should hold; their ids are still the origin's, the plan gives them new ones."""

    instances: tuple[Instance, ...]
    skipped: tuple[Skip, ...]
    conflicts: tuple[Conflict, ...] = ()
    offered: int = 0
    """How many instances the source offers, whatever becomes of them for their health or their address."""


def wanted(rules: RouteRules, name: str, source: Complete, target: Complete) -> Wanted:
    """Return what the target should hold under *name*, given both sides.

    Exclusions come first: what is no plain service, what a syncer wrote (echo), what the filters deny, what has no
    address that the target's records can answer with. Then what is there natively already, then health, then one
    instance for each address where the target takes no more.
    """
    skipped: list[Skip] = []
    conflicts: list[Conflict] = []
    native = tuple(item for item in target.instances if not is_ours(item, rules))
    if rules.same_name is SameName.SKIP and any(item.mark is None for item in native):
        reason = f"the target has a service {name!r} of its own, and same_name is skip"
        return Wanted((), (Skip(source.service, None, reason),))
    records = rules.records if target.info is None else target.info.records
    fitting: list[Instance] = []
    for instance in source.instances:
        result = _translate(rules, name, instance, records)
        if isinstance(result, Skip):
            skipped.append(result)
        elif result is not None:
            fitted, dropped = fit(result, rules.carrier.attributes)
            skipped.extend(dropped)
            fitting.append(fitted)
    free: list[Instance] = []
    for instance in fitting:
        held = _held_natively(instance, native, unique=rules.carrier.unique_address)
        if isinstance(held, Skip):
            skipped.append(held)
        elif held is not None:
            conflicts.append(held)
        else:
            free.append(instance)
    registered = {item.origin_id for item in target.instances if is_ours(item, rules)}
    kept, withdrawn = _by_health(rules, free, registered, others=bool(native), settable=_settable(target))
    single, sharing = _one_per_address(kept, registered) if rules.carrier.unique_address else (kept, [])
    return Wanted(tuple(single), (*skipped, *withdrawn, *sharing), tuple(conflicts), len(fitting))


def is_ours(instance: Instance, rules: RouteRules) -> bool:
    """Whether *instance* was written by this route of this owner: by equality, not by likeness."""
    mark = instance.mark
    return mark is not None and mark.owner == rules.owner and mark.origin == rules.source


def _translate(
    rules: RouteRules, name: str, instance: Instance, records: frozenset[str]
) -> Instance | Skip | None:
    if instance.kind:
        return Skip(instance.service, instance.id, f"it is a {instance.kind}, not a service")
    chain: tuple[str, ...] = ()
    if instance.mark is not None:
        if not rules.transit:
            return None
        chain = (*instance.mark.chain, instance.mark.origin)
        if rules.target in chain:
            return None
    denied = rules.filter.instance(instance)
    if denied is not None:
        return denied
    moved = _addressed(instance, rules)
    problem = _unreachable(moved, records, rules)
    if problem is not None:
        return Skip(instance.service, instance.id, problem)
    return replace(
        moved,
        service=name,
        tags=tuple(sorted({*instance.tags, *rules.extra_tags})),
        attributes=_merged(instance.attributes, rules.extra_attributes),
        mark=Mark(rules.owner, rules.source, instance.service, instance.id, chain),
        managed_by="",
    )


def _addressed(instance: Instance, rules: RouteRules) -> Instance:
    if rules.address is Address.PUBLIC:
        instance = replace(instance, ipv4=instance.public_ipv4, ipv6=instance.public_ipv6, hostname=None)
    if rules.carrier.public_addresses:
        return instance
    return replace(instance, public_ipv4=None, public_ipv6=None)


def _merged(attributes: Mapping[str, str], extra: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({**attributes, **extra}) if extra else attributes


def _unreachable(instance: Instance, records: frozenset[str], rules: RouteRules) -> str | None:
    """Why the target could not answer with *instance*; None if it can."""
    if not instance.addresses:
        kind = "public " if rules.address is Address.PUBLIC else ""
        return f"it has no {kind}address"
    if _UNUSABLE & set(instance.addresses):
        return "its address is the unspecified one"
    if instance.hostname and not rules.carrier.hostnames and "CNAME" not in records:
        return "it has a name instead of an address, which only a CNAME record can carry"
    needs = (
        ("A", instance.ipv4, "it has no IPv4 address"),
        ("AAAA", instance.ipv6, "it has no IPv6 address"),
        ("CNAME", instance.hostname, "it has no hostname"),
        ("SRV", instance.port, "it has no port"),
        ("SRV", instance.ipv4 or instance.ipv6, "it has no address"),
    )
    for record, value, lack in needs:
        if record in records and not value:
            return f"{lack}, and the service has {record} records"
    return None


def _held_natively(
    instance: Instance, native: tuple[Instance, ...], *, unique: bool
) -> Skip | Conflict | None:
    for other in native:
        shared = set(instance.addresses) & set(other.addresses)
        if not shared or not (unique or instance.port == other.port):
            continue
        if other.mark is not None:
            holder = other.mark.owner
            return Conflict(
                instance.service,
                instance.origin_id,
                f"{min(shared)} is already there, from {holder!r}",
                holder,
            )
        return Skip(
            instance.service,
            instance.origin_id,
            f"{min(shared)} is registered there already, not by a syncer",
        )
    return None


def _settable(target: Complete) -> bool:
    return target.info is None or target.info.health_settable


def _by_health(
    rules: RouteRules, instances: list[Instance], registered: set[str], *, others: bool, settable: bool
) -> tuple[list[Instance], list[Skip]]:
    if not rules.carrier.healths:
        settable = False
    if rules.unhealthy is Unhealthy.MARK and settable:
        return instances, []
    serving = [item for item in instances if item.health.serves]
    critical = [item for item in instances if not item.health.serves]
    if critical and not serving and not others and rules.keep_last:
        kept = [item for item in critical if item.origin_id in registered]
        critical = [item for item in critical if item not in kept]
        serving = kept
    withdrawn = [Skip(item.service, item.origin_id, "it is critical") for item in critical]
    return serving, withdrawn


def _one_per_address(instances: list[Instance], registered: set[str]) -> tuple[list[Instance], list[Skip]]:
    """Choose one instance for each address: the healthy before others, what is there before what is new."""

    def rank(item: Instance) -> tuple[bool, bool, str]:
        return (item.health is Health.CRITICAL, item.origin_id not in registered, item.origin_id)

    taken: dict[str, Instance] = {}
    chosen: list[Instance] = []
    sharing: list[Skip] = []
    for item in sorted(instances, key=rank):
        first = next(iter(_taken(item, taken)), None)
        if first is None:
            taken.update(dict.fromkeys(item.addresses, item))
            chosen.append(item)
        else:
            reason = (
                f"{first.origin_id} of this service has the same address, and one address is registered once"
            )
            sharing.append(Skip(item.service, item.origin_id, reason, "records: [SRV]"))
    return chosen, sharing


def _taken(item: Instance, taken: dict[str, Instance]) -> Iterator[Instance]:
    return (taken[address] for address in item.addresses if address in taken)
