"""Which replica writes: each namespace is a lease, and the replicas share the leases among themselves.

free                    → wait in proportion to what is held here already, then take it
taken                   → have both targets read again, then let its routes write
held, renewed in time   → they go on writing
held, not renewed       → their permission runs out by itself, before anybody else can take the lease
held by another         → watch; the routes plan, and write nothing
held by one with many   → ask it for the lease; it gives it in a calm, when nothing is being written
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.core.ports import Hint
from syncer.engine.agenda import Backoff
from syncer.engine.balance import Balance
from syncer.engine.lease import Lease
from syncer.engine.permission import Permission
from syncer.engine.route import Route

_STEP: Final = 0.05
_PAUSE: Final = 2.0
"""Seconds that a lease to be given waits for a moment without writes; well below what is left of a renewal."""
_log = structlog.get_logger()


class Keeper:
    """Strives for one lease in a thread of its own, and lets the routes write while it is held."""

    def __init__(
        self, lease: Lease, may_write: Permission, routes: Sequence[Route], leases: "Leases"
    ) -> None:
        self.lease = lease
        self.decided = threading.Event()
        """Set once it is known for the first time who holds the lease."""
        self.holds = False
        self._may_write = may_write
        self._routes = routes
        self._leases = leases
        self._ending = leases.ending
        self._failures = 0
        self._backoff = Backoff(0.5, 2.0)
        self.thread = threading.Thread(target=self._run, name=f"lease-{lease.label}", daemon=True)

    def _run(self) -> None:
        self._leases.told(self.lease.label, False)
        while not self._ending.is_set():
            try:
                if self.holds:
                    self._keep()
                else:
                    self._stand_by()
                self._failures = 0
            except SyncError as e:
                self._failed(e)
            except Exception:  # noqa: BLE001 - a defect here must not end the thread; it is logged whole
                if not self._ending.is_set():  # the watch was cut otherwise
                    _log.exception("lease_failed", lease=self.lease.label)
                    self._ending.wait(self._backoff.after(3))
        self._may_write.revoke()
        self.lease.release()
        self._note(held=False)

    def _keep(self) -> None:
        until = self.lease.renew()
        if until is None:
            self._lose("it was not renewed in time")
            return
        if not self._may_write.extend(until):
            self._begin(until)
        self.lease.watch()
        if not self.lease.mine:
            self._lose("the lock was taken away")
        elif self.lease.asked_by and self._leases.balance.may_give(self.lease.asked_by):
            self._give(self.lease.asked_by)

    def _give(self, asker: str) -> None:
        """Give the lease to *asker*, unless something is being written: it will ask again.

        Once the permission has ended, nothing new is let out. What was let out before is under way, or will be at once.
        """
        deadline = time.monotonic() + _PAUSE
        while self._writing():
            if time.monotonic() >= deadline or self._ending.wait(_STEP):
                return
        self._may_write.revoke()
        if self._ending.wait(_STEP) or self._writing():
            return  # the next renewal begins a new term
        self._note(held=False)
        self.lease.release()
        _log.info("lease_given", lease=self.lease.label, to=asker)
        self._leases.stand_back()

    def _writing(self) -> bool:
        return any(route.submission.under_way() for route in self._routes)

    def _stand_by(self) -> None:
        before = self.lease.holder
        self.lease.watch()
        if self.lease.holder:
            if self.lease.holder != before:
                self._leases.balance.changed()
                _log.info("lease_held_by_another", lease=self.lease.label, holder=self.lease.holder)
            self.decided.set()
            if self._warm() and self._leases.balance.may_ask(self.lease.holder):
                _log.info("lease_asked_for", lease=self.lease.label, holder=self.lease.holder)
                self.lease.ask()
            return
        self._leases.be_modest()
        until = None if self._ending.is_set() else self.lease.acquire()
        if until is None:
            self._ending.wait(random.uniform(0.1, 0.4))  # noqa: S311 - jitter
            return
        _log.info("lease_taken", lease=self.lease.label)
        self._begin(until)
        self.decided.set()

    def _warm(self) -> bool:
        """Whether both sides of every route were read: then it can go on where the other stops."""
        return all(route.last_pass is not None for route in self._routes)

    def _begin(self, until: float) -> None:
        """Let the routes write; what the targets hold was another's doing, so it is read again before."""
        for route in self._routes:
            route.target.note(Hint(None, "lease"))
        self._may_write.grant(until)
        for route in self._routes:
            route.dirty.add_all()
        self._note(held=True)

    def _lose(self, reason: str) -> None:
        self._may_write.revoke()
        self._note(held=False)
        _log.warning("lease_lost", lease=self.lease.label, reason=reason)

    def _failed(self, error: SyncError) -> None:
        if self._failures == 0:
            _log.warning("lease_not_reached", lease=self.lease.label, reason=str(error), code=error.code)
        if self.holds and not self._may_write:
            # It may still be ours, and go on when it can be renewed: but for now, nobody is sure of it.
            self._leases.told(self.lease.label, False)
        self._failures += 1
        self._ending.wait(self._backoff.after(self._failures))

    def _note(self, *, held: bool) -> None:
        if held != self.holds:
            self._leases.balance.changed()
        self.holds = held
        self._leases.told(self.lease.label, held)


