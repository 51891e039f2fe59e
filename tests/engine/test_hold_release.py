"""When held removals are believed without anybody's word: after their time, read completely again and again."""

import time

from syncer.core.plan import ServicePlan
from syncer.engine.holds import HoldPolicy, Holds
from tests.engine.ground import deregister

HELD = ServicePlan("web", "web", held=(deregister(1), deregister(2)), hold="too many", owned=2)
WANTED = ServicePlan("web", "web", (deregister(1), deregister(2)), owned=2)
UNREADABLE = ServicePlan("web", "web", unreadable=("source: away",))


def aside(holds: Holds) -> int:
    """Return how many removals would pass now."""
    holds.release()
    return len(WANTED.removals) - len(holds.set_aside(WANTED).removals)


def test_neither_time_nor_confirmations_alone_are_enough() -> None:
    holds = Holds(HoldPolicy(release_after=3600, confirmations=2))
    for _ in range(5):
        holds.note(HELD)
    assert aside(holds) == 0
    holds = Holds(HoldPolicy(release_after=0, confirmations=3))
    holds.note(HELD)
    holds.note(HELD)
    assert aside(holds) == 0
    holds.note(HELD)
    assert aside(holds) == 2


def test_a_read_that_fails_begins_both_anew() -> None:
    holds = Holds(HoldPolicy(release_after=0.1, confirmations=2))
    holds.note(HELD)
    holds.note(HELD)
    time.sleep(0.11)
    holds.note(UNREADABLE)
    holds.note(HELD)
    holds.note(HELD)
    assert aside(holds) == 0
    time.sleep(0.11)
    assert aside(holds) == 2


def test_an_unreadable_service_that_is_not_held_is_not_held_for_that() -> None:
    holds = Holds(HoldPolicy())
    holds.note(UNREADABLE)
    assert holds.held == {}


def test_what_is_held_is_told_and_over_once_nothing_is() -> None:
    holds = Holds(HoldPolicy())
    holds.note(HELD)
    hold = holds.held["web"]
    assert (hold.count, hold.reason, hold.confirmed) == (2, "too many", 1)
    holds.note(ServicePlan("web", "web"))
    assert holds.held == {}


def test_removals_count_for_the_window_and_no_longer() -> None:
    holds = Holds(HoldPolicy(window=0.1))
    holds.let_through([deregister(1), deregister(2), deregister(1, "api")])
    assert holds.recent() == {"web": 2, "api": 1}
    time.sleep(0.11)
    assert holds.recent() == {}
