from syncer.systems.consul.answers import StateCheck
from syncer.systems.consul.wide import Checks, Names


def check(
    index: int,
    service: str = "web",
    status: str = "passing",
    *,
    node: str = "n1",
    number: int = 1,
    tag: str = "",
) -> StateCheck:
    name = f"{service}-{number}" if service else "serfHealth"
    return StateCheck(node, name, index, status, [tag] if tag else None, service)


def taken(*answers: list[StateCheck]) -> tuple[dict[str, int], set[str]]:
    """Return what the last of *answers* says beside the one before; their indexes are 10, 20, ..."""
    checks = Checks()
    *_, changed = [checks.take(answer, number * 10) for number, answer in enumerate(answers, 1)]
    return changed.services, changed.nodes


A, B = check(1), check(2, "api")


def test_nothing_changed() -> None:
    assert taken([A, B], [A, B]) == ({}, set())


def test_a_new_check_a_status_and_a_tag_name_their_service() -> None:
    assert taken([A], [A, check(15, "api")]) == ({"api": 15}, set())
    assert taken([A, B], [check(15, status="critical"), B]) == ({"web": 15}, set())
    assert taken([A, B], [check(15, tag="v2"), B]) == ({"web": 15}, set())


def test_a_check_that_only_says_something_else_changes_nothing() -> None:
    assert taken([A, B], [check(15), B]) == ({}, set())


def test_a_check_that_is_gone_names_its_service() -> None:
    assert taken([A, B], [B]) == ({"web": 20}, set())


def test_one_that_goes_while_another_comes_is_not_missed() -> None:
    assert taken([A, B], [B, check(15, "new")]) == ({"web": 20, "new": 15}, set())


def test_one_that_goes_and_comes_back_is_not_known_from_before() -> None:
    assert taken([A, B], [B], [B, check(25)]) == ({"web": 25}, set())


def test_a_nodes_own_check_names_the_node() -> None:
    assert taken([check(1, "")], [check(15, "", "critical")]) == ({}, {"n1"})


def test_a_check_that_moves_names_both_services() -> None:
    moved = StateCheck("n1", A.CheckID, 15, "passing", None, "api")
    assert taken([A], [moved]) == ({"web": 15, "api": 15}, set())


def test_names_that_come_go_or_change_their_tags() -> None:
    names = Names()
    assert names.take({"consul": [], "web": ["b", "a"], "api": None, "old": []}) == (
        {"web", "api", "old"},
        set(),
    )
    assert names.take({"consul": ["x"], "web": ["a", "b"], "api": []}) == (set(), {"old"})
    assert names.take({"web": ["a"], "api": [], "new": []}) == ({"web", "new"}, set())
    assert names.names == {"web", "api", "new"}
