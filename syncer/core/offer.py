"""What a source offers a target: its instances in the target's words, without what cannot or should not go there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from syncer.core.carrier import fit
from syncer.core.model import Complete, Instance, Mark, ServiceInfo, Skip
from syncer.core.rules import Address, RouteRules

_UNUSABLE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - refused, not bound to


Origin = tuple[str, str]
"""What an instance is in the registry it was read from, as its mark has it: service and id."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source offers."""

    instances: list[Instance] = field(default_factory=list)
    """As the target will give them back; their marks differ from each other."""
    skipped: list[Skip] = field(default_factory=list)
    called: dict[Origin, Origin] = field(default_factory=dict)
    """What the source calls those whose mark the target does not hold whole."""


def offer(rules: RouteRules, name: str, source: Complete, info: ServiceInfo | None) -> Offer:
    """Return what of *source* may be carried over, translated and within the target's limits, and what may not.

    The instances keep the origin's ids, are named *name*, carry our mark, and come in the order of their ids, the
    serving before the critical where the target cannot tell two of them apart. Echo, which is what a syncer wrote,
    is left out without a word.
    """
    records = rules.records_of(info)
    made = Offer()
    for instance in sorted(source.instances, key=lambda item: item.id):
        result = _translate(rules, name, instance, records)
        if isinstance(result, Skip):
            made.skipped.append(result)
        elif result is not None:
            fitted, dropped = fit(result, rules.carrier.attributes)
            made.instances.append(fitted)
            made.skipped.extend(replace(skip, service=instance.service) for skip in dropped)
    return made if rules.carrier.stored is None else _stored(made, rules.carrier.stored)


def origin(instance: Instance) -> Origin:
    """Return what *instance*, which carries a mark, is in its origin."""
    mark = instance.mark
    assert mark is not None
    return (mark.service, mark.instance)


def _stored(made: Offer, stored: Callable[[Instance], Instance]) -> Offer:
    """Return *made* in the form that the target gives back; of those that are one entry there, one is left."""
    kept: dict[Origin, Instance] = {}
    called: dict[Origin, Origin] = {}
    skipped = list(made.skipped)
    for item in sorted(made.instances, key=lambda item: not item.health.serves):
        there = replace(stored(item), id=item.id, health=item.health)
        first = called.setdefault(origin(there), origin(item))
        if first == origin(item):
            kept[origin(there)] = there
        else:
            skipped.append(Skip(*origin(item), f"{first[1]} of this service is the same entry there"))
    return Offer(sorted(kept.values(), key=lambda item: item.id), skipped, called)


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
        if rules.target in chain or rules.source in chain:
            return None
    denied = rules.filter.instance(instance)
    if denied is not None:
        return denied
    moved = _addressed(instance, rules, records)
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


def _addressed(instance: Instance, rules: RouteRules, records: frozenset[str]) -> Instance:
    """Return *instance* with the addresses that the target is to hold, and none that it cannot."""
    if rules.address is Address.PUBLIC:
        ipv4, ipv6 = instance.public_ipv4, instance.public_ipv6
        port = instance.public_port or instance.port
        instance = replace(instance, ipv4=ipv4, ipv6=ipv6, port=port, public_port=None, hostname=None)
    if (instance.ipv4 or instance.ipv6) and not _takes_hostname(rules, records):
        instance = replace(instance, hostname=None)
    if rules.carrier.public_addresses:
        return instance
    return replace(instance, public_ipv4=None, public_ipv6=None, public_port=None)


def _takes_hostname(rules: RouteRules, records: frozenset[str]) -> bool:
    return rules.carrier.hostnames or "CNAME" in records


def _merged(attributes: Mapping[str, str], extra: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({**attributes, **extra}) if extra else attributes


def _unreachable(instance: Instance, records: frozenset[str], rules: RouteRules) -> str | None:
    """Why the target could not answer with *instance*; None if it can."""
    if not instance.addresses:
        kind = "public " if rules.address is Address.PUBLIC else ""
        return f"it has no {kind}address"
    if _UNUSABLE & set(instance.addresses):
        return "its address is the unspecified one"
    if instance.hostname and not _takes_hostname(rules, records):
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
