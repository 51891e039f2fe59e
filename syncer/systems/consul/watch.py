"""Notices changes in one Consul datacenter, with a number of connections that does not grow with its services."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Event, Lock, Thread
from typing import Final

import structlog

from syncer.core.errors import SyncError
from syncer.core.model import Complete
from syncer.core.ports import Hint
from syncer.systems.consul.answers import StateCheck, decode_names, decode_state
from syncer.systems.consul.call import Call, ignore
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.inquiry import Inquiry
from syncer.systems.consul.mapping import NODE_PREFIX
from syncer.systems.consul.narrow import Narrow, Slots, Uses
from syncer.systems.consul.pace import Pace
from syncer.systems.consul.query import Asking, BlockingQuery, Step, follow
from syncer.systems.consul.transport import CONNECT_TIMEOUT, READ_TIMEOUT
from syncer.systems.consul.wide import Checks, Names

NARROW: Final = 64
"""Narrow watches by default."""
_TICK: Final = 0.5
_LEAVE: Final = 0.8
"""Seconds for the threads to end; connections being made may take longer, and are left to die alone."""
_MANY: Final = 32
"""Services in one answer from which on they are not watched narrowly: that is no service in motion."""
_RECENT: Final = 1024

_log = structlog.get_logger()


class ConsulWatch:
    """Wide watches that notice the first change of anything, narrow ones for what is in motion.

    At most *narrow* + 3 connections: one for each narrow watch, for the list of services, for the health of all,
    and for questions.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        completeness: Completeness,
        node_prefix: str = NODE_PREFIX,
        narrow: int = NARROW,
        wait: float = 300.0,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        on_call: Callable[[Call], None] = ignore,
    ) -> None:
        """Watch *endpoint*'s datacenter.

        Args:
            endpoint: opens connections of its own.
            completeness: shared with the reader.
            node_prefix: as the reader's.
            narrow: how many narrow watches at most; 0 for none.
            wait: seconds that Consul may hold a query.
            connect_timeout: seconds.
            read_timeout: seconds for an answer beyond the time that it may be held.
            on_call: told of each call.
        """
        self._asking = Asking(endpoint, wait, connect_timeout, read_timeout, on_call)
        self._completeness = completeness
        self._node_prefix = node_prefix
        self._narrow = narrow

    def run(self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: Event) -> None:
        """Watch until *stop* is set; then return within a second.

        Gives one hint for everything when its first answers stand, and again after each outage: what changes from
        there on is noticed.
        """
        session = _Session(self._asking, self._narrow, hint)
        uses = Uses(
            self._asking,
            self._completeness,
            self._node_prefix,
            read=read,
            hint=lambda service: hint(Hint(frozenset({service}), "watch")),
            seen=session.seen,
            empty=session.release,
        )
        session.start(Slots(self._narrow, lambda service: Narrow(service, uses)))
        while not stop.wait(_TICK):
            session.tick()
        session.close()


