"""What is known of tasks at one moment, and what becomes of it by another read. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from syncer.systems.ecs.model import Placed, Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """One task as it stands."""

    placed: Placed
    at: float
    """``time.monotonic()`` when the read that saw it began."""
    version: int
    """The highest that was seen of the task."""
    since: float
    """When it was first seen."""
    stopping_since: float | None = None
    """When it was first seen stopping, or not seen any more; what is placed is from when it still ran."""
    told: bool = False
    """Whether ECS has said that it stops, and did not just leave it out."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is known at one moment. A new one is made for each change."""

    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """By task ARN."""
    troubles: Mapping[str, Problem] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    """Clusters of which not all tasks are known, with the reason."""
    whole: frozenset[str] = frozenset()
    """Clusters that were read once without a question left: whatever is written of their tasks, now or before this
    process began, is of tasks among the entries, or of such as ended."""

    @property
    def problems(self) -> Iterator[Problem]:
        """Everything that could not be read: of clusters, then of tasks that go on."""
        yield from self.troubles.values()
        for entry in self.entries.values():
            problem = entry.placed.problem or entry.placed.tags_problem
            if problem is not None and entry.stopping_since is None:
                yield problem


def merged(before: Entry | None, placed: Placed, began: float) -> Entry:
    """Return what is known of a task after a read that *began* then has seen *placed*.

    A higher version wins; with equal ones, the read that began later. Of a task that stops, what is placed stays as it
    was when it ran. One that was taken for gone because a list lacked it may turn out to run after all.
    """
    task = placed.task
    if before is None:
        return Entry(placed, began, task.version, began, began if task.stopping else None, told=task.stopping)
    if task.version < before.version or (task.version == before.version and began < before.at):
        return before
    if task.stopping:
        since = began if before.stopping_since is None else before.stopping_since
        return replace(before, at=began, version=task.version, stopping_since=since, told=True)
    if placed == before.placed:
        placed = before.placed  # the same object, so that nobody works on it again
    return Entry(placed, began, task.version, before.since)
