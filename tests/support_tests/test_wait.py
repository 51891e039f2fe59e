"""Waiting ends as soon as it can, and says what it saw when it cannot."""

from itertools import count

import pytest

from tests.support.wait import eventually


def test_the_first_true_answer_is_returned() -> None:
    numbers = count()
    assert eventually(lambda: (n := next(numbers)) >= 3 and n, interval=0) == 3


def test_a_failed_assertion_is_not_yet_the_end() -> None:
    numbers = count()

    def third() -> bool:
        assert next(numbers) >= 2, "too early"
        return True

    assert eventually(third, interval=0)


def test_the_failure_says_what_was_waited_for_and_what_was_seen() -> None:
    with pytest.raises(AssertionError, match=r"that the list is filled; the last answer was \[\]"):
        eventually(list, timeout=0.01, message="the list is filled")


def test_the_failure_carries_the_last_assertion() -> None:
    def never() -> bool:
        raise AssertionError("two is not one")

    with pytest.raises(AssertionError, match=r"that never; the last assertion was: two is not one"):
        eventually(never, timeout=0.01)


def test_even_without_any_time_it_is_asked_once() -> None:
    assert eventually(lambda: "yes", timeout=0) == "yes"


def test_any_other_error_ends_the_wait_at_once() -> None:
    numbers = count()

    def broken() -> bool:
        next(numbers)
        raise KeyError("x")

    with pytest.raises(KeyError):
        eventually(broken, timeout=30)
    assert next(numbers) == 1
