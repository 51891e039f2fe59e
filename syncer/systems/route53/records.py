"""Record sets as values, and how Route 53's API writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

from syncer.core.model import nothing
from syncer.systems.route53.names import plain

ADDRESSES: Final = ("A", "AAAA")
MULTIVALUE: Final = "MultiValueAnswer"
SIMPLE: Final = ""
_ROUTINGS: Final = (
    "Weight", "Region", "GeoLocation", "GeoProximityLocation", "Failover", "CidrRoutingConfig",
    "TrafficPolicyInstanceId",
)  # fmt: skip

Key = tuple[str, str, str]
"""Name, type and SetIdentifier: what a record set is known by in its zone."""


@dataclass(frozen=True, slots=True)
class RecordSet:
    """One record set. Source: Route 53 API reference, ResourceRecordSet."""

    name: str
    """Whole, in lower case, without a final dot."""
    type: str
    ttl: int | None
    """Seconds; None for an alias."""
    values: tuple[str, ...]
    identifier: str = ""
    """The SetIdentifier; empty for a simple record."""
    routing: str = SIMPLE
    """The member that says how it is routed, such as ``MultiValueAnswer``; empty for a simple record."""
    alias: str = ""
    """The domain name that an alias stands for."""
    raw: Mapping[str, Any] = field(default_factory=nothing, compare=False, repr=False)
    """As Route 53 gave it, since a deletion must repeat it to the letter."""

    @property
    def key(self) -> Key:
        """What it is known by."""
        return (self.name, self.type, self.identifier)

    @property
    def multivalue(self) -> bool:
        """Whether it may stand beside other multivalue records."""
        return self.routing == MULTIVALUE

    @property
    def simple(self) -> bool:
        """Whether it is a plain record with values, the only one of its name and type."""
        return self.routing == SIMPLE and not self.alias

    def describe(self) -> str:
        """Return a few words for a person."""
        if self.type == "CNAME":
            return "a CNAME record"
        article = "an alias" if self.alias else "a simple" if self.simple else "another"
        return f"{article} {self.type} record" + (f" with {self.routing}" if self.routing else "")


def from_api(given: Mapping[str, Any]) -> RecordSet:
    """Return what ListResourceRecordSets says of one record set.

    Raises:
        KeyError, ValueError: it lacks what every record set has.
    """
    kind = str(given["Type"])
    values = tuple(str(value["Value"]) for value in given.get("ResourceRecords", ()))
    multivalue = MULTIVALUE if given.get(MULTIVALUE) else SIMPLE
    return RecordSet(
        name=plain(given["Name"]),
        type=kind,
        ttl=None if given.get("TTL") is None else int(given["TTL"]),
        values=tuple(map(canonical, values)) if kind in ADDRESSES else values,
        identifier=str(given.get("SetIdentifier", "")),
        routing=next((word for word in _ROUTINGS if word in given), multivalue),
        alias=plain(given["AliasTarget"]["DNSName"]) if given.get("AliasTarget") else "",
        raw=given,
    )


def to_api(record: RecordSet) -> Mapping[str, Any]:
    """Return *record* as ChangeResourceRecordSets takes it; one that was read, as it was read."""
    if record.raw:
        return record.raw
    written: dict[str, Any] = {
        "Name": f"{record.name}.",
        "Type": record.type,
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": value} for value in record.values],
    }
    if record.multivalue:
        written |= {"SetIdentifier": record.identifier, MULTIVALUE: True}
    return written


def canonical(address: str) -> str:
    """Return *address* in its one canonical form; what is none stays as it is."""
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One element of a change batch."""

    action: str
    """``UPSERT`` or ``DELETE``."""
    record: RecordSet

    @property
    def records(self) -> int:
        """How many records it counts for: those of an UPSERT count twice."""
        return self._times * max(1, len(self.record.values))

    @property
    def characters(self) -> int:
        """How many characters of values it counts for."""
        return self._times * sum(map(len, self.record.values))

    @property
    def _times(self) -> int:
        return 2 if self.action == "UPSERT" else 1
