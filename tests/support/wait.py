"""Waiting for something to become true, with a failure message that says what was seen instead."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    predicate: Callable[[], T], timeout: float = 60.0, message: str = "", interval: float = 0.02
) -> T:
    """Call *predicate* until it gives something true, and return that.

    An assertion that fails inside *predicate* counts as "not yet"; any other exception ends the wait.

    Args:
        predicate: asked every *interval* seconds; cheap and without side effects.
        timeout: seconds until the wait is given up: much longer than it ever takes, since machines are busy at
            times. It is asked once more at the very end.
        message: what was waited for, as the end of the sentence "it did not happen that ...".

    Raises:
        AssertionError: it did not become true in time; says what the last answer was.
    """
    end = time.monotonic() + timeout
    while True:
        last_chance = time.monotonic() >= end
        cause: AssertionError | None = None
        try:
            answer = predicate()
            if answer:
                return answer
            seen = f"the last answer was {answer!r}"
        except AssertionError as e:
            seen, cause = f"the last assertion was: {e}", e
        if last_chance:
            what = message or getattr(predicate, "__name__", "the condition")
            raise AssertionError(f"within {timeout:g} s it did not happen that {what}; {seen}") from cause
        time.sleep(interval)
