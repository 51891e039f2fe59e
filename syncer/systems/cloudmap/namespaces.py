"""Namespaces: found by name, id or ARN, created where that is wanted."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from syncer.core.errors import Denied, Missing, Refused, SyncError, Unavailable
from syncer.systems.aws import required
from syncer.systems.cloudmap.api import Api

TYPES: Final = {"private": "DNS_PRIVATE", "public": "DNS_PUBLIC", "http": "HTTP"}
"""What the settings call a type, and what AWS does."""
_CREATE: Final = {
    "private": "CreatePrivateDnsNamespace",
    "public": "CreatePublicDnsNamespace",
    "http": "CreateHttpNamespace",
}
_CREATED_WITHIN: Final = 120.0
"""Seconds; AWS creates a hosted zone meanwhile."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace as the rest of this folder needs it."""

    id: str
    arn: str
    name: str
    http_name: str
    """The name that the data plane knows it by; another than the name where a name was used before."""
    type: str
    """``DNS_PRIVATE``, ``DNS_PUBLIC`` or ``HTTP``."""
    negative_ttl: int | None = None
    """Seconds that resolvers remember that a name is not there (the SOA's TTL)."""
    shared: bool = False
    """Whether another account may own it, since its ARN was given: then the API takes its ARN alone."""

    @property
    def dns(self) -> bool:
        """Whether DNS answers for it."""
        return self.type != "HTTP"

    @property
    def handle(self) -> str:
        """What to call it in front of the API."""
        return self.arn if self.shared else self.id


@dataclass(frozen=True, slots=True)
class Creation:
    """How to create a namespace that is not there."""

    type: str
    """``private``, ``public`` or ``http``."""
    vpc: str | None = None
    description: str | None = None


def find(
    api: Api,
    *,
    name: str | None = None,
    handle: str | None = None,
    kind: str | None = None,
    create: Creation | None = None,
) -> Namespace:
    """Return the namespace with the id or ARN *handle*, or called *name*, of *kind* where several are.

    Raises:
        Missing: there is none, and *create* does not say to create one.
        Refused: several have the name; the message names them.
        SyncError: the calls failed.
    """
    if handle is not None:
        return get(api, handle)
    found = [item for item in _named(api, name or "") if kind is None or item["Type"] == TYPES[kind]]
    if len(found) > 1:
        known = ", ".join(f"{item['Id']} ({item['Type']})" for item in found)
        raise Refused(
            f"several namespaces are called {name}: {known}; write the id, or the type", code="Ambiguous"
        )
    if found:
        return get(api, found[0]["Id"])
    if create is None:
        which = f"{kind} " if kind else ""
        where = f" in {api.region}" if api.region else ""
        raise Missing(
            f"there is no {which}namespace called {name}{where}; create it, or write `create`",
            code="NamespaceNotFound",
        )
    return get(api, _create(api, name or "", create))


def get(api: Api, handle: str) -> Namespace:
    """Return the namespace with that id or ARN; raises as :func:`find`."""
    found = required(api.call("GetNamespace", Id=handle), "Namespace")
    properties = found.get("Properties") or {}
    soa = ((properties.get("DnsProperties") or {}).get("SOA") or {}).get("TTL")
    http = properties.get("HttpProperties") or {}
    return Namespace(
        id=found["Id"],
        arn=found.get("Arn", ""),
        name=found["Name"],
        http_name=http.get("HttpName") or found["Name"],
        type=found["Type"],
        negative_ttl=soa,
        # Whose account is ours no answer says; where an ARN was given, it is always right.
        shared=handle.startswith("arn:"),
    )


def _named(api: Api, name: str) -> list[dict[str, Any]]:
    filters = [{"Name": "NAME", "Values": [name], "Condition": "EQ"}]
    pages = api.pages("ListNamespaces", "Namespaces", Filters=filters, MaxResults=100)
    return [item for page in pages for item in page if item["Name"].lower() == name.lower()]


def _create(api: Api, name: str, create: Creation) -> str:
    parameters: dict[str, Any] = {"Name": name}
    if create.vpc:
        parameters["Vpc"] = create.vpc
    if create.description:
        parameters["Description"] = create.description
    operation = required(api.call(_CREATE[create.type], **parameters), "OperationId")
    deadline = time.monotonic() + _CREATED_WITHIN
    while time.monotonic() < deadline:
        state = required(api.call("GetOperation", OperationId=operation), "Operation")
        if state["Status"] == "SUCCESS":
            return str(state["Targets"]["NAMESPACE"])
        if state["Status"] == "FAIL":
            raise failure(state, f"creating the namespace {name}")
        if api.stop.wait(0.5):
            break
    raise Unavailable(f"the namespace {name} is still being created", code="Pending")


def failure(operation: Mapping[str, Any], what: str) -> SyncError:
    """Return the error of an operation that failed (Cloud Map API reference, Operation, ErrorCode)."""
    code = str(operation.get("ErrorCode") or "Unknown")
    kinds: dict[str, type[SyncError]] = {
        "ACCESS_DENIED": Denied,
        "CANNOT_CREATE_HOSTED_ZONE": Denied,
        "EXPIRED_TOKEN": Denied,
        "HOSTED_ZONE_NOT_FOUND": Missing,
        "NAMESPACE_NOT_FOUND": Missing,
        "RESOURCE_NOT_FOUND": Missing,
        "INTERNAL_FAILURE": Unavailable,
        "THROTTLED_REQUEST": Unavailable,
    }
    message = f"{what}: {code}: {operation.get('ErrorMessage') or 'no message'}"
    return kinds.get(code, SyncError)(message, code=code)
