"""What failed is not tried before its time, unless something else is wanted."""

import time
from dataclasses import replace

import pytest

from syncer.core.errors import Denied, QuotaExceeded, Refused, SyncError, Throttled, Unavailable
from syncer.core.plan import Register
from syncer.engine.agenda import Backoff
from syncer.engine.failures import Failures
from tests.engine.ground import ours, register

AWAY = Unavailable("away")


def test_a_change_that_failed_waits_longer_each_time() -> None:
    failures = Failures(Backoff(1, 60))
    waits = [failures.add(register(1), AWAY) for _ in range(4)]
    for wait, whole in zip(waits, (1, 2, 4, 8), strict=True):
        assert whole / 2 <= wait <= whole
    assert 0 < failures.wait(register(1)) <= waits[-1]
    assert [failure.attempts for failure in failures.current()] == [4]


def test_another_wish_for_the_same_instance_is_tried_at_once_and_counts_anew() -> None:
    failures = Failures(Backoff(1, 60))
    other = Register(replace(ours(1), port=81))
    for _ in range(5):
        failures.add(register(1), AWAY)
    assert failures.wait(other) == 0
    assert failures.add(other, AWAY) <= 1
    assert failures.wait(register(1)) == 0


def test_what_waited_long_enough_may_be_tried() -> None:
    failures = Failures(Backoff(0.01, 0.01))
    failures.add(register(1), AWAY)
    time.sleep(0.02)
    assert failures.wait(register(1)) == 0
    assert failures.current()


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [
        pytest.param(Refused("no"), 600, 600, id="what-is-refused-is-hopeless"),
        pytest.param(Denied("no"), 30, 60, id="a-missing-right-may-be-granted"),
        pytest.param(QuotaExceeded("full"), 30, 60, id="a-quota-may-be-raised"),
        pytest.param(Throttled("slow"), 0.5, 1, id="too-fast"),
    ],
)
def test_how_long_it_waits_is_said_by_the_error(error: SyncError, least: float, most: float) -> None:
    assert least <= Failures(Backoff(1, 60)).add(register(1), error) <= most


def test_success_is_a_new_beginning() -> None:
    failures = Failures(Backoff(1, 60))
    for _ in range(5):
        failures.add(register(1), AWAY)
    failures.clear(register(1))
    failures.clear(register(2))
    assert failures.wait(register(1)) == 0
    assert failures.add(register(1), AWAY) <= 1


def test_what_nobody_wants_any_more_is_forgotten() -> None:
    failures = Failures(Backoff(1, 60))
    for change in (register(1), register(2), register(1, "api")):
        failures.add(change, AWAY)
    failures.prune("web", {ours(2).id})
    assert {failure.change for failure in failures.current()} == {register(2), register(1, "api")}
