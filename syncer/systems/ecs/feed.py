"""Who tells the views of one source that something has changed: one feed for all of them."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import structlog

from syncer.core.errors import SyncError
from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.ecs.freshness import JUST_READ
from syncer.systems.ecs.inventory import Inventory
from syncer.systems.ecs.views import View

_log = structlog.get_logger()

_MENDING: Final = 1.0
"""Seconds between two looks whether something is to be read again; how often it is, the inventory says."""
_UNCERTAIN: Final = 30.0
"""Seconds from a task's first sight for which EC2 is asked again for an interface that it does not know."""


class Pump(Protocol):
    """Keeps the inventory current, and has the feed announce what changed."""

    def run(self, feed: "Feed", stop: threading.Event) -> None:
        """Go on until *stop* is set."""


class Feed:
    """Joins the views' watches to one pump, which runs in a thread of its own while there is a watch. Thread-safe."""

    def __init__(
        self, name: str, inventory: Inventory, pump: Pump, *, alone: Callable[[], bool] = lambda: True
    ) -> None:
        """Serve the source *name*; *alone* says whether nobody but this process writes what it offers."""
        self._name = name
        self._inventory = inventory
        self._pump = pump
        self._alone = alone
        self._lock = threading.Lock()
        self._joined: list[tuple[View, Callable[[Hint], None]]] = []
        self._threads: dict[str, threading.Thread] = {}

    @contextmanager
    def joined(self, view: View, hint: Callable[[Hint], None]) -> Iterator[None]:
        """Tell *hint* what changes in *view*, until left."""
        member = (view, hint)
        with self._lock:
            self._joined.append(member)
        try:
            yield
        finally:
            with self._lock:
                self._joined.remove(member)

    def announce(self, reason: str, *, everything: bool = False) -> None:
        """Hint at each view's changed services, or at *everything* where something may be missing."""
        with self._lock:
            members = tuple(self._joined)
        for view, hint in members:
            names = view.changes()
            if everything:
                hint(Hint(None, reason))
            elif names:
                hint(Hint(names, reason))

    def ensure(self, stop: threading.Event) -> None:
        """Have the pump run, and what could not be read be read again."""
        with self._lock:
            for name, work in (("feed", self._pumping), ("mend", self._mending)):
                thread = self._threads.get(name)
                if thread is None or not thread.is_alive():
                    thread = threading.Thread(
                        target=self._run, args=(work, stop), name=f"ecs-{name}-{self._name}", daemon=True
                    )
                    self._threads[name] = thread
                    thread.start()

    def settle(self, reason: str) -> bool:
        """Look again at young tasks whose interface EC2 did not know yet, and announce what has changed.

        Returns whether there are any left.
        """
        young = self._inventory.uncertain(_UNCERTAIN)
        for cluster, arns in young.items():
            try:
                self._inventory.look(cluster, arns)
            except SyncError:
                self._inventory.doubt(cluster)
        if young:
            self.announce(reason)
        return bool(self._inventory.uncertain(_UNCERTAIN))

    def _pumping(self, stop: threading.Event) -> None:
        self._pump.run(self, stop)

    def _mending(self, stop: threading.Event) -> None:
        """Read again what could not be read, more and more seldom while that goes on failing."""
        told = False
        while not stop.wait(_MENDING):
            if not self._alone():
                self._inventory.distrust()
            if self._inventory.troubled:
                state = self._inventory.refresh(float("inf"))
                self.announce("mended")
                problem = next(iter(state.problems), None)
                if problem is not None and not told:
                    _log.warning("ecs_not_read_whole", source=self._name, reason=problem.reason)
                told = problem is not None
            elif told:
                _log.info("ecs_read_whole", source=self._name)
                told = False

    def _run(self, work: Callable[[threading.Event], None], stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                work(stop)
            except Exception:  # noqa: BLE001 - a defect must not end the feed for good; it is logged whole
                _log.exception("ecs_feed_failed", source=self._name)
                stop.wait(5.0)


class ViewWatch:
    """Notices changes in one view: what the feed announces, and tasks whose time to drain is over."""

    def __init__(self, view: View, feed: Feed) -> None:
        self._view = view
        self._feed = feed

    def run(
        self,
        hint: Callable[[Hint], None],
        read: Callable[[Complete], None],
        stop: threading.Event,
    ) -> None:
        """Watch until *stop* is set."""
        with self._feed.joined(self._view, hint):
            while not stop.is_set():
                self._feed.ensure(stop)
                stop.wait(max(0.01, min(1.0, self._view.until - time.monotonic())))
                if self._view.until <= time.monotonic():
                    names = self._view.changes()
                    if names:
                        hint(Hint(names, "drained"))


class PollPump:
    """Reads everything at intervals and announces what is different."""

    def __init__(self, inventory: Inventory, interval: float) -> None:
        """Read every *interval* seconds, a little sooner or later."""
        self._inventory = inventory
        self._interval = interval

    def run(self, feed: Feed, stop: threading.Event) -> None:
        """Go on until *stop* is set. What cannot be read stays as it was announced."""
        while not stop.wait(self._interval * (0.9 + random.random() / 10)):  # noqa: S311 - jitter
            self._inventory.refresh(min(JUST_READ, self._interval / 2))
            feed.announce("poll")
            looks = 0
            while feed.settle("poll") and looks < self._interval and not stop.wait(1.0):
                looks += 1
