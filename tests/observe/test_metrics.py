"""Metrics say what the reports say, under names that Prometheus likes."""

import math
from dataclasses import dataclass

import pytest

from syncer import __version__
from syncer.core.errors import Throttled
from syncer.core.model import Conflict, Skip
from syncer.core.plan import CreateService, Register, ServicePlan
from syncer.core.ports import Ending
from syncer.observe.metrics import PREFIX, Metrics
from syncer.systems import aws
from syncer.systems.consul import call as consul
from tests.observe.scene import BACK, OUT, ended, held_plan, ours, passed
from tests.observe.scrape import value


@dataclass(frozen=True)
class Call:
    """A call as a system tells of it."""

    operation: str
    seconds: float = 0.01
    error: str = ""
    blocking: bool = False


def test_a_change_is_counted_by_route_kind_and_result_and_its_lag_is_measured() -> None:
    metrics = Metrics()
    metrics.changed(ended(Register(ours("web", "i")), seconds=0.25))
    metrics.changed(ended(CreateService("web", frozenset("A"), 15, "prod", "x")))
    assert value(metrics, "changes_total", route=OUT, kind="register", result="done") == 1
    assert value(metrics, "changes_total", route=OUT, kind="create_service", result="done") == 1
    assert value(metrics, "lag_seconds_count", route=OUT) == 2
    assert value(metrics, "lag_seconds_bucket", route=OUT, le="0.15") == 1
    assert value(metrics, "lag_seconds_bucket", route=OUT, le="0.3") == 2


def test_a_change_that_failed_is_counted_by_its_code_and_has_no_lag() -> None:
    metrics = Metrics()
    error = Throttled("slow down", code="ThrottlingException")
    metrics.changed(ended(Register(ours("web", "i")), Ending.FAILED, error))
    assert value(metrics, "changes_total", route=OUT, kind="register", result="failed") == 1
    assert value(metrics, "change_errors_total", route=OUT, code="ThrottlingException") == 1
    assert value(metrics, "lag_seconds_count", route=OUT) is None


def test_gauges_are_of_all_services_although_a_pass_sees_a_few() -> None:
    metrics = Metrics()
    skip, conflict = Skip("c", None, "it is critical"), Conflict("c", None, "held")
    metrics.passed(
        passed(
            held_plan("a", 3),
            ServicePlan("c", "c", skipped=(skip, skip), conflicts=(conflict,)),
            full=True,
            owned=7,
            offered=9,
        )
    )
    metrics.passed(passed(held_plan("b", 4), owned=7, offered=9, waiting=2))
    assert value(metrics, "held_removals", route=OUT) == 7
    assert value(metrics, "skipped", route=OUT) == 2
    assert value(metrics, "conflicts", route=OUT) == 1
    assert value(metrics, "owned_instances", route=OUT) == 7
    assert value(metrics, "offered_instances", route=OUT) == 9
    assert value(metrics, "waiting_changes", route=OUT) == 2
    metrics.passed(passed(ServicePlan("a", "a"), ServicePlan("b", "b"), ServicePlan("c", "c")))
    for name in ("held_removals", "skipped", "conflicts"):
        assert value(metrics, name, route=OUT) == 0


def test_what_cannot_be_read_keeps_its_other_counts() -> None:
    metrics = Metrics()
    metrics.passed(passed(held_plan("a", 3)))
    metrics.passed(passed(ServicePlan("a", "a", unreadable=("source: down",))))
    assert value(metrics, "held_removals", route=OUT) == 3
    assert value(metrics, "unreadable_services", route=OUT) == 1


def test_an_alert_on_a_calm_route_finds_its_zeros() -> None:
    metrics = Metrics()
    metrics.passed(passed(full=True))
    for name in ("held_removals", "skipped", "conflicts", "unreadable_services", "unlisted_registries"):
        assert value(metrics, name, route=OUT) == 0


def test_a_pass_that_could_not_read_everything_is_no_good_pass() -> None:
    metrics = Metrics()
    metrics.passed(passed(ServicePlan("a", "a", unreadable=("down",))))
    metrics.passed(passed(errors=("consul/dc1: down",)))
    assert value(metrics, "last_pass_timestamp_seconds", route=OUT) is None
    assert value(metrics, "unlisted_registries", route=OUT) == 1
    metrics.passed(passed(full=True))
    assert value(metrics, "last_pass_timestamp_seconds", route=OUT)
    assert value(metrics, "unlisted_registries", route=OUT) == 0


