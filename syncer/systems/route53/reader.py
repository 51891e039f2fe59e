"""Reads one hosted zone as a registry: every name with an address is a service."""

from typing import Final

from syncer.core.errors import SyncError
from syncer.core.model import Complete, Listed, Listing, Read, Unlisted, Unreadable
from syncer.systems.route53.mapping import Mapping
from syncer.systems.route53.records import ADDRESSES
from syncer.systems.route53.zone import Zone

_TYPES: Final = frozenset({*ADDRESSES, "CNAME"})


class Route53Reader:
    """One hosted zone. A service's name is the record's whole name: ``web.example.com``."""

    def __init__(self, zone: Zone, mapping: Mapping, *, parallel: int = 2) -> None:
        self._zone = zone
        self._mapping = mapping
        self._parallel = parallel

    @property
    def id(self) -> str:
        """The registry's id, such as ``route53/Z0123456789ABC``."""
        return f"route53/{self._zone.hosted.id}"

    @property
    def parallel(self) -> int:
        """How many reads at once do it no harm; they share the account's rate."""
        return self._parallel

    def services(self) -> Listing:
        """List all names that have an address or stand for another name, by reading the whole zone."""
        try:
            listed = self._zone.list_names()
        except SyncError as e:
            return Unlisted(str(e), e.code)
        return Listed(
            frozenset(name for name, records in listed.items() if any(one.type in _TYPES for one in records))
        )

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read the records of one name; from the listing where it is young and *fresh* is not asked for.

        A name without records is complete and empty.
        """
        records = None if fresh else self._zone.listed(service)
        try:
            found = self._zone.read(service) if records is None else records
        except SyncError as e:
            return Unreadable(service, str(e), e.code)
        return Complete(service, self._mapping.to_instances(service, found))
