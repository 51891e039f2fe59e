import pytest

from syncer.systems.consul.pace import Backoff, Budget, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_answers_after_a_calm_are_not_held_up() -> None:
    clock = Clock()
    pace = Pace(share=0.25, burst=2, most=10, clock=clock)
    assert [pace.pause(0.1), pace.pause(0.1)] == [0, 0]
    assert pace.pause(0.1) == pytest.approx(0.4)
    clock.now += 60
    assert [pace.pause(0.1), pace.pause(0.1)] == [0, 0]


def test_under_steady_change_answers_keep_to_their_share_of_the_time() -> None:
    clock = Clock()
    pace = Pace(share=0.25, burst=2, most=10, clock=clock)
    work = 0.0
    began = clock.now
    for _ in range(200):
        clock.now += 0.1
        work += 0.1
        clock.now += pace.pause(0.1)
    assert work / (clock.now - began) == pytest.approx(0.25, rel=0.05)


def test_no_pause_is_longer_than_the_longest() -> None:
    clock = Clock()
    pace = Pace(most=0.5, clock=clock)
    for _ in range(20):
        pause = pace.pause(3)
        clock.now += pause
        assert pause <= 0.5
    clock.now += 60
    assert pace.pause(0.01) == 0


def test_failures_make_pauses_grow_and_success_starts_anew() -> None:
    backoff = Backoff(first=1, most=8)
    pauses = [backoff.pause() for _ in range(6)]
    for pause, longest in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert longest / 2 <= pause <= longest
    backoff.reset()
    assert backoff.pause() <= 1


def test_a_budget_allows_a_burst_and_then_a_rate() -> None:
    clock = Clock()
    budget = Budget(3, 2, clock)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    clock.now += 0.5
    assert [budget.take() for _ in range(2)] == [True, False]
