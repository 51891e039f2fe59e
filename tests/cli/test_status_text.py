"""The table of ``syncer status`` says what the answer says, whatever is in it."""

from typing import Any

import pytest

from syncer.cli.status import status_text, table, wrong

Json = dict[str, Any]
NOW = "2026-11-21T12:00:00.000Z"


def answer(**changes: Any) -> Json:
    """Return an answer of ``/status.json`` in which nothing is the matter, with *changes*."""
    counts = {"held": 0, "failing": 0, "conflicts": 0, "unreadable": 0, "skipped": 0}
    nothing = {"count": 0, "items": []}
    plain: Json = {
        "program": {
            "name": "syncer",
            "version": "1",
            "owner": "vpc-a",
            "started": "2026-11-21T09:00:00.000Z",
        },
        "now": NOW,
        "ready": {"ok": True, "problems": []},
        "summary": {"services": 1, "instances": 2, **counts},
        "routes": [route()],
    }
    return plain | dict.fromkeys(("held", "failing", "unreadable", "conflicts"), nothing) | changes


def route(**changes: Any) -> Json:
    """Return a route of an answer."""
    counts = {"held": 0, "failing": 0, "conflicts": 0, "unreadable": 0, "skipped": 3}
    return {
        "id": "consul->corp.internal",
        "last_pass": {"at": "2026-11-21T11:59:30.000Z"},
        "lag": {"median": 0.02},
        "owned": 2,
        "changes": {"register": {"done": 2, "failed": 1}, "update": {"done": 1}},
        **counts,
        **changes,
    }


def text(told: Json) -> str:
    """Return the lines for *told* as one text."""
    return "\n".join(status_text(told))


def test_what_is_in_step_is_summed_up_in_the_first_line() -> None:
    assert text(answer()).splitlines()[0] == (
        "syncer 1, owner vpc-a, started 3 h ago: 2 instances of 1 services in step"
    )


def test_a_route_has_a_row_with_its_last_pass_its_lag_and_its_totals() -> None:
    row = text(answer()).splitlines()[-1]
    assert " ".join(row.split()) == "consul->corp.internal 30 s ago 20 ms 2 3 0 0 0 0 3"


def test_a_route_without_a_pass_has_a_row_too() -> None:
    row = text(answer(routes=[route(last_pass=None, lag={"median": None})])).splitlines()[-1]
    assert "none yet" in row
    assert " - " in row


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param("2026-11-21T12:00:05.000Z", "0 s ago", id="clocks-differ"),
        pytest.param("2026-11-21T11:57:00.000Z", "3 min ago", id="minutes"),
        pytest.param("2026-11-18T12:00:00.000Z", "3 d ago", id="days"),
    ],
)
def test_ages_are_in_the_largest_unit_that_fits(at: str, shown: str) -> None:
    assert shown in text(answer(routes=[route(last_pass={"at": at}, lag={"median": 75.0})]))


def test_what_wants_attention_has_a_line_each() -> None:
    told = answer(
        ready={"ok": False, "problems": ["Consul: not connected yet"]},
        held={"count": 1, "items": [_item(removals=12, reason="12 of 20", advice="syncer approve x")]},
        failing={"count": 3, "items": [_item(instance="i1", kind="register", times=4, error="Denied")]},
        unreadable={
            "count": 2,
            "items": [_item(reasons=["timeout"]), _item(service="", reasons=["no list"])],
        },
        conflicts={"count": 1, "items": [_item(reason="they meet")]},
    )
    shown = text(told)
    for line in (
        "not ready: Consul: not connected yet",
        "held: r: web: 12 removals: 12 of 20 → syncer approve x",
        "failing: r: web/i1: register, 4 times: Denied",
        "unreadable: r: web: timeout",
        "unreadable: r: no list",
        "conflict: r: web: they meet",
        "and 2 more failing: the page at / shows them",
    ):
        assert line in shown.splitlines()


def _item(**fields: Any) -> Json:
    return {"route": "r", "service": "web", **fields}


def test_before_the_first_route_there_is_no_table() -> None:
    assert "ROUTE" not in text(answer(routes=[]))


@pytest.mark.parametrize("key", ["held", "failing", "unreadable"])
def test_what_is_held_fails_or_cannot_be_read_is_wrong(key: str) -> None:
    told = answer()
    assert not wrong(told)
    told["summary"][key] = 1
    assert wrong(told)


def test_what_is_not_ready_is_wrong_and_what_is_skipped_is_not() -> None:
    assert wrong(answer(ready={"ok": False, "problems": ["x"]}))
    told = answer()
    told["summary"]["skipped"] = told["summary"]["conflicts"] = 5
    assert not wrong(told)


def test_columns_are_aligned() -> None:
    assert list(table([("A", "BB"), ("long", "1")])) == ["A     BB", "long   1"]
