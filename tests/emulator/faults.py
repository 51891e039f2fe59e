"""Faults on purpose: which calls they hit, for how long, and what they do to an answer."""

import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from .errors import invalid, namespace_not_found, service_not_found
from .state import Call
from .subjects import Subject, subject_of

Kind = Literal[
    "error",  # answer with `code`, `status`, `message`
    "http500",  # answer 500 with a page of HTML
    "reset",  # break the connection; nothing was carried out
    "lost_answer",  # break the connection after carrying it out
    "delay",  # answer `seconds` late
    "hang",  # never answer (break the connection after `seconds`)
    "empty",  # 200, but nothing in it
    "truncate",  # drop the NextToken, and all but `keep` items if that is given
    "fail_operation",  # accept, then let the operation FAIL with `code`
    "slow_operation",  # accept, but let the operation take `seconds` longer
    "namespace_gone",  # as if the namespace did not exist
    "stale",  # repeat the first answer that is given after the fault was set
]

_LISTS = ("Instances", "Services", "Namespaces", "Operations")
_NAMED_BY_NAMESPACE = ("ListNamespaces", "ListServices")


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault. Patterns are globs; service and namespace match by name or by id."""

    kind: Kind
    operation: str = "*"
    service: str = "*"
    namespace: str = "*"
    instance: str = "*"
    code: str = "InternalFailure"
    status: int = 400
    message: str = "A fault on purpose."
    seconds: float = 1.0
    keep: int | None = None
    skip: int = 0
    """Matching calls to let through first."""
    count: int | None = None
    """Matching calls to hit, then no more."""
    probability: float = 1.0
    duration: float | None = None
    """Seconds from now until it ends."""
    id: int = 0
    hits: int = 0
    until: float = field(default=float("inf"), repr=False)
    answers: dict[str, Any] = field(default_factory=dict, repr=False)

    def wants(self, call: Call, subject: Subject) -> bool:
        """Whether this call is one of those meant, skips and chances apart."""
        if not fnmatchcase(call.operation, self.operation):
            return False
        if self.kind == "namespace_gone" and call.operation in _NAMED_BY_NAMESPACE:
            return True
        return (
            _fits(self.service, subject.service)
            and _fits(self.namespace, subject.namespace)
            and _fits(self.instance, subject.instance)
        )

    def wire(self) -> dict[str, Any]:
        """Return it as JSON would have it."""
        body = asdict(self)
        del body["answers"], body["until"]
        return body


def _fits(pattern: str, values: tuple[str, ...]) -> bool:
    return pattern == "*" or any(fnmatchcase(value, pattern) for value in values)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)
        self.random = random.Random()

    def add(self, kind: Kind, **options: Any) -> Fault:
        """Put a fault in force and return it. Raises ApiError InvalidInput for a wrong option."""
        known = {f.name for f in fields(Fault)} - {"id", "hits", "until", "answers"}
        if kind not in get_args(Kind) or options.keys() - known:
            raise invalid(f"No such fault: {kind} with {sorted(options)}")
        fault = Fault(kind=kind, **options)
        if fault.duration is not None:
            fault.until = time.monotonic() + fault.duration
        with self._lock:
            fault.id = next(self._ids)
            self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: int | None = None) -> None:
        """Lift one fault, or all."""
        with self._lock:
            if fault_id is None:
                self._faults.clear()
            else:
                self._faults.pop(fault_id, None)

    def all(self) -> list[Fault]:
        """Return the faults in force, also those that are used up."""
        with self._lock:
            return list(self._faults.values())

    def take(self, call: Call) -> list[Fault]:
        """Return the faults that hit *call*, and count the hits. Needs the state's lock."""
        if not self._faults:
            return []
        subject = subject_of(call)
        return self._take(lambda fault: fault.wants(call, subject))

    def take_named(self, name: str) -> list[Fault]:
        """Return the faults that hit a call of another service, named as in ``ecs:ListTasks``."""
        if not self._faults:
            return []
        return self._take(lambda fault: ":" in fault.operation and fnmatchcase(name, fault.operation))

    def _take(self, wants: Callable[[Fault], bool]) -> list[Fault]:
        hit, now = [], time.monotonic()
        with self._lock:
            for fault in self._faults.values():
                if now > fault.until or fault.count == 0 or not wants(fault):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                elif self.random.random() < fault.probability:
                    fault.hits += 1
                    fault.count = None if fault.count is None else fault.count - 1
                    hit.append(fault)
        return hit


def refuse_if_gone(call: Call) -> None:
    """Raise what the service would if the call's namespace did not exist."""
    if call.operation in _NAMED_BY_NAMESPACE:
        return
    if "ServiceId" in call.params or call.operation in ("GetService", "DeleteService", "UpdateService"):
        raise service_not_found(str(call.params.get("ServiceId", call.params.get("Id"))))
    raise namespace_not_found(str(call.params.get("NamespaceName", call.params.get("Id", "?"))))


def bend(fault: Fault, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what *fault* leaves of *answer*."""
    match fault.kind:
        case "empty":
            kept = {k: [] if k in _LISTS else {} if k == "Status" else v for k, v in answer.items()}
            kept.pop("NextToken", None)
            return kept
        case "truncate":
            return {k: v[: fault.keep] if k in _LISTS else v for k, v in answer.items() if k != "NextToken"}
        case "stale":
            key = json.dumps(
                [call.registry.account, call.registry.region, call.operation, call.params], sort_keys=True
            )
            stored: dict[str, Any] = fault.answers.setdefault(key, answer)
            return stored
        case "namespace_gone":
            return _without_namespace(fault, call, answer)
        case _:
            return answer


def _without_namespace(fault: Fault, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    services = call.registry.services

    def gone(item: dict[str, Any]) -> bool:
        if call.operation == "ListNamespaces":
            return _fits(fault.namespace, (item["Name"], item["Id"]))
        namespace = services[item["Id"]].namespace
        return _fits(fault.namespace, (namespace.name, namespace.id))

    return {k: [i for i in v if not gone(i)] if k in _LISTS else v for k, v in answer.items()}
