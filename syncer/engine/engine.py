"""All registries and routes of an installation, at work together until they are told to stop."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncer.core.model import Complete
from syncer.core.ports import End, Hint, Watch
from syncer.core.report import Observers, PassReport
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Agenda, Backoff
from syncer.engine.dirty import Batch
from syncer.engine.mirror import Mirror
from syncer.engine.permission import Permission
from syncer.engine.route import Policy, Route

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Timing:
    """When the engine does things by itself; all in seconds."""

    full: float = 600.0
    """Between full passes, each of which reads everything again."""
    unsettled: float = 1.0
    """Until a second look at a service whose registry disagrees with itself."""
    retry: Backoff = field(default_factory=Backoff)
    """Between reads of what could not be read."""
    leave: float = 8.0
    """How long writes under way may take to end when the engine stops."""
    patience: float = 2.0
    """How long a pass waits for reads of which none ends: a service whose reads hang holds up no other."""


class Engine:
    """Runs every route over shared mirrors of the registries; what fails in one leaves the others running.

    Registries and routes may be attached before :meth:`run` or while it runs, from any thread.
    """

    def __init__(self, stop: threading.Event, timing: Timing, observers: Observers) -> None:
        """Work until *stop* is set, and tell *observers* what happens."""
        self.timing = timing
        self.agenda = Agenda()
        self.mirrors: dict[str, Mirror] = {}
        self.routes: tuple[Route, ...] = ()
        self._stop = stop
        self._observers = observers
        self._ends: dict[str, End] = {}
        self._lock = threading.RLock()
        self._running = False
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self.at_end: list[Callable[[], None]] = []
        """Called by :meth:`close` once nothing is being written any more; each within a second or two."""

    def attach(self, end: End) -> None:
        """Add a registry; its id must be new."""
        with self._lock:
            name = end.registry.id
            if name in self._ends:
                raise ValueError(f"{name} is attached already")
            mirror = Mirror(end.registry, end.lag)
            mirror.on_unreadable = partial(self._retry_later, mirror)
            mirror.on_unsettled = partial(self._look_soon, mirror)
            mirror.on_lagging = partial(self._look_once_in_doubt, mirror)
            mirror.on_late = partial(self._tell_one, name)
            self._ends[name], self.mirrors[name] = end, mirror
            if self._running:
                self._start_end(mirror, end)

    def join(self, rules: RouteRules, policy: Policy, may_write: Permission | None = None) -> Route:
        """Add a route between two attached registries, of which the target can be written.

        Without *may_write* it may always write; while that says no, it goes on reading and planning.
        """
        with self._lock:
            writer = self._ends[rules.target].writer
            if writer is None:
                raise ValueError(f"route {rules.id}: {rules.target} can only be read")
            source, target = self.mirrors[rules.source], self.mirrors[rules.target]
            route = Route(rules, source, target, writer, self.agenda, policy, self._observers)
            if may_write is not None:
                route.may_write = may_write
            self.routes = (*self.routes, route)
            if self._running:
                self._start_route(route)
            return route

    def run(self) -> None:
        """Keep everything in step until the stop event is set; then finish or abandon what is under way.

        Returns within ``timing.leave`` seconds and a little of the event. Nothing is withdrawn by leaving.
        """
        with self._lock:
            self._running = True
            for name, end in self._ends.items():
                self._start_end(self.mirrors[name], end)
            for route in self.routes:
                self._start_route(route)
        self._start_agenda()
        self._stop.wait()
        self.close()

    def once(self, *, write: bool = True, rounds: int = 5) -> tuple[PassReport, ...]:
        """Make full passes until nothing is left to do, and wait for what they began; return the last reports.

        With *write* false: one pass that only plans. Ends early when the stop event is set.
        """
        self._start_agenda()
        reports: dict[str, PassReport] = {}
        for _ in range(rounds if write else 1):
            for mirror in self.mirrors.values():
                mirror.note(Hint(None, "once"))
            for route in self.routes:
                if not self._stop.is_set():
                    reports[route.id] = route.step(Batch(full=True, since=time.monotonic()), write=write)
            for route in self.routes:
                route.submission.wait_idle(self._stop)
            if self._stop.is_set() or not any(report.submitted for report in reports.values()):
                break
        return tuple(reports.values())

    def hint(self, registry: str, hint: Hint) -> None:
        """Take a hint about *registry*: mark what is stale, and have the routes that touch it look."""
        self.mirrors[registry].note(hint)
        self._tell(registry, hint.services)

    def close(self) -> None:
        """Let writes under way end within the time to leave, then let go of everything."""
        self._closing.set()
        for route in self.routes:
            route.dirty.wake()
        self.agenda.wake()
        deadline = time.monotonic() + self.timing.leave
        for mirror in tuple(self.mirrors.values()):
            mirror.close()
        self._close_writers(deadline)
        for call in self.at_end:
            try:
                call()
            except Exception:  # noqa: BLE001 - a defect in one must not keep the others; it is logged whole
                _log.exception("leaving_failed")
        deadline = max(deadline, time.monotonic() + 0.5)
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def threads(self) -> dict[str, bool]:
        """Return every thread's name, and whether it is alive."""
        return {thread.name: thread.is_alive() for thread in tuple(self._threads)}

    def _close_writers(self, deadline: float) -> None:
        """Close all writers at once: one that hangs takes nobody else's time."""
        left = max(0.1, deadline - time.monotonic())
        closing = [
            threading.Thread(target=end.writer.close, args=(left,), name=f"close-{name}", daemon=True)
            for name, end in tuple(self._ends.items())
            if end.writer is not None
        ]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(max(0.0, deadline + 0.5 - time.monotonic()))

    def _start_agenda(self) -> None:
        with self._lock:
            if "agenda" not in self.threads():
                self._start("agenda", partial(self.agenda.run, self._closing))

    def _start_end(self, mirror: Mirror, end: End) -> None:
        mirror.patience = self.timing.patience
        self._start(f"interval-{mirror.id}", partial(self._at_intervals, mirror))
        for number, watch in enumerate(end.watches):
            self._start(f"watch-{mirror.id}-{number}", partial(self._watch, mirror, watch))

    def _start_route(self, route: Route) -> None:
        route.dirty.add_all()
        self._start(f"route-{route.id}", partial(route.run, self._stop))

    def _start(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self, mirror: Mirror, watch: Watch) -> None:
        def take(read: Complete) -> None:
            if mirror.store(read):
                self._tell(mirror.id, frozenset({read.service}))

        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                watch.run(partial(self.hint, mirror.id), take, self._stop)
            except Exception:  # noqa: BLE001 - a defect in one watch must not end the others; it is logged whole
                _log.exception("watch_failed", registry=mirror.id)
            failures = 1 if time.monotonic() - began > self.timing.retry.longest else failures + 1
            if not self._stop.wait(self.timing.retry.after(failures)):
                self.hint(mirror.id, Hint(None, "reset"))  # nobody saw what changed meanwhile

    def _at_intervals(self, mirror: Mirror) -> None:
        """Have *mirror* read whole at intervals, for as long as the engine runs."""
        while not self._stop.wait(self.timing.full * (0.75 + random.random() / 2)):  # noqa: S311 - jitter
            self.hint(mirror.id, Hint(None, "interval"))

    def _tell_one(self, registry: str, service: str) -> None:
        self._tell(registry, frozenset({service}))

    def _tell(self, registry: str, services: frozenset[str] | None) -> None:
        for route in self.routes:
            if registry not in {route.source.id, route.target.id}:
                continue
            if services is None:
                route.dirty.add_all()
            elif registry == route.source.id:
                route.dirty.add(sources=services)
            else:
                route.dirty.add(targets=services)

    def _retry_later(self, mirror: Mirror, service: str, failures: int) -> None:
        hint = Hint(frozenset({service}), "retry")
        again = partial(self.hint, mirror.id, hint)
        self.agenda.after(self.timing.retry.after(failures), (mirror.id, "read", service), again)

    def _look_soon(self, mirror: Mirror, service: str) -> None:
        hint = Hint(frozenset({service}), "unsettled")
        self.agenda.after(
            self.timing.unsettled, (mirror.id, "unsettled", service), partial(self.hint, mirror.id, hint)
        )

    def _look_once_in_doubt(self, mirror: Mirror, service: str, seconds: float) -> None:
        def look() -> None:
            left = mirror.lagging(service)
            if left:
                self._look_once_in_doubt(mirror, service, left)
            elif left is not None:
                self.hint(mirror.id, Hint(frozenset({service}), "lagging"))

        self.agenda.after(seconds + 0.05, (mirror.id, "lagging", service), look)
