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
    refuses: Callable[[str], str] = lambda _name: ""
    """Why no service there can have this name; empty where one can."""


@dataclass(frozen=True, slots=True)
class Link:
    """A route between two places: what comes from one is found in the other under a translated name."""

    source: str
    target: str
    naming: Naming
    public: bool = False
    """Whether public addresses are carried, which no private ones compare with."""


@dataclass(frozen=True, slots=True)
class Called:
    """One service in one place; without a name there, the reason."""

    place: Place
    service: str | None
    forms: tuple[Form, ...] = ()
    note: str = ""
    public: bool = False
    """Whether the addresses there are public ones."""


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

    def refuses(name: str) -> str:
        return "" if service(name) else f"names there end in {ending}"

    return Place(key, f"Route 53 {zone}", lambda name: (Form(name, "A"),), service, refuses=refuses)


def unnamed_zone_place(key: str, zone_id: str) -> Place:
    """Return a hosted zone that is known by its id alone as a place whose names nobody can tell."""

    def refuses(name: str) -> str:
        return "" if "." in name else "names there end in the zone's, and the settings give its id alone"

    return Place(key, f"Route 53 {zone_id}", lambda _name: (), lambda _name: None, refuses=refuses)


def groups_place(key: str, region: str) -> Place:
    """Return the target groups of a Region as a place: each is called by its ARN, and has no DNS name."""

    def service(name: str) -> str | None:
        return name if name.startswith("arn:") else None

    def refuses(name: str) -> str:
        return "" if service(name) else "rename names no target group for it"

    return Place(key, f"Target groups {region}", lambda _name: (), service, refuses=refuses)


def view_place(key: str) -> Place:
    """Return a view of ECS tasks as a place: its services have names, but no DNS answers for them."""
    return Place(key, f"ECS {key.removeprefix('ecs/')}", lambda _name: (), lambda _name: None)


def families(name: str, places: Iterable[Place], links: Iterable[Link]) -> Iterator[Family]:
    """Yield what *name* is called, once for each place that it may be meant in.

    *name* is a DNS name in any form that one of *places* knows, or else a service's plain name, which is then looked
    at from every place that can have it, and that a route or DNS leads to.
    """
    by_id = {place.id: place for place in places}
    listed = tuple(links)
    meant = [(place, service) for place in by_id.values() if (service := place.service(name)) is not None]
    plain = name.rstrip(".")
    for place, service in meant or [(place, plain) for place in by_id.values() if not place.refuses(plain)]:
        others = tuple(_linked(place, service, by_id, listed))
        forms = place.forms(service)
        if meant or forms or others:
            yield Family(Called(place, service, forms, public=_public(place, service, by_id, listed)), others)


def _linked(place: Place, service: str, by_id: dict[str, Place], links: tuple[Link, ...]) -> Iterator[Called]:
    """Yield what *service* is called elsewhere; where it comes from a place without DNS, its other names, too."""
    seen: set[tuple[str, str | None]] = {(place.id, service)}
    for called in _next(place, service, by_id, links):
        yield from _once(called, seen)
        if called.service is not None and not called.forms:
            for further in _next(called.place, called.service, by_id, links):
                yield from _once(further, seen)


def _public(place: Place, service: str, by_id: dict[str, Place], links: tuple[Link, ...]) -> bool:
    """Whether what *service* is in *place* comes from a place without DNS, with public addresses."""
    origins = [link for link in links if link.target == place.id and link.naming.back(service) is not None]
    return any(link.public for link in origins if not by_id[link.source].forms(service))


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
            onward = here == link.source
            note = (
                other.refuses(found) if found is not None else "another service is renamed to this name there"
            )
            if found is not None and not note:
                public = link.public and onward
                yield Called(other, found, other.forms(found), public=public)
            elif onward:
                yield Called(other, None, note=note)
