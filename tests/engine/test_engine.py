"""Registries and routes at work together: nobody's failure is everybody's, and all leave in time."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from typing_extensions import override

from syncer.core.errors import Unavailable
from syncer.core.model import Complete, Read
from syncer.core.ports import End, Hint
from syncer.core.report import Observers, PassReport
from syncer.engine.engine import Engine, Timing
from syncer.systems.memory import MemoryWatch, MemoryWriter
from tests.engine.ground import (
    LONG,
    POLICY,
    QUICK,
    SOURCE,
    TARGET,
    Desk,
    Memory,
    Told,
    both_ways,
    cloudmap,
    complete,
    consul,
    ours,
    register,
    rules,
    running,
    web,
)
from tests.support.wait import eventually

AWAY = Unavailable("away")


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def test_both_directions_are_kept_in_step_and_no_copy_is_copied_back(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    right.put(web(2), web(3, "db"))
    with running(both_ways(stop, left, right), stop):
        eventually(lambda: left.ids("web") == right.ids("web") == {"i-1", "i-2"}, LONG)
        eventually(lambda: left.ids("db") == {"i-3"}, LONG)
        left.put(web(4, "db"))
        right.remove("db", "i-3")
        eventually(lambda: left.ids("db") == right.ids("db") == {"i-4"}, LONG)


def test_registries_and_routes_may_come_while_it_runs(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    engine = Engine(stop, Timing(leave=2), Observers())
    with running(engine, stop):
        for registry in (left, right):
            engine.attach(End(registry, (MemoryWatch(registry),), MemoryWriter(registry)))
        engine.join(rules(carrier=right.carrier), POLICY)
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
        left.put(web(2))
        eventually(lambda: right.ids("web") == {"i-1", "i-2"}, LONG)
        assert engine.threads() == dict.fromkeys(engine.threads(), True)
        assert f"watch-{SOURCE}-0" in engine.threads()
        assert f"interval-{TARGET}" in engine.threads()


def test_a_registry_is_attached_once_and_a_target_needs_a_writer(stop: threading.Event) -> None:
    engine = Engine(stop, Timing(), Observers())
    engine.attach(End(consul()))
    engine.attach(End(cloudmap()))
    with pytest.raises(ValueError, match="attached already"):
        engine.attach(End(consul()))
    with pytest.raises(ValueError, match="can only be read"):
        engine.join(rules(), POLICY)


def test_a_namespace_that_fails_leaves_the_others_in_step(stop: threading.Event) -> None:
    left, good, bad = consul(), cloudmap("cloudmap/good"), cloudmap("cloudmap/bad")
    for operation in ("list", "read", "write"):
        bad.faults.break_(operation, AWAY)
    left.put(web(1))
    engine = both_ways(stop, left, good)
    engine.attach(End(bad, (MemoryWatch(bad),), MemoryWriter(bad)))
    engine.join(rules(SOURCE, bad.id, bad.carrier), POLICY)
    engine.join(rules(bad.id, SOURCE), POLICY)
    with running(engine, stop):
        eventually(lambda: good.ids("web") == {"i-1"}, LONG)
        good.put(web(2))
        eventually(lambda: left.ids("web") == {"i-1", "i-2"}, LONG)
        for operation in ("list", "read", "write"):
            bad.faults.mend(operation)
        eventually(lambda: bad.ids("web") == {"i-1"}, LONG, "it catches up by itself")


class Faulty(Told):
    """An observer with a defect."""

    @override
    def passed(self, report: PassReport) -> None:
        super().passed(report)
        if report.route.startswith(SOURCE):
            raise RuntimeError("an observer's defect")


def test_a_defect_in_one_route_leaves_the_other_at_work(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    right.put(web(2))
    with running(both_ways(stop, left, right, told=Faulty()), stop):
        eventually(lambda: left.ids("web") == {"i-2"}, LONG)


def test_a_service_that_cannot_be_read_is_tried_again_by_itself_and_nothing_is_removed(
    stop: threading.Event,
) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1), web(1, "api"))
    with running(both_ways(stop, left, right), stop):
        eventually(lambda: right.ids("web") == right.ids("api") == {"i-1"}, LONG)
        left.faults.break_("web", AWAY)
        left.remove("web", "i-1")
        left.put(web(2))
        before = left.times("web")
        eventually(lambda: left.times("web") >= before + 3, LONG, "it is tried again")
        assert right.ids("web") == {"i-1"}
        left.faults.mend("web")
        eventually(lambda: right.ids("web") == {"i-2"}, LONG)


class Unsettled(Memory):
    """A registry that disagrees with itself until it is asked the third time; no watch hears of it."""

    @override
    def read(self, service: str, *, fresh: bool = False) -> Read:
        read = super().read(service, fresh=fresh)
        if self.times(service) < 3 and isinstance(read, Complete):
            return replace(read, instances=(), settled=False)
        return read


@pytest.mark.parametrize("hanging", ["source", "target"])
def test_a_service_whose_reads_hang_holds_up_no_other(stop: threading.Event, hanging: str) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1), web(2, "api"))
    right.put(web(3, "db"))
    timing = Timing(full=60, retry=QUICK, leave=3, patience=0.2)
    with running(both_ways(stop, left, right, timing=timing), stop):
        eventually(lambda: right.ids("api") == {"i-2"} and left.ids("db") == {"i-3"}, LONG)
        gate = threading.Event()
        (left if hanging == "source" else right).way["api"] = gate
        left.put(web(4, "api"), web(5))
        right.put(web(6, "db"))
        eventually(lambda: right.ids("web") == {"i-1", "i-5"} and left.ids("db") == {"i-3", "i-6"}, LONG)
        left.remove("web", "i-5")
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
        assert right.ids("api") == {"i-2"} or hanging == "target"
        gate.set()
        eventually(lambda: right.ids("api") == {"i-2", "i-4"}, LONG)


def test_a_registry_that_disagrees_with_itself_is_looked_at_again(stop: threading.Event) -> None:
    left, right = Unsettled(SOURCE, consul().carrier), cloudmap()
    left.put(web(1))
    engine = both_ways(
        stop, left, right, timing=Timing(full=3600, unsettled=0.05, retry=QUICK, leave=2), watch=False
    )
    with running(engine, stop):
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)


def test_full_passes_at_intervals_find_what_no_hint_told(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    timing = Timing(full=0.2, retry=QUICK, leave=2)
    with running(both_ways(stop, left, right, timing=timing, watch=False), stop):
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
        left.put(web(2, "new"), web(2))
        left.remove("web", "i-1")
        eventually(lambda: right.ids("new") == {"i-2"}, LONG)
        eventually(lambda: right.ids("web") == {"i-2"}, LONG)


def test_what_was_written_and_did_not_last_is_found_without_a_hint(stop: threading.Event) -> None:
    """The target shows what we wrote only later; somebody removes it before it ever shows."""
    left, right = consul(), cloudmap()
    left.put(web(1))
    right.put(web(9))
    engine = both_ways(stop, left, right, watch=False)
    with running(engine, stop):
        eventually(lambda: right.ids("web") == {"i-1", "i-9"}, LONG)
        right.lag()
        left.put(web(2))
        engine.hint(SOURCE, Hint(frozenset({"web"}), "watch"))
        eventually(lambda: right.ids("web") == {"i-1", "i-2", "i-9"}, LONG)
        eventually(lambda: not any(route.submission.under_way() for route in engine.routes), LONG)
        right.remove("web", ours(2).id)
        engine.mirrors[TARGET].reread({"web"})
        engine.routes[0].dirty.add(targets=frozenset({"web"}))
        eventually(lambda: right.ids("web") == {"i-1", "i-2", "i-9"}, LONG, "it is written again")


def test_what_shows_in_the_end_or_was_written_again_is_not_doubted_too_early(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    engine = both_ways(stop, left, right, watch=False)
    mirror = engine.mirrors[TARGET]

    def write(number: int) -> None:
        mirror.begin(register(number))
        mirror.end(register(number), done=True)
        mirror.reread({"web"})
        mirror.view("web")

    with running(engine, stop):
        eventually(lambda: all(route.last_pass for route in engine.routes), LONG)
        write(1)
        write(2)
        time.sleep(0.6)
        right.put(ours(1), ours(2))
        mirror.reread({"web"})
        mirror.view("web")
        write(3)
        right.put(ours(3))
        time.sleep(0.6)
        before = right.times("web")
        mirror.reread({"web"})
        mirror.view("web")
        time.sleep(0.8)
    assert right.times("web") == before + 1


class Failing:
    """A watch that hears nothing, and ends or fails each time it is run."""

    def __init__(self, *, fails: bool) -> None:
        self.runs = 0
        self._fails = fails

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        self.runs += 1
        if self._fails:
            raise RuntimeError("a defect")


@pytest.mark.parametrize("fails", [True, False], ids=["fails", "returns"])
def test_a_watch_that_ends_is_started_anew_and_everything_read_that_it_missed(
    stop: threading.Event, fails: bool
) -> None:
    left, right = consul(), cloudmap()
    watch = Failing(fails=fails)
    engine = Engine(stop, Timing(full=3600, retry=QUICK, leave=2), Observers())
    engine.attach(End(left, (watch,)))
    engine.attach(End(right, (), MemoryWriter(right)))
    engine.join(rules(carrier=right.carrier), POLICY)
    began = time.monotonic()
    with running(engine, stop):
        eventually(lambda: watch.runs >= 3, LONG)
        left.put(web(1))
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
    assert watch.runs <= 3 + (time.monotonic() - began) / 0.025, "it does not spin"


class Reading:
    """A watch that reads what it notices, once."""

    def __init__(self, *reads: Complete) -> None:
        self.reads = reads

    def run(
        self, hint: Callable[[Hint], None], read: Callable[[Complete], None], stop: threading.Event
    ) -> None:
        for item in self.reads:
            read(item)
        stop.wait()


def test_what_a_watch_has_read_is_not_read_again(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    engine = Engine(stop, Timing(full=3600, leave=2), Observers())
    engine.attach(End(left, (Reading(complete(web(1)), complete(web(1))),)))
    engine.attach(End(right, (), MemoryWriter(right)))
    engine.mirrors[SOURCE].relist()
    with running(engine, stop):
        eventually(lambda: "web" in engine.mirrors[SOURCE].peek(), LONG)
        engine.join(rules(carrier=right.carrier), POLICY)
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
    assert left.times("web") == 0


class Hanging(Desk):
    """A writer that ends nothing, and does not keep to its time when it is closed."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    @override
    def close(self, timeout: float) -> None:
        self._gate.wait(LONG)


