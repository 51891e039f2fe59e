"""A plan as text and as JSON: every kind of change, and everything that is not done, with its reason."""

import json
from dataclasses import replace
from typing import Any

import pytest

from syncer.cli.render import describe, plan_text, summary, symbol, where
from syncer.cli.render_json import plan_json
from syncer.core.model import Conflict, Health, Instance, Mark, ServiceInfo, Skip
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    ServicePlan,
    SetHealth,
    Update,
    UpdateService,
)
from syncer.core.report import PassReport

WEB = Instance("web", "i1", ipv4="10.0.0.1", port=80, mark=Mark("me", "consul/dc1", "web", "n/w1"))
INFO = ServiceInfo("srv-1", "me", frozenset({"A"}), ttl=60)
MOVED = replace(WEB, ipv4="10.0.0.2", tags=("blue",), attributes={"env": "prod"})


def report(*plans: ServicePlan, **more: Any) -> PassReport:
    """Return a pass that planned *plans*."""
    return PassReport("consul->corp.internal", True, 0.1, plans, **more)


def text(*reports: PassReport, verbose: bool = False) -> list[str]:
    """Return the lines of a plan."""
    return list(plan_text(reports, verbose=verbose))


@pytest.mark.parametrize(
    ("change", "sign", "words"),
    [
        pytest.param(
            CreateService("web", frozenset({"SRV", "A"}), 15, "me", "consul/dc1"),
            "+",
            "service, A+SRV records, TTL 15 s",
            id="create",
        ),
        pytest.param(
            CreateService("web", frozenset(), 15, "me", "consul/dc1"),
            "+",
            "service, found by the API only",
            id="create-api-only",
        ),
        pytest.param(UpdateService("web", INFO, 15), "~", "service, TTL 60 s → 15 s", id="ttl"),
        pytest.param(Register(WEB), "+", "10.0.0.1:80  passing", id="register"),
        pytest.param(
            Update(WEB, MOVED), "~", "10.0.0.1:80 → 10.0.0.2:80; tags - → blue; env - → prod", id="update"
        ),
        pytest.param(
            SetHealth(Health.PASSING, replace(WEB, health=Health.CRITICAL)),
            "~",
            "10.0.0.1:80  passing → critical",
            id="health",
        ),
        pytest.param(Deregister(WEB), "-", "10.0.0.1:80", id="deregister"),
        pytest.param(DeleteService("web", INFO), "-", "service, empty", id="delete"),
    ],
)
def test_each_change_has_its_sign_and_says_what_it_is_about(change: Change, sign: str, words: str) -> None:
    assert symbol(change) == sign
    assert describe(change) == words


def test_an_update_says_what_else_differs() -> None:
    other = replace(WEB, mark=Mark("me", "consul/dc1", "web", "n/w2"))
    assert describe(Update(WEB, other)) == "now stands for n/w2"
    assert describe(Update(WEB, replace(WEB, ipv6="fd00::1"))) == "further addresses"


@pytest.mark.parametrize(
    ("instance", "address"),
    [
        pytest.param(WEB, "10.0.0.1:80", id="ipv4"),
        pytest.param(Instance("web", "i", ipv6="fd00::1", port=80), "[fd00::1]:80", id="ipv6"),
        pytest.param(Instance("web", "i", hostname="db.example"), "db.example", id="without-a-port"),
        pytest.param(Instance("web", "i"), "no address", id="without-an-address"),
    ],
)
def test_an_address_is_written_as_one_would_type_it(instance: Instance, address: str) -> None:
    assert where(instance) == address


def test_a_plan_without_changes_says_so() -> None:
    assert text(report(ServicePlan("web", "web"))) == [
        "consul->corp.internal",
        "  nothing to do",
        "Plan: 0 to add, 0 to change, 0 to remove.",
    ]


def test_all_that_is_to_be_done_and_not_done_is_counted() -> None:
    held = ServicePlan("gone", "gone", held=(Deregister(WEB),), hold="1 of 1")
    skipped = Skip("web", "w3", "it is critical", "write unhealthy: mark")
    busy = ServicePlan(
        "web",
        "web",
        changes=(Register(WEB), Deregister(WEB)),
        skipped=(skipped,),
        conflicts=(Conflict("web", None, "they meet"),),
    )
    unread = ServicePlan("api", "api", unreadable=("source: timeout",))
    nameless = Skip("a b", None, "no name", "write rename: {}")
    lines = text(report(held, busy, unread, untranslated=(nameless,), errors=("no list",)))
    assert "  ! gone: 1 removals held: 1 of 1" in lines
    assert "  ! web: conflict: they meet" in lines
    assert "  ! api: not planned, source: timeout" in lines
    assert "  ! no list" in lines
    assert not any("it is critical" in line for line in lines)
    assert (
        lines[-1] == "Plan: 1 to add, 0 to change, 1 to remove, 1 held, 1 conflicts, 2 unreadable, 2 skipped."
    )


