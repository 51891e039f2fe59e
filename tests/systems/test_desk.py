import threading
from collections.abc import Sequence

import pytest

from syncer.core.model import Instance
from syncer.core.plan import Register
from syncer.core.ports import Ending
from syncer.systems.desk import Desk, Job
from tests.support.wait import eventually
from tests.systems.route53.steps import Ends


def change(service: str, instance_id: str = "i") -> Register:
    return Register(Instance(service, instance_id, ipv4="10.0.0.1"))


class Hands:
    """Carries batches out when it is told to, and remembers them."""

    def __init__(self, **options: object) -> None:
        self.batches: list[list[Job]] = []
        self.go = threading.Event()
        self.desk = Desk("test", self.carry_out, **{"debounce": 0.0, **options})  # type: ignore[arg-type]  # the test knows its options

    def carry_out(self, jobs: Sequence[Job]) -> None:
        self.batches.append(list(jobs))
        self.go.wait(60)
        for job in jobs:
            self.desk.end(job, Ending.DONE)


def test_what_comes_during_a_batch_goes_together_in_the_next() -> None:
    hands, ends = Hands(), Ends()
    hands.desk.submit([change("a")], ends)
    eventually(lambda: hands.batches)
    for name in "bcd":
        hands.desk.submit([change(name)], ends)
    hands.go.set()
    ends.wait(4)
    assert [[job.change.service for job in batch] for batch in hands.batches] == [["a"], ["b", "c", "d"]]
    hands.desk.close(1)


def test_lanes_do_not_wait_for_each_other() -> None:
    hands, ends = Hands(lane=lambda one: one.service, threads=2), Ends()
    hands.desk.submit([change("slow"), change("fast"), change("slow", "j")], ends)
    eventually(lambda: len(hands.batches) == 2, message="both lanes are at work")
    hands.go.set()
    ends.wait(3)
    hands.desk.close(1)


def test_of_wishes_for_one_instance_those_between_the_first_and_the_last_are_superseded() -> None:
    hands, ends = Hands(), Ends()
    hands.desk.submit([change("a")], ends)
    eventually(lambda: hands.batches)
    hands.desk.submit([change("a"), change("a"), change("a")], ends)
    hands.go.set()
    endings = [outcome.ending for outcome in ends.wait(4)]
    assert endings.count(Ending.SUPERSEDED) == 2
    assert endings.count(Ending.DONE) == 2
    hands.desk.close(1)


def test_an_end_is_told_once() -> None:
    hands, ends = Hands(), Ends()
    hands.desk.submit([change("a")], ends)
    hands.go.set()
    ends.wait(1)
    hands.desk.end(hands.batches[0][0], Ending.FAILED)
    hands.desk.close(1)
    ends.wait(1)


def test_closing_waits_for_what_is_under_way_and_abandons_what_waits() -> None:
    hands, ends = Hands(), Ends()
    hands.desk.submit([change("a")], ends)
    eventually(lambda: hands.batches)
    hands.desk.submit([change("a"), change("b")], ends)
    threading.Timer(0.2, hands.go.set).start()
    hands.desk.close(10)
    outcomes = ends.wait(3)
    assert sorted(outcome.ending.value for outcome in outcomes) == ["abandoned", "abandoned", "done"]
    hands.desk.submit([change("c")], ends)
    assert ends.wait(4)[-1].ending is Ending.ABANDONED


def test_closing_does_not_wait_for_ever() -> None:
    hands, ends = Hands(), Ends()
    hands.desk.submit([change("a")], ends)
    eventually(lambda: hands.batches)
    hands.desk.close(0.05)
    assert [outcome.ending for outcome in ends.wait(1)] == [Ending.ABANDONED]
    hands.go.set()


def test_a_defect_in_a_batch_fails_its_changes_and_ends_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = Ends()

    def carry_out(jobs: Sequence[Job]) -> None:
        if jobs[0].change.service == "bad":
            raise RuntimeError("by mistake")
        for job in jobs:
            desk.end(job, Ending.DONE)

    desk = Desk("test", carry_out, debounce=0.0, lane=lambda one: one.service)
    desk.submit([change("bad"), change("good")], ends)
    endings = {outcome.change.service: outcome for outcome in ends.wait(2)}
    assert endings["good"].ending is Ending.DONE
    assert endings["bad"].ending is Ending.FAILED
    assert "by mistake" in str(endings["bad"].error)
    assert "write_batch_failed" in capsys.readouterr().out
    desk.close(1)
