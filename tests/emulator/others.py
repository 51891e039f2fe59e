"""Every service but Cloud Map: named for the log and the faults as ``service:Operation``."""

import re
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from .calls import Calls
from .faults import Fault, Faults
from .httpd import Answer, Request
from .protocol import BROKEN, HTML_500, Reply, scope_of
from .wire import ec2_error, json_error, xml_error

_ROUTE53 = (
    ("POST", re.compile(r"/hostedzone/[^/]+/rrset/?$"), "ChangeResourceRecordSets"),
    ("GET", re.compile(r"/hostedzone/[^/]+/rrset/?$"), "ListResourceRecordSets"),
    ("POST", re.compile(r"/hostedzone/?$"), "CreateHostedZone"),
    ("GET", re.compile(r"/hostedzone/?$"), "ListHostedZones"),
    ("GET", re.compile(r"/hostedzonesbyname/?$"), "ListHostedZonesByName"),
    ("GET", re.compile(r"/hostedzone/[^/]+/?$"), "GetHostedZone"),
    ("GET", re.compile(r"/change/[^/]+/?$"), "GetChange"),
)


def name_of(request: Request) -> str:
    """Return ``ecs:ListTasks`` and the like; the method and path stand in for an unknown operation."""
    scope = request.headers.get("authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
    service = scope[3] if len(scope) >= 5 else "unsigned"
    if target := request.headers.get("x-amz-target"):
        return f"{service}:{target.rpartition('.')[2]}"
    if "form-urlencoded" in request.headers.get("content-type", ""):
        action = parse_qs(request.body.decode("utf-8", "replace")).get("Action")
        if action:
            return f"{service}:{action[0]}"
    for method, path, operation in _ROUTE53:
        if service == "route53" and method == request.method and path.search(request.path):
            return f"{service}:{operation}"
    return f"{service}:{request.method} {request.path}"


class Others:
    """Notes each call and lets faults hit those whose pattern names the service, as in ``ecs:*``."""

    def __init__(
        self, calls: Calls, faults: Faults, stopping: threading.Event, handle: Callable[[Request], Answer]
    ) -> None:
        self._calls = calls
        self._faults = faults
        self._stopping = stopping
        self._handle = handle

    def handle(self, request: Request) -> Answer:
        """Return the answer of whoever answers for that service, or what a fault makes of it."""
        received = time.monotonic()
        name = name_of(request)
        where = scope_of(request.headers.get("authorization", ""))
        answer: Answer | None = None
        outcome = ""
        faults = self._faults.take_named(name)
        for fault in faults:
            answer, outcome = self._hit(fault, name.partition(":")[0])
            if answer is not None:
                break
        if answer is None:
            answer = self._handle(request)
            status = answer.status or 500
            outcome = "ok" if status < 400 else f"status:{status}"
            if any(fault.kind == "lost_answer" for fault in faults):
                answer, outcome = BROKEN, "fault:lost_answer"
        self._calls.note(received, where, name, {}, outcome)
        return answer

    def _hit(self, fault: Fault, service: str) -> tuple[Reply | None, str]:
        """Return what *fault* answers with and the outcome to note; None where the call goes on."""
        match fault.kind:
            case "error":
                shape = {"ec2": ec2_error, "ecs": json_error, "sqs": json_error, "ssm": json_error}
                answer = shape.get(service, xml_error)(fault.code, fault.message, fault.status)
                return answer, fault.code
            case "http500":
                return HTML_500, "fault:http500"
            case "reset":
                return BROKEN, "fault:reset"
            case "hang":
                self._stopping.wait(fault.seconds)
                return BROKEN, "fault:hang"
            case "delay":
                self._stopping.wait(fault.seconds)
                return None, ""
            case _:
                return None, ""
