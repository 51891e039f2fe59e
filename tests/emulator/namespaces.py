"""Namespaces: three types, created and deleted by operations, listed with filters after paging.

Source: AWS Cloud Map API reference, CreatePrivateDnsNamespace and its siblings.
"""

from collections.abc import Callable
from typing import Any

from . import operations
from .errors import ApiError, OperationFailure, duplicate, invalid
from .model import Namespace
from .paging import answer, page
from .state import Call, Registry
from .tags import check_tags, set_tags
from .zones import create_zone, delete_zone, private_zone_exists


def create_http_namespace(call: Call) -> dict[str, Any]:
    """Accept an HTTP namespace."""
    return _create(call, "HTTP")


def create_private_dns_namespace(call: Call) -> dict[str, Any]:
    """Accept a private DNS namespace in a VPC."""
    return _create(call, "DNS_PRIVATE")


def create_public_dns_namespace(call: Call) -> dict[str, Any]:
    """Accept a public DNS namespace."""
    return _create(call, "DNS_PUBLIC")


def _create(call: Call, kind: str) -> dict[str, Any]:
    registry, params = call.registry, call.params
    name, vpc = params["Name"], params.get("Vpc", "")
    key = (name.lower(), vpc)
    if running := registry.creating.get(key):
        raise duplicate(running.type, running.id)
    for other in registry.namespaces.values():
        if other.name.lower() == name.lower() and not _may_share(other, kind, vpc):
            raise ApiError(
                "NamespaceAlreadyExists",
                f"The namespace {name} exists already.",
                NamespaceId=other.id,
                CreatorRequestId=other.creator_request_id,
            )
    if len(registry.namespaces) + len(registry.creating) >= call.state.settings.namespace_quota:
        raise ApiError("ResourceLimitExceeded", "The quota of namespaces is used up.")
    check_tags(params.get("Tags", []))
    identifier = f"ns-{call.state.token(16)}"

    def apply(when: float) -> None:
        if private_zone_exists(registry.account, name, vpc):
            raise OperationFailure(
                "CANNOT_CREATE_HOSTED_ZONE",
                f"The VPC {vpc} in region {registry.region} has already been associated with a hosted zone "
                f"with the same domain name.",
            )
        build(registry, kind, name, when, identifier=identifier, params=params)

    operation = operations.submit(
        call,
        "CREATE_NAMESPACE",
        {"NAMESPACE": identifier},
        apply,
        settle=lambda: _forget(registry, key),
    )
    if operation.status == "SUBMITTED":
        registry.creating[key] = operation
    return {"OperationId": operation.id}


def _forget(registry: Registry, key: tuple[str, str]) -> None:
    registry.creating.pop(key, None)


def _may_share(other: Namespace, kind: str, vpc: str) -> bool:
    """Whether a second namespace of one name is allowed: private ones of different VPCs."""
    return kind == other.type == "DNS_PRIVATE" and other.vpc != vpc


def build(
    registry: Registry,
    kind: str,
    name: str,
    when: float,
    *,
    identifier: str = "",
    params: dict[str, Any] | None = None,
) -> Namespace:
    """Put a namespace and its hosted zone in place at once."""
    params = params or {}
    state = registry.state
    identifier = identifier or f"ns-{state.token(16)}"
    http_name = name if name not in registry.names_used else f"{name}_{state.token(16)}"
    registry.names_used.add(name)
    namespace = Namespace(
        id=identifier,
        arn=registry.arn("namespace", identifier),
        account=registry.account,
        name=name,
        type=kind,
        http_name=http_name,
        seq=state.next(),
        created=state.timeline.wall(when),
        creator_request_id=params.get("CreatorRequestId", ""),
        description=params.get("Description", ""),
        vpc=params.get("Vpc", ""),
        soa_ttl=_soa_ttl(params) or 900,
    )
    if namespace.is_dns:
        namespace.zone_id = create_zone(registry.account, registry.region, namespace)
    registry.namespaces[identifier] = namespace
    registry.by_http_name[http_name] = namespace
    set_tags(registry, namespace.arn, params.get("Tags", []))
    return namespace


def _soa_ttl(holder: dict[str, Any]) -> int:
    return int(holder.get("Properties", {}).get("DnsProperties", {}).get("SOA", {}).get("TTL", 0))


def delete_namespace(call: Call) -> dict[str, Any]:
    """Accept the deletion of an empty namespace. Raises ResourceInUse while it has services."""
    registry = call.registry
    namespace = registry.namespace(call.params["Id"])
    if namespace.services:
        raise ApiError("ResourceInUse", f"The namespace {namespace.id} still contains services.")

    def apply(_when: float) -> None:
        if namespace.services:
            raise OperationFailure("INTERNAL_FAILURE", "The namespace received a service meanwhile.")
        registry.namespaces.pop(namespace.id, None)
        registry.by_http_name.pop(namespace.http_name, None)
        registry.tags.pop(namespace.arn, None)
        delete_zone(namespace)

    operation = operations.submit(call, "DELETE_NAMESPACE", {"NAMESPACE": namespace.id}, apply)
    return {"OperationId": operation.id}


def update_namespace(call: Call) -> dict[str, Any]:
    """Accept a new description or SOA TTL, for any of the three types."""
    namespace = call.registry.namespace(call.params["Id"])
    wanted = {
        "UpdateHttpNamespace": "HTTP",
        "UpdatePrivateDnsNamespace": "DNS_PRIVATE",
        "UpdatePublicDnsNamespace": "DNS_PUBLIC",
    }[call.operation]
    if namespace.type != wanted:
        raise invalid(f"The namespace {namespace.id} is of type {namespace.type}.")
    change = call.params["Namespace"]

    def apply(_when: float) -> None:
        namespace.description = change.get("Description", namespace.description)
        namespace.soa_ttl = _soa_ttl(change) or namespace.soa_ttl

    operation = operations.submit(call, "UPDATE_NAMESPACE", {"NAMESPACE": namespace.id}, apply)
    return {"OperationId": operation.id}


def get_namespace(call: Call) -> dict[str, Any]:
    """Return one namespace."""
    return {"Namespace": call.registry.namespace(call.params["Id"]).wire()}


def list_namespaces(call: Call) -> dict[str, Any]:
    """Return a page of namespaces, filtered after paging."""
    keep = [_filter(one, call.registry.account) for one in call.params.get("Filters", [])]
    chosen, token = page(list(call.registry.namespaces.values()), call.params, lambda n: n.seq)
    shown = [n.wire() for n in chosen if all(fits(n) for fits in keep)]
    for body in shown:
        del body["CreatorRequestId"]
    return answer("Namespaces", shown, token)


def _filter(one: dict[str, Any], account: str) -> Callable[[Namespace], bool]:
    name, condition, values = one["Name"], one.get("Condition", "EQ"), one["Values"]
    read: Callable[[Namespace], str] = {
        "TYPE": lambda n: n.type,
        "NAME": lambda n: n.name,
        "HTTP_NAME": lambda n: n.http_name,
        "RESOURCE_OWNER": lambda n: "SELF" if n.account == account else "OTHER_ACCOUNTS",
    }[name]
    if condition == "BEGINS_WITH" and name in ("NAME", "HTTP_NAME"):
        return lambda n: any(read(n).startswith(value) for value in values)
    if condition not in ("EQ", "IN") or (condition == "EQ" and len(values) != 1):
        raise invalid(f"The condition {condition} does not fit {len(values)} values of {name}.")
    return lambda n: read(n) in values
