"""What happened is remembered, within bounds, and forgotten when it is over."""

import threading
import tracemalloc
from itertools import count

from syncer.core.errors import Denied
from syncer.core.model import Conflict, Skip
from syncer.core.plan import CreateService, Deregister, Register, ServicePlan
from syncer.core.ports import Ending
from syncer.core.report import ChangeReport
from syncer.observe.status import StatusStore
from tests.observe.scene import BACK, OUT, ended, held_plan, ours, passed


def _store() -> StatusStore:
    ticks = count(1000)
    return StatusStore(lambda: float(next(ticks)))


def _failed(service: str, instance: str, message: str = "no") -> ChangeReport:
    return ended(Register(ours(service, instance)), Ending.FAILED, Denied(message, code="AccessDenied"))


def test_nothing_is_known_of_a_route_that_made_no_pass() -> None:
    facts = _store().facts(OUT)
    assert (facts.passes, facts.last_pass, facts.concerns) == (0, None, {})
    assert _store().history(OUT, "web") == ()
    assert _store().since(OUT, "web") == {}


def test_a_pass_is_remembered_with_what_it_said() -> None:
    store = _store()
    store.passed(passed(full=True, owned=4, offered=5))
    store.passed(passed(ServicePlan("web", "web"), owned=6, offered=7, waiting=1))
    facts = store.facts(OUT)
    assert (facts.passes, facts.owned, facts.offered) == (2, 6, 7)
    assert facts.last_pass is not None
    assert (facts.last_pass.full, facts.last_pass.services, facts.last_pass.waiting) == (False, 1, 1)
    assert facts.last_full is not None
    assert facts.last_full.full
    assert facts.last_complete == facts.last_pass.when


def test_a_pass_that_could_not_read_everything_does_not_count_as_complete() -> None:
    store = _store()
    store.passed(passed(errors=("consul/dc1: down",)))
    store.passed(passed(ServicePlan("a", "a", unreadable=("down",))))
    assert store.facts(OUT).last_complete is None
    assert store.facts(OUT).not_listed == ("consul/dc1: down",)
    store.passed(passed(full=True))
    assert store.facts(OUT).not_listed == ()


def test_held_removals_keep_the_moment_they_began() -> None:
    store = _store()
    store.passed(passed(held_plan("web", 14)))
    began = store.facts(OUT).held_since["web"]
    store.passed(passed(held_plan("web", 13)))
    assert store.facts(OUT).held_since == {"web": began}
    assert store.facts(OUT).concerns["web"].held == 13
    store.passed(passed(ServicePlan("web", "web", unreadable=("source: down",))))
    assert store.facts(OUT).held_since == {"web": began}
    assert store.facts(OUT).concerns["web"].held == 13
    store.passed(passed(ServicePlan("web", "web")))
    assert store.facts(OUT).held_since == {}
    assert store.facts(OUT).concerns == {}


def test_of_many_skips_all_are_counted_and_some_are_kept() -> None:
    store = _store()
    skips = tuple(Skip("web", f"i-{at}", "it is critical") for at in range(1000))
    conflicts = tuple(Conflict("web", f"c-{at}", "held") for at in range(30))
    store.passed(passed(ServicePlan("web", "web", skipped=skips, conflicts=conflicts)))
    concern = store.facts(OUT).concerns["web"]
    assert (concern.skip_count, concern.conflict_count) == (1000, 30)
    assert 0 < concern.size <= 20
    assert concern.conflicts


def test_of_many_services_with_skips_the_counts_go_on_when_the_room_is_used_up() -> None:
    store = _store()
    plans = [
        ServicePlan(f"s{n}", f"s{n}", skipped=tuple(Skip(f"s{n}", f"i{at}", "no") for at in range(10)))
        for n in range(1000)
    ]
    store.passed(passed(*plans, full=True))
    concerns = store.facts(OUT).concerns.values()
    assert sum(concern.skip_count for concern in concerns) == 10_000
    assert sum(concern.size for concern in concerns) <= 5_000
    store.passed(passed(*plans[990:], full=True))
    assert sum(concern.size for concern in store.facts(OUT).concerns.values()) == 0
    store.passed(passed(full=True))
    store.passed(passed(*plans[990:], full=True))
    assert sum(concern.size for concern in store.facts(OUT).concerns.values()) == 100


def test_an_instance_is_dated_from_its_arrival_until_it_leaves() -> None:
    store = _store()
    web = ours("web", "i-1")
    store.changed(ended(Register(web)))
    store.changed(ended(Register(ours("web", "i-2")), Ending.FAILED, Denied("no")))
    assert list(store.since(OUT, "web")) == ["i-1"]
    store.changed(ended(Deregister(web)))
    assert store.since(OUT, "web") == {}
    store.changed(ended(Deregister(ours("other", "x"))))
    assert store.since(OUT, "other") == {}


