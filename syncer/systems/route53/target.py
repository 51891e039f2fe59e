"""A hosted zone as the engine's target, made of its parts."""

from dataclasses import dataclass, replace

from syncer.core.carrier import Carrier
from syncer.core.model import Instance
from syncer.core.ports import End
from syncer.systems.route53.api import Route53
from syncer.systems.route53.carrier import route53_carrier
from syncer.systems.route53.identifiers import Identifiers
from syncer.systems.route53.mapping import Mapping
from syncer.systems.route53.reader import Route53Reader
from syncer.systems.route53.writer import Route53Writer
from syncer.systems.route53.zone import Zone
from syncer.systems.route53.zones import HostedZone


@dataclass(frozen=True, slots=True)
class Options:
    """How a zone is written."""

    owner: str
    origins: tuple[str, ...]
    """The ids of all registries that are written into this zone: records hold a digest of theirs only."""
    ttl: int = 60
    """Seconds, for instances that name no lifetime of their own. Why 60: as the tools have it that this replaces."""
    take_over: bool = False
    """Whether simple A and AAAA records, and multivalue records called by a task's id, make way for ours."""
    debounce: float = 0.1
    """Seconds in which wishes are collected into one request: the account has five requests a second."""


class Route53Target:
    """One hosted zone, to be read and written."""

    def __init__(self, api: Route53, hosted: HostedZone, options: Options) -> None:
        """Start the writer's thread; nothing is called before the first read or write."""
        self.zone = Zone(api, hosted)
        self.mapping = Mapping(
            Identifiers(options.owner, options.origins), ttl=options.ttl, take_over=options.take_over
        )
        self.registry = Route53Reader(self.zone, self.mapping)
        self.writer = Route53Writer(self.zone, self.mapping, debounce=options.debounce)

    @property
    def id(self) -> str:
        """The registry's id, such as ``route53/Z0123456789ABC``."""
        return self.registry.id

    @property
    def carrier(self) -> Carrier:
        """What the zone can carry."""
        return replace(route53_carrier(self.zone.hosted.name), stored=self.stored)

    def stored(self, instance: Instance) -> Instance:
        """Return what the zone gives back of *instance* once it is written; doing so twice changes nothing."""
        return self.mapping.stored(instance)

    def end(self) -> End:
        """Return what the engine needs."""
        return End(self.registry, (), self.writer)

    def close(self, timeout: float) -> None:
        """Close the writer; see there."""
        self.writer.close(timeout)
