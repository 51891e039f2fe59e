"""What the tests of the emulator do again and again."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

PATIENCE = 60.0


def eventually(ask: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Ask until the answer is true, and return it. Fails after *patience* seconds."""
    end = time.monotonic() + patience
    while not (answer := ask()):
        assert time.monotonic() < end, f"never true; the last answer was {answer!r}"
        time.sleep(0.005)
    return answer


def finished(client: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the operation that *answer* names, once it has ended."""

    def ended() -> Any:
        operation = client.get_operation(OperationId=answer["OperationId"])["Operation"]
        return operation if operation["Status"] in ("SUCCESS", "FAIL") else None

    operation: dict[str, Any] = eventually(ended)
    return operation


@contextmanager
def refused(code: str) -> Iterator[dict[str, Any]]:
    """Expect an error with this code; its whole answer is there afterwards."""
    answer: dict[str, Any] = {}
    with pytest.raises(ClientError) as raised:
        yield answer
    answer.update(raised.value.response)
    assert answer["Error"]["Code"] == code, answer["Error"]


def register(client: Any, service: str, instance: str, ip: str = "10.0.0.1", **more: str) -> dict[str, Any]:
    """Register an instance and return its operation, ended."""
    attributes = {"AWS_INSTANCE_IPV4": ip} | more
    answer = client.register_instance(ServiceId=service, InstanceId=instance, Attributes=attributes)
    return finished(client, answer)


def discover(client: Any, service: str = "web", namespace: str = "corp.internal", **more: Any) -> Any:
    """Return the discovered instances by id, of any health by default."""
    options = {"HealthStatus": "ALL", "MaxResults": 1000} | more
    answer = client.discover_instances(NamespaceName=namespace, ServiceName=service, **options)
    return {one["InstanceId"]: one for one in answer["Instances"]}


def pages(call: Callable[..., Any], key: str, **options: Any) -> list[list[Any]]:
    """Return the pages of a List* call."""
    found: list[list[Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = call(**options, **token)
        found.append(answer[key])
        if "NextToken" not in answer:
            return found
        token = {"NextToken": answer["NextToken"]}
