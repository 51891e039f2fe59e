"""One route: read, plan, guard, submit, report; whatever fails, it goes on, and nothing is removed in doubt."""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from typing_extensions import override

from syncer.core.errors import Refused, Unavailable
from syncer.core.filters import Filter
from syncer.core.guard import GuardLimits
from syncer.core.model import Health
from syncer.core.plan import Change, Deregister, Register
from syncer.core.ports import Ending, Hint
from syncer.engine.holds import HoldPolicy
from syncer.engine.permission import Permission
from tests.engine.ground import (
    LONG,
    POLICY,
    Desk,
    Instant,
    Memory,
    Stage,
    cloudmap,
    consul,
    ours,
    stage,
    web,
)
from tests.support.wait import eventually

AWAY = Unavailable("away")
STRICT = replace(POLICY, limits=GuardLimits(0.3, 2), hold=HoldPolicy(release_after=3600))


def owned(*numbers: int) -> Memory:
    """Return a target that holds of ours these *numbers* of ``web``."""
    made = cloudmap()
    first = stage(consul(), made)
    first.source.put(*(web(number) for number in numbers))
    first.step()
    return made


def test_a_full_pass_creates_registers_and_reports() -> None:
    scene = stage()
    scene.source.put(web(1), web(2), web(1, "api"))
    report = scene.step()
    assert (scene.ids("web"), scene.ids("api")) == ({"i-1", "i-2"}, {"i-1"})
    assert report.submitted == {"CreateService": 2, "Register": 3}
    assert report.full
    assert (report.owned, report.offered, report.errors, report.unreadable) == (0, 3, (), 0)
    assert scene.told.passes == [report]
    assert len(scene.told.changes) == 5
    assert all(change.outcome.ending is Ending.DONE for change in scene.told.changes)
    assert {change.source_service for change in scene.told.changes} == {"web", "api"}
    report = scene.settle()
    assert (report.submitted, report.owned) == ({}, 3)


def test_a_pass_over_one_service_reads_only_that() -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    before = len(scene.source.asked)
    scene.source.put(web(2))
    scene.route.source.note(Hint(frozenset({"web"}), "watch"))
    scene.step("web")
    assert scene.source.asked[before:] == [("web", True)]
    assert scene.ids() == {"i-1", "i-2"}


def test_a_plan_changes_nothing() -> None:
    scene = stage()
    scene.source.put(web(1))
    report = scene.step(write=False)
    assert [type(change).__name__ for change in report.plans[0].changes] == ["CreateService", "Register"]
    assert report.submitted == {}
    assert scene.target.faults.calls["write"] == 0


def test_without_permission_it_reads_and_plans_and_writes_nothing() -> None:
    scene = stage()
    scene.source.put(web(1))
    scene.route.may_write = Permission(always=False)
    report = scene.step()
    assert report.plans[0].changes
    assert scene.target.faults.calls["write"] == 0
    scene.route.may_write.grant(time.monotonic() + 60)
    scene.step()
    assert scene.ids() == {"i-1"}


@pytest.mark.parametrize("side", ["source", "target"])
def test_nothing_is_removed_before_both_sides_were_read_once(side: str) -> None:
    scene = stage(target=owned(1, 2))
    broken = scene.source if side == "source" else scene.target
    broken.faults.break_("list", AWAY)
    scene.source.put(web(1))
    assert scene.step().errors
    scene.step("web", targets=("web",))
    assert scene.ids() == {"i-1", "i-2"}
    broken.faults.mend("list")
    scene.settle()
    assert scene.ids() == {"i-1"}


def test_the_first_full_pass_adds_before_it_removes() -> None:
    """Even in one pass: the first plans see all services of both sides before any removal is thought of."""
    scene = stage(target=owned(1, 2))
    scene.source.put(web(3))
    report = scene.step()
    assert report.submitted == {"Register": 1}
    assert report.waiting == 2
    scene.step()
    assert scene.ids() == {"i-3"}


