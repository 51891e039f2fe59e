"""What replicas, and whoever sits at a terminal, tell each other by Consul's key/value store: leases and approvals."""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from syncer.app.consul import endpoint
from syncer.core.errors import SyncError
from syncer.engine.agenda import Backoff
from syncer.engine.leases import Leases
from syncer.engine.permission import Permission
from syncer.engine.route import Route
from syncer.settings import Settings
from syncer.systems.consul.approvals import WAIT, Approval, Approvals
from syncer.systems.consul.call import Call, ignore
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.lease import ConsulLease, lease_key
from syncer.systems.consul.transport import Transport

_DECIDE: Final = 10.0
"""Seconds within which one knows who holds the leases."""
_log = structlog.get_logger()


def open_approvals(settings: Settings, on_call: Callable[[Call], None] = ignore) -> Approvals:
    """Return the approvals of the installation that *settings* describe."""
    timeout = settings.consul.timeout
    watching = _client(settings, _waiting(on_call), timeout + WAIT * 17 / 16, connections=1)
    return Approvals(_client(settings, on_call, timeout), watching, settings.owner)


def take_up(
    approvals: Approvals, routes: Callable[[], Iterable[Route]], stop: threading.Event, backoff: Backoff
) -> None:
    """Let pass what is approved, as soon as it is, until *stop* is set and *approvals* are cut.

    What a replica that does not write finds there, it leaves to the one that does.
    """
    failures = 0
    while not stop.is_set():
        try:
            for approval in approvals.wait():
                _take(approvals, approval, {route.id: route for route in routes()})
            failures = 0
        except SyncError as e:
            if failures == 0:
                _log.warning("approvals_not_read", reason=str(e), code=e.code)
            failures += 1
            stop.wait(backoff.after(failures))
        except Exception:  # noqa: BLE001 - a defect here must not end the thread; it is logged whole
            if not stop.is_set():  # the question was cut otherwise
                _log.exception("approvals_failed")
                stop.wait(backoff.after(3))


def _take(approvals: Approvals, approval: Approval, routes: Mapping[str, Route]) -> None:
    route = routes.get(approval.route)
    if not approval.valid:
        _log.warning("approval_too_old", route=approval.route, by=approval.by, age=round(approval.age))
    elif route is None or not route.may_write:
        return
    else:
        passing = route.approve()
        _log.warning(
            "approved",
            route=route.id,
            by=approval.by,
            removals=sum(passing.values()),
            services=sorted(passing),
        )
    approvals.settle(approval)


class Sharing:
    """The leases of the namespaces, where the settings ask for them; else everything may always be written."""

    def __init__(
        self, settings: Settings, told: Callable[[str, bool], None], on_call: Callable[[Call], None]
    ) -> None:
        """Tell *told* of each lease whether it is held; nothing is called before :meth:`start`."""
        self._settings = settings
        self._on_call = on_call
        self._leases = Leases(told, calm=2.0 * settings.lease.ttl)
        self._client: ConsulClient | None = None
        self._open: list[tuple[ConsulLease, Permission, Sequence[Route]]] = []
        self._started = False
        self._lock = threading.Lock()

    def permission(self) -> Permission:
        """Return a permission for the routes of one namespace: without end, where there are no leases."""
        return Permission(always=not self._settings.lease.enabled)

    def add(self, label: str, namespace: str, may_write: Permission, routes: Sequence[Route]) -> None:
        """Have *routes*, which belong to *namespace* (its id), write only while its lease is held."""
        if not self._settings.lease.enabled:
            return
        with self._lock:
            self._open.append((self._lease(label, namespace), may_write, routes))
            if self._started:
                self._strive()

    def start(self) -> None:
        """Strive for all leases, those that are added later included."""
        with self._lock:
            self._started = True
            self._strive()

    def held_elsewhere(self, stop: threading.Event) -> dict[str, str]:
        """Wait until it is known who holds the leases; return who holds those that are not ours, by label.

        For whoever is not here to stay: nobody is asked for a share from then on.
        """
        self._leases.balance.be_content()
        return self._leases.wait_decided(stop, _DECIDE)

    def close(self) -> None:
        """Give all leases back."""
        self._leases.close()

    def _strive(self) -> None:
        while self._open:
            self._leases.strive(*self._open.pop())

    def _lease(self, label: str, namespace: str) -> ConsulLease:
        settings, ttl = self._settings, self._settings.lease.ttl
        timeout = min(settings.consul.timeout, ttl / 10)
        if self._client is None:
            self._client = _client(settings, self._on_call, timeout)
        wait = ConsulLease.period(ttl) * 17 / 16
        watching = _client(settings, _waiting(self._on_call), timeout + wait, connections=1, connect=timeout)
        key = lease_key(settings.owner, namespace)
        return ConsulLease(self._client, watching, key, label=label, me=_me(os.environ), ttl=ttl)


def _client(
    settings: Settings,
    on_call: Callable[[Call], None],
    timeout: float,
    *,
    connections: int = 4,
    connect: float = 3.0,
) -> ConsulClient:
    where = endpoint(settings)
    transport = Transport(
        where,
        connections=connections,
        connect_timeout=min(connect, timeout),
        read_timeout=timeout,
        on_call=on_call,
    )
    return ConsulClient(where, transport)


def _waiting(on_call: Callable[[Call], None]) -> Callable[[Call], None]:
    """Say of each call that it waits for a change: how long it takes says nothing about Consul."""
    return lambda call: on_call(replace(call, blocking=True))


def _me(environment: Mapping[str, str]) -> str:
    """Return who this process is: its host, the ECS task where it is in one, and its number.

    Source: Amazon ECS task metadata endpoint, version 4: the container's id, which begins with the task's, ends it.
    """
    task = environment.get("ECS_CONTAINER_METADATA_URI_V4", "").rpartition("/")[2]
    return "/".join(filter(None, (socket.gethostname(), task, str(os.getpid()))))
