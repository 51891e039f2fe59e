"""Route 53 and load balancers' target groups as targets, wired from the settings."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from syncer.app.ecs import access
from syncer.app.registry import Opened
from syncer.app.routes import Planned
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.settings.routes import Route
from syncer.systems.aws import Aws, Call
from syncer.systems.elb.target import ElbTarget
from syncer.systems.elb.target import Options as ElbOptions
from syncer.systems.route53.api import Route53
from syncer.systems.route53.names import within
from syncer.systems.route53.target import Options as ZoneOptions
from syncer.systems.route53.target import Route53Target
from syncer.systems.route53.zones import find_zone


class Targets:
    """Opens hosted zones and target groups; zones of one account share its rate of calls."""

    def __init__(
        self, settings: Settings, stop: threading.Event, on_call: Callable[[str], Callable[[Call], None]]
    ) -> None:
        """Tell the calls of each system to whom *on_call* names for it."""
        self._settings = settings
        self._stop = stop
        self._on_call = on_call
        self._zones: dict[Account, Route53] = {}
        self._lock = threading.Lock()

    def zone(self, key: str, routes: tuple[Planned, ...], may_write: Callable[[], object]) -> Opened:
        """Return the hosted zone that *routes* lead to.

        Raises:
            SyncError: it is not there, is ambiguous, or cannot be asked for.
        """
        section = _section(routes)
        api = self._route53(section.account(self._settings.aws))
        hosted = find_zone(api, key.removeprefix("route53/"))
        options = ZoneOptions(self._settings.owner, _origins(routes), section.ttl_seconds, section.take_over)
        target = Route53Target(api.permitted(may_write), hosted, options)
        return Opened(
            key,
            target.end(),
            f"Route 53 {hosted.name}",
            carrier=target.carrier,
            public=not hosted.private,
            whole=True,
            within=partial(within, zone=hosted.name),
        )

    def groups(self, key: str, routes: tuple[Planned, ...], may_write: Callable[[], object]) -> Opened:
        """Return the target groups of the Region that *routes* lead to. Calls nothing."""
        section = _section(routes)
        region = key.removeprefix("elb/")
        account = replace(section.account(self._settings.aws), region=region)
        aws = Aws(access(self._settings, account), on_call=self._on_call("elbv2"), stop=self._stop)
        target = ElbTarget(
            aws.permitted(may_write), ElbOptions(self._settings.owner, _origins(routes), region)
        )
        return Opened(key, target.end(), f"Target groups {region}", carrier=target.carrier, whole=True)

    def _route53(self, account: Account) -> Route53:
        with self._lock:
            if account not in self._zones:
                calling = access(self._settings, account)
                aws = Aws(calling, on_call=self._on_call("route53"), stop=self._stop)
                self._zones[account] = Route53(aws, self._stop)
            return self._zones[account]


def _section(routes: tuple[Planned, ...]) -> Route:
    """Return what the settings say of a target: all routes that lead to one say the same of it."""
    section = routes[0].section
    assert isinstance(section, Route)
    return section


def _origins(routes: tuple[Planned, ...]) -> tuple[str, ...]:
    """Return the ids of the registries that are written from: those of ECS views are their keys."""
    return tuple(sorted({route.source for route in routes}))