def test_a_source_that_cannot_be_listed_is_not_empty_and_is_listed_again() -> None:
    scene = stage(target=owned(1))
    scene.source.put(web(1))
    scene.step()
    scene.source.faults.break_("list", AWAY)
    scene.stale()
    report = scene.step()
    assert report.errors == ("consul/dc1: away",)
    assert not report.full
    assert scene.ids() == {"i-1"}
    stop = threading.Event()
    agenda = threading.Thread(target=scene.agenda.run, args=(stop,))
    agenda.start()
    batch = scene.route.dirty.take(stop)
    assert batch is not None
    assert batch.full
    stop.set()
    scene.agenda.wake()
    agenda.join(LONG)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_service_that_cannot_be_read_is_left_alone_and_the_others_are_not(side: str) -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    last = scene.route.last_pass
    broken = scene.source if side == "source" else scene.target
    broken.faults.break_("web", AWAY)
    scene.source.remove("web")
    scene.source.put(web(2, "api"))
    scene.stale()
    report = scene.step()
    assert report.unreadable == 1
    assert scene.route.last_pass == last
    assert (scene.ids("web"), scene.ids("api")) == ({"i-1"}, {"i-1", "i-2"})
    broken.faults.mend("web")
    scene.settle()
    assert scene.ids() == set()


def test_services_that_went_with_no_hint_are_removed_by_a_full_pass() -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    scene.source.remove("web")
    scene.settle()
    assert (scene.ids("web"), scene.ids("api")) == (set(), {"i-1"})


def test_what_the_route_excludes_now_leaves_the_target() -> None:
    scene = stage(target=owned(1), filter=Filter(exclude=("web",)))
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    assert (scene.ids("web"), scene.ids("api")) == (set(), {"i-1"})


def test_too_many_removals_are_held_the_rest_passes_and_an_approval_lets_them_go() -> None:
    scene = stage(policy=STRICT)
    scene.source.put(*(web(number) for number in range(1, 9)), web(1, "api"))
    scene.settle()
    scene.source.remove("web", *(f"i-{number}" for number in range(1, 8)))
    scene.source.put(web(9), web(2, "api"))
    scene.stale()
    report = scene.step()
    assert report.held == 7
    assert scene.ids("api") == {"i-1", "i-2"}
    assert scene.ids("web") == {f"i-{number}" for number in range(1, 10)}
    assert scene.route.approve() == {"web": 7}
    batch = scene.route.dirty.take(threading.Event())
    assert batch is not None
    assert "web" in batch.targets
    scene.settle()
    assert scene.ids("web") == {"i-8", "i-9"}


def test_a_source_that_loses_everything_is_empty_from_the_first_service_on_that_is_noticed() -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"), web(1, "db"))
    scene.settle()
    for name in ("web", "api", "db"):
        scene.source.remove(name)
    for name in ("web", "api", "db"):
        scene.stale(name)
        assert scene.step(name).held == 1
    assert scene.ids("web") == scene.ids("api") == scene.ids("db") == {"i-1"}


def test_a_service_goes_while_others_are_still_listed() -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    scene.source.remove("web")
    scene.stale("web")
    scene.step("web")
    assert (scene.ids("web"), scene.ids("api")) == (set(), {"i-1"})


def test_no_service_goes_while_its_source_cannot_be_listed_and_it_is_looked_at_again() -> None:
    scene = stage()
    scene.source.put(web(1), web(1, "api"))
    scene.settle()
    scene.source.remove("web")
    scene.source.put(web(2, "api"))
    scene.source.faults.break_("list", AWAY)
    scene.stale("web", "api")
    report = scene.step("web", "api")
    assert [plan.unreadable for plan in report.plans if plan.service == "web"] == [("source: away",)]
    assert (scene.ids("web"), scene.ids("api")) == ({"i-1"}, {"i-1", "i-2"})
    scene.source.faults.mend("list")
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in (scene.agenda.run, scene.route.run)]
    for thread in threads:
        thread.start()
    eventually(lambda: scene.ids("web") == set(), LONG)
    stop.set()
    scene.route.dirty.wake()
    scene.agenda.wake()
    for thread in threads:
        thread.join(LONG)


def test_an_empty_source_is_held_and_let_go_when_it_stayed_so_read_again_and_again() -> None:
    hold = HoldPolicy(release_after=0.2, confirmations=3, window=0.1)
    scene = stage(target=owned(1), policy=replace(STRICT, hold=hold))
    stop = threading.Event()
    agenda = threading.Thread(target=scene.agenda.run, args=(stop,))
    agenda.start()
    route = threading.Thread(target=scene.route.run, args=(stop,))
    assert scene.step().held == 1
    reads = scene.source.times("web")
    route.start()
    eventually(lambda: scene.ids() == set(), LONG, "it is believed by itself")
    assert scene.source.times("web") >= reads + 2, "on reads, not on what was read before"
    stop.set()
    scene.route.dirty.wake()
    scene.agenda.wake()
    route.join(LONG)
    agenda.join(LONG)


