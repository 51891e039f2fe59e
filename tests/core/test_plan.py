"""The plan's table, row by row, and what is particular about each row."""

from dataclasses import replace
from typing import Final

import pytest

from syncer.core.identity import target_id
from syncer.core.model import Complete, Conflict, Health, Instance, ServiceInfo
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
    instance_id,
    make_plan,
    ordered,
)
from syncer.core.rules import RouteRules, Unhealthy
from syncer.core.wanted import wanted
from tests.core.values import CRITICAL, ENTRIES, RECORDS, SOURCE, TARGET, copy, info, native, rules, snap
from tests.core.world import carry_out

A: Final = native("a", 1)
A2: Final = native("a", 2)
B: Final = native("b", 2)
B1: Final = native("b", 1)


def new(instance: Instance, attempt: int = 0) -> Instance:
    """Return the entry that *instance* gets where it has none."""
    return copy(instance, target_id(SOURCE, instance.service, instance.id, attempt))


OURS: Final = copy(A)
THEIRS: Final = copy(A, owner="others")
OTHER_ROUTE: Final = copy(A, source="source/two")
NATIVE: Final = native("z", 9)


def plan(
    route: RouteRules, source: Complete, target: Complete
) -> tuple[tuple[Change, ...], tuple[Conflict, ...]]:
    return make_plan(route, "web", wanted(route, "web", source, target), target)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        pytest.param(snap(), snap(), (), id="nothing-is-wanted-and-nothing-is-there"),
        pytest.param(snap(A), snap(), (Register(new(A)),), id="not-there"),
        pytest.param(snap(A), snap(OURS), (), id="already-there"),
        pytest.param(snap(A2), snap(OURS), (Update(OURS, copy(A2)),), id="moved-it-keeps-its-entry"),
        pytest.param(
            snap(replace(A, port=81)),
            snap(OURS),
            (Update(OURS, copy(replace(A, port=81))),),
            id="another-port",
        ),
        pytest.param(
            snap(replace(A, tags=("blue",))),
            snap(OURS),
            (Update(OURS, copy(replace(A, tags=("blue",)))),),
            id="another-tag",
        ),
        pytest.param(
            snap(replace(A, attributes={"k": "v"})),
            snap(OURS),
            (Update(OURS, copy(replace(A, attributes={"k": "v"}))),),
            id="another-attribute",
        ),
        pytest.param(snap(replace(A, health=Health.WARNING)), snap(OURS), (), id="a-warning-still-serves"),
        pytest.param(
            snap(A),
            snap(copy(native("a", 1, **CRITICAL))),
            (SetHealth(Health.CRITICAL, OURS),),
            id="only-its-health-differs",
        ),
        pytest.param(
            snap(A2),
            snap(copy(native("a", 1, **CRITICAL))),
            (Update(copy(native("a", 1, **CRITICAL)), copy(A2)),),
            id="its-health-and-more-differ-the-update-goes-alone",
        ),
        pytest.param(snap(), snap(OURS), (Deregister(OURS),), id="not-wanted"),
        pytest.param(snap(), snap(THEIRS), (), id="theirs-is-left-alone"),
        pytest.param(snap(), snap(OTHER_ROUTE), (), id="another-route's-is-left-alone"),
        pytest.param(snap(), snap(NATIVE), (), id="a-user's-own-is-left-alone"),
        pytest.param(
            snap(B),
            snap(OURS),
            (Register(new(B)), Deregister(OURS)),
            id="what-is-added-comes-before-what-is-removed",
        ),
        pytest.param(
            snap(A2, B1),
            snap(copy(A), copy(B)),
            (Update(copy(A), copy(A2)), Update(copy(B), copy(B1))),
            id="a-swap-where-addresses-may-be-shared",
        ),
        pytest.param(
            snap(A2),
            snap(copy(A, "one"), copy(A2, "two")),
            (Deregister(copy(A, "one")),),
            id="of-two-entries-the-one-in-its-place-stays",
        ),
        pytest.param(
            snap(A),
            snap(copy(A, "two"), copy(A, "one")),
            (Deregister(copy(A, "two")),),
            id="of-two-entries-in-their-place-the-first-stays",
        ),
        pytest.param(
            snap(B),
            snap(copy(A, target_id(SOURCE, "web", "b")), info=None),
            (Register(new(B, attempt=1)), Deregister(copy(A, target_id(SOURCE, "web", "b")))),
            id="its-id-is-taken-by-another-of-ours",
        ),
    ],
)
def test_the_table(source: Complete, target: Complete, expected: tuple[Change, ...]) -> None:
    assert plan(rules(ENTRIES), source, target) == (expected, ())


