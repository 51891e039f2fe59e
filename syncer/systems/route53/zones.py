"""Finding a hosted zone by its id or its name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from syncer.core.errors import Garbled, Missing, Refused, SyncError
from syncer.systems.aws import required
from syncer.systems.route53.api import Route53, explained
from syncer.systems.route53.names import plain

_ID: Final = re.compile(r"(?:/hostedzone/)?([A-Z0-9]{8,32})")
"""Upper case and no dot: no name of a zone that anybody writes so."""
_PAGES: Final = 100


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A hosted zone that records may be written into."""

    id: str
    """Without ``/hostedzone/``."""
    name: str
    """Without a final dot."""
    private: bool = False


def find_zone(api: Route53, reference: str, *, private: bool | None = None) -> HostedZone:
    """Return the hosted zone of an id or a name; *private* chooses where a public and a private one share a name.

    Raises:
        Missing: there is none in this account.
        Refused: several zones have the name, or the zone belongs to another AWS service.
        SyncError: it could not be found out.
    """
    match = _ID.fullmatch(reference)
    return _by_id(api, match[1]) if match else _by_name(api, plain(reference), private)


def _by_id(api: Route53, zone_id: str) -> HostedZone:
    try:
        answer = api.call("GetHostedZone", Id=zone_id)
    except SyncError as e:
        raise explained(e, zone_id) from e
    return _usable(required(answer, "HostedZone"))


def _by_name(api: Route53, name: str, private: bool | None) -> HostedZone:
    try:
        found = [zone for zone in _named(api, name) if private is None or _is_private(zone) == private]
    except SyncError as e:
        raise explained(e, name) from e
    if not found:
        kind = {None: "", True: "private ", False: "public "}[private]
        raise Missing(
            f"there is no {kind}hosted zone {name} in the account whose credentials are used",
            code="NoSuchHostedZone",
        )
    if len(found) > 1:
        ids = ", ".join(sorted(_id(zone) for zone in found))
        raise Refused(f"several hosted zones are called {name}: name one by its id ({ids})", code="Ambiguous")
    return _usable(found[0])


def _named(api: Route53, name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the zones called *name*; Route 53 lists them from that name on, in the order of names."""
    cursor: dict[str, Any] = {"DNSName": f"{name}."}
    for _ in range(_PAGES):
        answer = api.call("ListHostedZonesByName", **cursor)
        zones = required(answer, "HostedZones")
        mine = [zone for zone in zones if plain(zone["Name"]) == name]
        yield from mine
        if len(mine) < len(zones) or not answer.get("IsTruncated"):
            return
        cursor = {"DNSName": answer["NextDNSName"], "HostedZoneId": answer["NextHostedZoneId"]}
    raise Garbled("ListHostedZonesByName: the pages do not end")


def _usable(zone: Mapping[str, Any]) -> HostedZone:
    found = HostedZone(_id(zone), plain(zone["Name"]), _is_private(zone))
    linked = zone.get("LinkedService")
    if linked:
        by = linked.get("ServicePrincipal", "another service")
        raise Refused(
            f"the hosted zone {found.id} ({found.name}) belongs to {by}, which alone may change it: "
            "for a Cloud Map namespace name it under namespaces",
            code="LinkedService",
        )
    return found


def _id(zone: Mapping[str, Any]) -> str:
    return str(zone["Id"]).rsplit("/", 1)[-1]


def _is_private(zone: Mapping[str, Any]) -> bool:
    return bool(zone.get("Config", {}).get("PrivateZone"))
