"""What a mirror knows of each service. Everything here is guarded by the mirror's lock."""

from collections.abc import Callable
from dataclasses import dataclass

from syncer.core.model import Complete, Read


@dataclass(slots=True)
class Entry:
    """The last read of one service, and what is to be done about it."""

    read: Read | None = None
    stale: bool = True
    fresh: bool = False
    """Whether the next read must show what was written last."""
    reading: bool = False
    late: bool = False
    """Whether somebody did not wait for the end of its read, and is to be told of it."""
    version: int = 0
    """Grows with each complete read that is kept: one that began before is older, and dropped."""
    failures: int = 0
    """Reads in a row that failed, or were given up."""
    fruitless: int = 0
    """Reads in a row that were tried and failed: such services are tried last."""
    unused: bool = False
    """Whether it was not read yet when services were forgotten the last time."""

    @property
    def empty(self) -> bool:
        """Whether there is no such service, as it was read last."""
        return isinstance(self.read, Complete) and not self.read.instances and self.read.info is None

    def keep(self, read: Complete) -> None:
        """Take a complete read."""
        self.read = read
        self.version += 1
        self.failures = self.fruitless = 0

    def forgettable(self) -> bool:
        """Whether nothing is lost without it; what was never read is given until it is asked this a second time."""
        unused, self.unused = self.unused, self.read is None
        return not self.reading and (self.empty or (unused and self.read is None))


class Entries:
    """The entries of all services, by name."""

    def __init__(self) -> None:
        self._all: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def of(self, name: str) -> Entry:
        """Return the entry of *name*, a new one where there is none."""
        return self._all.setdefault(name, Entry())

    def reads(self) -> dict[str, Read]:
        """Return every read as it stands."""
        return {name: entry.read for name, entry in self._all.items() if entry.read is not None}

    def call_stale(self) -> None:
        """Call everything stale."""
        for entry in self._all.values():
            entry.stale = True

    def names(self, listed: frozenset[str]) -> frozenset[str]:
        """Return *listed* with what was found to be there since, and without what was not."""
        read = {name: entry for name, entry in self._all.items() if isinstance(entry.read, Complete)}
        gone = {name for name, entry in read.items() if entry.empty and not entry.stale}
        return (listed - gone) | {name for name, entry in read.items() if not entry.empty}

    def unknown(self, name: str) -> bool:
        """Whether nothing is known of *name*, and nobody has asked for it."""
        entry = self._all.get(name)
        return entry is None or not (entry.read is not None or entry.fresh or entry.reading)

    def prune(self, listed: frozenset[str], expected: Callable[[str], bool]) -> None:
        """Forget services that are gone, and not *expected*, so that memory follows what is there."""
        for name, entry in tuple(self._all.items()):
            if name not in listed and not expected(name) and entry.forgettable():
                del self._all[name]
