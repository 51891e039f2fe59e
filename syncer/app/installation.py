"""One installation: its registries are attached to the engine one by one, as soon as each can be reached."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import structlog

from syncer.app.cloudmap import Accounts, NamespaceEnd, open_namespace
from syncer.app.consul import CARRIER, ConsulEnd, connect
from syncer.app.hearing import Heard
from syncer.app.sharing import Sharing, open_approvals, take_up
from syncer.core.errors import SyncError
from syncer.core.report import Observers, PassReport
from syncer.core.rules import RouteRules
from syncer.engine.agenda import Backoff
from syncer.engine.engine import Engine, Timing
from syncer.engine.holds import HoldPolicy
from syncer.engine.permission import Permission
from syncer.engine.route import Policy, Route
from syncer.settings import Settings
from syncer.settings.namespaces import Namespace

_log = structlog.get_logger()

_WIDE = frozenset({"GET catalog/services", "GET health/state"})
"""The queries that notice the first change of anything in Consul."""
_NEVER = 10.0 * 365 * 86400
"""Seconds; stands for "never" where a time is needed."""


class Calls(Protocol):
    """Gives each system somebody to tell its calls to."""

    def calls(self, system: str) -> Callable[[Any], None]:
        """Return who is told the calls of *system*."""

    def leading(self, lease: str, *, held: bool) -> None:
        """Take note that *lease* is held by this process, or is not."""

    def watch_age(self, registry: str, watch: str, age: Callable[[], float]) -> None:
        """Take note of how to ask for the seconds since *watch* last heard of *registry*."""


class _Unobserved:
    def calls(self, _system: str) -> Callable[[Any], None]:
        return lambda _call: None

    def leading(self, lease: str, *, held: bool) -> None:
        pass

    def watch_age(self, registry: str, watch: str, age: Callable[[], float]) -> None:
        pass


class Installation:
    """What the settings describe, at work."""

    def __init__(
        self, settings: Settings, stop: threading.Event, observers: Observers, calls: Calls | None = None
    ) -> None:
        """Prepare; nothing is called before one of the other methods is."""
        self.settings = settings
        self.engine = Engine(stop, _timing(settings), observers)
        self.policy = _policy(settings)
        self._stop = stop
        self._calls = calls or _Unobserved()
        self._accounts = Accounts(settings, stop, self._calls.calls("cloudmap"))
        self._consul: ConsulEnd | None = None
        self._permissions: dict[str, Permission] = {}
        self._waiting: dict[str, str] = {"Consul": "not connected yet"} | dict.fromkeys(
            settings.labels(), "not opened yet"
        )
        self.titles: dict[str, tuple[str, str]] = {}
        """For each attached registry's id: what to call it, and the DNS suffix of its services."""
        self.sharing = Sharing(settings, self._leading, self._calls.calls("consul"))
        self.engine.at_end.append(self.sharing.close)

    def waiting(self) -> tuple[str, ...]:
        """Return what could not be attached yet, with the reason."""
        return tuple(f"{name}: {reason}" for name, reason in self._waiting.items())

    def bring_up(self) -> tuple[str, ...]:
        """Try once to attach everything; return what could not be, with the reason."""
        if self._try("Consul", self._attach_consul):
            for label, section in self._sections():
                self._try(label, partial(self._attach_namespace, label, section))
        return self.waiting()

    def bring_up_later(self) -> None:
        """Attach everything from threads of their own, each tried until it succeeds or the stop event is set."""
        thread = threading.Thread(target=self._keep_trying, name="bring-up", daemon=True)
        thread.start()
        self.sharing.start()
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

    def _sections(self) -> list[tuple[str, Namespace]]:
        return list(zip(self.settings.labels(), self.settings.namespaces, strict=True))

    def _keep_trying(self) -> None:
        self._until_done("Consul", self._attach_consul)
        for label, section in self._sections():
            attempt = partial(self._until_done, label, partial(self._attach_namespace, label, section))
            threading.Thread(target=attempt, name=f"bring-up-{label}", daemon=True).start()

    def _until_done(self, name: str, attach: Callable[[], None]) -> None:
        failures = 0
        backoff = self.engine.timing.retry
        while not self._stop.is_set() and not self._try(name, attach):
            failures += 1
            self._stop.wait(backoff.after(failures))

    def _try(self, name: str, attach: Callable[[], None]) -> bool:
        try:
            attach()
        except SyncError as e:
            if self._waiting.get(name) != str(e):
                _log.warning("not_attached", name=name, reason=str(e), code=e.code)
            self._waiting[name] = str(e)
            return False
        self._waiting.pop(name, None)
        return True

    def _attach_consul(self) -> None:
        heard = Heard(_WIDE, self._calls.calls("consul"))
        consul = connect(self.settings, heard.note, lambda origin: self._permissions.get(origin, True))
        domain = self.settings.consul.dns_domain(consul.info.datacenter)
        title = f"Consul {domain.datacenter}"
        self.titles[consul.end.registry.id] = (title, f"service.{domain.domain}")
        self._calls.watch_age(consul.end.registry.id, "wide", heard.age)
        self.engine.attach(consul.end)
        self._consul = consul
        _log.info("consul_attached", datacenter=domain.datacenter, version=consul.info.version)

    def _attach_namespace(self, label: str, section: Namespace) -> None:
        assert self._consul is not None
        may_write = self.sharing.permission()
        opened = open_namespace(self._accounts, section, may_write.__bool__)
        registry = opened.end.registry.id
        self.titles[registry] = (label, opened.dns)
        self.engine.attach(opened.end)
        self._permissions[registry] = may_write
        routes = self._join(label, section, opened, self._consul.end.registry.id, may_write)
        self.sharing.add(label, opened.namespace.id, may_write, routes)
        _log.info("namespace_attached", namespace=label, id=registry, type=opened.namespace.type)

    def _join(
        self, label: str, section: Namespace, opened: NamespaceEnd, consul: str, may_write: Permission
    ) -> tuple[Route, ...]:
        owner, cloudmap = self.settings.owner, opened.end.registry.id
        out, back = section.consul_to_cloudmap, section.cloudmap_to_consul
        found: list[RouteRules] = []
        if out.enabled:
            rules = out.rules(f"consul->{label}", owner, consul, cloudmap, opened.carrier)
            found.append(rules if opened.dns else replace(rules, records=frozenset()))
        if back.enabled:
            found.append(back.rules(f"{label}->consul", owner, cloudmap, consul, CARRIER))
        return tuple(self.engine.join(rules, self.policy, may_write) for rules in found)


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