def test_a_held_service_that_turns_unreadable_waits_anew() -> None:
    scene = stage(target=owned(1), policy=replace(STRICT, hold=HoldPolicy(0.0, 3)))
    scene.step()
    scene.step()
    scene.source.faults.break_("web", AWAY)
    scene.stale("web")
    scene.step(targets=("web",))
    assert scene.route.holds.held["web"].confirmed == 0
    scene.source.faults.mend("web")
    scene.stale("web")
    scene.step(targets=("web",))
    assert scene.ids() == {"i-1"}


def test_an_empty_service_of_ours_is_deleted_after_its_time_and_not_before() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.3))
    scene.source.put(web(1, "other"))
    scene.source.put(web(1))
    scene.settle()
    scene.source.remove("web")
    scene.settle()
    assert scene.target.look("web").info is not None
    time.sleep(0.31)
    scene.settle()
    assert scene.target.look("web").info is None


def test_an_empty_service_is_looked_at_again_when_its_time_has_come() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.2))
    scene.source.put(web(1, "other"))
    scene.source.put(web(1))
    scene.settle()
    scene.source.remove("web")
    scene.settle()
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in (scene.agenda.run, scene.route.run)]
    for thread in threads:
        thread.start()
    eventually(lambda: scene.target.look("web").info is None, LONG, "it is deleted by itself")
    stop.set()
    scene.route.dirty.wake()
    scene.agenda.wake()
    for thread in threads:
        thread.join(LONG)


def test_a_service_that_comes_back_in_time_is_not_deleted_and_its_time_begins_anew() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.4))
    scene.source.put(web(1, "other"))
    for _ in range(2):
        scene.source.put(web(1))
        scene.settle()
        scene.source.remove("web")
        scene.settle()
        assert scene.target.look("web").info is not None
        time.sleep(0.25)


def test_an_empty_service_that_somebody_made_anew_gets_its_whole_time() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.3))
    scene.source.put(web(1, "other"))
    scene.source.put(web(1))
    scene.settle()
    scene.source.remove("web")
    scene.settle()
    time.sleep(0.31)
    scene.settle()
    scene.source.put(web(1))
    scene.settle()
    scene.source.remove("web")
    scene.settle()
    assert scene.target.look("web").info is not None


def test_an_empty_service_of_somebody_else_is_never_deleted() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.0))
    scene.target.put(web(1))
    scene.target.remove("web")
    scene.settle()
    assert scene.target.look("web").info is not None


def test_a_change_that_fails_stops_no_other_and_is_tried_again_in_its_time() -> None:
    scene = stage()
    scene.source.put(web(1), web(2), web(3))
    scene.target.faults.fail("write", AWAY, nth=2)
    scene.step()
    assert len(scene.ids()) == 2
    (failure,) = scene.route.failures.current()
    assert isinstance(failure.change, Register)
    time.sleep(0.06)
    scene.settle()
    assert len(scene.ids()) == 3
    assert not scene.route.failures.current()


def test_what_the_target_refuses_is_not_tried_again_at_each_pass() -> None:
    scene = stage()
    scene.source.put(web(1))
    scene.settle()
    scene.target.faults.fail("write", Refused("never"))
    scene.source.put(web(2))
    scene.stale()
    scene.step()
    writes = scene.target.faults.calls["write"]
    for _ in range(3):
        scene.stale()
        assert scene.step().waiting == 1
    assert scene.target.faults.calls["write"] == writes


def test_the_time_from_hint_to_end_is_told_also_where_the_writer_is_done_at_once() -> None:
    target = cloudmap()
    scene = stage(target=target, writer=Instant(target))
    scene.source.put(web(1))
    scene.settle()
    time.sleep(0.5)
    scene.source.put(web(2))
    scene.stale()
    scene.step("web")
    assert scene.told.changes[-1].seconds < 0.5, "it counts from this hint, not from an earlier one"


