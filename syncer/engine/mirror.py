"""What is known of one registry: the last read of each service, what is stale, and our own writes laid over it."""

import threading
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from syncer.core.model import Complete, Listed, Listing, Read, Unreadable
from syncer.core.plan import InstanceChange
from syncer.core.ports import Hint, Registry
from syncer.engine.overlay import Overlay


@dataclass(slots=True)
class _Entry:
    read: Read | None = None
    stale: bool = True
    fresh: bool = False
    """Whether the next read must show what was written last."""
    reading: bool = False
    version: int = 0
    """Grows with each content that is stored: a read that began before is older, and dropped."""
    failures: int = 0


class Mirror:
    """One registry as it was last read, for all routes that start or end there. Thread-safe.

    A read is cached until somebody calls its service stale. Several routes that want the same stale service share
    one read.
    """

    def __init__(self, registry: Registry, lag: float = 0.0) -> None:
        """Mirror *registry*, whose ordinary reads may lag *lag* seconds behind writes."""
        self.registry = registry
        self._entries: dict[str, _Entry] = {}
        self._names: frozenset[str] | None = None
        self._overlay = Overlay(max(lag, 1.0))
        self._changed = threading.Condition(threading.RLock())
        self._pool = ThreadPoolExecutor(max(registry.parallel, 1), f"read-{registry.id}")
        self._listing_stale = True
        self._attempted = False
        self.on_unreadable: Callable[[str, int], None] = lambda _service, _failures: None
        """Called with a service and how many reads of it failed in a row; it is read again once it is called stale."""
        self.on_unsettled: Callable[[str], None] = lambda _service: None
        """Called with a service whose registry disagrees with itself, so that it wants a second look."""

    @property
    def id(self) -> str:
        """The registry's id."""
        return self.registry.id

    @property
    def ready(self) -> bool:
        """Whether everything was listed, and each service read or tried, at least once in this process."""
        return self._attempted

    def note(self, hint: Hint) -> None:
        """Call stale what *hint* names."""
        with self._changed:
            if hint.services is None:
                self._listing_stale = True
            names: Iterable[str] = self._entries if hint.services is None else hint.services
            for name in tuple(names):
                self._entry(name).stale = True
                self._entry(name).fresh |= hint.services is not None and hint.reason != "interval"

    def reread(self, names: Iterable[str]) -> None:
        """Call *names* stale, as a full pass would."""
        self.note(Hint(frozenset(names), "interval"))

    def created(self, name: str) -> None:
        """Note that the service *name* is there now, whatever the last list says: it is to be read."""
        with self._changed:
            if self._names is not None:
                self._names |= {name}
            self._entry(name).stale = True

    def store(self, read: Complete) -> bool:
        """Take a complete read that a watch made; return whether it says anything new."""
        with self._changed:
            entry = self._entry(read.service)
            new = entry.read != read
            entry.read, entry.stale, entry.failures = read, False, 0
            entry.version += 1
            self._overlay.confirm(read, started=time.monotonic(), fresh=False)
            return new

    def relist(self) -> Listing:
        """Return the names of all services, listed anew if they are stale; services that went are stale then."""
        with self._changed:
            if not self._listing_stale and self._names is not None:
                return Listed(self._names)
            self._listing_stale = False
        listing = self.registry.services()
        with self._changed:
            if isinstance(listing, Listed):
                for name in (self._names or frozenset()) ^ listing.names:
                    if self._names is not None or name in self._entries:
                        self._entry(name).stale = True
                self._names = listing.names
                self._prune()
            else:
                self._listing_stale = True
        return listing

    @property
    def names(self) -> frozenset[str]:
        """The names of the last complete list, and of every service that was found to have instances since."""
        with self._changed:
            found = {
                name
                for name, entry in self._entries.items()
                if isinstance(entry.read, Complete) and entry.read.instances
            }
            return (self._names or frozenset()) | found

    def attempted(self) -> None:
        """Note that everything was listed and each service tried once."""
        self._attempted = True

    def refresh(self, names: Collection[str], *, certain: bool = True) -> None:
        """Read those of *names* that are stale or unknown, several at once; *certain* as for :meth:`view`."""
        with self._changed:
            due = [
                name for name in names if self._entry(name).stale and (certain or not self._unlisted(name))
            ]
        if len(due) < 2:
            for name in due:
                self._read(name)
            return
        first = max(self.registry.parallel, 1)
        reads = list(self._pool.map(self._read, due[:first]))
        if len(due) > first and all(isinstance(read, Unreadable) for read in reads):
            self._give_up(due[first:], reads[-1])
            return
        list(self._pool.map(self._read, due[first:]))

    def view(self, name: str, *, certain: bool = True) -> Read:
        """Return *name* as last read, with our own writes laid over it; reads it first if it is stale.

        Where *certain* is false, a service that a complete list does not name counts as empty without a read of
        its own: enough to add, never enough to remove.
        """
        with self._changed:
            due = self._due(name)
            if due and not certain and self._unlisted(name):
                return self._overlay.apply(Complete(name, ()))
        if due:
            self._read(name)
        with self._changed:
            read = self._entry(name).read
            if isinstance(read, Complete):
                return self._overlay.apply(read)
            return read or Unreadable(name, "it was not read yet")

    def begin(self, change: InstanceChange) -> None:
        """Note that *change* is being carried out here."""
        with self._changed:
            self._overlay.begin(change)

    def end(self, change: InstanceChange, *, done: bool) -> None:
        """Note that *change* ended; a failed one makes its service stale."""
        with self._changed:
            self._overlay.end(change, done=done)
            if not done:
                entry = self._entry(change.service)
                entry.stale = entry.fresh = True

    def pending(self, service: str, instance_id: str) -> bool:
        """Whether a change of that instance is being carried out."""
        with self._changed:
            return self._overlay.pending(service, instance_id)

    def under_way(self, service: str) -> int:
        """Return how many changes of *service* are being carried out."""
        with self._changed:
            return self._overlay.under_way(service)

    def peek(self) -> dict[str, Read]:
        """Return every read as it stands, without reading anything."""
        with self._changed:
            return {name: entry.read for name, entry in self._entries.items() if entry.read is not None}

    def close(self) -> None:
        """Let go of the reading threads without waiting for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _entry(self, name: str) -> _Entry:
        return self._entries.setdefault(name, _Entry())

    def _due(self, name: str) -> bool:
        """Whether what is known of *name* is old, or about to be: somebody else may be reading it just now."""
        entry = self._entry(name)
        return entry.stale or entry.reading

    def _unlisted(self, name: str) -> bool:
        entry = self._entries.get(name)
        known = entry is not None and (entry.read is not None or entry.fresh or entry.reading)
        return not known and self._names is not None and name not in self._names

    def _prune(self) -> None:
        """Forget services that are gone, so that memory follows what is there."""
        for name, entry in tuple(self._entries.items()):
            empty = isinstance(entry.read, Complete) and not entry.read.instances and entry.read.info is None
            if (
                empty
                and not entry.reading
                and name not in (self._names or ())
                and not self._overlay.expects(name)
            ):
                del self._entries[name]

    def _give_up(self, names: Iterable[str], last: Read | None) -> None:
        """Call *names* unreadable without trying: the registry answered none of the reads before."""
        reason = last.reason if isinstance(last, Unreadable) else ""
        with self._changed:
            for name in names:
                entry = self._entry(name)
                entry.stale = False
                self._take(
                    entry, Unreadable(name, f"not tried, since others failed: {reason}"), 0.0, fresh=False
                )

    def _read(self, name: str) -> Read | None:
        with self._changed:
            entry = self._entry(name)
            while entry.reading:
                self._changed.wait()
            if not entry.stale:
                return entry.read
            entry.reading, entry.stale = True, False
            fresh, entry.fresh = entry.fresh, False
            version = entry.version
        started = time.monotonic()
        read: Read = Unreadable(name, "reading was broken off")
        try:
            read = self.registry.read(name, fresh=fresh)
        finally:
            with self._changed:
                entry.reading = False
                if entry.version == version:
                    self._take(entry, read, started, fresh=fresh)
                self._changed.notify_all()
        return read

    def _take(self, entry: _Entry, read: Read, started: float, *, fresh: bool) -> None:
        entry.read = read
        entry.version += 1
        if isinstance(read, Unreadable):
            entry.failures += 1
            entry.fresh |= fresh
            self.on_unreadable(read.service, entry.failures)
            return
        entry.failures = 0
        self._overlay.confirm(read, started=started, fresh=fresh)
        if not read.settled:
            self.on_unsettled(read.service)