class Leases:
    """The leases that this process strives for. Thread-safe."""

    def __init__(
        self,
        told: Callable[[str, bool], None] = lambda _label, _held: None,
        *,
        spread: float = 2.0,
        calm: float = 30.0,
    ) -> None:
        """Tell *told* of each lease whether it is held.

        Args:
            told: called with a lease's label, from several threads.
            spread: seconds that a process waits for its last free lease while it holds all others, and in
                proportion for those before: replicas that hold fewer come first.
            calm: seconds without a change before a process that holds too few asks for one, see :class:`Balance`.
        """
        self.told = told
        self.ending = threading.Event()
        self.balance = Balance(self._held_by, calm)
        self._spread = spread
        self._keepers: tuple[Keeper, ...] = ()
        self._lock = threading.Lock()

    def strive(self, lease: Lease, may_write: Permission, routes: Sequence[Route]) -> None:
        """Begin to strive for *lease*; *routes* write, as *may_write* lets them, while it is held."""
        keeper = Keeper(lease, may_write, routes, self)
        with self._lock:
            self._keepers = (*self._keepers, keeper)
        self.balance.changed()
        keeper.thread.start()

    def wait_decided(self, stop: threading.Event, timeout: float) -> dict[str, str]:
        """Wait until it is known who holds each lease; return, by label, who holds those that are not ours.

        Those of which nothing is known within *timeout* seconds, or when *stop* is set, have an empty holder.
        """
        deadline = time.monotonic() + timeout
        keepers = self._keepers
        while time.monotonic() < deadline and not all(keeper.decided.is_set() for keeper in keepers):
            if stop.wait(_STEP):
                break
        return {keeper.lease.label: keeper.lease.holder for keeper in keepers if not keeper.holds}

    def be_modest(self) -> None:
        """Wait for as long as is fitting before a free lease is taken: the more are held here, the longer."""
        began = time.monotonic()
        jitter = random.uniform(0, self._spread / 8)  # noqa: S311 - jitter
        while not self.ending.is_set():
            keepers = self._keepers
            share = sum(keeper.holds for keeper in keepers) / max(len(keepers), 1)
            left = began + jitter + self._spread * share - time.monotonic()
            if left <= 0:
                return
            self.ending.wait(min(left, _STEP))

    def stand_back(self) -> None:
        """Wait until somebody who holds fewer has surely taken what was given back here."""
        self.ending.wait(self._spread * 1.5)

    def _held_by(self, holder: str) -> int:
        """Return how many leases *holder* holds; under "", we."""
        return sum(keeper.lease.holder == holder and keeper.holds == (not holder) for keeper in self._keepers)

    def close(self, timeout: float = 2.0) -> None:
        """Give everything back, within *timeout* seconds; to be called once nothing is being written any more."""
        deadline = time.monotonic() + timeout
        self.ending.set()
        for keeper in self._keepers:
            keeper.lease.cut()
        for keeper in self._keepers:
            keeper.thread.join(max(0.0, deadline - time.monotonic()))
