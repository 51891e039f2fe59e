"""Sides are compared as far as what is carried between them makes them alike."""

from typing import Any, Final

import pytest

from syncer.app.comparing import Outcome, Side, compare
from syncer.app.naming import families
from syncer.app.places import links, places
from syncer.app.resolving import Answer
from syncer.settings import Settings

ALIKE: Final = "all sides answer alike"
APART: Final = "all sides answer alike, public addresses and others each among themselves"
IMPORTED: Final = "all sides answer alike, but for what was imported from elsewhere, which goes no further"
DIFFER: Final = "the sides differ on web"
CORP: Final = {"name": "corp.internal"}
ECS: Final = [{"name": "prod"}]
SILENT: Final = Answer("n", "A", problem="no answer in 3 s", failed=True)


def compared(asked: str, said: dict[str, list[str] | Answer], **written: Any) -> Outcome:
    """Return how the sides of *asked* compare where DNS says *said*, by the name in it; nothing of other names."""
    settings = Settings.model_validate({"owner": "a", "namespaces": [CORP], **written})
    (family,) = families(asked, places(settings), links(settings))
    sides = []
    for called in (family.origin, *family.others, *family.beside):
        plain = called.forms[0].name if called.forms else ""
        found = said.get(plain, [])
        answer = found if isinstance(found, Answer) else Answer(plain, "A", tuple(found))
        sides.append(Side(called, (answer,) if plain else ()))
    return compare("web", tuple(sides), links(settings))


def said(consul: list[str], *namespaces: list[str]) -> dict[str, list[str] | Answer]:
    """Return what is said of ``web`` in Consul, in corp.internal and in other.internal."""
    names = ("web.corp.internal", "web.other.internal")
    return {"web.service.consul": consul, **dict(zip(names, namespaces, strict=False))}


@pytest.mark.parametrize("asked", ["web.service.consul", "web.corp.internal"])
@pytest.mark.parametrize(
    ("consul", "corp", "verdict"),
    [
        (["1"], ["1"], ALIKE),
        (["1", "2"], ["2", "1"], ALIKE),
        (["1"], ["2"], DIFFER),
        (["1"], [], DIFFER),
        ([], ["1"], DIFFER),
        (["1", "2"], ["1"], DIFFER),
        ([], [], "nobody answers for web"),
    ],
)
def test_the_ends_of_a_link_must_have_the_same_addresses(
    asked: str, consul: list[str], corp: list[str], verdict: str
) -> None:
    assert compared(asked, said(consul, corp)) == Outcome(verdict == ALIKE, verdict)


@pytest.mark.parametrize("other", [SILENT, ["1"], []])
def test_a_side_that_did_not_answer_agrees_with_nobody(other: Answer | list[str]) -> None:
    answers: dict[str, list[str] | Answer] = {"web.service.consul": SILENT, "web.corp.internal": other}
    assert compared("web.corp.internal", answers) == Outcome(False, "not all sides answered")


def test_without_anybody_to_ask_nothing_is_wrong() -> None:
    assert compare("web", (), ()) == Outcome(True, "no DNS could be asked")


@pytest.mark.parametrize("asked", ["web.service.consul", "web.corp.internal"])
def test_public_addresses_out_of_consul_are_not_held_against_its_private_ones(asked: str) -> None:
    corp = {**CORP, "consul_to_cloudmap": {"address": "public"}}
    found = compared(asked, said(["10.0.0.1"], ["54.0.0.1"]), namespaces=[corp])
    assert found == Outcome(True, "no two sides compare")


@pytest.mark.parametrize("kind", ["public", "private"])
def test_tasks_in_a_public_namespace_have_public_addresses_unless_the_route_says_otherwise(kind: str) -> None:
    namespace = {**CORP, "type": kind, "consul_to_cloudmap": False, "cloudmap_to_consul": False}
    routes = [{"source": "ecs/prod", "target": target} for target in ("consul", "corp.internal")]
    answers = said(["10.0.0.1"], ["54.0.0.1"])
    found = compared("web.service.consul", answers, namespaces=[namespace], ecs=ECS, routes=routes)
    assert found == (Outcome(True, "no two sides compare") if kind == "public" else Outcome(False, DIFFER))
    routes[1]["address"] = "private"
    found = compared("web.service.consul", answers, namespaces=[namespace], ecs=ECS, routes=routes)
    assert found == Outcome(False, DIFFER)


def test_public_addresses_of_tasks_compare_among_themselves() -> None:
    zone = "route53/example.com"
    routes = [{"source": "ecs/prod", "target": target} for target in ("consul", "corp.internal", zone)]
    namespace = {**CORP, "type": "private"}
    answers = {**said(["10.0.0.1"], ["10.0.0.1"]), "web.example.com": ["54.0.0.1"]}
    found = compared("web.service.consul", answers, namespaces=[namespace], ecs=ECS, routes=routes)
    assert found == Outcome(True, APART)
    answers["web.corp.internal"] = ["10.0.0.2"]
    assert not compared("web.service.consul", answers, namespaces=[namespace], ecs=ECS, routes=routes).alike


@pytest.mark.parametrize("asked", ["web.service.consul", "web.corp.internal", "web.other.internal"])
@pytest.mark.parametrize(
    ("consul", "corp", "other", "verdict"),
    [
        pytest.param(["1"], ["1"], [], IMPORTED, id="imported-from-the-first"),
        pytest.param(["1", "2"], ["1"], ["2"], IMPORTED, id="each-has-its-own"),
        pytest.param(["1", "2", "3"], ["1", "3"], ["2"], IMPORTED, id="what-is-told-from-imports-by-nothing"),
        pytest.param(["1"], ["1"], ["1"], ALIKE, id="carried-to-both"),
        pytest.param(["1"], [], [], DIFFER, id="carried-to-none"),
        pytest.param(["1", "2"], ["1"], [], DIFFER, id="in-neither"),
        pytest.param(["1"], ["1"], ["2"], DIFFER, id="not-imported"),
    ],
)
def test_what_one_namespace_brings_into_consul_need_not_be_in_the_others(
    asked: str, consul: list[str], corp: list[str], other: list[str], verdict: str
) -> None:
    found = compared(asked, said(consul, corp, other), namespaces=[CORP, {"name": "other.internal"}])
    assert found == Outcome(verdict != DIFFER, verdict)


def test_what_tasks_bring_into_consul_alone_need_not_be_in_a_namespace() -> None:
    routes = [{"source": "ecs/prod", "target": "consul"}]
    found = compared("web.service.consul", said(["10.0.0.1"], []), ecs=ECS, routes=routes)
    assert found == Outcome(True, IMPORTED)


def test_one_side_alone_is_told() -> None:
    found = compared("web.service.consul", said(["1"]), namespaces=[{"name": "shop", "type": "http"}])
    assert found == Outcome(True, "only one side could be asked")
