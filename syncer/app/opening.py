"""Opening what the routes of an installation begin and end in, each by its place's key."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from syncer.app.calls import Calls
from syncer.app.cloudmap import Accounts, look_at_namespace, open_namespace
from syncer.app.consul import CARRIER, connect
from syncer.app.ecs import open_source
from syncer.app.hearing import Heard
from syncer.app.registry import Opened
from syncer.app.routes import CONSUL, active, namespace_key, source_of
from syncer.app.targets import Targets
from syncer.engine.permission import Permission
from syncer.settings import Settings

_log = structlog.get_logger()

_WIDE: Final = frozenset({"GET catalog/services", "GET health/state"})
"""The queries that notice the first change of anything in Consul."""


class Opening:
    """Knows what there is to open, and how. Thread-safe; opening may be tried again until it succeeds."""

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        calls: Calls,
        permission: Callable[[str], Permission],
        *,
        looks: bool = False,
    ) -> None:
        """Let writers write only while the *permission* of what they write, or where it comes from, says so.

        With *looks* no namespace is created: an empty one stands for it.
        """
        self._looks = looks
        self._settings = settings
        self._stop = stop
        self._calls = calls
        self._permission = permission
        self._routes = active(settings)
        self._accounts = Accounts(settings, stop, calls.calls("cloudmap"))
        self._targets = Targets(settings, stop, calls.calls)
        self._sections = {
            namespace_key(label): section
            for label, section in zip(settings.labels(), settings.namespaces, strict=True)
        }
        self._origins: dict[str, str] = {}
        """Registry id to key, of what is written into Consul from."""
        used = {source_of(key) for route in self._routes for key in (route.source, route.target)}
        ecs = [f"ecs/{section.name}" for section in settings.ecs]
        others = sorted(key for key in used if key.startswith(("route53/", "elb/")))
        known = (CONSUL, *self._sections, *ecs, *others)
        self.keys = tuple(key for key in known if key in used)
        """What is to be opened, in order; an ECS source stands for its views."""

    def title(self, key: str) -> str:
        """Return what the place *key* is called as long as it is not open."""
        return "Consul" if key == CONSUL else key.removeprefix("cloudmap/")

    def open(self, key: str) -> tuple[Opened, ...]:
        """Open *key*; return its registries.

        Raises:
            SyncError: it cannot be reached, or not be found; trying again later may help.
        """
        if key == CONSUL:
            return (self._consul(),)
        if key in self._sections:
            return (self._namespace(key),)
        if key.startswith("ecs/"):
            return self._ecs(key)
        routes = tuple(route for route in self._routes if route.target == key)
        if key.startswith("route53/"):
            return (self._targets.zone(key, routes, self._permission(key).__bool__),)
        return (self._targets.groups(key, routes, self._permission(key).__bool__),)

    def _consul(self) -> Opened:
        heard = Heard(_WIDE, self._calls.calls("consul"))
        consul = connect(self._settings, heard.note, self._may_write_from)
        domain = self._settings.consul.dns_domain(consul.info.datacenter)
        self._calls.watch_age(consul.end.registry.id, "wide", heard.age)
        _log.info("consul_reached", datacenter=domain.datacenter, version=consul.info.version)
        title = f"Consul {domain.datacenter}"
        return Opened(CONSUL, consul.end, title, f"service{domain.tenancy}.{domain.domain}", carrier=CARRIER)

    def _may_write_from(self, origin: str) -> object:
        key = self._origins.get(origin)
        return True if key is None else self._permission(key)

    def _namespace(self, key: str) -> Opened:
        section, label = self._sections[key], self.title(key)
        if self._looks:
            opened, there = look_at_namespace(self._accounts, section, label)
        else:
            opened, there = open_namespace(self._accounts, section, self._permission(key).__bool__), True
        self._origins[opened.end.registry.id] = key
        return Opened(
            key,
            opened.end,
            label,
            opened.dns,
            carrier=opened.carrier,
            public=opened.namespace.type in {"DNS_PUBLIC", "HTTP"},
            records=bool(opened.dns),
            awaited=None if there else section,
        )

    def _ecs(self, key: str) -> tuple[Opened, ...]:
        (section,) = (item for item in self._settings.ecs if f"ecs/{item.name}" == key)
        opened, _ = open_source(
            self._settings,
            section,
            {route.source for route in self._routes},
            on_call=self._calls.calls("ecs"),
            stop=self._stop,
            may_take=self._permission(key).__bool__,
        )
        self._origins.update((item.id, item.key) for item in opened)
        return opened
