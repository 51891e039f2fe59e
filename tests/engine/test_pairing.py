"""Which services a pass looks at, under both their names, and how certain it is of what it sees."""

from collections.abc import Callable, Collection
from typing import Any

from typing_extensions import override

from syncer.core.errors import Unavailable
from syncer.core.filters import Filter
from syncer.core.model import Complete, ServiceInfo, Unreadable
from syncer.core.names import Naming
from syncer.core.plan import CreateService, DeleteService
from syncer.core.ports import Hint
from syncer.core.reconcile import Pair
from syncer.engine.dirty import Batch
from syncer.engine.mirror import Mirror
from syncer.engine.pairing import Pairing
from tests.core.values import RECORDS
from tests.engine.ground import (
    ALL,
    OWNER,
    SOURCE,
    TARGET,
    Memory,
    cloudmap,
    complete,
    consul,
    ours,
    rules,
    web,
)

FULL = Batch(full=True)


class Sides:
    def __init__(self, **values: Any) -> None:
        self.source, self.target = consul(), cloudmap()
        self.left, self.right = Mirror(self.source), Mirror(self.target)
        self.pairing = Pairing(rules(carrier=RECORDS, **values), self.left, self.right)

    def pairs(self, batch: Batch) -> dict[str, Pair]:
        """Return the pairs of *batch* by the target's name; lists first where it is a full one."""
        if batch.full:
            assert self.pairing.relist() == ()
        return {pair.target_name: pair for pair in self.pairing.pairs(batch)}

    def hint(self, registry: Memory, *names: str) -> dict[str, Pair]:
        """Hint at *names* in *registry*, and return the pairs that are looked at then."""
        mirror = self.left if registry is self.source else self.right
        mirror.note(Hint(frozenset(names), "watch"))
        return self.pairs(Batch(set(names)) if registry is self.source else Batch(targets=set(names)))


def test_a_full_batch_asks_for_all_there_are_on_either_side() -> None:
    sides = Sides()
    sides.source.put(web(1), web(1, "api"))
    sides.target.put(web(2), web(3, "db"))
    found = sides.pairs(FULL)
    assert {name: pair.source_name for name, pair in found.items()} == {
        "web": "web",
        "api": "api",
        "db": "db",
    }
    assert found["web"].source == complete(web(1))


def test_a_batch_asks_for_what_it_names_under_both_names() -> None:
    sides = Sides(naming=Naming(prefix="c-"))
    sides.source.put(web(1), web(1, "api"))
    sides.pairs(FULL)
    assert set(sides.pairs(Batch({"web"}))) == {"c-web"}
    (pair,) = sides.pairs(Batch(targets={"c-api"})).values()
    assert pair.source_name == "api"
    assert pair.source == complete(web(1, "api"), service="api")


def test_a_target_to_which_no_source_name_leads_has_no_source() -> None:
    sides = Sides(naming=Naming(prefix="c-"))
    sides.target.put(ours(1))
    (pair,) = sides.pairs(FULL).values()
    assert (pair.target_name, pair.source_name, pair.source) == ("web", None, None)


def test_what_cannot_be_listed_is_said() -> None:
    sides = Sides()
    sides.source.faults.break_("list", Unavailable("away"))
    assert sides.pairing.relist() == ("consul/dc1: away",)
    sides.target.faults.break_("list", Unavailable("also away"))
    sides.right.note(ALL)
    assert sides.pairing.relist() == ("consul/dc1: away", f"{TARGET}: also away")


def test_what_the_filter_excludes_is_not_read_and_counts_as_empty() -> None:
    sides = Sides(filter=Filter(exclude=("w*",)))
    sides.source.put(web(1))
    sides.target.put(ours(1))
    (pair,) = sides.pairs(FULL).values()
    assert pair.source == complete()
    assert sides.source.times("web") == 0


def test_a_name_that_cannot_be_carried_is_kept_with_the_reason_until_it_is_gone() -> None:
    sides = Sides()
    sides.source.put(web(1, "a_b"), web(1))
    assert set(sides.pairs(FULL)) == {"web"}
    assert set(sides.pairing.untranslated) == {"a_b"}
    sides.source.put(web(1, "c_d"))
    assert sides.hint(sides.source, "c_d") == {}
    assert set(sides.pairing.untranslated) == {"a_b", "c_d"}
    sides.source.remove("a_b")
    sides.source.remove("c_d")
    sides.left.note(ALL)
    sides.pairs(FULL)
    sides.left.note(ALL)
    sides.pairs(FULL)
    assert sides.pairing.untranslated == {}


def test_names_that_would_meet_are_contested_and_free_again_when_one_is_gone() -> None:
    sides = Sides()
    sides.source.put(web(1))
    sides.pairs(FULL)
    sides.source.put(web(1, "WEB"))
    assert sides.hint(sides.source, "WEB")["WEB"].collision
    assert sides.hint(sides.source, "web")["web"].collision
    sides.source.remove("WEB")
    found = sides.hint(sides.source, "WEB")
    assert found["web"].collision is None, "it is looked at as soon as it is free"
    assert found["web"].source == complete(web(1))


