"""All registries and routes of an installation, at work together until they are told to stop."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncer.core.model import Complete
from syncer.core.ports import End, Hint, Watch
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Agenda, Backoff
from syncer.engine.mirror import Mirror
from syncer.engine.report import Observers, PassReport
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


class Engine:
    """Runs every route over shared mirrors of the registries; what fails in one leaves the others running."""

    def __init__(
        self,
        ends: Iterable[End],
        routes: Iterable[RouteRules],
        *,
        policy: Policy | Mapping[str, Policy],
        timing: Timing,
        observers: Observers,
    ) -> None:
        """Join *ends* by *routes*, whose source and target name registries; *policy* may be one for each route."""
        self.timing = timing
        self.ends = {end.registry.id: end for end in ends}
        self.agenda = Agenda()
        self.mirrors = {name: Mirror(end.registry, end.lag) for name, end in self.ends.items()}
        self.routes = tuple(self._route(rules, policy, observers) for rules in routes)
        self._threads: list[threading.Thread] = []
        for mirror in self.mirrors.values():
            mirror.on_unreadable = self._retry_later(mirror)
            mirror.on_unsettled = self._look_soon(mirror)

    def run(self, stop: threading.Event) -> None:
        """Keep everything in step until *stop* is set; then finish or abandon what is under way and return.

        Returns within ``timing.leave`` seconds and a little of *stop*. Nothing is withdrawn by leaving.
        """
        for mirror in self.mirrors.values():
            self._start(f"interval-{mirror.id}", partial(self._at_intervals, mirror, stop))
            for number, watch in enumerate(self.ends[mirror.id].watches):
                self._start(f"watch-{mirror.id}-{number}", self._watching(mirror, watch, stop))
        for route in self.routes:
            route.dirty.add_all()
            self._start(f"route-{route.id}", partial(route.run, stop))
        self._start("agenda", partial(self.agenda.run, stop))
        stop.wait()
        self.close()

    def once(self, stop: threading.Event, *, write: bool = True, rounds: int = 5) -> tuple[PassReport, ...]:
        """Make full passes until nothing is left to do, and wait for what they began; return the last reports.

        With *write* false: one pass that only plans. Stops early when *stop* is set.
        """
        self._start("agenda", partial(self.agenda.run, stop))
        reports: dict[str, PassReport] = {}
        due = set(self.routes)
        for number in range(rounds if write else 1):
            for route in [route for route in self.routes if route in due]:
                if stop.is_set():
                    break
                batch = route.dirty.take_now()
                batch.full = True
                reports[route.id] = route.step(batch, write=write)
                moved = bool(reports[route.id].submitted) or (number == 0 and len(self.routes) > 1)
                due = due if moved else due - {route}
            if write:
                for route in self.routes:
                    route.submission.wait_idle(stop)
                due |= {
                    route for route in self.routes if reports.get(route.id) and reports[route.id].submitted
                }
            if not due or stop.is_set():
                break
        return tuple(reports[route.id] for route in self.routes if route.id in reports)

    def hint(self, registry: str, hint: Hint) -> None:
        """Take a hint about *registry*: mark what is stale, and have the routes that touch it look."""
        self.mirrors[registry].note(hint)
        self._tell(registry, hint.services)

    def close(self) -> None:
        """Let writes under way end within the time to leave, then let go of everything."""
        for route in self.routes:
            route.dirty.wake()
        self.agenda.wake()
        deadline = time.monotonic() + self.timing.leave
        for end in self.ends.values():
            if end.writer is not None:
                end.writer.close(max(0.1, deadline - time.monotonic()))
        for mirror in self.mirrors.values():
            mirror.close()
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    def _route(self, rules: RouteRules, policy: Policy | Mapping[str, Policy], observers: Observers) -> Route:
        writer = self.ends[rules.target].writer
        if writer is None:
            raise ValueError(f"route {rules.id}: {rules.target} can only be read")
        chosen = policy if isinstance(policy, Policy) else policy[rules.id]
        source, target = self.mirrors[rules.source], self.mirrors[rules.target]
        return Route(rules, source, target, writer, self.agenda, chosen, observers)

    def _watching(self, mirror: Mirror, watch: Watch, stop: threading.Event) -> Callable[[], None]:
        def take(read: Complete) -> None:
            if mirror.store(read):
                self._tell(mirror.id, frozenset({read.service}))

        def run() -> None:
            while not stop.is_set():
                try:
                    watch.run(lambda hint: self.hint(mirror.id, hint), take, stop)
                except Exception:  # noqa: BLE001 - a defect in one watch must not end the others; it is logged whole
                    _log.exception("watch_failed", registry=mirror.id)
                    stop.wait(self.timing.retry.after(3))

        return run

    def _at_intervals(self, mirror: Mirror, stop: threading.Event) -> None:
        """Have *mirror* read whole at intervals, for as long as the engine runs."""
        while not stop.wait(self.timing.full * (0.75 + random.random() / 2)):  # noqa: S311 - jitter
            self.hint(mirror.id, Hint(None, "interval"))

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

    def _retry_later(self, mirror: Mirror) -> Callable[[str, int], None]:
        def later(service: str, failures: int) -> None:
            def again() -> None:
                self.hint(mirror.id, Hint(frozenset({service}), "retry"))

            self.agenda.after(self.timing.retry.after(failures), (mirror.id, "read", service), again)

        return later

    def _look_soon(self, mirror: Mirror) -> Callable[[str], None]:
        def later(service: str) -> None:
            def again() -> None:
                self.hint(mirror.id, Hint(frozenset({service}), "unsettled"))

            self.agenda.after(self.timing.unsettled, (mirror.id, "unsettled", service), again)

        return later

    def _start(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