def test_it_leaves_within_its_time_although_writers_and_reads_hang(stop: threading.Event) -> None:
    left, gate = consul(), threading.Event()
    left.put(web(1))
    engine = Engine(stop, Timing(leave=2), Observers())
    engine.attach(End(left))
    others = [cloudmap(f"cloudmap/{number}") for number in range(20)]
    for other in others:
        other.way["slow"] = gate
        engine.attach(End(other, (Reading(),), Hanging(gate)))
        engine.join(rules(SOURCE, other.id, other.carrier), POLICY)
    ended: list[str] = []

    def defect() -> None:
        raise RuntimeError("a defect")

    engine.at_end.append(lambda: ended.append("first"))
    engine.at_end.append(defect)
    engine.at_end.append(lambda: ended.append("last"))
    thread = threading.Thread(target=engine.run)
    thread.start()
    eventually(lambda: all(route.submission.under_way() for route in engine.routes), LONG)
    for other in others:
        engine.hint(other.id, Hint(frozenset({"slow"}), "watch"))
    eventually(lambda: all(other.on_its_way["slow"] for other in others), LONG)
    began = time.monotonic()
    stop.set()
    thread.join(LONG)
    assert not thread.is_alive()
    assert time.monotonic() - began < 30, "one after the other they would take longer"
    assert ended == ["first", "last"]
    gate.set()


