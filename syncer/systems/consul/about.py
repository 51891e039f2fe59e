"""What one must know of a Consul before using it: its version, datacenter, whether rights are checked, its limits."""

import re
from dataclasses import dataclass
from typing import Any, Final

from syncer.core.errors import Denied, Garbled, Missing, Refused
from syncer.systems.consul.answers import decode_entries, decode_verdicts
from syncer.systems.consul.client import ConsulClient

_AUTHORIZE: Final = "/v1/internal/acl/authorize"
_TRANSACTION_BYTES: Final = 512 << 10


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """What an agent says of itself and its servers."""

    datacenter: str
    version: tuple[int, ...]
    """The oldest of the servers, such as ``(1, 8, 7)``; empty where the token may not see it."""
    acls: bool | None
    """Whether ACLs are on; None where it cannot be found out."""
    connection_limit: int | None = None
    """Connections that one address may hold (``http_max_conns_per_client``); None where the token may not see it."""
    transaction_bytes: int = _TRANSACTION_BYTES
    """The longest body of a transaction."""

    @property
    def says_filtered(self) -> bool:
        """Whether an answer that lost something to missing rights says so (X-Consul-Results-Filtered-By-ACLs)."""
        return self.version >= (1, 11)

    @property
    def transactions_carry_all(self) -> bool:
        """Whether a service in a transaction keeps its TaggedAddresses.

        Source: hashicorp/consul#22220 and #22248, merged for 1.21 in spring 2025; measured to be lost on 1.8.7.
        """
        return self.version >= (1, 21)

    @property
    def transaction_operations(self) -> int:
        """How many operations a transaction may have. Source: Consul's transaction API; 64 measured on 1.8.7."""
        return 128 if self.version >= (1, 14) else 64


def agent_info(client: ConsulClient) -> AgentInfo:
    """Ask the agent behind *client*; two or three calls.

    A token without ``agent:read`` is no fault: the catalogue then says what the agent would not.

    Raises:
        SyncError: the agent does not answer.
        Denied: the token may see neither the agent nor the servers, and no datacenter is configured.
    """
    itself = _self(client)
    versions, datacenter = _servers(client)
    config, debug = itself.get("Config") or {}, itself.get("DebugConfig") or {}
    datacenter = client.endpoint.datacenter or config.get("Datacenter") or datacenter
    if not datacenter:
        raise Denied(
            "the token sees neither the agent (agent:read) nor its servers (service:read and node:read), "
            "so the datacenter must be configured",
            code="403",
        )
    own = parse_version(str(config.get("Version") or ""))
    return AgentInfo(
        datacenter=datacenter,
        version=min(versions, default=own),
        acls=_acls(client),
        connection_limit=_positive(debug.get("HTTPMaxConnsPerClient")),
        transaction_bytes=_positive(debug.get("TxnMaxReqLen")) or _TRANSACTION_BYTES,
    )


def authorized(client: ConsulClient, rights: list[tuple[str, str]]) -> dict[tuple[str, str], bool] | None:
    """Return whether the token may read each of *rights*: pairs of a resource and its name.

    An empty name asks for the prefix of all. None where ACLs are off, so that everybody may.

    Raises:
        SyncError: the agent does not answer, or does not know the question (before 1.7).
    """
    asked = [{"Resource": kind, "Access": "read", "Segment": name} for kind, name in rights]
    try:
        answer = client.http.fetch(_AUTHORIZE, decode_verdicts, body=asked)
    except Refused as e:
        if e.code == "401":
            return None
        raise
    allowed = {(item.Resource, item.Segment): item.Allow for item in answer.value}
    return {right: allowed.get(right, False) for right in rights}


def parse_version(text: str) -> tuple[int, ...]:
    """Return ``1.21.0+ent`` as ``(1, 21, 0)``; empty for what is no version."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


def _self(client: ConsulClient) -> dict[str, Any]:
    try:
        answer = client.agent.self()
    except Denied:
        return {}
    if not isinstance(answer, dict):
        raise Garbled("the agent does not say what it is", code="answer")
    return answer


def _servers(client: ConsulClient) -> tuple[list[tuple[int, ...]], str]:
    """Return the versions of the servers and their datacenter, as their own service's meta has them."""
    try:
        entries = client.http.fetch("/v1/health/service/consul", decode_entries).value or []
    except Denied:
        return [], ""
    versions = [parse_version((entry.Service.Meta or {}).get("version", "")) for entry in entries]
    datacenter = next((entry.Node.Datacenter for entry in entries), "")
    return [version for version in versions if version], datacenter


def _acls(client: ConsulClient) -> bool | None:
    try:
        return authorized(client, [("service", "consul")]) is not None
    except (Denied, Refused, Garbled, Missing):
        return None


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
