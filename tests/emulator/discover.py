"""The data plane: what clients of the services see, a little later than the control plane.

Source: AWS Cloud Map API reference, DiscoverInstances and DiscoverInstancesRevision.
"""

from typing import Any

from .errors import namespace_not_found, service_not_found
from .model import HEALTHY, UNHEALTHY, Instance, Service
from .state import Call

DEFAULT_RESULTS = 100


def _service(call: Call) -> Service:
    """Return the service by HttpName and name. Raises NamespaceNotFound or ServiceNotFound."""
    namespace = call.registry.by_http_name.get(call.params["NamespaceName"])
    if namespace is None:
        raise namespace_not_found(call.params["NamespaceName"])
    service = namespace.services.get(namespace.key(call.params["ServiceName"]))
    if service is None or call.now < service.visible_from:
        raise service_not_found(call.params["ServiceName"])
    return service


def discover_instances(call: Call) -> dict[str, Any]:
    """Return instances in random order: at most MaxResults of them, and no way to the rest.

    An instance whose service has no check is UNKNOWN; the filter HEALTHY lets it through, as the
    service has nothing against it.
    """
    service = _service(call)
    params = call.params
    chosen = _matching(list(service.discovered.values()), params)
    chosen = _by_health(service, chosen, params.get("HealthStatus", HEALTHY))
    call.state.random.shuffle(chosen)
    namespace_name = service.namespace.http_name
    shown = [
        {
            "InstanceId": instance.id,
            "NamespaceName": namespace_name,
            "ServiceName": service.name,
            "HealthStatus": service.status_of(instance.id),
            "Attributes": instance.attributes,
        }
        for instance in chosen[: params.get("MaxResults", DEFAULT_RESULTS)]
    ]
    return {"Instances": shown, "InstancesRevision": service.revision}


def _matching(instances: list[Instance], params: dict[str, Any]) -> list[Instance]:
    """Return those with all QueryParameters; of them those with all OptionalParameters, if any."""
    query, wish = params.get("QueryParameters"), params.get("OptionalParameters")
    if query:
        instances = [i for i in instances if query.items() <= i.attributes.items()]
    if wish:
        instances = [i for i in instances if wish.items() <= i.attributes.items()] or instances
    return instances


def _by_health(service: Service, instances: list[Instance], wanted: str) -> list[Instance]:
    if wanted == "ALL":
        return instances
    if wanted == UNHEALTHY:
        return [i for i in instances if service.status_of(i.id) == UNHEALTHY]
    healthy = [i for i in instances if service.status_of(i.id) != UNHEALTHY]
    return instances if wanted == "HEALTHY_OR_ELSE_ALL" and not healthy else healthy


def discover_instances_revision(call: Call) -> dict[str, Any]:
    """Return the revision: it only grows, and health does not move it."""
    return {"InstancesRevision": _service(call).revision}
