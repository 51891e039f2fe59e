"""The project's errors: what each says to whoever decides."""

import pytest

from syncer.core import errors
from syncer.core.errors import Busy, Garbled, Refused, SyncError, Throttled, Unavailable

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SyncError)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_message_and_a_code_fit_for_a_label(kind: type[SyncError]) -> None:
    assert (str(kind("it broke")), kind("it broke").code) == ("it broke", kind.__name__)
    assert kind("it broke", code="500").code == "500"


def test_only_what_is_refused_for_good_is_not_tried_again() -> None:
    assert [kind for kind in ALL if not kind.retryable] == [Refused]


def test_who_waits_for_an_unavailable_registry_waits_for_a_throttling_or_garbling_one_too() -> None:
    assert issubclass(Throttled, Unavailable)
    assert issubclass(Garbled, Unavailable)


def test_a_busy_registry_names_the_operation_where_it_is_known() -> None:
    assert Busy("wait").operation is None
    assert Busy("wait", code="DuplicateRequest", operation="op-1").operation == "op-1"
