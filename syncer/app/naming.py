"""What a service is called everywhere: every DNS form of a name on all sides, without asking anybody."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from syncer.app.routes import CONSUL, namespace_key
from syncer.core.forms import ConsulDomain, Form, cloudmap_forms, consul_forms, parse
from syncer.core.names import Naming

Server = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A registry, as far as names go."""

    id: str
    """Unique among the places."""
    title: str
    """What to call it in front of a person."""
    forms: Callable[[str], tuple[Form, ...]]
    """The DNS names of a service there."""
    service: Callable[[str], str | None]
    """The service that a DNS name means there; None where it means none."""
    resolver: Server | None = None
    """The DNS server that answers for it; None for the system's own."""


@dataclass(frozen=True, slots=True)
class Link:
    """A route between two places: what comes from one is found in the other under a translated name."""

    source: str
    target: str
    naming: Naming


@dataclass(frozen=True, slots=True)
class Called:
    """One service in one place; without a name there, the reason."""

    place: Place
    service: str | None
    forms: tuple[Form, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """The names of one service, seen from the place that the question means."""

    origin: Called
    others: tuple[Called, ...]


def consul_place(where: ConsulDomain, resolver: Server) -> Place:
    """Return Consul as a place of names."""

    def service(name: str) -> str | None:
        parsed = parse(name, where, ())
        return parsed.service if parsed else None

    def forms(name: str) -> tuple[Form, ...]:
        return tuple(consul_forms(name, (), where))

    return Place(CONSUL, f"Consul {where.datacenter}", forms, service, resolver)


def cloudmap_place(label: str, namespace: str, records: frozenset[str], resolver: Server | None) -> Place:
    """Return a Cloud Map namespace as a place of names, whose services have *records*."""
    nowhere = ConsulDomain("\0")

    def service(name: str) -> str | None:
        parsed = parse(name, nowhere, (namespace,))
        return parsed.service if parsed else None

    def forms(name: str) -> tuple[Form, ...]:
        return tuple(cloudmap_forms(name, namespace, records))

    return Place(namespace_key(label), f"Cloud Map {label}", forms, service, resolver)


def zone_place(key: str, zone: str) -> Place:
    """Return a hosted zone, called *zone*, as a place of names, whose services are whole names already."""
    ending = f".{zone}"

    def service(name: str) -> str | None:
        found = name.rstrip(".").lower()
        return found if found == zone or found.endswith(ending) else None

    return Place(key, f"Route 53 {zone}", lambda name: (Form(name, "A"),), service)


def nameless_place(key: str, title: str) -> Place:
    """Return a place whose services have names, but no DNS that answers for them."""
    return Place(key, title, lambda _name: (), lambda _name: None)


def families(name: str, places: Iterable[Place], links: Iterable[Link]) -> Iterator[Family]:
    """Yield what *name* is called, once for each place that it may be meant in.

    *name* is a DNS name in any form that one of *places* knows, or else a service's plain name, which is then looked
    at from every place.
    """
    by_id = {place.id: place for place in places}
    listed = tuple(links)
    meant = [(place, service) for place in by_id.values() if (service := place.service(name)) is not None]
    plain = name.rstrip(".")
    for place, service in meant or [(place, plain) for place in by_id.values()]:
        others = tuple(_linked(place, service, by_id, listed))
        yield Family(Called(place, service, place.forms(service)), others)


def _linked(place: Place, service: str, by_id: dict[str, Place], links: tuple[Link, ...]) -> Iterator[Called]:
    """Yield what *service* is called elsewhere; where it comes from a place without DNS, its other names, too."""
    seen: set[tuple[str, str | None]] = {(place.id, service)}
    for called in _next(place, service, by_id, links):
        yield from _once(called, seen)
        if called.service is not None and not called.forms:
            for further in _next(called.place, called.service, by_id, links):
                yield from _once(further, seen)


def _once(called: Called, seen: set[tuple[str, str | None]]) -> Iterator[Called]:
    if (called.place.id, called.service) not in seen:
        seen.add((called.place.id, called.service))
        yield called


def _next(place: Place, service: str, by_id: dict[str, Place], links: tuple[Link, ...]) -> Iterator[Called]:
    """Yield what *service* is called where a route leads to from *place*, or comes from."""
    for link in links:
        for here, there, translate in (
            (link.source, link.target, link.naming.forward),
            (link.target, link.source, link.naming.back),
        ):
            if here != place.id:
                continue
            found = translate(service)
            other = by_id[there]
            if found is not None:
                yield Called(other, found, other.forms(found))
            elif here == link.source:
                yield Called(other, None, note="another service is renamed to this name there")
