"""Cloud Map's reads fail in every way: nothing alive leaves Consul, nor Cloud Map."""

import pytest

from tests.emulator.faults import Kind
from tests.faults.stage import Stage

READS = "ListServices DiscoverInstances ListInstances ListOperations GetOperation GetService GetInstance GetNamespace".split()


@pytest.mark.parametrize("operation", ["*", *READS])
@pytest.mark.parametrize("code", ["InternalFailure", "AccessDeniedException", "ThrottlingException"])
def test_an_error_withdraws_nothing(shared: Stage, operation: str, code: str) -> None:
    shared.ordeal(shared.cloud_fault("error", operation, code=code))


@pytest.mark.parametrize("operation", ["*", "ListServices", "DiscoverInstances", "ListInstances"])
@pytest.mark.parametrize("kind", ["http500", "reset", "hang"])
def test_no_answer_withdraws_nothing(shared: Stage, kind: Kind, operation: str) -> None:
    shared.ordeal(shared.cloud_fault(kind, operation))


@pytest.mark.parametrize("operation", ["*", "List*", *READS[:5]])
@pytest.mark.parametrize("kind", ["empty", "stale"])
def test_an_empty_or_an_old_answer_withdraws_nothing(shared: Stage, kind: Kind, operation: str) -> None:
    shared.ordeal(shared.cloud_fault(kind, operation))


@pytest.mark.parametrize("operation", ["*", "ListServices", "DiscoverInstances", "ListInstances"])
@pytest.mark.parametrize("keep", [0, 1, None])
def test_a_list_that_is_cut_withdraws_nothing(shared: Stage, operation: str, keep: int | None) -> None:
    shared.ordeal(shared.cloud_fault("truncate", operation, keep=keep))


@pytest.mark.parametrize("operation", ["*", "ListServices", "Discover*"])
def test_a_namespace_that_vanishes_withdraws_nothing(shared: Stage, operation: str) -> None:
    shared.ordeal(shared.cloud_fault("namespace_gone", operation))


@pytest.mark.parametrize("operation", ["DiscoverInstances", "ListInstances", "ListServices"])
@pytest.mark.parametrize("kind", ["error", "empty"])
def test_a_fault_of_one_service_withdraws_nothing(shared: Stage, kind: Kind, operation: str) -> None:
    shared.ordeal(shared.cloud_fault(kind, operation, service="orders"))
