"""What the reports say in words: kinds of changes, addresses, durations, how things are."""

from dataclasses import replace

import pytest

from syncer.core.model import Conflict, Health, Instance, ServiceInfo
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    ServicePlan,
    SetHealth,
    Update,
    UpdateService,
)
from syncer.observe.query import Query
from syncer.observe.render import duration, page
from syncer.observe.words import endpoint, endpoint_of, kind
from tests.observe.busy import Site
from tests.observe.scene import BACK, Scene, ours, passed

WEB = ours("web", "i-1", "10.0.0.1", port=80)
INFO = ServiceInfo("srv-1")


@pytest.mark.parametrize(
    ("change", "word", "where"),
    [
        (CreateService("web", frozenset(), 15, "prod", "x"), "create_service", ""),
        (UpdateService("web", INFO, 15), "update_service", ""),
        (DeleteService("web", INFO), "delete_service", ""),
        (Register(WEB), "register", "10.0.0.1:80"),
        (Update(WEB, WEB), "update", "10.0.0.1:80"),
        (SetHealth(Health.PASSING, WEB), "set_health", "10.0.0.1:80"),
        (Deregister(WEB), "deregister", "10.0.0.1:80"),
    ],
)
def test_every_change_has_a_word_and_those_of_instances_an_address(
    change: Change, word: str, where: str
) -> None:
    assert (kind(change), endpoint_of(change)) == (word, where)


@pytest.mark.parametrize(
    ("instance", "text"),
    [
        (Instance("s", "i", ipv6="fd00::1", port=80), "[fd00::1]:80"),
        (Instance("s", "i", ipv6="fd00::1"), "fd00::1"),
        (Instance("s", "i", hostname="db.example", port=5432), "db.example:5432"),
        (replace(WEB, port=None), "10.0.0.1"),
        (Instance("s", "i"), ""),
    ],
)
def test_an_address_is_written_as_one_would_type_it(instance: Instance, text: str) -> None:
    assert endpoint(instance) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.0123, "12 ms"),
        (1.26, "1.3 s"),
        (9, "9 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3 * 3600, "3 h"),
        (200_000, "2 d"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_conflicts_alone_are_not_as_bad_as_what_is_held() -> None:
    site = Site(Scene())
    plan = ServicePlan("web", "web", conflicts=(Conflict("web", None, "two would meet"),))
    site.store.passed(passed(plan, full=True, route=BACK))
    html = page(site.status.snapshot(Query()), Query())
    assert "In step, with conflicts" in html
    assert "Held by" not in html
