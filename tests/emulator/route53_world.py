"""Route 53 as it is, on the zones that moto keeps: listing by pages, changes one after another, a rate.

Source: Amazon Route 53 API reference, ListResourceRecordSets, ChangeResourceRecordSets, GetChange; developer guide,
quotas.
"""

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.route53.models import route53_backends

from .httpd import Request
from .protocol import Reply, scope_of
from .route53 import NAMESPACE, change_records
from .wire import xml_error
from .zones import OWNED

_RRSETS = re.compile(r"^/2013-04-01/hostedzone/([A-Z0-9]+)/rrset/?$")
_ZONE = re.compile(r"^/2013-04-01/hostedzone/([A-Z0-9]+)/?$")
_CHANGE = re.compile(r"^/2013-04-01/change/([A-Z0-9]+)/?$")
_PAGE = 300


@dataclass(slots=True)
class Route53World:
    """What tests may turn: times are seconds, the rate is calls a second of an account."""

    rate: float | None = None
    """None lets everything through; the real one is 5."""
    burst: int = 5
    busy: float = 0.0
    """How long a zone refuses another change after one (PriorRequestNotComplete)."""
    spreading: float = 0.0
    """How long a change stays PENDING."""
    page: int = _PAGE
    """Record sets in a page, at most."""


class Route53Endpoint:
    """Answers what concerns hosted zones and their records; None for what moto shall answer."""

    def __init__(self, world: Route53World, clock: Callable[[], float] = time.monotonic) -> None:
        self._world = world
        self._clock = clock
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._changes: dict[str, float] = {}
        self._changed: dict[str, float] = {}
        self._buckets: dict[str, tuple[float, float]] = {}

    def handle(self, request: Request) -> Reply | None:
        """Return the answer, or None."""
        if not request.path.startswith("/2013-04-01/"):
            return None
        account, _ = scope_of(request.headers.get("authorization", ""))
        if not self._admitted(account):
            return xml_error("Throttling", "Rate exceeded", 400)
        if match := _CHANGE.match(request.path):
            return self._get_change(match[1])
        zone = _zone(account, request.path)
        if zone is None:
            return None
        if request.method == "POST" and _RRSETS.match(request.path):
            return self._change(zone, request)
        if request.method == "GET" and _RRSETS.match(request.path):
            return _list(zone, parse_qs(request.query), self._world.page)
        if request.method == "GET" and zone.resource_id in OWNED:
            return _linked(zone)
        return None

    def _admitted(self, account: str) -> bool:
        rate, burst = self._world.rate, self._world.burst
        if rate is None:
            return True
        with self._lock:
            now = self._clock()
            tokens, last = self._buckets.get(account, (float(burst), now))
            tokens = min(burst, tokens + (now - last) * rate)
            self._buckets[account] = (tokens - 1 if tokens >= 1 else tokens, now)
            return tokens >= 1

    def _change(self, zone: Any, request: Request) -> Reply | None:
        with self._lock:
            now = self._clock()
            if now < self._changed.get(zone.resource_id, float("-inf")) + self._world.busy:
                text = f"The request was rejected because Route 53 was still processing a prior request for {zone.id}."
                return xml_error("PriorRequestNotComplete", text, 400)
            reply = change_records(request)
            if reply is None or reply.status != 200:
                return reply
            self._changed[zone.resource_id] = now
            identifier = f"C{next(self._ids):013d}"
            self._changes[identifier] = now
        return self._info("ChangeResourceRecordSetsResponse", identifier)

    def _get_change(self, identifier: str) -> Reply:
        if identifier not in self._changes:
            return xml_error("NoSuchChange", f"There is no change {identifier}", 404)
        return self._info("GetChangeResponse", identifier)

    def _info(self, element: str, identifier: str) -> Reply:
        pending = self._clock() < self._changes[identifier] + self._world.spreading
        return _reply(
            element,
            f"<ChangeInfo><Id>/change/{identifier}</Id><Status>{'PENDING' if pending else 'INSYNC'}</Status>"
            "<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>",
        )


