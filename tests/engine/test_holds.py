"""Approvals let pass what was held when they were given, and nothing else, and are used up."""

import threading
import time
from dataclasses import replace

from syncer.core.guard import GuardLimits, Standing, guard
from syncer.core.model import Instance, Mark
from syncer.core.plan import Change, Deregister, Register, ServicePlan
from syncer.engine.holds import HoldPolicy, Holds

LIMITS = GuardLimits(0.3, 2)


def removal(number: int, service: str = "web") -> Deregister:
    mark = Mark("prod", "consul/dc1", service, f"i-{number}")
    return Deregister(Instance(service, f"i-{number}", f"10.0.0.{number}", mark=mark))


def plan(*numbers: int, service: str = "web", first: tuple[Change, ...] = ()) -> ServicePlan:
    changes = (*first, *(removal(number, service) for number in numbers))
    return ServicePlan(service, service, changes, owned=10, offered=5)


def judged(holds: Holds, *plans: ServicePlan, offered: int = 10) -> tuple[ServicePlan, ...]:
    """Judge *plans* as a route does."""
    holds.release()
    found = guard(map(holds.set_aside, plans), LIMITS, Standing(20, offered, holds.recent()))
    result = tuple(map(holds.put_back, (holds.keep(item, offered) for item in found), plans))
    for item in result:
        holds.note(item)
    return result


def passing(item: ServicePlan) -> set[str]:
    return {change.instance.id for change in item.removals}


def held(item: ServicePlan) -> set[str]:
    return {change.instance.id for change in item.held}


def test_what_was_held_passes_and_what_comes_later_is_held() -> None:
    holds = Holds(HoldPolicy())
    (before,) = judged(holds, plan(1, 2, 3, 4))
    assert held(before) == {"i-1", "i-2", "i-3", "i-4"}
    assert holds.approve() == {"web": 4}
    (after,) = judged(holds, plan(1, 2, 3, 4, 5, 6, 7, 8, 9))
    assert passing(after) == {"i-1", "i-2", "i-3", "i-4"}
    assert held(after) == {"i-5", "i-6", "i-7", "i-8", "i-9"}


def test_an_approval_is_kept_until_its_removals_are_carried_out() -> None:
    """They may wait behind others, or fail and be tried again."""
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    holds.approve()
    for _ in range(3):
        (again,) = judged(holds, plan(1, 2, 3, 4))
        assert passing(again) == {"i-1", "i-2", "i-3", "i-4"}
    (rest,) = judged(holds, plan(3, 4))
    assert passing(rest) == {"i-3", "i-4"}


def test_an_approval_is_used_up_once_its_removals_are_not_planned_any_more() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    holds.approve()
    judged(holds, plan())
    (again,) = judged(holds, plan(1, 2, 3, 4))
    assert held(again) == {"i-1", "i-2", "i-3", "i-4"}


def test_a_pass_over_other_services_does_not_use_an_approval_up() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    holds.approve()
    judged(holds, plan(1, service="api"))
    judged(holds, ServicePlan("web", "web", unreadable=("source: away",)))
    (after,) = judged(holds, plan(1, 2, 3, 4))
    assert passing(after) == {"i-1", "i-2", "i-3", "i-4"}


def test_what_is_held_since_the_source_was_empty_stays_held_when_a_part_of_it_returns() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2), plan(3, service="api"), offered=0)
    web, api = judged(holds, plan(2), plan(3, service="api"), offered=1)
    assert (held(web), held(api)) == ({"i-2"}, {"i-3"})
    assert "the source is empty" in web.hold
    holds.approve()
    web, api = judged(holds, plan(2), plan(3, service="api"), offered=1)
    assert (passing(web), passing(api)) == ({"i-2"}, {"i-3"})


def test_what_is_held_is_free_again_once_it_is_not_planned_any_more() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2), offered=0)
    judged(holds, plan())
    (item,) = judged(holds, plan(1))
    assert passing(item) == {"i-1"}


def test_a_removal_that_joins_held_ones_is_judged_by_itself() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2), offered=0)
    (item,) = judged(holds, plan(1, 3), offered=5)
    assert (held(item), passing(item)) == ({"i-1"}, {"i-3"})