class _Session:
    """One run of the watch."""

    slots: Slots

    def __init__(self, asking: Asking, narrow: int, hint: Callable[[Hint], None]) -> None:
        self._hint = hint
        self._narrow = narrow
        self._stop = Event()
        self._lock = Lock()
        self._ready: set[str] = set()
        self._names = Names()
        self._checks = Checks()
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._pace = {"services": Pace(), "checks": Pace()}
        self._services_query = BlockingQuery(asking, "/v1/catalog/services", decode_names)
        self._checks_query = BlockingQuery(asking, "/v1/health/state/any", decode_state)
        self.inquiry = Inquiry(asking, self._dirty, self._suspects, self._stop)
        self._threads: list[Thread] = []

    def start(self, slots: Slots) -> None:
        """Start the threads, with *slots* for the narrow watches."""
        self.slots = slots
        works: dict[str, Callable[[], None]] = {
            "services": lambda: follow(
                self._services_query, self._take_services, self._lost("services"), self._stop
            ),
            "checks": lambda: follow(self._checks_query, self._take_checks, self._lost("checks"), self._stop),
            "inquiry": self.inquiry.run,
        }
        for name, work in works.items():
            self._threads.append(Thread(target=work, name=f"consul-{name}", daemon=True))
            self._threads[-1].start()

    def tick(self) -> None:
        """Look after the narrow watches."""
        broken = self.slots.broken()
        if broken:
            self._hint(Hint(frozenset(broken), "watch"))

    def close(self) -> None:
        """End everything."""
        deadline = time.monotonic() + _LEAVE
        self._stop.set()
        self._services_query.cut()
        self._checks_query.cut()
        self.inquiry.cut()
        for thread in [*self.slots.close(), *self._threads]:
            thread.join(max(0.0, deadline - time.monotonic()))

    def release(self, service: str) -> None:
        """Give up the narrow watch on *service*: on one that does not exist, Consul wakes for others, too."""
        self.slots.release(service)

    def seen(self, service: str, index: int) -> None:
        """Take note that a narrow watch has read *service* as it was at *index*, when it last changed."""
        self.inquiry.told({service: index})
        self.inquiry.explain(index)

    # --- The two wide watches ---

    def _take_services(self, step: Step[dict[str, list[str] | None] | None]) -> float:
        changed, gone = self._names.take(step.answer.value or {})
        names = self._names.names
        if self._is_ready("services", step):
            self._dirty(dict.fromkeys(changed | gone, step.answer.index))
            for name in gone:
                self.slots.release(name)
            if step.moved and not self.slots.cover(names):
                if not self.inquiry.based:
                    self.inquiry.rebase()
                self.inquiry.wake(step.answer.index, calm=step.calm, explained=bool(changed or gone))
        self._fill(names)
        return self._pace["services"].pause(step.cost)

    def _take_checks(self, step: Step[list[StateCheck] | None]) -> float:
        checks, index = step.answer.value or [], step.answer.index
        started = time.monotonic()
        if self._is_ready("checks", step):
            changed = self._checks.take(checks, index)
            for explained in changed.indexes:
                # A removal is known by the answer's index, which is another's where several came together.
                if explained < index or step.calm:
                    self.inquiry.explain(explained)
            self._dirty(changed.services)
            if changed.nodes:
                self.inquiry.look_at(changed.nodes, index)
        else:
            self._checks.reset(checks, index)
        cost = step.cost + time.monotonic() - started
        self.inquiry.judged(index, 1.8 * cost)
        return self._pace["checks"].pause(cost)

    def _is_ready(self, which: str, step: Step[object]) -> bool:
        """Whether there is something to compare *step* with; if not, everything is to be read once."""
        with self._lock:
            if which in self._ready and not step.reset:
                return True
            self._ready.add(which)
            begin = len(self._ready) == len(self._pace)
        if begin:
            if not self.slots.cover(self._names.names):
                self.inquiry.rebase()
            self._hint(Hint(None, "reset"))
        return False

    def _lost(self, which: str) -> Callable[[SyncError], None]:
        def lost(error: SyncError) -> None:
            with self._lock:
                was = which in self._ready
                self._ready.discard(which)
            if was:
                _log.warning("consul_watch_lost", watch=which, reason=str(error), code=error.code)

        return lost

    # --- What to do about a change ---

    def _dirty(self, services: Mapping[str, int]) -> None:
        """Have *services*, each with the index of its change, read: by their narrow watches or by who is hinted."""
        self._remember(services)
        self.inquiry.told(services)
        hinted: set[str] = set()
        for service, index in services.items():
            there = service in self._names.names
            if there and self.slots.promise(service, index):
                continue
            if not (there and len(services) <= _MANY and self.slots.assign(service)):
                hinted.add(service)
        if hinted:
            self._hint(Hint(frozenset(hinted), "watch"))

    def _fill(self, names: frozenset[str]) -> None:
        if len(names) <= self._narrow:
            self.slots.fill(names)

    def _remember(self, services: Iterable[str]) -> None:
        with self._lock:
            for service in services:
                self._recent[service] = None
                self._recent.move_to_end(service)
            while len(self._recent) > _RECENT:
                self._recent.popitem(last=False)

    def _suspects(self) -> Iterator[str]:
        """Name all services: those without checks first, then those that changed last, then the rest."""
        names, checked = self._names.names, self._checks.services
        with self._lock:
            recent = [name for name in reversed(self._recent) if name in names]
        yield from dict.fromkeys([*sorted(names - checked), *recent, *sorted(names)])
