"""Instances: registered, replaced and deregistered by operations, one at a time for each.

Source: AWS Cloud Map API reference, RegisterInstance and DeregisterInstance.
"""

from bisect import bisect_right
from typing import Any

from moto.ec2.models import ec2_backends

from . import operations
from .attributes import EC2_ID, INIT_HEALTH, IPV4, IPV6, check_attributes, check_quota
from .errors import OperationFailure, duplicate, instance_not_found, invalid
from .model import HEALTHY, Health, Instance, Operation, Service
from .paging import answer, page_size
from .state import Call, Registry, State


def register_instance(call: Call) -> dict[str, Any]:
    """Accept a registration; it replaces every attribute of an earlier one of that id.

    A retry with the same CreatorRequestId, while the operation runs, gets the same operation.
    """
    registry, params = call.registry, call.params
    service = registry.service(params["ServiceId"])
    identifier, request = params["InstanceId"], params.get("CreatorRequestId", "")
    if running := service.in_flight.get(identifier):
        if request and running[1] == request:
            return {"OperationId": running[0].id}
        raise duplicate(running[0].type, running[0].id)
    attributes = dict(params["Attributes"])
    check_attributes(service, attributes)
    if EC2_ID in attributes:
        attributes[IPV4] = _ec2_address(registry, attributes[EC2_ID])
    new = identifier not in service.instances
    if new:
        settings = call.state.settings
        check_quota(service, settings.instances_per_service, settings.instances_per_namespace)
        service.pending_new.add(identifier)
    instance = Instance(identifier, attributes, request, registry.account)

    def apply(when: float) -> None:
        _check_addresses(service, instance)
        put(call.state, service, instance, when)

    operation = _submit(call, service, identifier, "REGISTER_INSTANCE", request, apply)
    return {"OperationId": operation.id}


def deregister_instance(call: Call) -> dict[str, Any]:
    """Accept a deregistration. Raises InstanceNotFound, or DuplicateRequest while one runs."""
    service = call.registry.service(call.params["ServiceId"])
    identifier = call.params["InstanceId"]
    if running := service.in_flight.get(identifier):
        raise duplicate(running[0].type, running[0].id)
    if identifier not in service.instances:
        raise instance_not_found(identifier)

    def apply(when: float) -> None:
        remove(call.state, service, identifier, when)

    operation = _submit(call, service, identifier, "DEREGISTER_INSTANCE", "", apply)
    return {"OperationId": operation.id}


def _submit(call: Call, service: Service, identifier: str, kind: str, request: str, apply: Any) -> Operation:
    targets = {"NAMESPACE": service.namespace.id, "SERVICE": service.id, "INSTANCE": identifier}

    def settle() -> None:
        service.in_flight.pop(identifier, None)
        service.pending_new.discard(identifier)

    operation = operations.submit(call, kind, targets, apply, settle)
    if operation.status == "SUBMITTED":
        service.in_flight[identifier] = (operation, request)
    return operation


def _ec2_address(registry: Registry, instance_id: str) -> str:
    for reservation in ec2_backends[registry.account][registry.region].all_reservations():
        for instance in reservation.instances:
            if instance.id == instance_id:
                return str(instance.private_ip)
    raise invalid(f"The EC2 instance {instance_id} does not exist.")


def _check_addresses(service: Service, instance: Instance) -> None:
    """Raise OperationFailure where another instance has the same address in an A or AAAA record."""
    for kind, key in (("A", IPV4), ("AAAA", IPV6)):
        address = instance.attributes.get(key)
        holder = service.addresses.get(address, instance.id) if address else instance.id
        if kind in service.records and holder != instance.id:
            raise OperationFailure(
                "INVALID_CHANGE_BATCH",
                f"Tried to create resource record set for {address}, but instance {holder} has it already.",
            )


def put(state: State, service: Service, instance: Instance, when: float, *, lag: float | None = None) -> None:
    """Make the control plane hold *instance*, and the data plane after *lag* (the settings' by default)."""
    old = service.instances.get(instance.id)
    if old is None:
        service.namespace.instance_count += 1
    else:
        _free(service, old)
    service.instances[instance.id] = instance
    for key in (IPV4, IPV6):
        if address := instance.attributes.get(key):
            service.addresses.setdefault(address, instance.id)
    if service.custom_health is not None:
        first = instance.attributes.get(INIT_HEALTH, HEALTHY)
        if old is None or state.settings.reregister_resets_health:
            service.health[instance.id] = Health(first)
    _show(state, service, instance.id, instance, when, lag)


def remove(state: State, service: Service, identifier: str, when: float, *, lag: float | None = None) -> None:
    """Make the control plane forget an instance, and the data plane after *lag*."""
    old = service.instances.pop(identifier, None)
    if old is None:
        raise OperationFailure("INTERNAL_FAILURE", f"Instance {identifier} is gone.")
    service.namespace.instance_count -= 1
    _free(service, old)
    _show(state, service, identifier, None, when, lag)


def _free(service: Service, instance: Instance) -> None:
    for key in (IPV4, IPV6):
        address = instance.attributes.get(key)
        if address and service.addresses.get(address) == instance.id:
            del service.addresses[address]


def _show(
    state: State,
    service: Service,
    identifier: str,
    instance: Instance | None,
    when: float,
    lag: float | None,
) -> None:
    """Let the data plane know, once its lag is over."""

    def apply(_when: float) -> None:
        old = service.discovered.get(identifier)
        if instance is None:
            service.discovered.pop(identifier, None)
            if identifier not in service.instances:
                service.health.pop(identifier, None)
        else:
            service.discovered[identifier] = instance
        changed = old is None or instance is None or old.attributes != instance.attributes
        if changed and (old is None or instance is None or state.settings.revision_on_attributes):
            service.revision = state.next()

    if lag is None:
        lag = state.settings.discover_lag
    if lag <= 0:
        apply(when)
    else:
        state.timeline.at(when + lag, apply)


def get_instance(call: Call) -> dict[str, Any]:
    """Return one instance. Raises InstanceNotFound."""
    service = call.registry.service(call.params["ServiceId"])
    instance = service.instances.get(call.params["InstanceId"])
    if instance is None:
        raise instance_not_found(call.params["InstanceId"])
    return {"Instance": instance.wire(), "ResourceOwner": service.account}


def list_instances(call: Call) -> dict[str, Any]:
    """Return a page of instances, in the order of their ids."""
    service = call.registry.service(call.params["ServiceId"])
    shown, token = page_of_ids(sorted(service.instances), call.params)
    body = answer("Instances", [service.instances[i].summary() for i in shown], token)
    return body | {"ResourceOwner": service.account}


def page_of_ids(ids: list[str], params: dict[str, Any]) -> tuple[list[str], str | None]:
    """Return a page of sorted *ids* and the token of the next: the last id of this one."""
    size, token = page_size(params), params.get("NextToken", "")
    start = bisect_right(ids, token) if token else 0
    shown = ids[start : start + size]
    return shown, shown[-1] if shown and start + size < len(ids) else None
