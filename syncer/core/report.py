"""What a pass did, as a value; and who is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from syncer.core.model import Conflict, Skip
from syncer.core.plan import ServicePlan
from syncer.core.ports import Outcome


@dataclass(frozen=True, slots=True)
class PassReport:
    """One pass of one route."""

    route: str
    full: bool
    seconds: float
    plans: tuple[ServicePlan, ...]
    """The services looked at."""
    submitted: Mapping[str, int] = field(default_factory=dict, hash=False)
    """How many changes of each kind went to the writer."""
    waiting: int = 0
    """Changes that wait: behind another of the same instance, behind additions, or for another try."""
    untranslated: tuple[Skip | Conflict, ...] = ()
    """Source services that have no name in the target."""
    errors: tuple[str, ...] = ()
    """What could not be listed."""
    owned: int = 0
    """Instances of ours in the target, over all services."""
    offered: int = 0
    """Instances that the source offers, over all services."""

    @property
    def held(self) -> int:
        """Removals that the guard held back."""
        return sum(len(plan.held) for plan in self.plans)

    @property
    def unreadable(self) -> int:
        """Services that could not be read on one side."""
        return sum(bool(plan.unreadable) for plan in self.plans)


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """One change that ended."""

    route: str
    outcome: Outcome
    source_service: str | None
    seconds: float
    """From the first hint to the end of the change."""


class Observer(Protocol):
    """Somebody who is told what happens; must be quick and must not fail."""

    def passed(self, report: PassReport) -> None:
        """A pass ended."""

    def changed(self, report: ChangeReport) -> None:
        """A change ended."""


@dataclass(frozen=True, slots=True)
class Observers:
    """Tells several observers."""

    members: tuple[Observer, ...] = ()

    def passed(self, report: PassReport) -> None:
        """Tell all of a pass."""
        for member in self.members:
            member.passed(report)

    def changed(self, report: ChangeReport) -> None:
        """Tell all of a change."""
        for member in self.members:
            member.changed(report)
