"""What is known of one registry: the last read of each service, what is stale, and our own writes laid over it."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence

import structlog

from syncer.core.model import Complete, Listed, Listing, Read, Unreadable
from syncer.core.plan import InstanceChange
from syncer.core.ports import Hint, Registry
from syncer.engine.crew import Crew
from syncer.engine.entry import Entries, Entry
from syncer.engine.overlay import Overlay
from syncer.engine.roll import Roll

_log = structlog.get_logger()


class Mirror:
    """One registry as it was last read, for all routes that start or end there. Thread-safe.

    A read is cached until somebody calls its service stale. Several routes that want the same stale service share
    one read.
    """

    def __init__(self, registry: Registry, lag: float = 0.0) -> None:
        """Mirror *registry*, whose ordinary reads may lag *lag* seconds behind writes."""
        self.registry = registry
        self._entries = Entries()
        self._roll = Roll(registry)
        self._overlay = Overlay(max(lag, 1.0))
        self._changed = threading.Condition(threading.RLock())
        self._crew = Crew(max(registry.parallel, 1), f"read-{registry.id}")
        self._attempted = False
        self.on_unreadable: Callable[[str, int], None] = lambda _service, _failures: None
        """Called with a service and how many reads of it failed in a row; it is read again once it is called stale."""
        self.on_unsettled: Callable[[str], None] = lambda _service: None
        """Called with a service whose registry disagrees with itself, so that it wants a second look."""
        self.on_lagging: Callable[[str, float], None] = lambda _service, _seconds: None
        """Called with a service that does not show what was written there, and the seconds until that is in doubt."""
        self.on_late: Callable[[str], None] = lambda _service: None
        """Called with a service once its read has ended, if somebody did not wait for that."""
        self.patience: float | None = None
        """Seconds that somebody waits for reads of which none ends: one that hangs holds up no other. None: until
        they end."""

    def remembered(self) -> int:
        """Return of how many services anything is remembered."""
        return len(self._entries)

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
                self._roll.note()
                self._entries.call_stale()
                return
            for name in hint.services:
                entry = self._entries.of(name)
                entry.stale, entry.unused = True, False
                entry.fresh |= hint.reason != "interval"

    def reread(self, names: Iterable[str]) -> None:
        """Call *names* stale, as a full pass would."""
        self.note(Hint(frozenset(names), "interval"))

    def store(self, read: Complete) -> bool:
        """Take a complete read that a watch made; return whether it says anything new.

        A hint that came before stands: it may be about something that this read was too early to see.
        """
        with self._changed:
            entry = self._entries.of(read.service)
            new = entry.read != read
            entry.stale &= entry.fresh
            self._keep(entry, read, time.monotonic(), fresh=False)
            return new

    def relist(self) -> Listing:
        """Return the names of all services, listed anew if they are stale; services that came or went are stale then."""
        first = self._roll.names is None
        listing, moved = self._roll.call()
        if isinstance(listing, Listed):
            with self._changed:
                for name in moved:
                    if not first or name in self._entries:
                        self._entries.of(name).stale = True
                self._entries.prune(listing.names, self._overlay.expects)
        return listing

    @property
    def names(self) -> frozenset[str]:
        """The names of the last complete list, with what was found to be there since, and without what was not."""
        with self._changed:
            return self._entries.names(self._roll.names or frozenset())

    def attempted(self) -> None:
        """Note that everything was listed and each service tried once."""
        self._attempted = True

    def refresh(self, names: Collection[str], *, certain: bool = True) -> None:
        """Read those of *names* that are stale or unknown, several at once; *certain* as for :meth:`view`."""
        with self._changed:
            due = [
                name
                for name in names
                if self._entries.of(name).stale
                and not self._entries.of(name).late
                and (certain or not self._unlisted(name))
            ]
            due.sort(key=lambda name: self._entries.of(name).fruitless)
        if not due or (self.patience is None and len(due) < 2):
            for name in due:
                self._read(name)
            return
        first = max(self.registry.parallel, 1)
        reads = self._each(due[:first])
        if len(due) > first and all(isinstance(read, Unreadable) for read in reads):
            self._give_up(due[first:], reads[-1])
            return
        self._each(due[first:])

    def _each(self, names: Sequence[str]) -> list[Read]:
        """Read *names*, several at once, and wait for them as long as there is patience."""
        found = self._crew.each(self._read, names, self.patience)
        with self._changed:
            return [
                self._leave(name) if read is None else read for name, read in zip(names, found, strict=True)
            ]

    def _leave(self, name: str) -> Read:
        """Wait no more for the read of *name*, unless it has just ended."""
        entry = self._entries.of(name)
        if entry.reading or entry.stale or entry.read is None:
            entry.late = True
            return Unreadable(name, "it is still being read", "Late")
        return entry.read

    def view(self, name: str, *, certain: bool = True) -> Read:
        """Return *name* as last read, with our own writes laid over it; reads it first if it is stale.

        Where *certain* is false, a service that a complete list does not name counts as empty without a read of
        its own: enough to add, never enough to remove.
        """
        with self._changed:
            entry = self._entries.of(name)
            ended = entry.late or self._changed.wait_for(lambda: not entry.reading, self.patience)
            if entry.late or not ended:
                return self._leave(name)
            if not entry.stale and entry.read is not None:
                return self._laid_over(entry.read)
            if not certain and self._unlisted(name):
                return self._laid_over(Complete(name, ()))
        read = self._each([name])[0] if self.patience is not None else self._read(name)
        with self._changed:
            if self._entries.of(name).late:
                return read
            # An empty one may have been forgotten meanwhile.
            return self._laid_over(self._entries.of(name).read or read)

    def known(self, name: str) -> Read | None:
        """Return *name* as last read, however long ago; None where it never was."""
        with self._changed:
            return self._entries.of(name).read if name in self._entries else None

    def begin(self, change: InstanceChange) -> None:
        """Note that *change* is being carried out here."""
        with self._changed:
            self._overlay.begin(change)

    def end(self, change: InstanceChange, *, done: bool) -> None:
        """Note that *change* ended; a failed one makes its service stale."""
        with self._changed:
            self._overlay.end(change, done=done)
            if not done:
                entry = self._entries.of(change.service)
                entry.stale = entry.fresh = True

    def pending(self, service: str, instance_id: str) -> bool:
        """Whether a change of that instance is being carried out."""
        with self._changed:
            return self._overlay.pending(service, instance_id)

    def under_way(self, service: str) -> int:
        """Return how many changes of *service* are being carried out."""
        with self._changed:
            return self._overlay.under_way(service)

    def lagging(self, service: str) -> float | None:
        """Return in how many seconds what was done in *service*, and did not show, is in doubt; None for nothing."""
        with self._changed:
            return self._overlay.lagging(service)

    def peek(self) -> dict[str, Read]:
        """Return every read as it stands, without reading anything."""
        with self._changed:
            return self._entries.reads()

    def close(self) -> None:
        """Begin no further reads of several services, and wait for none."""
        self._crew.close()

    def _laid_over(self, read: Read) -> Read:
        return self._overlay.apply(read) if isinstance(read, Complete) else read

    def _unlisted(self, name: str) -> bool:
        listed = self._roll.names
        return listed is not None and name not in listed and self._entries.unknown(name)

    def _give_up(self, names: Iterable[str], last: Read) -> None:
        """Call *names* unreadable without trying: the registry answered none of the reads before."""
        reason = last.reason if isinstance(last, Unreadable) else ""
        with self._changed:
            for name in names:
                entry = self._entries.of(name)
                if entry.stale and not entry.reading:
                    entry.stale = False
                    self._failed(entry, Unreadable(name, f"not tried, since others failed: {reason}"))

    def _read(self, name: str) -> Read:
        with self._changed:
            entry = self._entries.of(name)
            while entry.reading:
                self._changed.wait()
            if not entry.stale and entry.read is not None:
                self._ended(name, entry)
                return entry.read
            entry.reading, entry.stale = True, False
            fresh, entry.fresh = entry.fresh, False
            version = entry.version
        started = time.monotonic()
        read = self._ask(name, fresh=fresh)
        with self._changed:
            entry.reading = False
            self._changed.notify_all()
            self._ended(name, entry)
            if isinstance(read, Complete):
                if entry.version == version:
                    self._keep(entry, read, started, fresh=fresh)
                elif read != entry.read:
                    # A watch's read came meanwhile, and nobody knows which of the two is newer.
                    self.on_unsettled(name)
            elif entry.version == version:
                entry.fruitless += 1
                entry.fresh |= fresh
                self._failed(entry, read)
            return entry.read or read

    def _ended(self, name: str, entry: Entry) -> None:
        """Tell whoever did not wait for the read of *name*."""
        if entry.late:
            entry.late = False
            self.on_late(name)

    def _ask(self, name: str, *, fresh: bool) -> Read:
        try:
            return self.registry.read(name, fresh=fresh)
        except Exception as e:  # noqa: BLE001 - a defect there concerns one service, and is logged whole
            _log.exception("reading_failed", registry=self.id, service=name)
            return Unreadable(name, repr(e), type(e).__name__)

    def _keep(self, entry: Entry, read: Complete, started: float, *, fresh: bool) -> None:
        entry.keep(read)
        self._overlay.confirm(read, started=started, fresh=fresh)
        lag = self._overlay.lagging(read.service)
        if lag is not None:
            self.on_lagging(read.service, lag)
        if not read.settled:
            self.on_unsettled(read.service)

    def _failed(self, entry: Entry, read: Unreadable) -> None:
        entry.read = read
        entry.failures += 1
        self.on_unreadable(read.service, entry.failures)
