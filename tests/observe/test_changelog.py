"""The log of what was done: one line for each change, and one when something is new."""

import io
import json
from typing import Any

import pytest

from syncer.core.errors import Denied
from syncer.core.model import Conflict, Health
from syncer.core.plan import CreateService, Register, ServicePlan, SetHealth
from syncer.core.ports import Ending
from syncer.observe.changelog import ChangeLog
from syncer.observe.log import configure_logging
from tests.observe.scene import OUT, ended, held_plan, ours, passed

Lines = list[dict[str, Any]]


@pytest.fixture
def lines(log: io.StringIO) -> Any:
    """Return a function that gives the lines written since it was last called."""
    configure_logging(stream=log, level="info")

    def take() -> Lines:
        found = [json.loads(line) for line in log.getvalue().splitlines()]
        log.truncate(0)
        log.seek(0)
        return found

    return take


def test_a_change_that_ended_is_one_line_with_both_names(lines: Any) -> None:
    ChangeLog().changed(
        ended(Register(ours("web", "i-1", "10.0.0.7", port=8080)), source="web-src", seconds=0.0257)
    )
    (line,) = lines()
    line.pop("timestamp")
    assert line == {
        "event": "changed",
        "level": "info",
        "kind": "register",
        "route": OUT,
        "source_service": "web-src",
        "target_service": "web",
        "instance": "i-1",
        "address": "10.0.0.7:8080",
        "ms": 25.7,
    }


def test_a_change_of_a_service_has_no_instance(lines: Any) -> None:
    ChangeLog().changed(ended(CreateService("web", frozenset("A"), 15, "prod", "consul/dc1")))
    (line,) = lines()
    assert (line["kind"], line["instance"], line["address"]) == ("create_service", "", "")


def test_a_change_that_failed_is_a_warning_with_its_code(lines: Any) -> None:
    error = Denied("not authorized", code="AccessDeniedException")
    ChangeLog().changed(ended(SetHealth(Health.PASSING, ours("web", "i-1")), Ending.FAILED, error))
    (line,) = lines()
    assert (line["event"], line["level"]) == ("change_failed", "warning")
    assert (line["code"], line["error"]) == ("AccessDeniedException", "not authorized")


def test_what_was_superseded_is_no_news_but_what_was_abandoned_is(lines: Any) -> None:
    log = ChangeLog()
    log.changed(ended(Register(ours("web", "i-1")), Ending.SUPERSEDED))
    log.changed(ended(Register(ours("web", "i-1")), Ending.ABANDONED))
    assert [line["event"] for line in lines()] == ["change_abandoned"]


def test_held_removals_are_told_once_and_when_they_are_over(lines: Any) -> None:
    log = ChangeLog()
    log.passed(passed(held_plan("web", 14, "14 of 14 would be removed")))
    (line,) = lines()
    assert (line["event"], line["service"], line["reason"]) == ("held", "web", "14 of 14 would be removed")
    log.passed(passed(held_plan("web", 14, "14 of 14 would be removed")))
    log.passed(passed(held_plan("web", 13, "13 of 13 would be removed")))
    log.passed(passed(ServicePlan("web", "web", unreadable=("source: down",))))
    assert [line["event"] for line in lines()] == ["not_read"]
    log.passed(passed(ServicePlan("web", "web")))
    assert [line["event"] for line in lines()] == ["held_no_more", "read_again"]


def test_conflicts_are_told_when_they_come_and_go(lines: Any) -> None:
    log = ChangeLog()
    plan = ServicePlan("web", "web", conflicts=(Conflict("web", "i", "held by staging", "staging"),))
    log.passed(passed(plan))
    log.passed(passed(plan))
    log.passed(passed(ServicePlan("web", "web"), full=True))
    assert [line["event"] for line in lines()] == ["conflict", "conflict_no_more"]


def test_a_registry_that_cannot_be_listed_is_told_once_and_when_it_can_again(lines: Any) -> None:
    log = ChangeLog()
    log.passed(passed(errors=("consul/dc1: refused",)))
    log.passed(passed(errors=("consul/dc1: refused",)))
    log.passed(passed())
    assert [(line["event"], line["reason"]) for line in lines()] == [("not_listed", "consul/dc1: refused")]
    log.passed(passed(full=True))
    log.passed(passed(full=True))
    assert [line["event"] for line in lines()] == ["listed_again"]


def test_a_registry_that_is_down_does_not_write_a_line_for_each_service(lines: Any) -> None:
    plans = [ServicePlan(f"s{at}", f"s{at}", unreadable=("source: down",)) for at in range(2000)]
    ChangeLog().passed(passed(*plans))
    written = lines()
    assert len(written) < 30
    assert written[-1]["event"] == "and_more"
    assert written[-1]["services"] + len(written) - 1 == 2000


def test_calm_passes_are_told_at_debug_alone(log: io.StringIO) -> None:
    configure_logging(stream=log, level="info")
    ChangeLog().passed(passed(ServicePlan("web", "web"), full=True))
    assert log.getvalue() == ""
    configure_logging(stream=log, level="debug")
    ChangeLog().passed(passed(ServicePlan("web", "web"), full=True, submitted={"Register": 3}))
    line = json.loads(log.getvalue())
    assert (line["event"], line["services"], line["submitted"]) == ("passed", 1, {"Register": 3})


def test_a_long_first_sync_says_how_far_it_is(lines: Any) -> None:
    log = ChangeLog(progress_above=2, progress_every=0.0)
    log.passed(passed(submitted={"CreateService": 1, "Register": 5}))
    for at in range(6):
        log.changed(ended(Register(ours("web", f"i-{at}"))))
    said = [line for line in lines() if line["event"] == "progress"]
    assert [(line["done"], line["total"]) for line in said] == [(1, 6), (2, 6), (3, 6), (6, 6)]
    assert all(line["per_second"] > 0 for line in said)
