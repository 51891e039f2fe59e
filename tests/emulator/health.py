"""Custom health: set by a call, effective later, and undone by the reverting call meanwhile.

Source: AWS Cloud Map API reference, UpdateInstanceCustomHealthStatus and GetInstancesHealthStatus.
"""

from typing import Any

from .errors import ApiError, instance_not_found
from .instances import page_of_ids
from .model import HEALTHY, Health
from .settings import HEALTH_DELAY
from .state import Call


def update_instance_custom_health_status(call: Call) -> dict[str, Any]:
    """Wish for a status. Raises CustomHealthNotFound where the service has no custom check."""
    service = call.registry.service(call.params["ServiceId"])
    identifier, wish = call.params["InstanceId"], call.params["Status"]
    if service.custom_health is None:
        raise ApiError("CustomHealthNotFound", f"Service {service.id} has no custom health check.")
    if identifier not in service.instances:
        raise instance_not_found(identifier)
    health = service.health.setdefault(identifier, Health(HEALTHY))
    if wish == health.status:
        health.wish = None
    elif health.wish is None:
        health.wish = wish
        health.due = call.now + HEALTH_DELAY * call.state.settings.health_scale
        call.state.timeline.at(health.due, lambda when: _turn(health, when))
    return {}


def _turn(health: Health, when: float) -> None:
    """Let the wish come true, unless it was withdrawn, or withdrawn and made anew."""
    if health.wish is not None and health.due <= when:
        health.status, health.wish = health.wish, None


def get_instances_health_status(call: Call) -> dict[str, Any]:
    """Return health by instance id, a page at a time. Raises InstanceNotFound for an unknown id."""
    service = call.registry.service(call.params["ServiceId"])
    wanted = call.params.get("Instances")
    for identifier in wanted or ():
        if identifier not in service.instances:
            raise instance_not_found(identifier)
    shown, token = page_of_ids(sorted(set(wanted or service.instances)), call.params)
    body: dict[str, Any] = {"Status": {identifier: service.status_of(identifier) for identifier in shown}}
    return body | ({"NextToken": token} if token else {})