def test_health_that_an_update_left_is_written_by_the_next_plan() -> None:
    scene = stage()
    scene.source.put(web(1), web(2))
    scene.settle()
    scene.source.put(replace(web(1), port=81, health=Health.CRITICAL))
    scene.settle()
    assert scene.ids() == {"i-2"}


def test_a_target_that_lags_is_not_written_to_twice() -> None:
    target = cloudmap()
    scene = stage(target=target)
    target.put(web(9))
    scene.step()
    target.lag()
    scene.source.put(web(1))
    scene.stale("web")
    scene.step("web")
    writes = target.faults.calls["write"]
    for _ in range(3):
        scene.stale("web")
        assert scene.step("web").submitted == {}
    assert target.faults.calls["write"] == writes
    target.catch_up()
    assert scene.settle().submitted == {}


class Deaf(Desk):
    """A writer that cannot even take a change, until it can."""

    broken = True

    @override
    def submit(self, changes: Sequence[Change], done: object) -> None:
        if self.broken:
            raise RuntimeError("a defect")
        super().submit(changes, done)  # type: ignore[arg-type]


def test_a_defect_in_a_pass_ends_neither_the_route_nor_what_it_was_to_do() -> None:
    writer = Deaf()
    scene = stage(writer=writer)
    scene.source.put(web(1))
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in (scene.agenda.run, scene.route.run)]
    for thread in threads:
        thread.start()
    scene.route.dirty.add_all()
    time.sleep(0.2)
    assert writer.batches == []
    writer.broken = False
    eventually(lambda: writer.batches, LONG, "it is tried again by itself")
    assert [type(change).__name__ for change in writer.batches[0]] == ["CreateService", "Register"]
    stop.set()
    scene.route.dirty.wake()
    scene.agenda.wake()
    for thread in threads:
        thread.join(LONG)


def test_a_pass_that_is_broken_off_by_the_end_ends_the_route_quietly() -> None:
    scene = stage()
    scene.source.put(web(1), web(2, "api"))
    stop = threading.Event()
    gate = scene.source.faults.gates["list"] = threading.Event()
    thread = threading.Thread(target=scene.route.run, args=(stop,))
    thread.start()
    scene.route.dirty.add_all()
    eventually(lambda: scene.source.faults.calls["list"], LONG)
    stop.set()
    scene.route.source.close()
    scene.route.target.close()
    gate.set()
    thread.join(LONG)
    assert not thread.is_alive()
    assert scene.told.passes == []
    assert scene.target.faults.calls["write"] == 0


def test_a_removal_is_only_ever_of_what_carries_our_mark() -> None:
    scene = stage(target=owned(1))
    scene.source.put(web(1, "other"))
    scene.target.put(web(7), replace(ours(8), mark=None))
    scene.settle()
    assert scene.ids() == {"i-7", ours(8).id}
    changes = [told.outcome.change for told in scene.told.changes]
    removals = [change for change in changes if isinstance(change, Deregister)]
    assert [removal.instance.id for removal in removals] == [ours(1).id]


def churn(scene: Stage, names: range) -> None:
    for number in names:
        name = f"job-{number}"
        scene.source.put(web(1, name))
        scene.stale(name)
        scene.step(name)
        scene.source.remove(name)
        scene.stale(name)
        scene.step(name)
        scene.stale(name)
        scene.step(name)
    for _ in range(3):
        scene.settle()


def test_memory_follows_what_is_there_over_a_long_churn() -> None:
    scene = stage(policy=replace(POLICY, forget_after=0.0))
    scene.source.put(web(1, "stays"))
    churn(scene, range(20))
    held = [mirror.remembered() for mirror in (scene.route.source, scene.route.target)]
    entries = scene.agenda.remembered()
    churn(scene, range(20, 80))
    assert [mirror.remembered() for mirror in (scene.route.source, scene.route.target)] == held == [1, 1]
    assert scene.agenda.remembered() <= entries + 1
    sizes = {
        name: len(value)
        for part in (scene.route, scene.route.submission, scene.route.holds)
        for name, value in vars_of(part).items()
        if isinstance(value, dict | set)
    }
    assert set(sizes.values()) == {0}, sizes


def vars_of(part: object) -> dict[str, object]:
    names = getattr(type(part), "__slots__", None) or vars(part)
    return {name: getattr(part, name) for name in names}
