"""Services: created and deleted at once, updated by an operation, listed with filters after paging.

Source: AWS Cloud Map API reference, CreateService and UpdateService.
"""

from collections.abc import Callable
from typing import Any

from . import operations
from .errors import ApiError, invalid
from .model import Namespace, Service
from .paging import answer, page
from .records import dns_records, ttl_change
from .state import Call, Registry
from .tags import check_tags, set_tags

ATTRIBUTE_LIMIT = 30


def create_service(call: Call) -> dict[str, Any]:
    """Create a service. A retry with the same CreatorRequestId gets the same service."""
    registry, params = call.registry, call.params
    namespace = registry.namespace(_namespace_reference(params))
    name = params["Name"]
    if other := namespace.services.get(namespace.key(name)):
        if other.creator_request_id and other.creator_request_id == params.get("CreatorRequestId"):
            return {"Service": other.wire()}
        raise ApiError(
            "ServiceAlreadyExists",
            f"Service already exists: {other.name}",
            ServiceId=other.id,
            ServiceArn=other.arn,
            CreatorRequestId=other.creator_request_id,
        )
    if namespace.is_dns and len(f"{name}.{namespace.name}") > 253:
        raise invalid("The DNS name of the service is too long.")
    records, routing = dns_records(params, namespace)
    _check_health(params, namespace, records, routing)
    check_tags(params.get("Tags", []))
    service = build(
        registry,
        namespace,
        name,
        call.now,
        records=records,
        routing=routing,
        custom_health=params.get("HealthCheckCustomConfig"),
        params=params,
    )
    return {"Service": service.wire()}


def _namespace_reference(params: dict[str, Any]) -> str:
    one, other = params.get("NamespaceId"), params.get("DnsConfig", {}).get("NamespaceId")
    if not one and not other:
        raise invalid("A NamespaceId is required.")
    if one and other and one.rsplit("/", 1)[-1] != other.rsplit("/", 1)[-1]:
        raise invalid("The two NamespaceIds differ.")
    return str(one or other)


def _check_health(
    params: dict[str, Any], namespace: Namespace, records: dict[str, int], routing: str
) -> None:
    route53, custom = params.get("HealthCheckConfig"), params.get("HealthCheckCustomConfig")
    if route53 is None:
        return
    if custom is not None:
        raise invalid("Specify HealthCheckConfig or HealthCheckCustomConfig, not both.")
    if namespace.type == "DNS_PRIVATE":
        raise invalid("HealthCheckConfig is not available in a private DNS namespace.")
    if "CNAME" in records:
        raise invalid("A service with CNAME records cannot have HealthCheckConfig.")
    if route53["Type"] == "TCP" and "ResourcePath" in route53:
        raise invalid("A TCP health check has no ResourcePath.")


def build(
    registry: Registry,
    namespace: Namespace,
    name: str,
    when: float,
    *,
    records: dict[str, int],
    routing: str = "MULTIVALUE",
    custom_health: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
) -> Service:
    """Put a service in place, unchecked."""
    params, state = params or {}, registry.state
    key = namespace.key(name)
    identifier = registry.retired_ids.get((namespace.id, key)) if state.settings.reuse_service_ids else None
    identifier = identifier or f"srv-{state.token(16)}"
    service = Service(
        id=identifier,
        arn=registry.arn("service", identifier),
        account=registry.account,
        name=name,
        namespace=namespace,
        type="DNS_HTTP" if records else "HTTP",
        seq=state.next(),
        created=state.timeline.wall(when),
        creator_request_id=params.get("CreatorRequestId", ""),
        description=params.get("Description", ""),
        records=records,
        routing=routing,
        health_check=params.get("HealthCheckConfig"),
        custom_health=custom_health,
        visible_from=when + state.settings.discover_lag,
        revision=state.next(),
    )
    registry.services[service.id] = service
    namespace.services[key] = service
    set_tags(registry, service.arn, params.get("Tags", []))
    return service


def delete_service(call: Call) -> dict[str, Any]:
    """Delete a service. Raises ResourceInUse while it has instances, or operations on them."""
    registry = call.registry
    service = registry.service(call.params["Id"])
    if service.instances or service.in_flight:
        raise ApiError(
            "ResourceInUse", f"Service {service.id} contains registered instances; delete them first."
        )
    namespace = service.namespace
    key = namespace.key(service.name)
    del registry.services[service.id]
    del namespace.services[key]
    registry.tags.pop(service.arn, None)
    registry.retired_ids[(namespace.id, key)] = service.id
    return {}


def get_service(call: Call) -> dict[str, Any]:
    """Return one service."""
    return {"Service": call.registry.service(call.params["Id"]).wire()}


def update_service(call: Call) -> dict[str, Any]:
    """Accept an update. What is not sent is deleted, except the custom health check.

    Record types cannot change, TTLs can. Whether a missing description is deleted as well is
    a setting: nobody knows.
    """
    service = call.registry.service(call.params["Id"])
    change = call.params["Service"]
    records = ttl_change(service, change.get("DnsConfig"))
    health_check = change.get("HealthCheckConfig")
    if health_check is not None and service.custom_health is not None:
        raise invalid("The service has a custom health check.")
    cleared = "" if call.state.settings.update_clears_description else service.description

    def apply(_when: float) -> None:
        service.records = records
        service.health_check = health_check
        service.description = change.get("Description", cleared)

    targets = {"NAMESPACE": service.namespace.id, "SERVICE": service.id}
    return {"OperationId": operations.submit(call, "UPDATE_SERVICE", targets, apply).id}


def list_services(call: Call) -> dict[str, Any]:
    """Return a page of services, filtered after paging: it may be empty and have a token."""
    keep = [_filter(one) for one in call.params.get("Filters", [])]
    chosen, token = page(list(call.registry.services.values()), call.params, lambda s: s.seq)
    return answer("Services", [s.summary() for s in chosen if all(fits(s) for fits in keep)], token)


def _filter(one: dict[str, Any]) -> Callable[[Service], bool]:
    name, condition = one["Name"], one.get("Condition", "EQ")
    values = {value.rsplit("/", 1)[-1] for value in one["Values"]}
    if condition not in ("EQ", "IN") or (condition == "EQ" and len(values) != 1):
        raise invalid(f"The condition {condition} does not fit {len(values)} values of {name}.")
    if name == "NAMESPACE_ID":
        return lambda service: service.namespace.id in values
    return lambda _service: "SELF" in values


def get_service_attributes(call: Call) -> dict[str, Any]:
    """Return the attributes of a service (not of its instances)."""
    service = call.registry.service(call.params["ServiceId"])
    body = {"ServiceArn": service.arn, "ResourceOwner": service.account, "Attributes": service.attributes}
    return {"ServiceAttributes": body}


def update_service_attributes(call: Call) -> dict[str, Any]:
    """Add or replace attributes of a service."""
    service = call.registry.service(call.params["ServiceId"])
    merged = service.attributes | call.params["Attributes"]
    if len(merged) > ATTRIBUTE_LIMIT:
        raise ApiError(
            "ServiceAttributesLimitExceededException", f"A service can have {ATTRIBUTE_LIMIT} attributes."
        )
    service.attributes = merged
    return {}


def delete_service_attributes(call: Call) -> dict[str, Any]:
    """Remove attributes of a service."""
    service = call.registry.service(call.params["ServiceId"])
    gone = set(call.params["Attributes"])
    service.attributes = {key: value for key, value in service.attributes.items() if key not in gone}
    return {}
