"""What a service is called everywhere: every DNS form of a name on all sides, without asking anybody."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from syncer.core.forms import Form
from syncer.core.names import Naming, suggest

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
    """Why nothing can be carried there under this name; empty where it can."""
    lenient: bool = False
    """Whether a service may be there under a name that it refuses, unheard by DNS."""
    silent: str = ""
    """Why its services have no DNS names that could be told; empty where that goes without saying."""
    through: bool = False
    """Whether a service there is one and the same wherever routes lead from it, as that of a task is."""


@dataclass(frozen=True, slots=True)
class Link:
    """A route between two places: what comes from one is found in the other under a translated name."""

    source: str
    target: str
    naming: Naming
    public: bool = False
    """Whether public addresses are carried, while DNS in Consul and in a private namespace answers private ones."""


@dataclass(frozen=True, slots=True)
class Called:
    """One service in one place."""

    place: Place
    service: str | None
    forms: tuple[Form, ...] = ()
    note: str = ""
    """Why it has no name there, or no DNS names."""


@dataclass(frozen=True, slots=True)
class Family:
    """The names of one service, seen from the place that the question means."""

    origin: Called
    others: tuple[Called, ...]
    beside: tuple[Called, ...] = ()
    """What else DNS answers for that is carried to one of these names, and so may be found under it, too."""


def families(name: str, places: Iterable[Place], links: Iterable[Link]) -> Iterator[Family]:
    """Yield what *name* is called, once for each place that it may be meant in.

    *name* is a DNS name in any form that one of *places* knows, or else a service's plain name, which is then looked
    at from every place that can have it, and that a route or DNS leads to.
    """
    by_id = {place.id: place for place in places}
    listed = tuple(links)
    meant = [(place, service) for place in by_id.values() if (service := place.service(name)) is not None]
    plain = name.rstrip(".")
    for place, service in meant or [
        (place, plain) for place in by_id.values() if place.lenient or not place.refuses(plain)
    ]:
        others = tuple(_linked(place, service, by_id, listed))
        forms = place.forms(service)
        origin = Called(place, service, forms, place.silent or place.refuses(service))
        if meant or forms or others:
            yield Family(origin, others, tuple(_beside((origin, *others), by_id, listed)))


def _linked(place: Place, service: str, by_id: dict[str, Place], links: tuple[Link, ...]) -> Iterator[Called]:
    """Yield what *service* is called elsewhere; where it comes from tasks, its other names, too."""
    seen: set[tuple[str, str | None]] = {(place.id, service)}
    for called in _next(place, service, by_id, links):
        yield from _once(called, seen)
        if called.service is not None and called.place.through:
            for further in _next(called.place, called.service, by_id, links):
                yield from _once(further, seen)


def _beside(known: tuple[Called, ...], by_id: dict[str, Place], links: tuple[Link, ...]) -> Iterator[Called]:
    seen = {(called.place.id, called.service) for called in known}
    for called in known:
        for link in links:
            if link.target != called.place.id or called.service is None:
                continue
            source, service = by_id[link.source], link.naming.back(called.service)
            if service is not None and source.forms(service):
                yield from _once(Called(source, service, source.forms(service)), seen)


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
            refused = other.refuses(found) if found is not None else ""
            if found is not None and not (refused and (onward or not other.lenient)):
                yield Called(other, found, other.forms(found), other.silent or refused)
            elif onward:
                taken = "another service is renamed to this name there"
                yield Called(other, None, note=taken if found is None else refused + _advice(other, service))


def _advice(target: Place, service: str) -> str:
    """Return what to write so that *service* can be carried to *target*, where that can be told."""
    name = suggest(service)
    return "" if target.refuses(name) else f"; write rename: {{{service!r}: {name!r}}}"