def _zone(account: str, path: str) -> Any | None:
    match = _RRSETS.match(path) or _ZONE.match(path)
    return route53_backends[account]["aws"].zones.get(match[1]) if match else None


def _reply(element: str, inside: str) -> Reply:
    body = f'<?xml version="1.0"?><{element} xmlns="{NAMESPACE}">{inside}</{element}>'
    return Reply(200, body.encode(), "text/xml")


def _list(zone: Any, query: dict[str, list[str]], most: int) -> Reply:
    """Return a page: in order of the labels from right to left, then type, then SetIdentifier."""
    given = {key.lower(): values[0] for key, values in query.items()}
    start = (_order(given.get("name", "")), given.get("type", ""), given.get("identifier", ""))
    if given.get("type") and not given.get("name"):
        return xml_error("InvalidInput", "A type needs a name.", 400)
    size = min(int(given.get("maxitems", _PAGE)), most)
    found = sorted((_place(record), number) for number, record in enumerate(zone.rrsets))
    rest = [zone.rrsets[number] for place, number in found if place >= start]
    inside = f"<ResourceRecordSets>{''.join(map(_record, rest[:size]))}</ResourceRecordSets>"
    inside += f"<IsTruncated>{str(len(rest) > size).lower()}</IsTruncated><MaxItems>{size}</MaxItems>"
    if len(rest) > size:
        following = rest[size]
        inside += _element("NextRecordName", _escaped(following.name)) + _element(
            "NextRecordType", following.type
        )
        inside += _element("NextRecordIdentifier", following.set_identifier)
    return _reply("ListResourceRecordSetsResponse", inside)


def _order(name: str) -> tuple[str, ...]:
    return tuple(reversed(name.rstrip(".").lower().replace("\\052", "*").split(".")))


def _place(record: Any) -> tuple[tuple[str, ...], str, str]:
    return _order(record.name), str(record.type), record.set_identifier or ""


def _escaped(name: str) -> str:
    return f"{name.rstrip('.').lower()}.".replace("*", "\\052")


def _element(name: str, value: Any) -> str:
    return "" if value is None or value == "" else f"<{name}>{escape(str(value))}</{name}>"


def _record(record: Any) -> str:
    values = [value["Value"] if isinstance(value, dict) else value for value in record.records or ()]
    inside = _element("Name", _escaped(record.name)) + _element("Type", record.type)
    inside += _element("SetIdentifier", record.set_identifier) + _element("Weight", record.weight)
    inside += _element("Region", record.region)
    inside += _element("MultiValueAnswer", "true" if record.multi_value_answer else None)
    inside += _element("TTL", None if record.alias_target else record.ttl)
    if values:
        inside += f"<ResourceRecords>{_each('ResourceRecord', values)}</ResourceRecords>"
    if record.alias_target:
        members = "".join(_element(name, value) for name, value in record.alias_target.items())
        inside += f"<AliasTarget>{members}</AliasTarget>"
    inside += _element("HealthCheckId", record.health_check_id)
    return f"<ResourceRecordSet>{inside}</ResourceRecordSet>"


def _each(name: str, values: Iterable[str]) -> str:
    return "".join(f"<{name}>{_element('Value', value)}</{name}>" for value in values)


def _linked(zone: Any) -> Reply:
    """Return a zone that belongs to Cloud Map, which moto does not say."""
    private = str(zone.private_zone).lower()
    return _reply(
        "GetHostedZoneResponse",
        f"<HostedZone><Id>{zone.id}</Id><Name>{escape(zone.name)}</Name><CallerReference>x</CallerReference>"
        f"<Config><PrivateZone>{private}</PrivateZone></Config><LinkedService>"
        "<ServicePrincipal>servicediscovery.amazonaws.com</ServicePrincipal></LinkedService></HostedZone>",
    )
