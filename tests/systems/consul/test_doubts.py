"""When a dump of all nodes is due: soon after what nobody explains, seldom after what is merely possible."""

import pytest

from syncer.systems.consul.doubts import Doubts

NOW = 1000.0


@pytest.fixture
def doubts() -> Doubts:
    """Doubts that had a dump long ago, at index 5."""
    known = Doubts()
    known.answered(5, 0.0, cost=0.001, pause=0.0)
    return known


def test_where_nothing_changed_nothing_is_asked(doubts: Doubts) -> None:
    assert doubts.due(NOW) is None
    assert not doubts.pressing


def test_a_wake_that_nobody_explains_is_looked_into_at_once(doubts: Doubts) -> None:
    doubts.judged(6, grace=2.0)
    doubts.wake(6, NOW, calm=True, explained=False)
    assert doubts.pressing
    assert doubts.oldest == 6
    assert doubts.due(NOW) == pytest.approx(0.03)
    assert doubts.due(NOW + 1) == 0.0


def test_who_may_still_explain_it_is_waited_for(doubts: Doubts) -> None:
    doubts.judged(5, grace=2.0)
    doubts.wake(6, NOW, calm=True, explained=False)
    assert doubts.due(NOW) == pytest.approx(0.3)  # what may hide behind it was due sooner
    doubts.judged(6, grace=2.0)
    assert doubts.due(NOW) == pytest.approx(0.03)


def test_an_explained_wake_leaves_only_what_may_hide_behind_it(doubts: Doubts) -> None:
    doubts.judged(6, grace=0.0)
    doubts.wake(6, NOW, calm=True, explained=False)
    doubts.explain(6)
    assert doubts.due(NOW) == pytest.approx(0.3)
    assert not doubts.pressing


@pytest.mark.parametrize(("calm", "seconds"), [(True, 60.0), (False, 5.0)])
def test_the_busier_it_is_the_sooner_a_dump_follows_the_last_one(
    doubts: Doubts, calm: bool, seconds: float
) -> None:
    doubts.answered(5, NOW, cost=0.001, pause=0.0)
    doubts.wake(6, NOW, calm=calm, explained=True)
    assert doubts.due(NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(("calm", "times"), [(True, 200), (False, 20)])
def test_a_dump_that_costs_much_is_rarer(doubts: Doubts, calm: bool, times: int) -> None:
    doubts.answered(5, NOW, cost=1.0, pause=0.0)
    doubts.wake(6, NOW, calm=calm, explained=True)
    assert doubts.due(NOW) == pytest.approx(times)


def test_a_dump_ends_the_doubts_up_to_its_index_and_no_further(doubts: Doubts) -> None:
    doubts.judged(7, grace=0.0)
    doubts.wake(6, NOW, calm=False, explained=False)
    doubts.wake(7, NOW, calm=False, explained=False)
    doubts.answered(6, NOW, cost=0.001, pause=0.5)
    assert doubts.oldest == 7
    assert doubts.due(NOW) == pytest.approx(0.5)
    doubts.answered(7, NOW, cost=0.001, pause=0.5)
    assert doubts.due(NOW) is None


def test_whoever_reads_everything_anew_has_no_doubts(doubts: Doubts) -> None:
    doubts.wake(6, NOW, calm=False, explained=False)
    doubts.forget()
    assert doubts.due(NOW) is None