def test_what_is_skipped_is_listed_with_its_advice_when_asked_for() -> None:
    plan = ServicePlan(
        "web", "web", skipped=(Skip("web", "w3", "it is critical"), Skip("w", None, "odd", "write x: y"))
    )
    lines = text(report(plan), verbose=True)
    assert "    web/w3: skipped: it is critical" in lines
    assert "    w: skipped: odd → write x: y" in lines


def test_the_summary_leaves_out_what_there_is_none_of() -> None:
    assert summary({"+": 2, "held": 1}) == "Plan: 2 to add, 0 to change, 0 to remove, 1 held."


def test_json_carries_the_same_and_nothing_that_json_cannot_hold() -> None:
    plans = (
        ServicePlan("web", "web", changes=(Register(WEB), DeleteService("web", INFO)), held=(), hold=""),
        ServicePlan("gone", "gone", held=(Deregister(WEB),), hold="1 of 1"),
        ServicePlan("api", "api", unreadable=("timeout",)),
        ServicePlan(
            "x", "x", skipped=(Skip("x", "i", "odd", "do"),), conflicts=(Conflict("x", None, "meet", "b"),)
        ),
    )
    nameless = (Conflict("B", None, "meets b"), Skip("c d", None, "no name"))
    (route,) = json.loads(json.dumps(plan_json([report(*plans, untranslated=nameless, errors=("e",))])))[
        "routes"
    ]
    assert [item["action"] for item in route["changes"]] == ["Register", "DeleteService"]
    assert route["changes"][0]["instance"] == "i1"
    assert route["changes"][1]["instance"] is None
    assert route["held"] == [{"service": "gone", "instances": ["i1"], "reason": "1 of 1"}]
    assert route["unreadable"] == [{"service": "api", "reasons": ["timeout"]}]
    assert [item["service"] for item in route["conflicts"]] == ["x", "B"]
    assert route["conflicts"][0]["holder"] == "b"
    assert [item["service"] for item in route["skipped"]] == ["x", "c d"]
    assert route["errors"] == ["e"]


@pytest.mark.parametrize(
    ("change", "details"),
    [
        pytest.param(
            CreateService("web", frozenset({"SRV", "A"}), 15, "me", "consul/dc1"),
            {"records": ["A", "SRV"], "ttl": 15},
            id="create",
        ),
        pytest.param(
            CreateService("web", frozenset(), 15, "me", "consul/dc1"),
            {"records": [], "ttl": None},
            id="api-only",
        ),
        pytest.param(UpdateService("web", INFO, 15), {"records": ["A"], "ttl": 15}, id="ttl"),
        pytest.param(DeleteService("web", INFO), {"records": ["A"], "ttl": 60}, id="delete"),
        pytest.param(Register(WEB), {"address": "10.0.0.1", "port": 80, "health": "passing"}, id="register"),
        pytest.param(
            Update(WEB, MOVED), {"address": "10.0.0.2", "port": 80, "health": "passing"}, id="update"
        ),
        pytest.param(
            SetHealth(Health.PASSING, replace(WEB, health=Health.CRITICAL)),
            {"address": "10.0.0.1", "port": 80, "health": "critical"},
            id="health",
        ),
        pytest.param(
            Deregister(Instance("web", "i")), {"address": None, "port": None, "health": "passing"}, id="bare"
        ),
    ],
)
def test_json_has_each_detail_of_a_change_under_a_name_of_its_own(
    change: Change, details: dict[str, Any]
) -> None:
    (route,) = json.loads(json.dumps(plan_json([report(ServicePlan("web", "web", changes=(change,)))])))[
        "routes"
    ]
    assert details.items() <= route["changes"][0].items()


def test_json_has_the_totals_of_the_last_line() -> None:
    reports = [
        report(
            ServicePlan("web", "web", changes=(Register(WEB), Update(WEB, MOVED), Deregister(WEB))),
            ServicePlan("gone", "gone", held=(Deregister(WEB),), hold="1 of 1"),
            ServicePlan("api", "api", unreadable=("timeout",)),
            untranslated=(Conflict("B", None, "meets b"), Skip("c d", None, "no name")),
        )
    ]
    remarks = {"held": 1, "conflicts": 1, "unreadable": 1, "skipped": 1}
    assert plan_json(reports)["summary"] == {"add": 1, "change": 1, "remove": 1, **remarks}
    assert text(*reports)[-1] == summary({"+": 1, "~": 1, "-": 1, **remarks})
    assert plan_json([])["summary"] == dict.fromkeys(("add", "change", "remove", *remarks), 0)
