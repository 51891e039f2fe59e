"""Consul itself: can it be reached, who leads it, which version is it, and are there connections enough."""

import json
from collections.abc import Iterator
from typing import Final

import urllib3

from syncer.app.consul import endpoint
from syncer.app.doctor.clocks import clock
from syncer.app.doctor.findings import Finding, fault, ok, warning
from syncer.app.routes import CONSUL, Group, active, groups, source_of
from syncer.core.errors import Denied, Refused, SyncError
from syncer.settings import Settings
from syncer.systems.consul.about import AgentInfo, agent_info
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.connections import Sockets, make_pool
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.transport import Transport

ABOUT: Final = "Consul"
_CALLS: Final = 8 + 8 + 4
"""Connections for reading, writing and approvals, at most."""
_WATCHES: Final = 3 + 1
"""Connections of the wide watch and the one for approvals."""
_LEASES: Final = 4
"""Connections for calls about leases; each lease has a watch beside."""
_USUAL_LIMIT: Final = 200
"""``http_max_conns_per_client`` unless configured. Source: Consul documentation, agent configuration, limits."""
_LEADER: Final = "/v1/status/leader"

_OLD: Final = (
    ((1, 7), "it cannot say which rights a token has, so a lost right looks like services that went"),
    (
        (1, 11),
        "it does not say when an answer leaves out what the token may not see; the rights are asked for instead",
    ),
    ((1, 21), "its transactions lose addresses, so each instance is written by a call of its own"),
)
"""What to know of versions before these. Source: Consul's change log and upgrade notes; measured on 1.8.7."""


def client_of(settings: Settings) -> ConsulClient:
    """Return a client for probes; nothing is called yet.

    Raises:
        OSError: a certificate or its key cannot be used.
    """
    where = endpoint(settings)
    return ConsulClient(where, Transport(where, connections=2, read_timeout=settings.consul.timeout))


def reached(client: ConsulClient, settings: Settings) -> Iterator[Finding]:
    """Ask who leads; the only findings are faults where Consul cannot be reached at all."""
    address = settings.consul.address
    try:
        leader = client.status.leader()
    except SyncError as e:
        yield fault(ABOUT, f"{address} does not answer: {e}", _unreachable(e))
        return
    if leader:
        yield ok(ABOUT, f"{address} answers; the leader is {leader}")
    else:
        yield fault(
            ABOUT,
            f"{address} answers, but knows no leader: nothing can be read or written",
            "look at the servers: `consul operator raft list-peers`",
        )


def itself(client: ConsulClient, settings: Settings) -> Iterator[Finding]:
    """Look at the version, the datacenter and the connection limit."""
    try:
        info = agent_info(client)
    except SyncError as e:
        yield fault(
            ABOUT, f"it does not say what it is: {e}", "give the token the rights of --print-policies"
        )
        return
    yield from _version(info)
    yield ok(ABOUT, f"the datacenter is {info.datacenter}")
    yield connections(settings, info.connection_limit)


def consul_clock(settings: Settings) -> Iterator[Finding]:
    """Compare this host's clock with Consul's."""
    where = endpoint(settings)
    try:
        date = _date(where, settings.consul.timeout)
    except (urllib3.exceptions.HTTPError, OSError):
        return  # whether it answers is said elsewhere
    yield from clock(ABOUT, date, signed=False)


def connections(settings: Settings, limit: int | None) -> Finding:
    """Compare what is needed at most with *limit*; None where the token may not see that."""
    narrow = settings.consul.watch.narrow
    others = _WATCHES + _CALLS
    if settings.lease.enabled:
        others += _LEASES + len(leased(settings))
    most = f"{narrow + others} connections at most ({narrow} of them narrow watches)"
    if limit is None:
        return ok(
            ABOUT,
            f"{most}; the limit is not shown to this token (agent:read), it is {_USUAL_LIMIT} unless configured",
        )
    if narrow + others > limit:
        return fault(
            ABOUT,
            f"{most}, but http_max_conns_per_client is {limit}",
            f"write consul.watch.narrow: {max(0, limit - others)}, or raise the limit of the agent",
        )
    return ok(ABOUT, f"{most} of {limit} that the agent allows (http_max_conns_per_client)")


def leased(settings: Settings) -> frozenset[Group]:
    """Return the groups of places that have a lease where the settings ask for leases: those that a route touches."""
    found, routes = groups(settings), active(settings)
    ends = {source_of(key) for route in routes for key in (route.source, route.target) if key != CONSUL}
    return frozenset(found[key] for key in ends)


def _version(info: AgentInfo) -> Iterator[Finding]:
    if not info.version:
        yield warning(
            ABOUT,
            "its version is not shown to this token: the slow and careful ways are taken",
            'add: service "consul" { policy = "read" }',
        )
        return
    text = ".".join(map(str, info.version))
    known = [problem for before, problem in _OLD if info.version < before]
    if known:
        yield warning(ABOUT, f"version {text}: {'; '.join(known)}", "use a newer Consul where you can")
    else:
        yield ok(ABOUT, f"version {text}")


def token(client: ConsulClient) -> Iterator[Finding]:
    """Look at the token itself: is it known, and for how long."""
    try:
        answer = client.http.fetch("/v1/acl/token/self", _object).value
    except Refused:
        yield ok(ABOUT, "ACLs are off: no token is needed")
    except Denied:
        if client.endpoint.token:
            yield fault(
                ABOUT, "it does not know this token", "create one with the policy of --print-policies"
            )
        else:
            yield warning(ABOUT, "ACLs are on, and no token is configured", "write consul.token_file")
    except SyncError as e:
        yield warning(ABOUT, f"it does not say whose token this is: {e}")
    else:
        until = answer.get("ExpirationTime")
        who = answer.get("Description") or answer.get("AccessorID", "")
        if until:
            yield warning(
                ABOUT, f"the token {who} expires at {until}", "replace it before, or use one without an end"
            )
        else:
            yield ok(ABOUT, f"the token is known: {who}")


def _date(where: Endpoint, timeout: float) -> str | None:
    pool = make_pool(where, 1, Sockets())
    try:
        answer = pool.request("GET", _LEADER, timeout=urllib3.Timeout(total=timeout), retries=False)
        return answer.headers.get("Date")
    finally:
        pool.close()


def _unreachable(error: SyncError) -> str:
    hints = {
        "tls": "check consul.tls: ca_file, server_name and the certificates",
        "403": "give the token the rights of --print-policies",
        "content-type": "consul.address must be the HTTP port (8500 or 8501), not another",
        "protocol": "consul.address must be the HTTP port, and https:// where it speaks TLS",
    }
    return hints.get(error.code, "check consul.address, and that this host may connect there")


def _object(content: bytes | bytearray) -> dict[str, object]:
    decoded = json.loads(content)
    return decoded if isinstance(decoded, dict) else {}
