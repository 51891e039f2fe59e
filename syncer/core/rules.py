"""The rules of one route: everything that translation, planning and guarding must know of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncer.core.carrier import Carrier
from syncer.core.filters import Filter
from syncer.core.model import Instance, ServiceInfo, nothing
from syncer.core.names import Naming


class Unhealthy(enum.StrEnum):
    """What becomes of an instance that is critical in the source."""

    WITHDRAW = "withdraw"
    """It leaves the target, as it leaves the answers of Consul's own DNS."""
    MARK = "mark"
    """It stays, with its health written on it; withdrawn all the same where the target takes no health."""


class SameName(enum.StrEnum):
    """What to do where the target has instances of its own under the translated name."""

    MERGE = "merge"
    SKIP = "skip"


class Address(enum.StrEnum):
    """Which of an instance's addresses becomes its address in the target."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class RouteRules:
    """One source registry to one target registry."""

    id: str
    """Unique within the installation and fit for a command line, such as ``consul->corp.internal``."""
    owner: str
    source: str
    """The source registry's id, written into every mark."""
    target: str
    """The target registry's id."""
    carrier: Carrier
    """What the target can carry."""
    naming: Naming = field(default_factory=Naming)
    filter: Filter = field(default_factory=Filter)
    extra_tags: tuple[str, ...] = ()
    extra_attributes: Mapping[str, str] = field(default_factory=nothing, hash=False)
    unhealthy: Unhealthy = Unhealthy.WITHDRAW
    keep_last: bool = True
    """Never withdraw the last instance of a service for its health alone."""
    same_name: SameName = SameName.MERGE
    address: Address = Address.PRIVATE
    transit: bool = False
    """Whether what another syncer wrote is a source too; its chain of registries stops loops."""
    records: frozenset[str] = frozenset({"A"})
    """Record types of the services that this route creates; empty for API only."""
    ttl: int = 15
    """Seconds; of the services that this route creates."""

    def records_of(self, info: ServiceInfo | None) -> frozenset[str]:
        """Return the record types that instances must fill: those the service has, else those it will get.

        Empty where the target knows no services apart from their instances: nothing restricts them there.
        """
        if not self.carrier.service_entities:
            return frozenset()
        return self.records if info is None else info.records

    def exclusive(self, instance: Instance, info: ServiceInfo | None) -> tuple[str, ...]:
        """Return those of *instance*'s addresses that no other instance of its service may have in the target.

        With services of their own, that is the addresses that A and AAAA records answer with (Cloud Map takes two
        instances on one address as long as the service has SRV records alone, or none).
        """
        if not self.carrier.unique_address:
            return ()
        if not self.carrier.service_entities:
            return instance.addresses
        records = self.records_of(info)
        pairs = (("A", instance.ipv4), ("AAAA", instance.ipv6))
        return tuple(address for record, address in pairs if address and record in records)

    def settable(self, info: ServiceInfo | None) -> bool:
        """Whether the health of an instance can be written in the target's service."""
        return self.carrier.healths and (info is None or info.health_settable)
