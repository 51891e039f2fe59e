"""What a mirror knows of one service."""

from dataclasses import dataclass

from syncer.core.model import Complete, Read


@dataclass(slots=True)
class Entry:
    """The last read of one service, and what is to be done about it. Guarded by the mirror's lock."""

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