def test_passes_are_counted_by_their_scope() -> None:
    metrics = Metrics()
    metrics.passed(passed(full=True))
    metrics.passed(passed())
    metrics.passed(passed())
    assert value(metrics, "passes_total", route=OUT, scope="full") == 1
    assert value(metrics, "passes_total", route=OUT, scope="partial") == 2
    assert value(metrics, "pass_duration_seconds_count", route=OUT, scope="partial") == 2


def test_services_without_a_name_are_counted() -> None:
    metrics = Metrics()
    metrics.passed(passed(untranslated=(Skip("a b", None, "no label"),), route=BACK))
    assert value(metrics, "untranslated_services", route=BACK) == 1


def test_calls_are_counted_by_operation_and_code_and_throttles_apart() -> None:
    metrics = Metrics()
    on_call = metrics.calls("cloudmap")
    on_call(Call("RegisterInstance"))
    on_call(Call("RegisterInstance", error="ThrottlingException"))
    on_call(Call("ListServices", error="AccessDeniedException"))
    calls = {"system": "cloudmap", "operation": "RegisterInstance"}
    assert value(metrics, "api_calls_total", **calls, code="none") == 1
    assert value(metrics, "api_calls_total", **calls, code="ThrottlingException") == 1
    assert value(metrics, "api_throttles_total", **calls) == 1
    assert value(metrics, "api_throttles_total", system="cloudmap", operation="ListServices") is None
    assert value(metrics, "api_call_duration_seconds_count", **calls) == 2


def test_a_call_that_waits_for_a_change_says_nothing_about_how_long_calls_take() -> None:
    metrics = Metrics()
    metrics.calls("consul")(Call("GET health/service", 300.0, blocking=True))
    calls = {"system": "consul", "operation": "GET health/service"}
    assert value(metrics, "api_calls_total", **calls, code="none") == 1
    assert value(metrics, "api_call_duration_seconds_count", **calls) is None


def test_the_calls_of_every_system_are_told_as_they_are() -> None:
    metrics = Metrics()
    metrics.calls("consul")(consul.Call("GET catalog/services", 0.1, "500"))
    metrics.calls("cloudmap")(aws.Call("servicediscovery", "ListServices", 0.1, "ThrottlingException"))
    assert (
        value(metrics, "api_calls_total", system="consul", operation="GET catalog/services", code="500") == 1
    )
    assert value(metrics, "api_throttles_total", system="cloudmap", operation="ListServices") == 1


def test_a_later_partial_pass_without_news_leaves_the_gauges() -> None:
    metrics = Metrics()
    metrics.passed(passed(held_plan("a", 3), full=True))
    metrics.passed(passed(ServicePlan("b", "b")))
    assert value(metrics, "held_removals", route=OUT) == 3


def test_watch_ages_and_readiness_are_asked_for_at_each_scrape() -> None:
    metrics = Metrics()
    age = [math.nan]
    metrics.watch_age("consul/dc1", "wide", lambda: age[0])
    metrics.ready(lambda: not math.isnan(age[0]))
    assert math.isnan(value(metrics, "watch_age_seconds", registry="consul/dc1", watch="wide") or 0)
    assert value(metrics, "ready") == 0
    age[0] = 4.5
    assert value(metrics, "watch_age_seconds", registry="consul/dc1", watch="wide") == 4.5
    assert value(metrics, "ready") == 1


@pytest.mark.parametrize("held", [True, False])
def test_leadership_is_one_or_zero(held: bool) -> None:
    metrics = Metrics()
    metrics.leading("corp.internal", held=held)
    assert value(metrics, "leader", lease="corp.internal") == float(held)


def test_what_runs_and_how_the_process_is_stand_there() -> None:
    _, body = Metrics().render()
    assert f'version="{__version__}"' in body.decode()
    assert f"{PREFIX}_process_resident_memory_bytes" in body.decode()
    assert "_created" not in body.decode()


def test_two_installations_in_one_process_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.passed(passed())
    assert value(second, "passes_total", route=OUT, scope="partial") is None


def test_open_metrics_are_given_to_those_who_prefer_them() -> None:
    content_type, body = Metrics().render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
