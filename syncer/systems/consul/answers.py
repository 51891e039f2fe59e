"""Consul's answers, as far as we look at them. Lists and maps may be null there: Consul writes Go's nil so."""

from collections.abc import Callable
from typing import Annotated

import msgspec


class TaggedAddress(msgspec.Struct, frozen=True, gc=False):
    """One entry of a service's TaggedAddresses."""

    Address: str = ""
    Port: int = 0


class Node(msgspec.Struct, frozen=True):
    """A node as /v1/health/service and /v1/catalog/node have it."""

    Node: str
    Address: str = ""
    Datacenter: str = ""
    TaggedAddresses: dict[str, str] | None = None


class Service(msgspec.Struct, frozen=True):
    """One instance of a service."""

    ID: str
    Service: str
    Kind: str = ""
    Address: str = ""
    Port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    Tags: list[str] | None = None
    Meta: dict[str, str] | None = None
    TaggedAddresses: dict[str, TaggedAddress] | None = None


class Check(msgspec.Struct, frozen=True, gc=False):
    """A check of an instance or of its node."""

    Status: str = ""


class Entry(msgspec.Struct, frozen=True):
    """One instance with its node and the checks of both: an item of /v1/health/service."""

    Node: Node
    Service: Service
    Checks: list[Check] | None = None


class StateCheck(msgspec.Struct, frozen=True, gc=False):
    """One item of /v1/health/state/any: 10,000 of them come in one answer."""

    Node: str
    CheckID: str
    ModifyIndex: int
    Status: str = ""
    ServiceTags: list[str] | None = None
    ServiceName: str = ""
    """Empty for a check of the node itself."""


class Registered(msgspec.Struct, frozen=True, gc=False):
    """One instance as a node's list has it."""

    ID: str
    Service: str
    ModifyIndex: int = 0


class CheckedId(msgspec.Struct, frozen=True, gc=False):
    """A check, as far as it says what it checks."""

    ServiceID: str = ""


class NodeServices(msgspec.Struct, frozen=True):
    """What /v1/catalog/node says of a node."""

    Services: dict[str, Registered] | None = None


class DumpedNode(msgspec.Struct, frozen=True):
    """An item of /v1/internal/ui/nodes: a node with everything on it."""

    Node: str
    Services: list[Registered] | None = None
    Checks: list[CheckedId] | None = None


class NodeCheck(msgspec.Struct, frozen=True):
    """An item of /v1/health/node."""

    CheckID: str


class Verdict(msgspec.Struct, frozen=True):
    """An item of /v1/internal/acl/authorize."""

    Resource: str
    Allow: bool
    Segment: str = ""


decode_names: Callable[[bytes | bytearray], dict[str, list[str] | None] | None] = msgspec.json.Decoder(
    dict[str, list[str] | None] | None
).decode
decode_entries: Callable[[bytes | bytearray], list[Entry] | None] = msgspec.json.Decoder(
    list[Entry] | None
).decode
decode_state: Callable[[bytes | bytearray], list[StateCheck] | None] = msgspec.json.Decoder(
    list[StateCheck] | None
).decode
decode_node: Callable[[bytes | bytearray], NodeServices | None] = msgspec.json.Decoder(
    NodeServices | None
).decode
decode_dump: Callable[[bytes | bytearray], list[DumpedNode] | None] = msgspec.json.Decoder(
    list[DumpedNode] | None
).decode
decode_node_checks: Callable[[bytes | bytearray], list[NodeCheck] | None] = msgspec.json.Decoder(
    list[NodeCheck] | None
).decode
decode_verdicts: Callable[[bytes | bytearray], list[Verdict]] = msgspec.json.Decoder(list[Verdict]).decode
