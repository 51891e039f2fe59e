"""What the project speaks about: instances, their health, marks, and reads that are complete or are not reads.

All values are frozen. Identity is explicit: an instance is known by ``(service, id)`` within its registry.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def nothing() -> Mapping[str, str]:
    """Return the one empty mapping that all values without attributes share."""
    return _NOTHING


class Health(enum.StrEnum):
    """How an instance is, in Consul's words; Cloud Map's HEALTHY and UNHEALTHY are passing and critical."""

    PASSING = "passing"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"

    @property
    def serves(self) -> bool:
        """Whether traffic may go there: all but critical."""
        return self is not Health.CRITICAL

    @staticmethod
    def worst(states: "list[Health]") -> "Health":
        """Return the worst of *states*; passing for none, as Consul holds it for a service without checks."""
        return min(states, key=_SEVERITY.__getitem__, default=Health.PASSING)


_SEVERITY = {Health.CRITICAL: 0, Health.WARNING: 1, Health.UNKNOWN: 2, Health.PASSING: 3}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a syncer writes on an instance to know it again."""

    owner: str
    """The installation that wrote it; ours only if equal to our own id."""
    origin: str
    """The registry it was read from, such as ``consul/dc1`` or ``cloudmap/ns-1234``."""
    service: str
    """The service's name in the origin."""
    instance: str
    """The instance's id in the origin."""
    chain: tuple[str, ...] = ()
    """The registries it had passed through before its origin, oldest first; stops loops under transit."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One address of a service, in the words of no registry in particular."""

    service: str
    id: str
    ipv4: str | None = None
    ipv6: str | None = None
    hostname: str | None = None
    """A name to resolve instead of an address: a CNAME, a load balancer's alias."""
    port: int | None = None
    """1 to 65535; None where the registry knows none (Consul's port 0 included)."""
    public_ipv4: str | None = None
    public_ipv6: str | None = None
    public_port: int | None = None
    """The port at the public addresses; None where it is the same as at the others."""
    health: Health = Health.PASSING
    tags: tuple[str, ...] = ()
    """Sorted and without repetition."""
    attributes: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """What the user attached: Consul's service meta, Cloud Map's custom attributes."""
    mark: Mark | None = None
    """Set where a syncer wrote this instance, whichever syncer it was."""
    kind: str = ""
    """Empty for an ordinary service; else what else lives in the catalogue, such as ``connect-proxy``."""
    managed_by: str = ""
    """Who manages it where another service of the platform does (``ecs``): read, never written."""

    @property
    def key(self) -> tuple[str, str]:
        """The identity within the registry."""
        return (self.service, self.id)

    @property
    def origin_id(self) -> str:
        """The id in the registry where it was first read; its own id where no syncer wrote it."""
        return self.mark.instance if self.mark else self.id

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses and names that it can be reached under, private ones first."""
        candidates = (self.ipv4, self.ipv6, self.hostname)
        return tuple(value for value in candidates if value)


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """What the target says of a service as a whole; registries without such an entity give the defaults."""

    id: str = ""
    owner: str | None = None
    """The owner id of the syncer that created it; None where a user did."""
    records: frozenset[str] = frozenset()
    """DNS record types that every instance must be able to fill: A, AAAA, SRV, CNAME. Empty: API only."""
    ttl: int | None = None
    """Seconds that resolvers may keep its records; None without records."""
    health_settable: bool = True
    """Whether an instance's health can be written (Cloud Map: a custom health check)."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Everything a registry holds of one service. Only this may lead to a removal."""

    service: str
    instances: tuple[Instance, ...]
    info: ServiceInfo | None = None
    """None where the service does not exist, or the registry has no such entity."""
    ended: tuple[Instance, ...] = field(default=(), compare=False)
    """What the registry says has ended a moment ago, where it says so: more than not naming it any more. As it was
    last, or with its identity alone."""
    settled: bool = True
    """False while the registry's own views still disagree, so that a second look is due soon."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why one service could not be read; what we do not see, we leave alone."""

    service: str
    reason: str
    code: str = ""


Read = Complete | Unreadable


@dataclass(frozen=True, slots=True)
class Listed:
    """The names of all services of a registry."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Why the services of a registry could not be listed."""

    reason: str
    code: str = ""


Listing = Listed | Unlisted


@dataclass(frozen=True, slots=True)
class Skip:
    """Something deliberately not carried over, and why; service and instance as the source names them."""

    service: str
    instance: str | None
    reason: str
    advice: str = ""
    """What to do so that it is carried: a sentence of its own, without a full stop. ``write`` begins one that ends with
    a line of the settings file."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Something wanted that somebody else holds; reported, never overwritten. Named as the source names it."""

    service: str
    instance: str | None
    reason: str
    holder: str = ""