def test_once_most_of_the_source_is_back_the_rest_is_judged_anew() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2), offered=0)
    (item,) = judged(holds, plan(1), offered=13)
    assert held(item) == {"i-1"}
    (item,) = judged(holds, plan(1), offered=14)  # of 20
    assert passing(item) == {"i-1"}


def test_a_service_that_was_much_smaller_is_back_by_its_own_number() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    assert held(judged(holds, replace(plan(1, 2), offered=6))[0]) == {"i-1", "i-2"}
    assert passing(judged(holds, replace(plan(1, 2), offered=7))[0]) == {"i-1", "i-2"}


def test_what_waits_only_for_the_window_passes_with_it() -> None:
    holds = Holds(HoldPolicy(window=0.2))
    holds.let_through([removal(number) for number in (1, 2, 3)])
    (item,) = judged(holds, plan(4, 5))
    assert held(item) == {"i-4", "i-5"}
    assert item.back is None
    time.sleep(0.25)
    (item,) = judged(holds, plan(4, 5))
    assert passing(item) == {"i-4", "i-5"}


def test_an_instance_that_comes_and_goes_counts_once_and_not_at_all_while_it_is_there() -> None:
    holds = Holds(HoldPolicy())
    for _ in range(5):
        holds.let_through([removal(1)])
    holds.let_through([removal(2)])
    assert holds.recent() == {"web": 2}
    holds.came_back([Register(removal(1).instance)])
    assert holds.recent() == {"web": 1}


def test_an_approval_of_nothing_approves_nothing() -> None:
    holds = Holds(HoldPolicy())
    assert holds.approve() == {}
    (item,) = judged(holds, plan(1, 2, 3, 4))
    assert held(item) == {"i-1", "i-2", "i-3", "i-4"}


def test_approved_removals_do_not_count_against_the_limits() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    holds.approve()
    (item,) = judged(holds, plan(1, 2, 3, 4))
    holds.let_through(item.removals)
    assert holds.recent() == {}
    holds.let_through([removal(9)])
    assert holds.recent() == {"web": 1}


def test_the_order_stays_safe_when_approved_removals_join_again() -> None:
    holds = Holds(HoldPolicy())
    judged(holds, plan(1, 2, 3, 4))
    holds.approve()
    new = Register(Instance("web", "new", "10.0.0.99"))
    (item,) = judged(holds, plan(1, 2, 3, 4, first=(new,)))
    assert [type(change) for change in item.changes] == [Register, *[Deregister] * 4]


def test_what_the_source_says_has_ended_does_not_count_as_let_through() -> None:
    holds = Holds(HoldPolicy())
    holds.let_through(replace(change, ended=True) for change in plan(1, 2, 3).removals)
    assert holds.recent() == {}


def test_what_stayed_that_way_long_enough_passes_and_what_joined_it_late_does_not() -> None:
    holds = Holds(HoldPolicy(release_after=0.0, confirmations=3))
    for _ in range(3):
        (item,) = judged(holds, plan(1, 2, 3, 4))
        assert not item.removals
    (item,) = judged(holds, plan(1, 2, 3, 4, 5, 6, 7, 8, 9))
    assert passing(item) == {"i-1", "i-2", "i-3", "i-4"}
    assert len(held(item)) == 5


def test_approvals_from_another_thread_never_let_pass_what_was_not_held() -> None:
    holds = Holds(HoldPolicy())
    stop = threading.Event()
    errors: list[BaseException] = []

    def approve() -> None:
        try:
            while not stop.wait(0.0005):
                holds.approve()
        except RuntimeError as e:  # "dictionary changed size during iteration"
            errors.append(e)

    threads = [threading.Thread(target=approve) for _ in range(2)]
    for thread in threads:
        thread.start()
    for turn in range(300):
        service = f"s-{turn}"
        (first,) = judged(holds, plan(1, 2, 3, 4, service=service))
        assert not first.removals
        (second,) = judged(holds, plan(5, 6, 7, 8, service=service))
        assert not second.removals
    stop.set()
    for thread in threads:
        thread.join(60)
    assert not errors
