"""Random snapshots of both sides of a route, such as registries could hold."""

from dataclasses import replace

from hypothesis import strategies as st

from syncer.core.identity import target_id
from syncer.core.model import Complete, Health, Instance, Mark, ServiceInfo
from syncer.core.rules import RouteRules, SameName, Unhealthy
from tests.core.values import ENTRIES, OWNER, RECORDS, SOURCE, rules

_ORIGINS = ("a", "b", "c", "d", "e", "f")
_HEALTHS = st.sampled_from(Health)
_RECORDS = (("A",), ("A", "SRV"), ("SRV",), ("AAAA",), ())


@st.composite
def sources(draw: st.DrawFn, *, both_families: bool = False) -> Complete:
    """Draw what the source holds: some share addresses, some are critical, some have no port."""
    ids = draw(st.lists(st.sampled_from(_ORIGINS), unique=True, max_size=6))
    return Complete("web", tuple(draw(_instances(name, both_families=both_families)) for name in ids))


@st.composite
def _instances(draw: st.DrawFn, name: str, *, both_families: bool) -> Instance:
    number = draw(st.integers(1, 6))
    other = draw(st.integers(1, 6)) if both_families else number
    return Instance(
        "web",
        name,
        ipv4=f"10.0.0.{number}" if both_families or draw(st.booleans()) or draw(st.booleans()) else None,
        ipv6=f"2001:db8::{other}",
        port=draw(st.sampled_from((80, 81, None))),
        health=draw(_HEALTHS),
        tags=draw(st.sampled_from(((), ("blue",)))),
    )


@st.composite
def routes(draw: st.DrawFn) -> RouteRules:
    """Draw the rules of a route, to a target of either kind."""
    return rules(
        draw(st.sampled_from((ENTRIES, RECORDS))),
        records=frozenset(draw(st.sampled_from(_RECORDS))),
        unhealthy=draw(st.sampled_from(Unhealthy)),
        keep_last=draw(st.booleans()),
        same_name=draw(st.sampled_from((SameName.MERGE, SameName.MERGE, SameName.SKIP))),
    )


@st.composite
def targets(draw: st.DrawFn, route: RouteRules, *, both_families: bool = False) -> Complete:
    """Draw what the target holds: ours, stale or not, under ids of every kind; another owner's; a user's own."""
    held: dict[str, Instance] = {}
    for _ in range(draw(st.integers(0, 7))):
        origin = draw(st.sampled_from(_ORIGINS))
        instance = draw(_instances(origin, both_families=both_families))
        mark = draw(
            st.sampled_from(
                (
                    Mark(OWNER, SOURCE, "web", origin),
                    Mark(OWNER, SOURCE, "web", origin),
                    Mark(OWNER, SOURCE, "web", origin),
                    Mark("others", SOURCE, "web", origin),
                    Mark(OWNER, "source/two", "web", origin),
                    None,
                )
            )
        )
        attempt = draw(st.integers(0, 1)) if mark == Mark(OWNER, SOURCE, "web", origin) else 0
        name = target_id(SOURCE, "web", draw(st.sampled_from(_ORIGINS)), attempt)
        held[name] = replace(instance, id=name, mark=mark)
    if not route.carrier.service_entities:
        return Complete("web", tuple(held.values()))
    if not held and draw(st.booleans()):
        return Complete("web", ())
    records = frozenset(draw(st.sampled_from(_RECORDS)))
    ttl = draw(st.sampled_from((15, 60))) if records else None
    info = ServiceInfo(
        "srv-1", draw(st.sampled_from((OWNER, "others", None))), records, ttl, draw(st.booleans())
    )
    return Complete("web", _without_doubles(route, held, info), info)


def _without_doubles(route: RouteRules, held: dict[str, Instance], info: ServiceInfo) -> tuple[Instance, ...]:
    """Leave out what a registry would have refused, because another has the address."""
    taken: set[str] = set()
    kept: list[Instance] = []
    for item in held.values():
        addresses = {
            address
            for record, address in (("A", item.ipv4), ("AAAA", item.ipv6))
            if address and record in info.records
        }
        if not taken & addresses:
            taken |= addresses
            kept.append(item)
    return tuple(kept)
