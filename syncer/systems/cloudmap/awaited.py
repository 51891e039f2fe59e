"""A namespace that is to be created, as it will be: nothing is in it, and nothing can be written yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncer.core.model import Complete, Listed, Listing, Read
from syncer.core.plan import Change
from syncer.core.ports import Ending, Outcome
from syncer.systems.cloudmap.namespaces import TYPES, Creation, Namespace


def awaited(name: str, create: Creation) -> Namespace:
    """Return the namespace that *create* makes of *name*; its id is yet to be given by AWS."""
    return Namespace(id="", arn="", name=name, http_name=name, type=TYPES[create.type])


@dataclass(frozen=True, slots=True)
class Awaited:
    """Stands for such a namespace where one only looks: a registry without services, and a writer of nothing."""

    id: str
    """The registry's id; another one than it has later, so that it must not get into a mark."""
    parallel: int = 1

    def services(self) -> Listing:
        """List no service."""
        return Listed(frozenset())

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read *service*, which does not exist."""
        return Complete(service, ())

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        """Abandon *changes*."""
        for change in changes:
            done(Outcome(change, Ending.ABANDONED))

    def close(self, _timeout: float) -> None:
        """Return at once: nothing is under way."""
