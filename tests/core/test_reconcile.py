"""One service, both sides read: what is planned, and when nothing is."""

from dataclasses import replace
from typing import Final

import pytest

from syncer.core.filters import Filter
from syncer.core.model import Complete, Conflict, Instance, Read, ServiceInfo, Skip, Unreadable
from syncer.core.plan import CreateService, DeleteService, Deregister, Register, ServicePlan
from syncer.core.reconcile import Pair, reconcile, untranslated
from syncer.core.rules import Unhealthy
from tests.core.values import CRITICAL, RECORDS, copy, info, native, rules, snap

A: Final = native("a", 1)
B: Final = native("b", 2)
DARK: Final = Unreadable("web", "HTTP 500", "500")


def pair(source: Read | None, target: Read, **values: Conflict) -> Pair:
    return Pair("web", target, "web", source, **values)


def test_a_plan_tells_what_is_ours_and_what_is_offered() -> None:
    plan = reconcile(rules(), pair(snap(A, B), snap(copy(A), native("z", 9))))
    assert (plan.service, plan.source, plan.owned, plan.offered) == ("web", "web", 1, 2)
    assert [type(change) for change in plan.changes] == [Register]


def test_a_plan_tells_what_is_skipped_and_in_conflict() -> None:
    taken = copy(native("z", 2), owner="others")
    plan = reconcile(rules(), pair(snap(native("a", 1, **CRITICAL), B), snap(taken)))
    assert plan.skipped == (Skip("web", "a", "it is critical"),)
    assert [conflict.holder for conflict in plan.conflicts] == ["others"]


@pytest.mark.parametrize(
    ("source", "target", "reasons"),
    [
        (DARK, snap(copy(A)), ("source: HTTP 500",)),
        (snap(A), DARK, ("target: HTTP 500",)),
        (DARK, DARK, ("source: HTTP 500", "target: HTTP 500")),
        (None, snap(copy(A)), ("source: it was not read",)),
    ],
)
def test_an_unreadable_side_is_not_an_empty_one(
    source: Read | None, target: Read, reasons: tuple[str, ...]
) -> None:
    assert reconcile(rules(), pair(source, target)) == ServicePlan("web", "web", unreadable=reasons)


@pytest.mark.parametrize("source", [None, DARK, snap(A)])
def test_where_no_source_name_leads_here_the_source_is_not_looked_at(source: Read | None) -> None:
    plan = reconcile(rules(), Pair("web", snap(copy(A), copy(B, owner="others")), None, source))
    assert plan.changes == (Deregister(copy(A)),)
    assert (plan.owned, plan.offered) == (1, 0)


def test_where_the_name_is_contested_nothing_is_planned() -> None:
    collision = Conflict("web", None, "'Web' and 'web' would meet under one name: rename one")
    plan = reconcile(rules(), pair(snap(B), snap(copy(A)), collision=collision))
    assert plan == ServicePlan("web", "web", conflicts=(collision,), owned=1)


def test_before_both_registries_were_read_once_nothing_is_removed() -> None:
    plan = reconcile(rules(), pair(snap(B), snap(copy(A))), may_remove=False)
    assert [type(change) for change in plan.changes] == [Register]


def test_a_service_that_is_excluded_now_leaves_the_target() -> None:
    plan = reconcile(rules(filter=Filter(exclude=("w*",))), pair(snap(A), snap(copy(A))))
    assert plan.changes == (Deregister(copy(A)),)
    assert plan.skipped == (Skip("web", None, "excluded by 'w*'"),)
    assert plan.offered == 0


OURS: Final = info()


@pytest.mark.parametrize(
    ("source", "target", "service", "deleted"),
    [
        pytest.param(snap(), (), OURS, True, id="empty-and-ours"),
        pytest.param(snap(native("a", 1, **CRITICAL)), (), OURS, True, id="nothing-wanted-for-its-health"),
        pytest.param(snap(A), (), OURS, False, id="wanted"),
        pytest.param(snap(), (native("z", 9),), OURS, False, id="not-empty"),
        pytest.param(snap(), (copy(A),), OURS, False, id="not-empty-yet"),
        pytest.param(snap(), (), replace(OURS, owner="others"), False, id="another-owner's"),
        pytest.param(snap(), (), replace(OURS, owner=None), False, id="a-user's"),
        pytest.param(snap(), (), None, False, id="not-there"),
    ],
)
def test_only_an_empty_service_of_ours_that_nobody_wants_is_deleted(
    source: Complete, target: tuple[Instance, ...], service: ServiceInfo | None, deleted: bool
) -> None:
    at = pair(source, snap(*target, info=service))
    changes = reconcile(rules(RECORDS), at, forget=True).changes
    assert (DeleteService("web", OURS) in changes) is deleted
    for values in ({"forget": False}, {"forget": True, "may_remove": False}):
        assert not any(
            isinstance(change, DeleteService) for change in reconcile(rules(RECORDS), at, **values).changes
        )


def test_a_service_that_comes_back_is_created_again() -> None:
    plan = reconcile(rules(RECORDS), pair(snap(A), snap()), forget=True)
    assert [type(change) for change in plan.changes] == [CreateService, Register]


def test_marking_keeps_a_service_wanted() -> None:
    route = rules(RECORDS, unhealthy=Unhealthy.MARK)
    plan = reconcile(route, pair(snap(native("a", 1, **CRITICAL)), snap(info=OURS)), forget=True)
    assert [type(change) for change in plan.changes] == [Register]


def test_a_service_without_a_name_in_the_target_has_a_plan_with_the_reason_alone() -> None:
    skip, conflict = Skip("a_b", None, "no DNS label"), Conflict("web", None, "taken")
    assert untranslated(skip) == ServicePlan("", "a_b", skipped=(skip,))
    assert untranslated(conflict) == ServicePlan("", "web", conflicts=(conflict,))
