"""What goes to the writer now, what waits for what, and how each change ends."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from typing_extensions import override

from syncer.core.errors import Refused, Unavailable
from syncer.core.model import Complete, ServiceInfo
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Register,
    ServicePlan,
    Update,
    UpdateService,
)
from syncer.core.ports import Ending, Outcome
from syncer.engine.agenda import Backoff
from syncer.engine.failures import Failures
from syncer.engine.mirror import Mirror
from syncer.engine.submission import Submission
from tests.engine.ground import LONG, Desk, Instant, cloudmap, deregister, ours, register
from tests.support.wait import eventually

CREATE = CreateService("web", frozenset({"A"}), 15, "us", "consul/dc1")
DELETE = DeleteService("web", ServiceInfo("srv-web", "us", frozenset({"A"}), 15))
UPDATE = Update(ours(1), replace(ours(1), port=81))


class Office:
    """A submission with everything around it."""

    def __init__(self, writer: Desk | Instant | None = None, backoff: Backoff = Backoff(10, 60)) -> None:  # noqa: B008 - frozen
        self.registry = cloudmap()
        self.registry.carry_out(CREATE)
        self.mirror = Mirror(self.registry)
        self.desk = Desk()
        self.failures = Failures(backoff)
        self.looks: list[tuple[str, float]] = []
        self.ended: list[tuple[Outcome, float]] = []
        self.submission = Submission(
            self.mirror,
            writer or self.desk,
            self.failures,
            lambda service, seconds: self.looks.append((service, seconds)),
            lambda outcome, since: self.ended.append((outcome, since)),
        )

    def submit(self, *changes: Change, since: float = 0.0) -> tuple[tuple[Change, ...], int]:
        """Submit a plan of *changes*; return what went, and how many wait."""
        submitted = self.submission.submit([ServicePlan("web", "web", changes)], since)
        return submitted.changes, submitted.waiting


def test_what_goes_is_under_way_until_it_ended() -> None:
    office = Office()
    assert office.submit(register(1), register(2), since=7.0) == ((register(1), register(2)), 0)
    assert office.submission.under_way() == 2
    assert office.mirror.under_way("web") == 2
    assert not office.submission.wait_idle(threading.Event(), 0.1)
    office.desk.end(register(1))
    office.desk.end(register(2))
    assert office.submission.under_way() == 0
    assert office.submission.wait_idle(threading.Event())
    assert [since for _, since in office.ended] == [7.0, 7.0]
    assert office.looks == []


def test_the_kinds_of_what_went_are_counted() -> None:
    office = Office()
    submitted = office.submission.submit([ServicePlan("web", "web", (register(1), register(2), UPDATE))], 0.0)
    assert submitted.kinds == {"Register": 2}
    assert submitted.waiting == 1


def test_one_change_at_a_time_for_each_instance_and_a_look_once_it_ended() -> None:
    office = Office()
    office.submit(register(1))
    again = Register(replace(ours(1), port=81))
    assert office.submit(again, register(2)) == ((register(2),), 1)
    office.desk.end(register(1))
    assert office.looks == [], "the other one of the service is still under way"
    office.desk.end(register(2))
    assert office.looks == [("web", 0.0)]
    assert office.submit(again) == ((again,), 0)


def test_removals_wait_until_what_is_added_has_arrived() -> None:
    office = Office()
    assert office.submit(register(1), deregister(2)) == ((register(1),), 1)
    assert office.submit(deregister(2)) == ((), 1)
    office.looks.clear()
    office.desk.end(register(1))
    assert office.looks == [("web", 0.0)]
    assert office.submit(deregister(2)) == ((deregister(2),), 0)


def test_a_removal_does_not_wait_for_what_begins_after_it_was_due() -> None:
    office = Office()
    office.submit(register(1), deregister(2))
    assert office.submit(register(3), deregister(2)) == ((register(3),), 1)
    office.looks.clear()
    office.desk.end(register(1))
    assert office.looks == [("web", 0.0)], "what it waited for has arrived"
    assert office.submit(register(4), deregister(2)) == ((register(4), deregister(2)), 0)


def test_a_removal_waits_for_no_other_removal() -> None:
    office = Office()
    office.submit(deregister(1))
    assert office.submit(deregister(2)) == ((deregister(2),), 0)


def test_a_removal_does_not_wait_for_an_addition_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncer.engine.submission._PATIENCE", 0.3)
    office = Office()
    office.submit(register(1), deregister(2))
    (look,) = office.looks
    assert look == ("web", 0.3)
    eventually(lambda: office.submit(deregister(2)) == ((deregister(2),), 0))


def test_a_change_under_way_is_not_forgotten_to_have_failed() -> None:
    office = Office(backoff=Backoff(0.01, 60))
    for attempts in (1, 2, 3):
        eventually(lambda: office.submit(register(1))[0])
        office.submit()  # what is under way is not planned
        office.desk.end(register(1), Ending.FAILED, Unavailable("away"))
        (failure,) = office.failures.current()
        assert failure.attempts == attempts


def test_removals_go_together_and_do_not_wait_for_other_services() -> None:
    office = Office()
    office.submission.submit([ServicePlan("api", "api", (register(1, "api"),))], 0.0)
    assert office.submit(deregister(1), deregister(2)) == ((deregister(1), deregister(2)), 0)


def test_an_addition_that_failed_holds_no_removal_back() -> None:
    office = Office()
    office.submit(register(1), deregister(2))
    office.desk.end(register(1), Ending.FAILED, Refused("no"))
    assert office.submit(register(1), deregister(2)) == ((deregister(2),), 1)


def test_nothing_goes_into_a_service_that_is_being_deleted() -> None:
    office = Office()
    office.submit(DELETE)
    assert office.submit(register(1)) == ((), 1)
    office.desk.end(DELETE)
    assert ("web", 0.0) in office.looks
    assert office.submit(CREATE, register(1)) == ((CREATE, register(1)), 0)


def test_nothing_goes_into_a_service_that_could_not_be_created() -> None:
    office = Office()
    office.submit(CREATE, register(1))
    office.desk.end(CREATE, Ending.FAILED, Unavailable("away"))
    office.desk.end(register(1), Ending.FAILED, Unavailable("away"))
    other = register(2)
    assert office.submit(CREATE, other) == ((), 2)
    service, seconds = office.looks[-1]
    assert service == "web"
    assert 0 < seconds <= 10


def test_what_failed_waits_its_time_and_is_looked_at_then() -> None:
    office = Office()
    office.submit(register(1))
    office.desk.end(register(1), Ending.FAILED, Unavailable("away"))
    ((service, seconds),) = office.looks
    assert service == "web"
    assert 5 <= seconds <= 10
    assert office.submit(register(1), register(2)) == ((register(2),), 1)
    assert len(office.looks) == 2
    assert [outcome.ending for outcome, _ in office.ended] == [Ending.FAILED]
    assert not office.mirror.pending("web", ours(1).id)


def test_what_succeeded_has_no_failures_behind_it() -> None:
    office = Office()
    office.failures.add(register(1), Unavailable("away"))
    office.failures.add(register(2), Unavailable("away"))
    moved = Register(replace(ours(1), port=81))
    office.submit(moved, register(2))
    office.desk.end(moved)
    assert [failure.change for failure in office.failures.current()] == [register(2)]


def test_failures_that_nobody_wants_any_more_go_but_not_because_a_service_cannot_be_read() -> None:
    office = Office()
    office.failures.add(register(1), Unavailable("away"))
    office.submission.submit([ServicePlan("web", "web", unreadable=("source: away",))], 0.0)
    assert office.failures.current()
    office.submission.submit([ServicePlan("web", "web", held=(deregister(1),))], 0.0)
    assert office.failures.current()
    office.submit()
    assert not office.failures.current()


@pytest.mark.parametrize("ending", [Ending.SUPERSEDED, Ending.ABANDONED])
def test_what_was_not_carried_out_is_not_expected_to_show(ending: Ending) -> None:
    office = Office()
    office.submit(register(1))
    office.desk.end(register(1), ending)
    read = office.mirror.view("web")
    assert isinstance(read, Complete)
    assert read.instances == ()
    assert office.looks == ([("web", 0.0)] if ending is Ending.SUPERSEDED else [])
    assert not office.failures.current()


def test_an_update_is_looked_at_again_for_the_health_it_left() -> None:
    office = Office()
    office.submit(UPDATE)
    office.desk.end(UPDATE)
    assert office.looks == [("web", 0.0)]


@pytest.mark.parametrize("change", [CREATE, DELETE, UpdateService("web", DELETE.info, 60)])
def test_a_change_of_the_service_itself_has_it_read_as_it_was_written(change: Change) -> None:
    office = Office()
    office.mirror.view("web")
    office.submit(change)
    office.desk.end(change)
    assert office.looks == [("web", 0.0)]
    office.mirror.view("web")
    assert office.registry.asked[-1] == ("web", True)


def test_a_writer_may_be_done_before_it_returns() -> None:
    office = Office()
    office.submission = Submission(
        office.mirror,
        Instant(office.registry),
        office.failures,
        lambda service, seconds: office.looks.append((service, seconds)),
        lambda outcome, since: office.ended.append((outcome, since)),
    )
    assert office.submit(register(1), register(2), since=3.0) == ((register(1), register(2)), 0)
    assert office.submission.under_way() == 0
    assert [since for _, since in office.ended] == [3.0, 3.0]
    assert office.submit(deregister(1)) == ((deregister(1),), 0)


class Broken(Desk):
    """A writer with a defect: it fails after it has ended the first change."""

    @override
    def submit(self, changes: Sequence[Change], done: Callable[[Outcome], None]) -> None:
        done(Outcome(changes[0], Ending.DONE))
        raise RuntimeError("a defect")


def test_a_writer_with_a_defect_leaves_nothing_under_way_for_ever() -> None:
    office = Office(Broken())
    with pytest.raises(RuntimeError, match="a defect"):
        office.submit(register(1), register(2))
    assert [outcome.ending for outcome, _ in office.ended] == [Ending.DONE, Ending.ABANDONED]
    assert office.submission.under_way() == 0
    assert not office.mirror.pending("web", ours(2).id)


def test_an_end_that_is_told_twice_counts_once() -> None:
    office = Office()
    office.submit(register(1))
    _, done = office.desk.taken["web", ours(1).id]
    for _ in range(2):
        done(Outcome(register(1), Ending.DONE))
    assert len(office.ended) == 1
    office.submit(UPDATE)
    done(Outcome(register(1), Ending.FAILED, Unavailable("late")))
    assert office.submission.under_way() == 1
    assert not office.failures.current()


def test_somebody_who_fails_when_told_leaves_nothing_under_way() -> None:
    office = Office()

    def fail(_outcome: Outcome, _since: float) -> None:
        raise RuntimeError("an observer's defect")

    office.submission = Submission(office.mirror, office.desk, office.failures, lambda *_: None, fail)
    office.submit(register(1))
    with pytest.raises(RuntimeError, match="observer"):
        office.desk.end(register(1))
    assert office.submission.under_way() == 0


def test_whoever_waits_for_the_end_finds_everybody_told() -> None:
    """A command that ends then must not lose the last line of its log."""
    office = Office()
    told = threading.Event()

    def tell(_outcome: Outcome, _since: float) -> None:
        time.sleep(0.2)
        told.set()

    office.submission = Submission(office.mirror, office.desk, office.failures, lambda *_: None, tell)
    office.submit(register(1))
    ending = threading.Thread(target=office.desk.end, args=(register(1),))
    ending.start()
    assert office.submission.wait_idle(threading.Event(), LONG)
    assert told.is_set()
    ending.join(LONG)


def test_waiting_for_the_end_is_over_when_the_stop_is_set() -> None:
    office = Office()
    office.submit(register(1))
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    assert not office.submission.wait_idle(stop, LONG)
