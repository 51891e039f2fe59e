"""ChangeResourceRecordSets with the rules of Route 53, on the zones that moto keeps.

moto's own takes what Route 53 refuses, and its deletion by SetIdentifier removes other names too.
Source: Amazon Route 53 API reference, ChangeResourceRecordSets and ResourceRecordSet.
"""

import re
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from xml.etree import ElementTree as ET

from moto.route53.models import RecordSet, route53_backends

from .httpd import Request
from .protocol import Reply, scope_of
from .wire import xml_error
from .zones import OWNED

LIMIT = 1_000
CHARACTERS = 32_000
NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"

_ZONE = re.compile(r"^/2013-04-01/hostedzone/([A-Z0-9]+)(/rrset/?)?$")
_lock = threading.Lock()
_record_set: Any = RecordSet  # abstract by its annotations only


class _Refused(Exception):
    """One or more reasons why a batch is refused as a whole."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _batch(message: str) -> _Refused:
    return _Refused("InvalidChangeBatch", message)


@dataclass(frozen=True, slots=True)
class _Change:
    action: str
    record: Any

    @property
    def key(self) -> tuple[str, str, str]:
        return _key(self.record)

    @property
    def label(self) -> str:
        name, kind, identifier = self.key
        more = f", set identifier='{identifier}'" if identifier else ""
        return f"[name='{name}', type='{kind}'{more}]"


def _key(record: Any) -> tuple[str, str, str]:
    return record.name.lower(), str(record.type), record.set_identifier or ""


def change_records(request: Request) -> Reply | None:
    """Return the answer to a change of records, or None for what moto shall answer.

    A zone that Cloud Map owns is changed through Cloud Map only: AccessDenied.
    """
    match = _ZONE.match(request.path)
    if request.method == "GET" or not match:
        return None
    if match[1] in OWNED:
        text = f"The resource hostedzone/{match[1]} can only be managed through AWS Cloud Map"
        return xml_error("AccessDenied", text, 403)
    account, _ = scope_of(request.headers.get("authorization", ""))
    zone = route53_backends[account]["aws"].zones.get(match[1])
    if request.method != "POST" or not match[2] or zone is None:
        return None
    try:
        with _lock:
            zone.rrsets = _carry_out(zone, _parse(request.body))
    except _Refused as refused:
        return xml_error(refused.code, str(refused), 400)
    body = (
        f'<?xml version="1.0"?><ChangeResourceRecordSetsResponse xmlns="{NAMESPACE}"><ChangeInfo>'
        "<Id>/change/C2682N5HXP0BZ4</Id><Status>INSYNC</Status>"
        "<SubmittedAt>2010-09-10T01:36:41.958Z</SubmittedAt>"
        "</ChangeInfo></ChangeResourceRecordSetsResponse>"
    )
    return Reply(200, body.encode(), "text/xml")


def _parse(body: bytes) -> list[_Change]:
    root = ET.fromstring(body)  # noqa: S314  # only our own tests speak to it
    space = {"r": NAMESPACE}
    changes = []
    for change in root.iterfind(".//r:Change", space):
        element = change.find("r:ResourceRecordSet", space)
        if element is None:
            raise _Refused("InvalidInput", "A change has no ResourceRecordSet.")
        record = {_tag(e): e.text or "" for e in element if len(e) == 0}
        nested = {_tag(e): {_tag(x): x.text for x in e} for e in element if len(e)}
        values = [e.text or "" for e in element.iterfind("r:ResourceRecords/r:ResourceRecord/r:Value", space)]
        record["Name"] = record["Name"].rstrip(".") + "."
        multivalue = record.pop("MultiValueAnswer", "false") == "true"
        given: dict[str, Any] = record | nested | {"ResourceRecords": values}
        given["MultiValueAnswer"] = True if multivalue else None
        changes.append(_Change(change.findtext("r:Action", "", space), _record_set(given)))
    return changes


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _carry_out(zone: Any, changes: list[_Change]) -> list[Any]:
    """Return the zone's record sets after all changes. Raises _Refused, and then nothing changed."""
    weight = sum(_times(c) * max(1, len(c.record.records)) for c in changes)
    if weight > LIMIT:
        raise _batch(f"Number of records limit of {LIMIT} exceeded.")
    characters = sum(_times(c) * sum(map(len, c.record.records)) for c in changes)
    if characters > CHARACTERS:
        raise _batch(f"Number of characters limit of {CHARACTERS} exceeded.")
    suffix = zone.name.rstrip(".").lower()
    sets = {_key(record): record for record in zone.rrsets}
    for change in changes:
        name = change.key[0].rstrip(".")
        if name != suffix and not name.endswith(f".{suffix}"):
            raise _batch(f"RRSet with DNS name {name}. is not permitted in zone {suffix}.")
        if change.action == "DELETE":
            _check_same(change, sets.get(change.key))
            del sets[change.key]
            continue
        if change.action == "CREATE" and change.key in sets:
            raise _batch(f"Tried to create resource record set {change.label} but it already exists")
        _check_shape(change)
        _check_neighbours(change, sets)
        sets[change.key] = change.record
    return list(sets.values())


def _times(change: _Change) -> int:
    return 2 if change.action == "UPSERT" else 1


def _check_same(change: _Change, there: Any) -> None:
    if there is None:
        raise _batch(f"Tried to delete resource record set {change.label} but it was not found")
    same = sorted(there.records or ()) == sorted(change.record.records or ())
    if not same or str(there.ttl) != str(change.record.ttl):
        raise _batch(
            f"Tried to delete resource record set {change.label} "
            "but the values provided do not match the current values"
        )


def _check_shape(change: _Change) -> None:
    record = change.record
    if bool(_routing(record)) != bool(record.set_identifier):
        raise _Refused("InvalidInput", f"{change.label}: a SetIdentifier and a routing policy go together.")
    if not record.alias_target and (not record.records or record.ttl is None):
        raise _Refused("InvalidInput", f"{change.label}: TTL and ResourceRecords are required.")
    if record.multi_value_answer and len(record.records) != 1:
        raise _batch(f"{change.label}: a multivalue answer has one value.")
    for value in record.records or ():
        if record.type in ("A", "AAAA") and not _is_address(value, record.type):
            raise _batch(f"Invalid Resource Record: {change.label}: '{value}' is no address of that type")


def _routing(record: Any) -> str:
    """Return the name of the routing policy; empty for a simple record."""
    policies = {
        "multivalue": record.multi_value_answer,
        "weighted": record.weight is not None,
        "latency": record.region,
        "failover": record.failover,
        "geolocation": record.geo_location,
    }
    return next((name for name, given in policies.items() if given), "")


def _is_address(value: str, kind: str) -> bool:
    try:
        return ip_address(value).version == (4 if kind == "A" else 6)
    except ValueError:
        return False


def _check_neighbours(change: _Change, sets: dict[tuple[str, str, str], Any]) -> None:
    """Refuse simple beside multivalue records, and CNAME beside anything."""
    name, kind, _ = change.key
    for key, other in sets.items():
        if key[0] != name or key == change.key:
            continue
        if key[1] != kind and "CNAME" in (kind, key[1]):
            raise _batch(f"RRSet of type {kind} with DNS name {name} conflicts with one of type {key[1]}.")
        if key[1] == kind and _routing(other) != _routing(change.record):
            raise _batch(
                f"RRSet with DNS name {name}, type {kind} cannot be created, "
                "as other RRSets exist with the same name and type and another routing policy."
            )