def test_a_pass_planned_before_an_arrival_does_not_take_its_date_away() -> None:
    store = _store()
    web = ours("web", "i-1")
    store.changed(ended(Register(web)))
    store.passed(passed(ServicePlan("web", "web", changes=(Register(web),), owned=0), full=True))
    assert store.since(OUT, "web")


def test_dates_of_services_that_are_gone_are_forgotten() -> None:
    store = _store()
    for service in ("a", "b", "c"):
        store.changed(ended(Register(ours(service, "i"))))
    store.passed(passed(ServicePlan("a", "a", owned=0), ServicePlan("b", "b", owned=1)))
    assert not store.since(OUT, "a")
    store.passed(passed(ServicePlan("b", "b", owned=1), full=True))
    assert store.since(OUT, "b")
    assert not store.since(OUT, "c")


def test_the_last_changes_of_a_service_are_kept_and_the_oldest_go() -> None:
    store = _store()
    for at in range(8):
        store.changed(ended(Register(ours("web", f"i-{at}"))))
    store.changed(ended(CreateService("other", frozenset(), 15, "prod", "x")))
    assert [record.instance for record in store.history(OUT, "web")] == ["i-7", "i-6", "i-5", "i-4", "i-3"]
    assert [record.service for _, record in store.recent()][:2] == ["other", "web"]


def test_of_very_many_services_those_without_a_change_for_longest_lose_their_history() -> None:
    store = _store()
    for at in range(1_001):
        store.changed(ended(Register(ours(f"s{at}", "i"))))
    assert store.history(OUT, "s0") == ()
    assert len(store.history(OUT, "s1")) == 1


def test_a_failure_is_current_until_the_same_thing_succeeds() -> None:
    store = _store()
    store.changed(_failed("web", "i-1"))
    store.changed(_failed("web", "i-1", "x" * 10_000))
    (failure,) = store.facts(OUT).failures
    assert failure.times == 2
    assert failure.first < failure.last.when
    assert len(failure.last.error) <= 500
    store.changed(ended(Register(ours("web", "i-1"))))
    assert store.facts(OUT).failures == ()


def test_a_failure_that_nobody_wants_to_repeat_is_over() -> None:
    store = _store()
    for service in ("web", "api"):
        store.changed(_failed(service, "i-1"))
    store.passed(passed(ServicePlan("web", "web", unreadable=("down",))))
    assert store.facts(OUT).failure_count == 2
    store.passed(
        passed(ServicePlan("web", "web"), ServicePlan("api", "api", (Register(ours("api", "i-1")),)))
    )
    assert [failure.last.service for failure in store.facts(OUT).failures] == ["api"]


def test_of_very_many_failures_some_are_kept_and_all_are_counted() -> None:
    store = _store()
    for _ in range(2):
        for at in range(700):
            store.changed(_failed("web", f"i-{at}"))
    facts = store.facts(OUT)
    assert facts.failure_count == 700
    assert len(facts.failures) == 500
    store.passed(passed(ServicePlan("web", "web")))
    assert store.facts(OUT).failure_count == 0


def test_changes_are_counted_and_their_lag_is_kept() -> None:
    store = _store()
    for at in range(600):
        store.changed(ended(Register(ours("web", f"i-{at}")), seconds=at))
    store.changed(ended(Register(ours("web", "x")), Ending.SUPERSEDED, seconds=9999))
    facts = store.facts(OUT)
    assert facts.totals == {("register", "done"): 600, ("register", "superseded"): 1}
    assert facts.lags[-1] == 599
    assert len(facts.lags) == 500


def test_it_is_written_and_read_by_many_threads_at_once() -> None:
    store = StatusStore()
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for at in range(200):
                store.changed(
                    ended(Register(ours(f"s{at % 7}", f"i{number}-{at}")), route=(OUT, BACK)[number % 2])
                )
                store.passed(
                    passed(held_plan(f"s{at % 5}", 1), full=at % 9 == 0, route=(OUT, BACK)[number % 2])
                )
                store.facts(OUT)
                store.recent()
                store.since(OUT, "s1")
        except BaseException as e:  # noqa: BLE001 - shown by the test
            problems.append(e)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert sum(store.facts(OUT).totals.values()) + sum(store.facts(BACK).totals.values()) == 800


def test_two_thousand_services_each_way_fit_into_fifteen_megabytes() -> None:
    tracemalloc.start()
    try:
        store = StatusStore()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(3):
            for route in (OUT, BACK):
                for number in range(2000):
                    for at in range(5):
                        store.changed(
                            ended(
                                Register(ours(f"service-{number}", f"web-i-0123456789abcdef{at}")),
                                route=route,
                            )
                        )
                plans = [
                    ServicePlan(f"service-{number}", f"service-{number}", owned=5) for number in range(2000)
                ]
                store.passed(passed(*plans, full=True, route=route))
                del plans
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 2**20 < 15
    assert len(store.since(OUT, "service-7")) == 5
