"""Cloud Map's reads fail in every way: nothing alive leaves Consul, nor Cloud Map."""

import pytest

from tests.emulator.faults import Kind
from tests.faults.stage import Stage

READS = (
    "ListServices",
    "DiscoverInstances",
    "ListInstances",
    "ListOperations",
    "GetOperation",
    "GetService",
    "GetInstance",
    "GetNamespace",
)
LISTS = ("*", "List*", "ListServices", "DiscoverInstances", "ListInstances", "ListOperations")


@pytest.mark.parametrize("operation", ["*", *READS])
def test_an_error_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(shared.cloud("error", operation, code="InternalFailure"))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_refusal_withdraws_nothing(shared: Stage, code: str) -> None:
    operations = ("*", "ListServices", "DiscoverInstances")
    shared.ordeal(*(shared.cloud("error", operation, code=code) for operation in operations))


@pytest.mark.parametrize("kind", ["http500", "reset", "hang"])
def test_no_answer_withdraws_nothing(shared: Stage, kind: Kind) -> None:
    operations = ("*", "ListServices", "DiscoverInstances", "ListInstances")
    shared.ordeal(*(shared.cloud(kind, operation) for operation in operations))


@pytest.mark.parametrize("operation", LISTS)
def test_an_empty_answer_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(shared.cloud("empty", operation))


@pytest.mark.parametrize("operation", LISTS)
def test_an_old_answer_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(shared.cloud("stale", operation))


@pytest.mark.parametrize("operation", ["*", "ListServices", "DiscoverInstances", "ListInstances"])
def test_a_list_that_is_cut_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(*(shared.cloud("truncate", operation, keep=keep) for keep in (0, 1, None)))


@pytest.mark.parametrize("operation", ["*", "ListServices", "Discover*"])
def test_a_namespace_that_vanishes_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(shared.cloud("namespace_gone", operation))


@pytest.mark.parametrize("kind", ["error", "empty"])
def test_a_fault_of_one_service_withdraws_nothing(shared: Stage, kind: Kind) -> None:
    operations = ("DiscoverInstances", "ListInstances")
    shared.ordeal(*(shared.cloud(kind, operation, service="orders") for operation in operations))
