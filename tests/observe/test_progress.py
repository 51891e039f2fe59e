"""A long piece of work says how far it is, and a short one says nothing."""

from syncer.observe.progress import Progress, Standing


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _run(progress: Progress, clock: Clock, count: int, each: float) -> list[Standing]:
    said = []
    for _ in range(count):
        clock.now += each
        standing = progress.ended()
        if standing is not None:
            said.append(standing)
    return said


def test_a_long_wave_is_spoken_of_at_intervals_and_at_its_end() -> None:
    clock = Clock()
    progress = Progress(50, 5.0, clock)
    progress.submitted(1000)
    said = _run(progress, clock, 1000, 0.02)
    assert [round(standing.done, -1) for standing in said] == [250, 500, 750, 1000]
    assert said[0].total == 1000
    assert said[0].rate == 50.0 or abs(said[0].rate - 50) < 1
    assert abs(said[0].left - 15) < 1
    assert said[-1].left == 0


def test_few_changes_are_not_spoken_of_however_long_they_take() -> None:
    clock = Clock()
    progress = Progress(50, 5.0, clock)
    progress.submitted(40)
    assert _run(progress, clock, 40, 10.0) == []


def test_many_changes_that_are_quick_are_not_spoken_of() -> None:
    clock = Clock()
    progress = Progress(50, 5.0, clock)
    progress.submitted(1000)
    assert _run(progress, clock, 1000, 0.001) == []


def test_each_wave_is_counted_anew() -> None:
    clock = Clock()
    progress = Progress(50, 5.0, clock)
    progress.submitted(100)
    _run(progress, clock, 100, 0.01)
    clock.now += 3600
    progress.submitted(200)
    (first,) = _run(progress, clock, 100, 0.06)
    assert first.total == 200
    assert first.rate > 10


def test_a_change_may_end_before_the_pass_that_submitted_it_is_reported() -> None:
    clock = Clock()
    progress = Progress(50, 5.0, clock)
    assert progress.ended() is None
    progress.submitted(1)
    progress.submitted(200)
    (first, *_) = _run(progress, clock, 199, 0.1)
    assert first.total == 200
