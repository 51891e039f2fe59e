"""What the status store remembers: small values, many of them."""

from dataclasses import dataclass, field

from syncer.core.model import Conflict, Skip
from syncer.core.plan import ServicePlan

MOST_OF_A_SERVICE = 20
"""Skips and conflicts that are kept of one service; the counts go on."""
LONGEST = 500
"""Characters of an error message that are kept."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What there is to say about one service beside that it is in step."""

    source: str | None
    held: int = 0
    hold: str = ""
    """Why removals are held, with the arithmetic."""
    skip_count: int = 0
    skips: tuple[Skip, ...] = ()
    conflict_count: int = 0
    conflicts: tuple[Conflict, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values it keeps."""
        return len(self.skips) + len(self.conflicts)


def concern_of(plan: ServicePlan, before: Concern | None, room: int) -> Concern | None:
    """Return what *plan* has to say, keeping no more than *room* details; None for nothing.

    What could not be read is as it was *before*, as far as anybody knows.
    """
    if plan.unreadable:
        old = before or Concern(plan.source)
        return Concern(
            plan.source,
            old.held,
            old.hold,
            old.skip_count,
            old.skips,
            old.conflict_count,
            old.conflicts,
            plan.unreadable,
        )
    if not (plan.held or plan.skipped or plan.conflicts):
        return None
    most = max(0, min(MOST_OF_A_SERVICE, room))
    conflicts = plan.conflicts[:most]
    skips = plan.skipped[: most - len(conflicts)]
    return Concern(
        plan.source,
        len(plan.held),
        plan.hold,
        len(plan.skipped),
        skips,
        len(plan.conflicts),
        conflicts,
    )


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change that ended."""

    when: float
    """``time.time()``."""
    kind: str
    ending: str
    source_service: str | None
    service: str
    """The target's name."""
    instance: str
    address: str
    seconds: float
    code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A change that fails at present."""

    first: float
    """``time.time()`` of the first failure."""
    times: int
    last: ChangeRecord


@dataclass(frozen=True, slots=True)
class PassRecord:
    """One pass."""

    when: float
    """``time.time()`` of its end."""
    seconds: float
    full: bool
    services: int
    waiting: int


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """Everything that is known of one route, as it stood at one moment."""

    passes: int = 0
    last_pass: PassRecord | None = None
    last_full: PassRecord | None = None
    last_complete: float | None = None
    """``time.time()`` of the last pass that read everything that it looked at."""
    owned: int = 0
    offered: int = 0
    not_listed: tuple[str, ...] = ()
    untranslated: tuple[Skip | Conflict, ...] = ()
    concerns: dict[str, Concern] = field(default_factory=dict)
    """By the target's service name."""
    held_since: dict[str, float] = field(default_factory=dict)
    """``time.time()``, by the target's service name."""
    failures: tuple[FailureRecord, ...] = ()
    failure_count: int = 0
    """Of the failures at present, those that are not kept included."""
    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    """Changes that ended, by kind and ending."""
    lags: tuple[float, ...] = ()
    """Seconds from hint to arrival, of the last changes that arrived."""
