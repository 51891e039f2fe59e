"""What the engine asks of a system: to list, to read, to watch, to write. Every system's folder fulfils these.

Floors: the core states them, the systems implement them, the engine uses them, the wiring brings them together.
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from syncer.core.errors import SyncError
from syncer.core.model import Complete, Listing, Read
from syncer.core.plan import Change


class Registry(Protocol):
    """One place in a system that holds services, as it can be read. Thread-safe."""

    @property
    def id(self) -> str:
        """The registry's id, stable over restarts: it is written into marks."""

    @property
    def parallel(self) -> int:
        """How many reads at once do it no harm."""

    def services(self) -> Listing:
        """List the names of all services. Never raises :class:`SyncError`, never an empty list for a failed call."""

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read one service, whole. A service that does not exist is complete and empty.

        *fresh* asks for what was written last, where the registry has a cheaper view that lags behind. Never raises
        :class:`SyncError`; a read that failed, was cut short or was filtered is ``Unreadable``.
        """


@dataclass(frozen=True, slots=True)
class Hint:
    """A reason to read something again soon; never data. It may be lost, doubled or wrong."""

    services: frozenset[str] | None
    """The services to read again; None for all of them, and the list itself."""
    reason: str
    """A word for logs and metrics: ``watch``, ``operation``, ``revision``, ``reset``."""


class Watch(Protocol):
    """Something that notices changes in a registry."""

    def run(self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: Event) -> None:
        """Watch until *stop* is set; then return within a second.

        Calls *hint* for what should be read again, and *read* with services that it has read completely itself.
        Survives every failure of the registry: it backs off and goes on.
        """


class Ending(enum.Enum):
    """How a change ended."""

    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """A later wish for the same instance took its place before it was begun."""
    ABANDONED = "abandoned"
    """The writer was closed before the end was known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change."""

    change: Change
    ending: Ending
    error: SyncError | None = None
    """Set where it failed."""


class Writer(Protocol):
    """Carries changes out. Thread-safe."""

    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        """Take *changes* and return at once; *done* is called exactly once for each, from any thread.

        One change at a time for each instance, later ones supersede those that wait; a service is created before
        what goes into it. One change that fails stops no other. Failures that pass (throttling, a lost connection)
        are retried here, within bounds; what is reported as failed waits for the next pass.
        """

    def close(self, timeout: float) -> None:
        """Finish or abandon what is under way within *timeout* seconds; later submissions are abandoned."""


@dataclass(frozen=True, slots=True)
class End:
    """A registry with everything that the engine needs of it."""

    registry: Registry
    watches: tuple[Watch, ...] = ()
    writer: Writer | None = None
    """None for a registry that is only read."""
    lag: float = 0.0
    """Seconds that ordinary reads may be behind writes; reads that are asked to be fresh are not."""
