"""The target groups of one Region as the engine's target, made of their parts."""

from dataclasses import dataclass, replace

from syncer.core.carrier import Carrier
from syncer.core.model import Instance
from syncer.core.ports import End
from syncer.systems.aws import Aws
from syncer.systems.elb import mapping
from syncer.systems.elb.carrier import elb_carrier
from syncer.systems.elb.groups import Groups
from syncer.systems.elb.reader import ElbReader
from syncer.systems.elb.writer import ElbWriter


@dataclass(frozen=True, slots=True)
class Options:
    """How target groups are written."""

    owner: str
    """Only groups whose tag ``sync-owner`` is equal to it are written."""
    origins: tuple[str, ...]
    """The ids of the registries that are written from; with several, each group's tag ``sync-origin`` names its one."""
    region: str
    groups: tuple[str, ...] = ()
    """ARNs; none for all groups with our tag."""
    debounce: float = 0.05
    """Seconds in which wishes for one group are collected into one request."""


class ElbTarget:
    """The target groups of one Region, to be read and written."""

    def __init__(self, aws: Aws, options: Options) -> None:
        """Start the writer's threads; nothing is called before the first read or write."""
        self._region = options.region
        self.groups = Groups(aws, options.owner, options.origins)
        self.registry = ElbReader(aws, self.groups, options.region, only=frozenset(options.groups))
        self.writer = ElbWriter(aws, self.groups, debounce=options.debounce)

    @property
    def id(self) -> str:
        """The registry's id, such as ``elb/eu-central-1``."""
        return self.registry.id

    @property
    def carrier(self) -> Carrier:
        """What a target group can carry."""
        return replace(elb_carrier(self._region), stored=self.stored)

    def stored(self, instance: Instance) -> Instance:
        """Return what a group gives back of *instance* once it is registered; doing so twice changes nothing."""
        return mapping.stored(instance)

    def end(self) -> End:
        """Return what the engine needs."""
        return End(self.registry, (), self.writer)

    def close(self, timeout: float) -> None:
        """Close the writer; see there."""
        self.writer.close(timeout)
