"""Names travel both ways and never meet by accident."""

import string
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.model import Conflict, Skip
from syncer.core.names import Naming, meeting, suggest, translate
from tests.core.values import ENTRIES, label_problem

# Few letters of both cases, so that names do meet.
NAMES: Final = st.text("abAB-", min_size=1, max_size=4)
AFFIXES: Final = st.text("abA-", max_size=2)
NAMINGS: Final = st.builds(Naming, AFFIXES, AFFIXES, st.dictionaries(NAMES, NAMES, max_size=4))


@given(NAMINGS, NAMES)
def test_there_and_back_is_the_identity(naming: Naming, name: str) -> None:
    target = naming.forward(name)
    assert target is None or naming.back(target) == name


@given(NAMINGS, NAMES)
def test_back_and_there_is_the_identity(naming: Naming, name: str) -> None:
    for target in (name, naming.prefix + name + naming.suffix, naming.renames.get(name, name)):
        source = naming.back(target)
        assert source is None or naming.forward(source) == target


@given(NAMINGS, st.sets(NAMES, min_size=2, max_size=8))
def test_two_sources_never_lead_to_one_target(naming: Naming, names: set[str]) -> None:
    targets = [target for target in map(naming.forward, names) if target is not None]
    assert len(targets) == len(set(targets))


@given(NAMINGS, st.sets(NAMES, min_size=2, max_size=8))
def test_those_that_differ_by_case_at_most_are_all_in_conflict(naming: Naming, names: set[str]) -> None:
    contested = meeting(names, naming)
    targets = [naming.forward(name) for name in names - set(contested)]
    folded = [target.casefold() for target in targets if target is not None]
    assert len(folded) == len(set(folded))


@given(st.sets(NAMES, max_size=8))
def test_nobody_is_in_conflict_alone(names: set[str]) -> None:
    contested = meeting(names, Naming())
    for name in contested:
        assert any(other.casefold() == name.casefold() for other in names - {name})


def test_a_conflict_names_all_who_would_meet() -> None:
    reason = "'Web' and 'web' would meet under one name: rename one"
    assert meeting(["web", "Web", "api"], Naming()) == {
        "web": Conflict("web", None, reason),
        "Web": Conflict("Web", None, reason),
    }


def test_a_name_that_nobody_translates_meets_nobody() -> None:
    assert meeting(["b", "B"], Naming(renames={"a": "b"})) == {}


def test_names_are_carried_unchanged_unless_told_otherwise() -> None:
    assert (Naming().forward("web"), Naming().back("web")) == ("web", "web")


def test_prefix_and_suffix_are_added_and_taken_away() -> None:
    naming = Naming("aws-", "-x")
    assert naming.forward("web") == "aws-web-x"
    assert naming.back("aws-web-x") == "web"


@pytest.mark.parametrize("foreign", ["web", "aws-web", "web-x", "aws--x", "aws-x", "AWS-web-x"])
def test_a_name_without_prefix_suffix_or_anything_between_them_comes_from_nowhere(foreign: str) -> None:
    assert Naming("aws-", "-x").back(foreign) is None


def test_a_rename_takes_the_place_of_prefix_and_suffix() -> None:
    naming = Naming("aws-", renames={"web": "front"})
    assert naming.forward("web") == "front"
    assert naming.back("front") == "web"
    assert naming.back("aws-web") is None


def test_a_name_that_a_rename_has_taken_is_not_given_to_another_in_any_case() -> None:
    naming = Naming(renames={"web": "front"})
    assert naming.forward("front") is None
    assert naming.forward("FRONT") is None
    assert naming.back("Front") is None


def test_two_names_may_be_exchanged() -> None:
    naming = Naming(renames={"a": "b", "b": "a"})
    assert [naming.forward("a"), naming.forward("b")] == ["b", "a"]
    assert naming.problems() == ()


def test_two_renames_to_one_name_are_told_and_the_first_has_it() -> None:
    naming = Naming(renames={"web": "Front", "api": "front"})
    assert naming.problems() == ("'api' and 'web' are both renamed to 'Front'",)
    assert naming.forward("api") == "front"
    assert naming.forward("web") is None


def test_a_naming_keeps_the_renames_that_it_was_given() -> None:
    table = {"web": "front"}
    naming = Naming(renames=table)
    table["web"] = "back"
    assert naming.forward("web") == "front"
    assert naming == Naming(renames={"web": "front"})


def test_translate_gives_the_name_that_the_target_carries() -> None:
    assert translate("web", Naming("aws-"), ENTRIES) == "aws-web"


def test_translate_says_what_to_write_where_the_target_cannot_carry_the_name() -> None:
    assert translate("my_web.v1", Naming("aws-"), ENTRIES) == Skip(
        "my_web.v1",
        None,
        "'aws-my_web.v1' cannot be carried: it is no DNS label",
        "write rename: {'my_web.v1': 'my-web-v1'}",
    )


def test_translate_says_who_has_the_name() -> None:
    naming = Naming(renames={"web": "front"})
    reason = "another service is renamed to 'front': rename this one too"
    assert translate("front", naming, ENTRIES) == Conflict("front", None, reason)


@given(st.text(string.printable + "äß\u2028", max_size=80))
def test_what_is_suggested_can_be_carried(name: str) -> None:
    assert label_problem(suggest(name)) is None


def test_a_suggestion_is_near_the_name() -> None:
    assert suggest("my_web.v1") == "my-web-v1"
    assert suggest("___") == "service"