def test_names_that_meet_from_the_beginning_are_free_when_one_is_gone() -> None:
    sides = Sides()
    sides.source.put(web(1), web(1, "WEB"))
    assert all(pair.collision for pair in sides.pairs(FULL).values())
    sides.source.remove("web")
    found = sides.hint(sides.source, "web")
    assert found["WEB"].collision is None


def test_what_only_syncers_wrote_contests_no_name() -> None:
    sides = Sides()
    sides.source.put(web(1, "Web"), ours(2))
    assert sides.pairs(FULL)["Web"].collision is None
    sides.source.put(web(3))
    found = sides.hint(sides.source, "web")
    assert found["web"].collision, "somebody else is there now, too"
    assert sides.hint(sides.source, "Web")["Web"].collision
    sides.source.remove("web")
    sides.source.put(ours(2))
    assert sides.hint(sides.source, "web")["Web"].collision is None


def test_where_what_syncers_wrote_is_carried_on_it_contests_names() -> None:
    sides = Sides(transit=True)
    sides.source.put(web(1, "Web"), ours(2))
    assert sides.pairs(FULL)["Web"].collision


def test_a_name_that_cannot_be_carried_is_not_missed_where_only_syncers_wrote_it() -> None:
    sides = Sides()
    sides.source.put(ours(1, "a_b"))
    sides.left.view("a_b")
    sides.pairs(FULL)
    assert sides.pairing.untranslated == {}


def test_a_name_is_contested_where_the_target_has_it_in_another_spelling() -> None:
    sides = Sides()
    sides.source.put(web(1, "Web"))
    sides.target.put(web(2))
    collision = sides.pairs(FULL)["Web"].collision
    assert collision
    assert "the target has a service 'web'" in collision.reason
    sides.target.remove("web")
    sides.target.carry_out(DeleteService("web", ServiceInfo()))
    sides.right.note(ALL)
    assert sides.pairs(FULL)["Web"].collision is None


def test_what_is_ours_alone_in_another_spelling_contests_nothing() -> None:
    sides = Sides()
    sides.source.put(web(1, "Web"))
    sides.target.carry_out(CreateService("web", frozenset({"A"}), 15, OWNER, SOURCE))
    sides.target.put(ours(2))
    assert sides.pairs(FULL)["Web"].collision is None
    sides.target.put(web(3))
    assert sides.hint(sides.target, "web").keys() == {"web"}
    assert sides.pairs(FULL)["Web"].collision


def test_a_wrong_hint_contests_no_name() -> None:
    sides = Sides()
    sides.source.put(web(1))
    sides.pairs(FULL)
    sides.hint(sides.source, "WEB")
    assert sides.pairs(Batch({"web"}))["web"].collision is None


def test_a_source_that_is_not_listed_is_read_before_anything_of_it_is_removed() -> None:
    sides = Sides()
    sides.pairs(FULL)
    sides.source.put(web(1))
    sides.target.put(ours(1))
    (pair,) = sides.hint(sides.target, "web").values()
    assert pair.source == complete(web(1))


def test_a_source_that_is_not_listed_is_not_read_where_nothing_is_ours() -> None:
    sides = Sides()
    sides.target.put(web(7))
    sides.pairs(FULL)
    assert sides.source.times("web") == 0


class Interrupted(Mirror):
    """A mirror during whose reads something happens elsewhere."""

    meanwhile: Callable[[], object] | None = None

    @override
    def refresh(self, names: Collection[str], *, certain: bool = True) -> None:
        super().refresh(names, certain=certain)
        if self.meanwhile is not None:
            self.meanwhile()


def test_what_a_watch_finds_in_the_target_during_a_pass_makes_the_source_certain() -> None:
    """Nothing seemed to be ours, for the target was not listed; then a watch shows that something is."""
    sides = Sides()
    sides.left = sides.pairing.source = left = Interrupted(sides.source)
    sides.pairs(FULL)
    sides.source.put(web(1))
    left.meanwhile = lambda: sides.right.store(complete(ours(1)))
    (pair,) = sides.pairs(Batch(targets={"web"})).values()
    assert pair.target == complete(ours(1))
    assert pair.source == complete(web(1)), "an empty source would have it removed"


def test_what_cannot_be_read_is_unreadable_in_its_pair() -> None:
    sides = Sides()
    sides.source.put(web(1), web(1, "api"))
    sides.target.put(web(2, "api"))
    sides.source.faults.break_("web", Unavailable("away"))
    sides.target.faults.break_("api", Unavailable("away"))
    found = sides.pairs(FULL)
    assert isinstance(found["web"].source, Unreadable)
    assert isinstance(found["api"].target, Unreadable)
    assert isinstance(found["api"].source, Complete)


def test_a_name_that_cannot_be_carried_is_no_matter_where_it_is_excluded_anyway() -> None:
    sides = Sides(filter=Filter(exclude=("a*",)))
    sides.source.put(web(1, "a_b"))
    assert sides.pairs(FULL) == {}
    assert sides.pairing.untranslated == {}
