"""One request of the JSON protocol: who asks, what is asked, and what goes back."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from moto.iam.models import get_account_id_from

from . import discover, health, instances, namespaces, operations, services, tags
from .calls import Calls
from .errors import ApiError, invalid
from .faults import Fault, Faults, bend, refuse_if_gone
from .settings import DEFAULT_REGION
from .shapes import checker
from .state import Call, State
from .throttle import Throttle

TARGET_PREFIX = "Route53AutoNaming_v20170314."
CONTENT_TYPE = "application/x-amz-json-1.1"

Handler = Callable[[Call], dict[str, Any]]

HANDLERS: dict[str, Handler] = {
    "CreateHttpNamespace": namespaces.create_http_namespace,
    "CreatePrivateDnsNamespace": namespaces.create_private_dns_namespace,
    "CreatePublicDnsNamespace": namespaces.create_public_dns_namespace,
    "UpdateHttpNamespace": namespaces.update_namespace,
    "UpdatePrivateDnsNamespace": namespaces.update_namespace,
    "UpdatePublicDnsNamespace": namespaces.update_namespace,
    "DeleteNamespace": namespaces.delete_namespace,
    "GetNamespace": namespaces.get_namespace,
    "ListNamespaces": namespaces.list_namespaces,
    "CreateService": services.create_service,
    "UpdateService": services.update_service,
    "DeleteService": services.delete_service,
    "GetService": services.get_service,
    "ListServices": services.list_services,
    "GetServiceAttributes": services.get_service_attributes,
    "UpdateServiceAttributes": services.update_service_attributes,
    "DeleteServiceAttributes": services.delete_service_attributes,
    "RegisterInstance": instances.register_instance,
    "DeregisterInstance": instances.deregister_instance,
    "GetInstance": instances.get_instance,
    "ListInstances": instances.list_instances,
    "GetOperation": operations.get_operation,
    "ListOperations": operations.list_operations,
    "DiscoverInstances": discover.discover_instances,
    "DiscoverInstancesRevision": discover.discover_instances_revision,
    "GetInstancesHealthStatus": health.get_instances_health_status,
    "UpdateInstanceCustomHealthStatus": health.update_instance_custom_health_status,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send. No status means: break the connection."""

    status: int | None
    body: bytes = b""
    content_type: str = CONTENT_TYPE


BROKEN = Reply(None)
HTML_500 = Reply(500, b"<html><body><h1>500 Internal Server Error</h1></body></html>", "text/html")


def scope_of(authorization: str) -> tuple[str, str]:
    """Return (account, Region) from a SigV4 Authorization header.

    The account is the one for which moto gave out the access key, or the default one.
    """
    _, _, credential = authorization.partition("Credential=")
    parts = credential.partition(",")[0].split("/")
    region = parts[2] if len(parts) >= 5 else DEFAULT_REGION
    return str(get_account_id_from(parts[0])), region


class Api:
    """Carries out requests: throttle, faults, checks, handler; and notes each in the log."""

    def __init__(self, state: State, calls: Calls, faults: Faults, stopping: threading.Event) -> None:
        self.state = state
        self.calls = calls
        self.faults = faults
        self.throttle = Throttle(state.settings.throttle)
        self._stopping = stopping

    def handle(self, operation: str, authorization: str, body: bytes) -> Reply:
        """Return the reply to one request. Nothing is raised."""
        received = monotonic()
        where = scope_of(authorization)
        params: Any = None
        try:
            params = json.loads(body or b"{}")
            reply, outcome = self._carry_out(operation, where, params, received)
        except ApiError as error:
            reply, outcome = _error(error), error.code
        except ValueError:
            reply, outcome = _error(ApiError("SerializationException", "Not JSON.")), "SerializationException"
        self.calls.note(received, where, operation, params, outcome)
        return reply

    def _carry_out(
        self, operation: str, where: tuple[str, str], params: Any, received: float
    ) -> tuple[Reply, str]:
        handler = HANDLERS.get(operation)
        if handler is None:
            raise ApiError("UnknownOperationException", f"No operation {operation}.")
        if not isinstance(params, dict):
            raise invalid("The parameters are an object.")
        with self.state.lock:
            now = self.state.timeline.advance()
            self.throttle.admit(*where, operation, now)
            call = Call(self.state.registry(*where), operation, params, received, now)
            faults = self.faults.take(call)
        if not faults:
            return self._answer(call, handler)
        return self._faulty(call, handler, faults)

    def _answer(self, call: Call, handler: Handler, bent_by: list[Fault] | None = None) -> tuple[Reply, str]:
        checker(call.operation)(call.params, call.operation)
        with self.state.lock:
            call.now = self.state.timeline.advance()
            answer = handler(call)
            for fault in bent_by or ():
                answer = bend(fault, call, answer)
        return Reply(200, json.dumps(answer, separators=(",", ":")).encode()), "ok"

    def _faulty(self, call: Call, handler: Handler, faults: list[Fault]) -> tuple[Reply, str]:
        for fault in faults:
            match fault.kind:
                case "error":
                    raise ApiError(fault.code, fault.message, status=fault.status)
                case "http500":
                    return HTML_500, "fault:http500"
                case "reset":
                    return BROKEN, "fault:reset"
                case "hang":
                    self._stopping.wait(fault.seconds)
                    return BROKEN, "fault:hang"
                case "delay":
                    self._stopping.wait(fault.seconds)
                case "fail_operation":
                    call.fail_with = (fault.code, fault.message)
                case "slow_operation":
                    call.slow_by = fault.seconds
                case "namespace_gone":
                    refuse_if_gone(call)
                case _:
                    pass
        reply, outcome = self._answer(call, handler, faults)
        lost = any(fault.kind == "lost_answer" for fault in faults)
        return (BROKEN, "fault:lost_answer") if lost else (reply, outcome)


def _error(error: ApiError) -> Reply:
    return Reply(error.status, json.dumps(error.body()).encode())
