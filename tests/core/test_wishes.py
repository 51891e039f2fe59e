"""One change at a time for each key, and the latest wish wins."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syncer.core.wishes import Wishes

KEYS = st.sampled_from("abc")


class Bookkeeping(RuleBasedStateMachine):
    """Wishes against the plainest model of them: all that was offered and not ended, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.wishes: Wishes[str, int] = Wishes()
        self.model: dict[str, list[int]] = {}

    # Zero among them: a wish that is false in a condition is a wish all the same.
    @rule(key=KEYS, wish=st.integers(0, 9))
    def offer(self, key: str, wish: int) -> None:
        mine = self.model.setdefault(key, [])
        starts, replaced = self.wishes.offer(key, wish)
        assert starts == (not mine)
        assert replaced == (mine.pop() if len(mine) == 2 else None)
        mine.append(wish)

    @rule(key=KEYS)
    def finish(self, key: str) -> None:
        mine = self.model.get(key, [])
        following = self.wishes.finish(key)
        assert following == (mine[1] if len(mine) == 2 else None)
        self.model[key] = mine[1:]

    @invariant()
    def running_is_the_first_and_latest_the_last_that_was_offered(self) -> None:
        for key in "abc":
            mine = self.model.get(key)
            assert self.wishes.latest(key) == (mine[-1] if mine else None)
            assert self.wishes.running(key) == (mine[0] if mine else None)

    @invariant()
    def it_counts_and_names_the_keys_that_are_under_way(self) -> None:
        under_way = {key for key, mine in self.model.items() if mine}
        assert len(self.wishes) == len(under_way)
        assert set(self.wishes) == under_way


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=50, stateful_step_count=20)


def test_what_waits_is_replaced_and_what_runs_is_not() -> None:
    wishes: Wishes[str, str] = Wishes()
    assert wishes.offer("a", "first") == (True, None)
    assert wishes.offer("a", "second") == (False, None)
    assert wishes.offer("a", "third") == (False, "second")
    assert wishes.offer("b", "other") == (True, None)
    assert wishes.finish("a") == "third"
    assert wishes.finish("a") is None


def test_keys_may_be_finished_while_they_are_gone_through() -> None:
    wishes: Wishes[str, str] = Wishes()
    for key in "abc":
        wishes.offer(key, key)
    for key in wishes:
        wishes.finish(key)
    assert len(wishes) == 0