SRV: Final = info()


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        pytest.param(
            snap(B1),
            snap(OURS, info=SRV),
            (Update(OURS, copy(B1, OURS.id)),),
            id="a-newcomer-takes-the-address-over-in-place",
        ),
        pytest.param(
            snap(A2, B1),
            snap(copy(A), copy(B), info=SRV),
            (Update(copy(A), copy(B1, "a-copy")), Update(copy(B), copy(A2, "b-copy"))),
            id="two-that-swap-their-addresses-swap-their-entries",
        ),
        pytest.param(
            snap(A2, native("b", 3)),
            snap(copy(A), copy(B), info=SRV),
            (Update(copy(A), copy(native("b", 3), "a-copy")), Update(copy(B), copy(A2, "b-copy"))),
            id="a-chain-of-moves-removes-nothing",
        ),
        pytest.param(
            snap(A2),
            snap(copy(A), copy(B), info=SRV),
            (Update(copy(B), copy(A2, "b-copy")), Deregister(copy(A))),
            id="moved-to-the-address-of-one-that-is-gone",
        ),
        pytest.param(
            snap(A2), snap(copy(A), info=SRV), (Update(copy(A), copy(A2)),), id="moved-to-a-free-address"
        ),
        pytest.param(
            snap(B), snap(OURS, info=SRV), (Register(new(B)), Deregister(OURS)), id="no-address-in-common"
        ),
        pytest.param(
            snap(native("b", 1, port=81)),
            snap(OURS, info=info(("SRV",))),
            (Register(new(native("b", 1, port=81))), Deregister(OURS)),
            id="with-srv-records-alone-an-address-may-be-there-twice",
        ),
    ],
)
def test_where_an_address_may_be_there_once(
    source: Complete, target: Complete, expected: tuple[Change, ...]
) -> None:
    assert plan(rules(RECORDS), source, target) == (expected, ())


def test_an_address_may_be_there_once_in_a_registry_without_services_too() -> None:
    route = rules(replace(ENTRIES, unique_address=True))
    assert plan(route, snap(B1), snap(OURS)) == ((Update(OURS, copy(B1, OURS.id)),), ())


def test_two_that_swap_their_ipv6_alone_are_refused_and_keep_their_ipv4() -> None:
    """No order carries this out without a removal: it is left as it is, and the refusals are reported."""
    route = rules(RECORDS, records=frozenset({"A", "AAAA"}))
    a, b = native("a", 1, ipv6="2001:db8::1"), native("b", 2, ipv6="2001:db8::2")
    target = snap(copy(a), copy(b), info=info(("A", "AAAA")))
    changes, _ = plan(route, snap(replace(a, ipv6=b.ipv6), replace(b, ipv6=a.ipv6)), target)
    assert carry_out(route, target, changes) == (target, list(changes))


@pytest.mark.parametrize(
    ("holder", "by"),
    [
        pytest.param(copy(native("a", 3), new(A).id, owner="others"), "others", id="another-owner"),
        pytest.param(native(new(A).id, 3), "somebody without a mark", id="a-user"),
    ],
)
def test_an_id_that_somebody_else_holds_is_a_conflict(holder: Instance, by: str) -> None:
    changes, conflicts = plan(rules(), snap(A, B), snap(holder))
    assert changes == (Register(new(B)),)
    assert conflicts == (Conflict("web", "a", f"the id {holder.id!r} of 'web' is held by {by!r}", by),)


