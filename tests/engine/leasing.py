"""A lock in memory that several leases strive for, and an engine whose routes need it."""

import threading
import time
from dataclasses import dataclass, field

from syncer.core.errors import Unavailable


@dataclass
class Lock:
    """Who holds it, and until when; as strict as Consul: nobody takes it while it is somebody else's."""

    ttl: float = 1.0
    holder: str = ""
    until: float = 0.0
    asked_by: str = ""
    asked: int = 0
    takings: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def owner(self) -> str:
        """Return who holds it now."""
        return self.holder if time.monotonic() < self.until else ""


class MemoryLease:
    """One contender. *away* makes every call fail."""

    def __init__(self, lock: Lock, me: str, label: str = "corp") -> None:
        self.lock, self.me, self.label = lock, me, label
        self.mine, self.holder, self.asked_by = False, "", ""
        self.away = False
        self._cut = False
        self._seen: str | None = None

    def acquire(self) -> float | None:
        """Take it."""
        self._reach()
        with self.lock.changed:
            if self.lock.owner() not in {"", self.me}:
                return None
            self.lock.takings.append(self.me)
            self.lock.asked_by = ""
            return self._until()

    def renew(self) -> float | None:
        """Renew it."""
        self._reach()
        with self.lock.changed:
            return self._until() if self.lock.owner() == self.me else None

    def release(self) -> None:
        """Give it back."""
        with self.lock.changed:
            if self.lock.owner() == self.me:
                self.lock.until = 0.0
                self.lock.changed.notify_all()

    def watch(self) -> None:
        """Wait for a change, a fifth of the TTL at most."""
        self._reach()
        with self.lock.changed:
            self.lock.changed.wait_for(
                lambda: self._cut or self.lock.owner() != self._seen or self._asked(), self.lock.ttl / 5
            )
            if self._cut:
                raise RuntimeError("cut")
            self._seen = self.lock.owner()
            self.mine = self._seen == self.me
            self.asked_by = self._asked()
            if self.asked_by:
                self.lock.asked_by = ""
        self.holder = "" if self.mine else self._seen

    def ask(self) -> None:
        """Ask for it."""
        self._reach()
        with self.lock.changed:
            if self.lock.owner() == self.holder:
                self.lock.asked_by = self.me
                self.lock.asked += 1
                self.lock.changed.notify_all()

    def cut(self) -> None:
        """End the watch."""
        with self.lock.changed:
            self._cut = True
            self.lock.changed.notify_all()

    def _asked(self) -> str:
        return self.lock.asked_by if self.lock.owner() == self.me else ""

    def _until(self) -> float:
        now = time.monotonic()
        self.lock.holder, self.lock.until = self.me, now + self.lock.ttl
        self.lock.changed.notify_all()
        return now + 0.8 * self.lock.ttl

    def _reach(self) -> None:
        if self.away:
            self._seen = None
            raise Unavailable("connection refused")
