"""What is due is called, in order, once for each key; and waits that grow."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from syncer.engine.agenda import Agenda, Backoff
from tests.engine.ground import LONG
from tests.support.wait import eventually


@contextmanager
def at_work(agenda: Agenda) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=agenda.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        agenda.wake()
        thread.join(LONG)
    assert not thread.is_alive(), "it does not end when it is woken"


def test_what_is_due_is_called_in_the_order_of_its_time() -> None:
    agenda, called = Agenda(), list[str]()
    for delay, name in ((0.3, "third"), (0.1, "first"), (0.2, "second")):
        agenda.after(delay, name, lambda name=name: called.append(name))  # type: ignore[misc]
    with at_work(agenda):
        eventually(lambda: called == ["first", "second", "third"], LONG)


def test_of_two_entries_with_one_key_the_earlier_is_called_and_the_later_is_not() -> None:
    agenda, called = Agenda(), list[str]()
    agenda.after(0.15, "a", lambda: called.append("late"))
    agenda.after(0.05, "a", lambda: called.append("early"))
    agenda.after(0.10, "a", lambda: called.append("between"))
    agenda.after(0.30, "b", lambda: called.append("end"))
    with at_work(agenda):
        eventually(lambda: "end" in called, LONG)
    assert called == ["early", "end"]


def test_a_key_is_free_again_once_its_entry_was_called() -> None:
    agenda, called = Agenda(), list[int]()

    def again() -> None:
        called.append(1)
        if len(called) < 3:
            agenda.after(0.0, "a", again)

    agenda.after(0.0, "a", again)
    with at_work(agenda):
        eventually(lambda: len(called) == 3, LONG)


def test_an_entry_that_fails_does_not_keep_those_after_it() -> None:
    agenda, called = Agenda(), threading.Event()
    agenda.after(0.0, "bad", [].pop)
    agenda.after(0.01, "good", called.set)
    with at_work(agenda):
        assert called.wait(LONG)


def test_an_earlier_entry_is_not_kept_waiting_by_a_later_one_that_came_first() -> None:
    agenda, called = Agenda(), threading.Event()
    agenda.after(3600, "late", lambda: None)
    with at_work(agenda):
        time.sleep(0.05)
        agenda.after(0.0, "early", called.set)
        assert called.wait(LONG)


def test_an_idle_agenda_ends_when_it_is_woken_after_the_stop_and_calls_nothing() -> None:
    agenda, called = Agenda(), list[int]()
    agenda.after(3600, "late", lambda: called.append(1))
    with at_work(agenda):
        time.sleep(0.05)
    assert called == []


def test_entries_that_were_replaced_do_not_pile_up() -> None:
    """A far appointment that is brought forward again and again, for years."""
    agenda, called = Agenda(), list[int]()

    def come() -> None:
        called.append(1)

    with at_work(agenda):
        for turn in range(600):
            agenda.after(1e8, "a", come)
            agenda.after(0.0, "a", come)
            eventually(lambda turn=turn: len(called) == turn + 1, LONG, interval=0.0005)  # type: ignore[misc]
    assert agenda.remembered() < 200


def test_replacing_keeps_what_still_counts() -> None:
    agenda, called = Agenda(), list[int]()
    done = threading.Event()

    def note(number: int) -> Callable[[], None]:
        return lambda: called.append(number)

    for number in range(300):
        agenda.after(1e8, number, note(number))
        agenda.after(0.05, number, note(number))
    agenda.after(0.2, "end", done.set)
    with at_work(agenda):
        assert done.wait(LONG)
    assert called == list(range(300))


@given(st.floats(0.001, 100), st.floats(0.001, 100), st.integers(-3, 100_000))
def test_a_wait_is_between_half_and_all_of_what_its_failures_ask_for(
    first: float, longest: float, failures: int
) -> None:
    wait = Backoff(first, longest).after(failures)
    whole = min(longest, first * 2 ** min(max(failures, 1) - 1, 16))
    assert 0.5 * whole <= wait <= whole <= longest


def test_waits_double_until_they_are_longest() -> None:
    backoff = Backoff(1.0, 60.0)
    waits = [max(backoff.after(failures) for _ in range(5000)) for failures in range(1, 9)]
    assert [round(wait) for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]
