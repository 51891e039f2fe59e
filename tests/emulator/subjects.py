"""What a call is about: the names and ids of its namespace, service and instance."""

from dataclasses import dataclass
from typing import Any

from .model import Namespace, Service
from .state import Call, Registry


@dataclass(frozen=True, slots=True)
class Subject:
    """Everything that a fault may be aimed at by; empty where the call names nothing."""

    namespace: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    instance: tuple[str, ...] = ()


def subject_of(call: Call) -> Subject:
    """Return the subject of *call*, as far as the registry knows it. Needs the lock."""
    params, registry = call.params, call.registry
    instance = _text(params, "InstanceId")
    if call.operation == "GetOperation":
        operation = registry.operations.get(params.get("OperationId", ""))
        targets = operation.targets if operation else {}
        params = {"ServiceId": targets.get("SERVICE", ""), "NamespaceId": targets.get("NAMESPACE", "")}
        instance = tuple(v for k, v in targets.items() if k == "INSTANCE")
    service = _service(registry, call.operation, params)
    if service:
        return Subject(_namespace_names(service.namespace), (service.name, service.id, service.arn), instance)
    named = _text(params, "Name") if call.operation == "CreateService" else _text(params, "ServiceName")
    home = registry.by_http_name.get(params.get("NamespaceName", ""))
    if home and named and (found := home.services.get(home.key(named[0]))):
        named = found.name, found.id, found.arn
    return Subject(_namespace(registry, call.operation, params), named, instance)


def _text(params: dict[str, Any], key: str) -> tuple[str, ...]:
    value = params.get(key)
    return (value,) if isinstance(value, str) else ()


def _tail(reference: Any) -> str:
    return str(reference or "").rsplit("/", 1)[-1]


def _service(registry: Registry, operation: str, params: dict[str, Any]) -> Service | None:
    reference = params.get("ServiceId")
    if reference is None and operation in ("GetService", "DeleteService", "UpdateService"):
        reference = params.get("Id")
    return registry.services.get(_tail(reference))


def _namespace_names(namespace: Namespace) -> tuple[str, ...]:
    return namespace.name, namespace.http_name, namespace.id, namespace.arn


def _namespace(registry: Registry, operation: str, params: dict[str, Any]) -> tuple[str, ...]:
    if name := params.get("NamespaceName"):
        found = registry.by_http_name.get(name)
        return _namespace_names(found) if found else (str(name),)
    reference = params.get("NamespaceId") or params.get("DnsConfig", {}).get("NamespaceId")
    if operation.endswith("Namespace"):
        reference = params.get("Id")
    for one in params.get("Filters") or ():
        if one.get("Name") == "NAMESPACE_ID" and one.get("Values"):
            reference = one["Values"][0]
    found = registry.namespaces.get(_tail(reference))
    if found:
        return _namespace_names(found)
    return _text(params, "Name") if operation.startswith("Create") and operation.endswith("Namespace") else ()
