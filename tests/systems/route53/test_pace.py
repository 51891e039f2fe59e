import threading
from dataclasses import dataclass

import pytest
from typing_extensions import override

from syncer.systems.route53.pace import Pace


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Waits(threading.Event):
    """An event that notes how long it was waited for, and lets the clock run on instead."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self.clock.now += timeout or 0.0
        return self.is_set()


def test_after_a_burst_calls_go_at_the_rate() -> None:
    clock = Clock()
    pace = Pace(5.0, 3, clock)
    stop = Waits(clock)
    times = []
    for _ in range(8):
        assert pace.wait(stop)
        times.append(clock.now)
    assert times == pytest.approx([0, 0, 0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_a_calm_fills_the_burst_again_and_no_more() -> None:
    clock = Clock()
    pace = Pace(5.0, 2, clock)
    stop = Waits(clock)
    for _ in range(2):
        pace.wait(stop)
    clock.now = 100.0
    for _ in range(3):
        pace.wait(stop)
    assert clock.now == pytest.approx(100.2)


def test_throttling_slows_down_to_a_floor_and_calm_speeds_up_to_the_rate() -> None:
    pace = Pace(5.0, 2, Clock())
    pace.throttled()
    assert pace.rate == pytest.approx(2.5)
    for _ in range(20):
        pace.throttled()
    assert pace.rate == pytest.approx(0.5)
    for _ in range(100):
        pace.calm()
    assert pace.rate == pytest.approx(5.0)


def test_whoever_waits_is_let_go_when_all_stops() -> None:
    pace = Pace(0.001, 1)
    stop = threading.Event()
    assert pace.wait(stop)
    came: list[bool] = []
    thread = threading.Thread(target=lambda: came.append(pace.wait(stop)))
    thread.start()
    stop.set()
    thread.join(60)
    assert came == [False]
    assert not pace.wait(stop)
