"""Taking back what an installation has written: the same engine, with rules that want nothing any more."""

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from syncer.app.consul import endpoint
from syncer.app.installation import Installation
from syncer.core.errors import Missing, SyncError
from syncer.core.plan import DeleteService, Deregister
from syncer.core.report import Observers, PassReport
from syncer.settings import Settings
from syncer.systems.consul.catalog import Catalog
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.transport import Transport

_TRIES: Final = 12
_PAUSE: Final = 2.0
"""Seconds between two tries: a service may need a moment until it counts as empty."""


@dataclass(frozen=True, slots=True)
class Remnant:
    """Something of ours that is in a target."""

    route: str
    change: Deregister | DeleteService


class Withdrawal:
    """Removes what *routes* have written, and nothing else; nothing is called before :meth:`look`."""

    def __init__(
        self, settings: Settings, routes: Collection[str], stop: threading.Event, observers: Observers
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._stop = stop
        self._installation = Installation(_wanting_nothing(settings, routes), stop, observers)
        self._reports: tuple[PassReport, ...] = ()
        self._attached = False

    def look(self) -> tuple[str, ...]:
        """Look at everything, and change nothing; return why something could not be looked at."""
        problems: tuple[str, ...] = ()
        if not self._attached:
            problems = self._installation.bring_up()
            self._attached = not problems
        self._reports = self._installation.once(write=False)
        return (*problems, *self._unread())

    def remnants(self) -> Iterator[Remnant]:
        """Yield what the last look found, or the last try has left."""
        for report in self._reports:
            for plan in report.plans:
                for change in (*plan.held, *plan.changes):
                    if isinstance(change, Deregister | DeleteService):
                        yield Remnant(report.route, change)

    def carry_out(self) -> tuple[str, ...]:
        """Remove what :meth:`look` found, and the services and nodes that are empty then; return what is left, and why.

        Where there are leases, each must be free or ours; what another replica holds is left alone.
        """
        problems = self._until_gone()
        if not problems:
            problems = tuple(self._left_over())
        self._installation.engine.close()
        return problems

    def _until_gone(self) -> tuple[str, ...]:
        for _ in range(_TRIES):
            for route in self._installation.engine.routes:
                route.approve()
            self._reports = self._installation.once(write=True)
            others = self._installation.sharing.held_elsewhere(self._stop)
            if others:
                return tuple(
                    f"{label}: its lease is held by {holder or 'nobody knows whom'}; stop that syncer first"
                    for label, holder in others.items()
                )
            left = [*self.remnants(), *self._unread()]
            if not left or self._stop.wait(_PAUSE):
                break
        failures = {
            f"{route.id}: {failure.change.service}: {failure.error}"
            for route in self._installation.engine.routes
            for failure in route.failures.current()
        }
        left = list(self.remnants())
        return (
            *sorted(failures),
            *self._unread(),
            *([f"{len(left)} things of ours are left"] if left else ()),
        )

    def _unread(self) -> Iterator[str]:
        for report in self._reports:
            yield from (f"{report.route}: {error}" for error in report.errors)
            for plan in report.plans:
                yield from (f"{report.route}: {plan.service}: {reason}" for reason in plan.unreadable)

    def _left_over(self) -> Iterator[str]:
        """Remove the empty nodes and our own keys in Consul; yield what could not be."""
        client = _client(self._settings)
        catalog = Catalog(client, self._settings.consul.node_prefix)
        for route in self._installation.engine.routes:
            if route.target.id.startswith("consul/"):
                try:
                    if not catalog.remove_node_if_empty(route.source.id):
                        yield f"{route.id}: the node of {route.source.id} in Consul is not empty"
                except SyncError as e:
                    yield f"{route.id}: the node of {route.source.id} in Consul: {e}"


def forget_keys(settings: Settings) -> str:
    """Remove the leases and approvals of the owner from Consul's key/value store; return why not, or nothing."""
    try:
        _client(settings).kv.delete(f"cloudmap-sync/{settings.owner}/", recurse=True)
    except Missing:
        return ""
    except SyncError as e:
        return str(e)
    return ""


def _client(settings: Settings) -> ConsulClient:
    where = endpoint(settings)
    return ConsulClient(where, Transport(where, connections=1, read_timeout=settings.consul.timeout))


def _wanting_nothing(settings: Settings, routes: Collection[str]) -> Settings:
    """Return *settings* with just *routes*, none of which takes anything; no namespace is created for it."""
    sections = []
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        out, back = f"consul->{label}", f"{label}->consul"
        sections.append(
            section.model_copy(
                update={
                    "create": None,
                    "consul_to_cloudmap": section.consul_to_cloudmap.model_copy(
                        update={"enabled": out in routes, "exclude": ("*",)}
                    ),
                    "cloudmap_to_consul": section.cloudmap_to_consul.model_copy(
                        update={"enabled": back in routes, "exclude": ("*",)}
                    ),
                }
            )
        )
    intervals = settings.intervals.model_copy(update={"forget_empty": 0.0})
    chosen = {id(item.route): item.id in routes for item in settings.resolved_routes()}
    others = [
        route.model_copy(update={"enabled": chosen.get(id(route), False), "exclude": ("*",)})
        for route in settings.routes
    ]
    return settings.model_copy(
        update={"namespaces": tuple(sections), "intervals": intervals, "routes": tuple(others)}
    )
