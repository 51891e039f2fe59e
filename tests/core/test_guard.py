"""The safety fuse: each rule, and the arithmetic in what it says."""

from dataclasses import replace
from typing import Final

import pytest

from syncer.core.guard import GuardLimits, Standing, guard
from syncer.core.model import ServiceInfo
from syncer.core.plan import Change, DeleteService, Deregister, Register, ServicePlan, SetHealth
from tests.core.values import copy, native

LIMITS: Final = GuardLimits(share=0.3, floor=2)
ADDED: Final = Register(copy(native("new", 99)))


def plan(service: str, removals: int, owned: int, *others: Change) -> ServicePlan:
    gone = tuple(
        Deregister(copy(native(f"i{number:03}", number, service=service))) for number in range(removals)
    )
    return ServicePlan(service, service, (*others, *gone), owned=owned)


def standing(owned: int, offered: int = 1000, **recent: int) -> Standing:
    return Standing(owned, offered, recent)


@pytest.mark.parametrize(
    ("share", "floor", "owned", "allowed"),
    [
        (0.3, 10, 0, 10),
        (0.3, 10, 33, 10),
        (0.3, 10, 40, 12),
        (0.3, 10, 43, 12),
        (0.29, 0, 100, 29),
        (0.0, 0, 100, 0),
        (1.0, 0, 100, 100),
    ],
)
def test_a_share_of_what_we_own_may_go_and_a_floor_always(
    share: float, floor: int, owned: int, allowed: int
) -> None:
    assert GuardLimits(share, floor).allowed(owned) == allowed


def test_a_few_removals_pass() -> None:
    plans = (plan("web", 3, 10), plan("api", 2, 4))
    assert guard(plans, LIMITS, standing(100)) == plans


def test_too_many_in_one_service_are_held_there_and_nowhere_else() -> None:
    web, api = plan("web", 4, 10), plan("api", 2, 4)
    held, passed = guard((web, api), LIMITS, standing(100))
    assert passed == api
    assert (held.changes, held.held) == ((), web.removals)
    assert held.hold == "service web: 4 of 10 would be removed; 3 may be at once (30 %, at least 2)"


def test_what_the_source_says_has_ended_passes_whatever_the_number_and_does_not_count() -> None:
    gone = tuple(replace(change, ended=True) for change in plan("web", 9, 10).removals)
    silent = plan("web", 4, 10).removals
    ended = replace(plan("web", 0, 10), changes=gone)
    assert guard([ended], LIMITS, standing(10, offered=0)) == (ended,)
    (mixed,) = guard([replace(ended, changes=(*gone, *silent))], LIMITS, standing(100))
    assert (mixed.changes, mixed.held) == (gone, silent)


def test_what_adds_or_changes_passes_while_removals_are_held() -> None:
    others = (ADDED, SetHealth(native("x").health, copy(native("x", 8))))
    (held,) = guard([plan("web", 4, 10, *others)], LIMITS, standing(100))
    assert held.changes == others
    assert len(held.held) == 4


def test_a_service_is_not_deleted_while_removals_are_held() -> None:
    (held,) = guard([plan("web", 4, 10, DeleteService("web", ServiceInfo()))], LIMITS, standing(100))
    assert held.changes == ()


def test_too_many_over_all_services_are_held_in_each() -> None:
    plans = [plan(f"s{number}", 2, 4) for number in range(4)]
    guarded = guard(plans, LIMITS, standing(20))
    assert {len(each.held) for each in guarded} == {2}
    assert {each.hold for each in guarded} == {
        "route: 8 of 20 would be removed; 6 may be at once (30 %, at least 2)"
    }


def test_a_service_without_removals_is_not_held_with_the_others() -> None:
    adding = plan("new", 0, 0, ADDED)
    *_, last = guard([plan("web", 8, 10), adding], LIMITS, standing(10))
    assert last == adding


def test_an_empty_source_holds_every_removal() -> None:
    one = plan("web", 1, 1)
    (held,) = guard([one], GuardLimits(1.0, 1000), standing(57, offered=0))
    assert held.held == one.removals
    assert held.hold == "the source is empty, and 57 of ours are in the target"


def test_an_empty_source_matters_to_nobody_who_removes_nothing() -> None:
    plans = (plan("web", 0, 0, ADDED),)
    assert guard(plans, LIMITS, standing(57, offered=0)) == plans


def test_many_small_steps_count_as_one_large_one() -> None:
    (held,) = guard([plan("web", 2, 8)], LIMITS, standing(100, web=2))
    assert held.hold == (
        "service web: 2 of 10 would be removed after 2 a moment ago; 3 may be at once (30 %, at least 2)"
    )


def test_small_steps_in_other_services_count_for_the_route() -> None:
    (held,) = guard([plan("web", 2, 4)], LIMITS, standing(15, api=5))
    assert held.hold == (
        "route: 2 of 20 would be removed after 5 a moment ago; 6 may be at once (30 %, at least 2)"
    )


def test_a_released_service_passes_whatever_it_removes() -> None:
    web = plan("web", 9, 10)
    assert guard([web], LIMITS, standing(10), released={"web"}) == (web,)


def test_a_released_service_does_not_count_against_the_others() -> None:
    plans = (plan("web", 9, 10), plan("api", 1, 4))
    assert guard(plans, LIMITS, standing(20, web=5), released={"web"}) == plans


def test_an_empty_source_passes_for_a_released_service_alone() -> None:
    web, api = guard([plan("web", 1, 1), plan("api", 1, 1)], LIMITS, standing(2, offered=0), released={"web"})
    assert (len(web.held), len(api.held)) == (0, 1)


def test_what_is_approved_passes_whole() -> None:
    plans = (plan("web", 9, 10), plan("api", 4, 4))
    assert guard(plans, LIMITS, standing(14, offered=0), approved=True) == plans


def test_the_share_is_told_as_it_was_given() -> None:
    (held,) = guard([plan("web", 1, 10)], GuardLimits(0.075, 0), standing(10))
    assert held.hold.endswith("0 may be at once (7.5 %, at least 0)")
