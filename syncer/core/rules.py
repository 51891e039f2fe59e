"""The rules of one route: everything that translation, planning and guarding must know of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from syncer.core.carrier import Carrier
from syncer.core.filters import Filter
from syncer.core.model import nothing
from syncer.core.names import Naming


class Unhealthy(enum.StrEnum):
    """What becomes of an instance that is critical in the source."""

    WITHDRAW = "withdraw"
    """It leaves the target, as it leaves the answers of Consul's own DNS."""
    MARK = "mark"
    """It stays, with its health written on it."""


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