@pytest.mark.parametrize(
    "route",
    [
        pytest.param(rules(replace(ENTRIES, healths=False)), id="the-registry-knows-no-health"),
        pytest.param(rules(RECORDS), id="the-service-takes-no-health"),
    ],
)
def test_health_is_not_written_where_it_cannot_be(route: RouteRules) -> None:
    service = info(health_settable=False) if route.carrier.service_entities else None
    target = snap(OURS, info=service)
    assert plan(route, snap(native("a", 1, **CRITICAL)), target) == ((), ())


def test_one_that_becomes_serving_comes_before_one_that_turns_critical() -> None:
    route = rules(unhealthy=Unhealthy.MARK)
    dying, rising = native("a", 1, **CRITICAL), B
    target = snap(copy(A), copy(native("b", 2, **CRITICAL)))
    changes, _ = plan(route, snap(dying, rising), target)
    assert changes == (SetHealth(Health.CRITICAL, copy(rising)), SetHealth(Health.PASSING, copy(dying)))


def test_a_service_is_created_before_what_goes_into_it() -> None:
    route = rules(RECORDS, records=frozenset({"A", "SRV"}), ttl=30)
    changes, _ = plan(route, snap(A), snap())
    assert changes == (
        CreateService("web", frozenset({"A", "SRV"}), 30, "us", SOURCE),
        Register(new(A)),
    )


def test_a_service_is_not_created_for_nothing() -> None:
    assert plan(rules(RECORDS), snap(native("a", 1, **CRITICAL)), snap()) == ((), ())


@pytest.mark.parametrize(
    ("service", "changed"),
    [
        pytest.param(info(ttl=60), True, id="ours"),
        pytest.param(info(), False, id="ours-as-it-should-be"),
        pytest.param(info(ttl=60, owner="others"), False, id="another-owner's"),
        pytest.param(info(ttl=60, owner=None), False, id="a-user's"),
        pytest.param(info(()), False, id="without-records"),
    ],
)
def test_the_ttl_of_a_service_of_ours_follows_the_rules(service: ServiceInfo, changed: bool) -> None:
    current = replace(snap(OURS), info=service)
    expected = (UpdateService("web", current.info, 15),) if changed and current.info else ()
    assert plan(rules(RECORDS), snap(A), current) == (expected, ())


def test_the_ttl_of_a_service_that_another_route_fills_is_left_to_that_route() -> None:
    assert plan(rules(RECORDS), snap(), snap(OTHER_ROUTE, info=info(ttl=60))) == ((), ())


def test_changes_are_ordered_by_what_they_do_then_by_name() -> None:
    service = info()
    expected: tuple[Change, ...] = (
        CreateService("web", frozenset(), 15, "us", SOURCE),
        UpdateService("web", service, 15),
        Register(new(A)),
        Register(new(B)),
        SetHealth(Health.CRITICAL, copy(A)),
        Update(copy(B), copy(B1)),
        SetHealth(Health.PASSING, copy(native("a", 1, **CRITICAL))),
        Deregister(copy(A)),
        DeleteService("web", service),
    )
    assert ordered(reversed(expected)) == expected


def test_every_change_names_its_service_and_its_instance() -> None:
    changes = (Register(OURS), Update(OURS, OURS), SetHealth(Health.PASSING, OURS), Deregister(OURS))
    assert {(change.service, instance_id(change)) for change in changes} == {("web", "a-copy")}
    assert instance_id(CreateService("web", frozenset(), 15, "us", TARGET)) == ""


def test_a_plan_tells_its_removals() -> None:
    plan = ServicePlan("web", "web", (Register(new(B)), Deregister(OURS)))
    assert plan.removals == (Deregister(OURS),)
