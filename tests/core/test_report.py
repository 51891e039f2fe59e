"""What a pass did, as a value; and who is told."""

from syncer.core.plan import Deregister, ServicePlan
from syncer.core.ports import Ending, Outcome
from syncer.core.report import ChangeReport, Observers, PassReport
from tests.core.values import copy, native

GONE = Deregister(copy(native("a", 1)))


class Listener:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[PassReport | ChangeReport] = []

    def passed(self, report: PassReport) -> None:
        self.told.append(report)

    def changed(self, report: ChangeReport) -> None:
        self.told.append(report)


def test_a_report_counts_what_was_held_and_what_could_not_be_read() -> None:
    plans = (
        ServicePlan("web", "web", held=(GONE, GONE)),
        ServicePlan("api", "api", held=(GONE,)),
        ServicePlan("db", "db", unreadable=("source: x", "target: y")),
    )
    report = PassReport("one->one", full=True, seconds=0.1, plans=plans)
    assert (report.held, report.unreadable) == (3, 1)


def test_all_observers_are_told_in_turn() -> None:
    first, second = Listener(), Listener()
    observers = Observers((first, second))
    passed = PassReport("one->one", full=False, seconds=0.1, plans=())
    changed = ChangeReport("one->one", Outcome(GONE, Ending.DONE), "web", 0.1)
    observers.passed(passed)
    observers.changed(changed)
    assert first.told == second.told == [passed, changed]
