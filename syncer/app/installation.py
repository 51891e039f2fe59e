"""One installation: its registries are attached to the engine one by one, as soon as each can be reached."""

import threading
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncer.app.calls import Calls, Unobserved
from syncer.app.opening import Opening
from syncer.app.registry import Opened, rules
from syncer.app.routes import CONSUL, Group, Planned, active, groups, source_of
from syncer.app.sharing import Sharing, open_approvals, take_up
from syncer.core.errors import Refused, SyncError
from syncer.core.report import Observers, PassReport
from syncer.engine.agenda import Backoff
from syncer.engine.engine import Engine, Timing
from syncer.engine.holds import HoldPolicy
from syncer.engine.permission import Permission
from syncer.engine.route import Policy, Route
from syncer.settings import Settings
from syncer.settings.namespaces import Namespace

_log = structlog.get_logger()

_NEVER = 10.0 * 365 * 86400
"""Seconds; stands for "never" where a time is needed."""


@dataclass(slots=True)
class _Shared:
    """What the routes of one group have in common."""

    may_write: Permission
    routes: list[Route] = field(default_factory=list)
    strives: bool = False


class Installation:
    """What the settings describe, at work."""

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        observers: Observers,
        calls: Calls | None = None,
        *,
        looks: bool = False,
    ) -> None:
        """Prepare; nothing is called before one of the other methods is.

        With *looks* nothing is to be written, and an empty namespace stands for one that is yet to be created.
        """
        self.settings = settings
        self.engine = Engine(stop, _timing(settings), observers)
        self.policy = _policy(settings)
        self._stop = stop
        self._calls = calls or Unobserved()
        self._lock = threading.RLock()
        self._routes = list(active(settings))
        self._opened: dict[str, Opened] = {}
        self.sharing = Sharing(settings, self._leading, self._calls.calls("consul"))
        self._groups = groups(settings)
        self._shared = {group: _Shared(self.sharing.permission()) for group in self._groups.values()}
        self._opening = Opening(settings, stop, self._calls, self._permission, looks=looks)
        self._waiting = dict.fromkeys(map(self._opening.title, self._opening.keys), "not opened yet")
        self.engine.at_end.append(self.sharing.close)

    @property
    def registries(self) -> dict[str, Opened]:
        """The attached registries, by id."""
        with self._lock:
            return {opened.id: opened for opened in self._opened.values()}

    def awaited(self) -> tuple[Namespace, ...]:
        """Return what the settings say of the namespaces that are yet to be created; see :meth:`__init__`."""
        return tuple(opened.awaited for opened in self.registries.values() if opened.awaited is not None)

    def waiting(self) -> tuple[str, ...]:
        """Return what could not be attached yet, with the reason."""
        return tuple(f"{name}: {reason}" for name, reason in self._waiting.copy().items())

    def bring_up(self) -> tuple[str, ...]:
        """Try once to attach everything; return what could not be, with the reason."""
        for key in self._opening.keys:
            self._try(key)
        return self.waiting()

    def bring_up_later(self) -> None:
        """Attach everything from threads of their own, each tried until it succeeds or the stop event is set."""
        for key in self._opening.keys:
            name = f"bring-up-{self._opening.title(key)}"
            threading.Thread(target=self._until_done, args=(key,), name=name, daemon=True).start()
        self.sharing.start()
        if self.settings.uses_consul:
            self._hear_approvals()

    def once(self, *, write: bool) -> tuple[PassReport, ...]:
        """Make full passes over everything that is attached; see :meth:`Engine.once`.

        Where there are leases, it waits until it is known who holds them, and writes what is ours to write.
        """
        if write:
            self.sharing.start()
            self.sharing.held_elsewhere(self._stop)
        return self.engine.once(write=write)

    def _hear_approvals(self) -> None:
        approvals = open_approvals(self.settings, self._calls.calls("consul"))
        self.engine.at_end.append(approvals.cut)
        backoff = Backoff(self.engine.timing.retry.first, 300.0)
        hear = partial(take_up, approvals, lambda: self.engine.routes, self._stop, backoff)
        threading.Thread(target=hear, name="approvals", daemon=True).start()

    def _leading(self, label: str, held: bool) -> None:
        self._calls.leading(label, held=held)

    def _permission(self, key: str) -> Permission:
        """Return the permission to write what belongs to the place *key*, or comes from there."""
        return self._shared[self._groups[source_of(key)]].may_write

    def _until_done(self, key: str) -> None:
        failures = 0
        while not self._stop.is_set() and not self._try(key):
            failures += 1
            self._stop.wait(self.engine.timing.retry.after(failures))

    def _try(self, key: str) -> bool:
        name = self._opening.title(key)
        try:
            self._attach(self._opening.open(key))
        except SyncError as e:
            if self._waiting.get(name) != str(e):
                _log.warning("not_attached", name=name, reason=str(e), code=e.code)
            self._waiting[name] = str(e)
            return False
        self._waiting.pop(name, None)
        return True

    def _attach(self, found: tuple[Opened, ...]) -> None:
        with self._lock:
            for opened in found:
                self._refuse_twice(opened)
            for opened in found:
                self.engine.attach(opened.end)
                self._opened[opened.key] = opened
                _log.info("attached", name=opened.title, id=opened.id)
            ready = [route for route in self._routes if {route.source, route.target} <= self._opened.keys()]
            for route in ready:
                self._routes.remove(route)
                self._join(route)

    def _refuse_twice(self, opened: Opened) -> None:
        """Raise Refused where the settings name one registry in two ways: by its name, and by its id."""
        other = self.registries.get(opened.id)
        if other is not None:
            one, two = self._opening.title(other.key), self._opening.title(opened.key)
            raise Refused(f"it is the same as {one}; write {one} in place of {two} everywhere", code="Twice")

    def _join(self, route: Planned) -> None:
        source, target = self._opened[route.source], self._opened[route.target]
        group = self._groups[source_of(route.source if route.target == CONSUL else route.target)]
        shared = self._shared[group]
        made = rules(route, self.settings.owner, source, target)
        shared.routes.append(self.engine.join(made, self.policy, shared.may_write))
        if not shared.strives:
            shared.strives = True
            self.sharing.add(group.label, self._lease(group), shared.may_write, shared.routes)

    def _lease(self, group: Group) -> str:
        """Return what the lease of *group* is called in Consul: by the namespace's id where it is one alone."""
        return group.sources[0] if group.sources else self._opened[group.members[0]].id.partition("/")[2]


def _timing(settings: Settings) -> Timing:
    intervals = settings.intervals
    return Timing(full=intervals.full, retry=Backoff(intervals.retry_first, intervals.retry_most))


def _policy(settings: Settings) -> Policy:
    guard, intervals = settings.guard, settings.intervals
    release = _NEVER if guard.release_after is None else guard.release_after
    forget = _NEVER if intervals.forget_empty is None else intervals.forget_empty
    return Policy(
        limits=guard.limits(),
        hold=HoldPolicy(release_after=release, window=guard.window),
        backoff=Backoff(intervals.retry_first, intervals.retry_most),
        debounce=intervals.debounce,
        forget_after=forget,
    )
