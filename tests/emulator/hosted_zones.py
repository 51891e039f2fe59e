"""What DNS answers for the plain hosted zones in moto's Route 53."""

import random
from typing import Any

from moto.route53.models import route53_backends

from .answers import MOST_ANSWERS, Found, Record
from .zones import OWNED

_DEPTH = 8


class HostedZoneNames:
    """Looks names up in every hosted zone that no Cloud Map namespace owns."""

    def find(self, name: str, kind: str) -> Found | None:
        """Return what is known of *name* (no final dot), or None outside of all zones."""
        lower = name.lower()
        zones = [z for z in _zones() if lower == _plain(z.name) or lower.endswith(f".{_plain(z.name)}")]
        found = None
        for zone in sorted(zones, key=lambda z: len(z.name), reverse=True):
            answer = self._in_zone(zone, name, kind)
            if answer.records:
                return answer
            if found is None or (answer.exists and not found.exists):
                found = answer
        return found

    def _in_zone(self, zone: Any, name: str, kind: str) -> Found:
        lower, sets = name.lower(), list(zone.rrsets)
        own = [s for s in sets if _plain(s.name) == lower] or _wildcard(sets, lower, _plain(zone.name))
        chosen = [s for s in own if s.type == kind] or [s for s in own if s.type == "CNAME"]
        exists = bool(own) or any(_plain(s.name).endswith(f".{lower}") for s in sets)
        records = _records(chosen, name)
        return Found(records, _plain(zone.name), _soa_ttl(sets), exists=exists)

    def resolve(self, name: str, kind: str, depth: int = _DEPTH) -> tuple[Record, ...]:
        """Return the records that a CNAME to *name* leads to, within these zones."""
        found = self.find(name, kind) if depth else None
        if not found or not found.records:
            return ()
        last = found.records[-1]
        if last.type == "CNAME" and kind != "CNAME":
            return found.records + self.resolve(last.value, kind, depth - 1)
        return found.records


def _zones() -> list[Any]:
    return [
        zone
        for account in list(route53_backends.values())
        for backend in list(account.values())
        for zone in list(backend.zones.values())
        if zone.resource_id not in OWNED
    ]


def _plain(name: str) -> str:
    return name.rstrip(".").lower().replace("\\052", "*")


def _wildcard(sets: list[Any], lower: str, zone: str) -> list[Any]:
    """Return the closest wildcard's record sets."""
    while lower != zone and "." in lower:
        lower = lower.split(".", 1)[1]
        if found := [s for s in sets if _plain(s.name) == f"*.{lower}"]:
            return found
    return []


def _soa_ttl(sets: list[Any]) -> int:
    for one in sets:
        if one.type == "SOA":
            return min(int(one.ttl or 900), int(_text(one.records[0]).rsplit(maxsplit=1)[-1]))
    return 900


def _records(sets: list[Any], name: str) -> tuple[Record, ...]:
    """Return what Route 53 would pick: up to eight multivalue sets, one of weighted ones, else all."""
    if not sets:
        return ()
    if any(one.multi_value_answer for one in sets):
        sets = random.sample(sets, min(MOST_ANSWERS, len(sets)))
    elif any(one.weight is not None for one in sets):
        weights = [int(one.weight or 0) for one in sets]
        sets = random.choices(sets, weights=weights if any(weights) else None)
    return tuple(
        Record(name, str(one.type), int(one.ttl or 60), _text(value).rstrip("."))
        for one in sets
        for value in one.records or ()
    )


def _text(value: Any) -> str:
    """Return a record's value; moto keeps the records of a new zone in another form."""
    return str(value["Value"] if isinstance(value, dict) else value)
