"""Cloud Map's writes fail in every way: nothing alive leaves it, and everything arrives in the end."""

import pytest

from tests.emulator.faults import Kind
from tests.faults.stage import Stage
from tests.support.wait import eventually

CODES = ("InternalFailure", "AccessDeniedException", "ThrottlingException", "ResourceLimitExceeded")


@pytest.mark.parametrize("operation", ["RegisterInstance", "DeregisterInstance"])
@pytest.mark.parametrize("kind", ["http500", "reset", "lost_answer", "hang"])
def test_a_write_without_an_answer_withdraws_nothing(shared: Stage, kind: Kind, operation: str) -> None:
    shared.ordeal(shared.cloud(kind, operation))


@pytest.mark.parametrize("operation", ["RegisterInstance", "DeregisterInstance"])
def test_a_refused_write_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(*(shared.cloud("error", operation, code=code) for code in CODES))


@pytest.mark.parametrize("operation", ["RegisterInstance", "DeregisterInstance"])
def test_an_operation_that_fails_or_drags_on_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(
        shared.cloud("fail_operation", operation, code="INTERNAL_FAILURE"),
        shared.cloud("fail_operation", operation, code="THROTTLED_REQUEST"),
        shared.cloud("slow_operation", operation, seconds=1.0),
    )


@pytest.mark.parametrize("kind", ["http500", "reset", "lost_answer", "hang", "error"])
def test_a_service_that_cannot_be_created_comes_later(shared: Stage, kind: Kind) -> None:
    name = f"created-{kind.replace('_', '-')}"
    shared.calm()
    with shared.cloud(kind, "CreateService", code="AccessDeniedException"):
        for number in (1, 2):
            shared.world.consul.register(name, f"{name}-{number}", f"10.7.0.{number}", 80, node=name)
        shared.watch(0.8)
    eventually(lambda: shared.world.cloud.addresses(name) == ["10.7.0.1", "10.7.0.2"])
    shared.assert_alive()
    for number in (1, 2):
        shared.world.consul.deregister(f"{name}-{number}")
    eventually(lambda: name not in shared.world.cloud.state(), 60, "the empty service is forgotten")


@pytest.mark.parametrize("kind", ["http500", "reset", "lost_answer", "hang", "error"])
def test_an_empty_service_that_cannot_be_deleted_goes_later(shared: Stage, kind: Kind) -> None:
    name = f"deleted-{kind.replace('_', '-')}"
    shared.calm()
    shared.world.consul.register(name, f"{name}-1", "10.7.1.1", 80, node=name)
    eventually(lambda: shared.world.cloud.addresses(name) == ["10.7.1.1"])
    with shared.cloud(kind, "DeleteService", code="AccessDeniedException"):
        shared.world.consul.deregister(f"{name}-1")
        shared.watch(0.8)
    eventually(lambda: name not in shared.world.cloud.state(), 60, "the empty service is forgotten")
    shared.assert_alive()