def test_leaving_withdraws_nothing_and_ends_what_is_under_way(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    engine = both_ways(stop, left, right)
    with running(engine, stop):
        eventually(lambda: right.ids("web") == {"i-1"}, LONG)
    assert right.ids("web") == {"i-1"}
    assert not any(engine.threads().values())


def test_once_brings_all_in_step_and_reports_that_nothing_is_left(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    told = Told()
    left.put(web(1), ours(4, source=TARGET))
    right.put(web(2), ours(3))
    engine = both_ways(stop, left, right, told=told)
    reports = engine.once()
    assert left.ids("web") == right.ids("web") == {"i-1", "i-2"}
    assert [report.submitted for report in reports] == [{}, {}]
    assert not any(plan.changes for report in reports for plan in report.plans)
    assert len(told.changes) == 4, "two added, two removed, and all was told"
    engine.close()


def test_once_only_plans_where_it_is_not_to_write(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    engine = both_ways(stop, left, right)
    out, back = engine.once(write=False)
    assert [type(change).__name__ for change in out.plans[0].changes] == ["CreateService", "Register"]
    assert not any(plan.changes for plan in back.plans)
    assert right.faults.calls["write"] == 0
    engine.close()


def test_once_reads_again_what_hints_had_it_read_before_and_may_be_called_again(
    stop: threading.Event,
) -> None:
    left, right = consul(), cloudmap()
    engine = both_ways(stop, left, right)
    engine.once()
    left.put(web(1))
    engine.hint(SOURCE, Hint(frozenset({"web"}), "watch"))
    left.put(web(2))
    engine.once()
    assert right.ids("web") == {"i-1", "i-2"}
    assert list(engine.threads()) == ["agenda"]
    engine.close()


def test_once_gives_up_after_its_rounds_and_says_what_is_left(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    right.faults.break_("write", AWAY)
    reports = both_ways(stop, left, right).once()
    assert reports[0].waiting == 2
    assert reports[0].plans[0].changes


def test_once_ends_early_when_it_is_told_to_stop(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(web(1))
    gate = right.faults.gates["write"] = threading.Event()
    threading.Timer(0.2, stop.set).start()
    engine = both_ways(stop, left, right)
    assert len(engine.once()) == 2
    gate.set()
    assert engine.once() == ()
    engine.close()


def test_in_a_calm_nothing_is_read_listed_or_written(stop: threading.Event) -> None:
    left, right = consul(), cloudmap()
    left.put(*(web(1, f"s-{number}") for number in range(20)))
    with running(both_ways(stop, left, right), stop):
        eventually(lambda: all(right.ids(f"s-{number}") for number in range(20)), LONG)
        time.sleep(1.2)
        before = (left.faults.calls.copy(), right.faults.calls.copy())
        time.sleep(0.6)
        assert (left.faults.calls, right.faults.calls) == before
