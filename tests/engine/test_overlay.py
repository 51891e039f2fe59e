"""Our own writes lie over what a registry says, until it shows them or has had time enough to."""

import time
from dataclasses import replace

import pytest

from syncer.core.model import Health, Instance
from syncer.core.plan import InstanceChange, SetHealth, Update
from syncer.engine.overlay import Overlay
from tests.engine.ground import complete, deregister, ours, register

A, B = ours(1), ours(2)
CRITICAL = replace(A, health=Health.CRITICAL)
MOVED = replace(A, port=81)


def shows(overlay: Overlay, *instances: Instance) -> set[Instance]:
    return set(overlay.apply(complete(*instances)).instances)


def confirm(overlay: Overlay, *instances: Instance, fresh: bool = False, ago: float = 0.0) -> None:
    overlay.confirm(complete(*instances), started=time.monotonic() - ago, fresh=fresh)


def done(overlay: Overlay, change: InstanceChange) -> None:
    overlay.begin(change)
    overlay.end(change, done=True)


def test_what_is_being_added_and_removed_counts_as_there_and_gone() -> None:
    overlay = Overlay(60)
    overlay.begin(register(1))
    overlay.begin(deregister(2))
    assert shows(overlay, B) == {A}
    assert overlay.under_way("web") == 2
    assert overlay.pending("web", A.id)
    assert not overlay.pending("web", "another")
    assert not overlay.pending("api", A.id)


def test_reads_do_not_shake_what_is_under_way() -> None:
    overlay = Overlay(0)
    overlay.begin(register(1))
    confirm(overlay, fresh=True)
    assert shows(overlay) == {A}
    assert overlay.lagging("web") is None


def test_what_is_done_stands_against_reads_that_lag() -> None:
    overlay = Overlay(60)
    done(overlay, register(1))
    confirm(overlay)
    assert shows(overlay) == {A}
    assert not overlay.pending("web", A.id)
    assert overlay.expects("web")
    lag = overlay.lagging("web")
    assert lag is not None
    assert 0 < lag <= 60


def test_what_is_done_is_doubted_after_the_lag() -> None:
    overlay = Overlay(0)
    done(overlay, register(1))
    assert overlay.lagging("web") == 0
    confirm(overlay)
    assert shows(overlay) == set()
    assert not overlay.expects("web")


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        pytest.param(register(1), (A,), id="added"),
        pytest.param(deregister(1), (), id="removed"),
        pytest.param(Update(A, MOVED), (MOVED,), id="updated"),
        pytest.param(SetHealth(Health.PASSING, CRITICAL), (CRITICAL,), id="health"),
        pytest.param(
            SetHealth(Health.PASSING, CRITICAL), (replace(MOVED, health=Health.CRITICAL),), id="health-alone"
        ),
    ],
)
def test_what_shows_is_forgotten(change: InstanceChange, shown: tuple[Instance, ...]) -> None:
    overlay = Overlay(60)
    done(overlay, change)
    confirm(overlay, *shown)
    assert not overlay.expects("web")


def test_a_fresh_read_is_believed_if_it_began_after_the_write_and_only_then() -> None:
    overlay = Overlay(60)
    done(overlay, register(1))
    confirm(overlay, fresh=True, ago=10)
    assert shows(overlay) == {A}
    confirm(overlay, fresh=True)
    assert shows(overlay) == set()


def test_health_is_believed_no_sooner_because_a_read_is_fresh() -> None:
    """The control plane knows no health: a fresh read has it from where it lags."""
    overlay = Overlay(60)
    done(overlay, SetHealth(Health.PASSING, CRITICAL))
    confirm(overlay, A, fresh=True)
    assert shows(overlay, A) == {CRITICAL}
    confirm(overlay, CRITICAL)
    assert not overlay.expects("web")


def test_health_of_what_is_not_there_makes_nothing_appear() -> None:
    overlay = Overlay(60)
    overlay.begin(SetHealth(Health.PASSING, CRITICAL))
    assert shows(overlay) == set()
    overlay.end(SetHealth(Health.PASSING, CRITICAL), done=True)
    confirm(overlay)
    assert overlay.expects("web")


def test_an_update_is_expected_to_keep_the_health() -> None:
    overlay = Overlay(60)
    done(overlay, Update(CRITICAL, MOVED))
    assert shows(overlay, A) == {replace(MOVED, health=Health.CRITICAL)}


def test_an_update_that_shows_with_another_health_leaves_only_the_health_open() -> None:
    overlay = Overlay(60)
    done(overlay, Update(A, MOVED))
    confirm(overlay, replace(MOVED, health=Health.CRITICAL))
    changed = replace(MOVED, port=82, health=Health.CRITICAL)
    assert shows(overlay, changed) == {replace(changed, health=Health.PASSING)}


def test_an_update_shows_once_its_content_does() -> None:
    overlay = Overlay(60)
    done(overlay, Update(A, MOVED))
    confirm(overlay, A)
    assert shows(overlay, A) == {MOVED}


def test_health_set_behind_a_registration_that_did_not_show_keeps_the_registration() -> None:
    overlay = Overlay(60)
    done(overlay, register(1))
    overlay.begin(SetHealth(Health.PASSING, CRITICAL))
    assert shows(overlay) == {CRITICAL}


def test_what_failed_is_not_expected_any_more_and_leaves_nothing_behind() -> None:
    overlay = Overlay(60)
    overlay.begin(register(1))
    overlay.begin(register(2))
    overlay.end(register(1), done=False)
    assert shows(overlay) == {B}
    overlay.end(register(2), done=False)
    assert not overlay.expects("web")
    assert overlay.under_way("web") == 0


def test_the_end_of_a_wish_that_was_superseded_does_not_end_the_later_one() -> None:
    overlay = Overlay(60)
    overlay.begin(register(1))
    overlay.begin(deregister(1))
    overlay.end(register(1), done=False)
    assert overlay.pending("web", A.id)
    assert shows(overlay, A) == set()
    overlay.end(deregister(1), done=True)
    overlay.end(deregister(3), done=True)
    confirm(overlay)
    assert not overlay.expects("web")


def test_other_services_are_other_services() -> None:
    overlay = Overlay(60)
    done(overlay, register(1))
    overlay.confirm(complete(service="api"), started=time.monotonic(), fresh=True)
    assert overlay.apply(complete(B, service="api")).instances == (B,)
    assert overlay.expects("web")
    assert overlay.lagging("api") is None
