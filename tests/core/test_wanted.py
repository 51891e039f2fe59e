"""What the target should hold: every rule of it, and the reason it gives."""

from dataclasses import replace
from typing import Any, Final

import pytest

from syncer.core.carrier import Carrier
from syncer.core.filters import Filter
from syncer.core.model import Complete, Conflict, Health, Instance, Mark, Skip
from syncer.core.offer import offer
from syncer.core.reconcile import Pair, reconcile
from syncer.core.rules import Address, RouteRules, SameName, Unhealthy
from syncer.core.wanted import Wanted, is_ours, wanted
from tests.core.values import (
    BARE,
    CRITICAL,
    ENTRIES,
    OWNER,
    RECORDS,
    SOURCE,
    TARGET,
    copy,
    info,
    native,
    rules,
    snap,
)
from tests.core.world import carry_out

A: Final = native("a", 1)
B: Final = native("b", 2)
DOWN: Final = native("a", 1, **CRITICAL)
DOWN_B: Final = native("b", 2, **CRITICAL)
V6: Final = native("six", ipv6="2001:db8::1")
NAMED: Final = native("name", hostname="lb.example.org")


def ids(want: Wanted) -> list[str]:
    return [item.id for item in want.instances]


def reasons(want: Wanted) -> dict[str | None, str]:
    return {skip.instance: skip.reason for skip in want.skipped}


def look(source: Complete, target: Complete | None = None, route: RouteRules | None = None) -> Wanted:
    return wanted(route or rules(), "web", source, target or snap())


def test_an_instance_is_carried_with_its_address_port_health_tags_attributes_and_a_mark() -> None:
    source = native("a", 1, tags=("blue",), attributes={"k": "v"}, health=Health.WARNING, service="web")
    want = wanted(rules(), "aws-web", snap(source), snap(service="aws-web"))
    mark = Mark("us", SOURCE, "web", "a")
    assert want.instances == (replace(source, service="aws-web", mark=mark),)
    assert want.offered == 1


def test_extra_tags_and_attributes_are_added_and_win() -> None:
    source = native("a", 1, tags=("blue",), attributes={"k": "v", "own": "1"})
    route = rules(extra_tags=("blue", "aws"), extra_attributes={"k": "w"})
    (item,) = look(snap(source), route=route).instances
    assert item.tags == ("aws", "blue")
    assert item.attributes == {"k": "w", "own": "1"}


def test_what_does_not_fit_is_dropped_with_a_reason_under_the_sources_name() -> None:
    limits = replace(ENTRIES.attributes, reserved=("sync-",))
    route = rules(replace(ENTRIES, attributes=limits))
    source = native("a", 1, attributes={"sync-owner": "me", "k": "v"})
    want = wanted(route, "aws-web", snap(source), snap(service="aws-web"))
    assert want.instances[0].attributes == {"k": "v"}
    assert want.skipped == (Skip("web", "a", "attribute 'sync-owner' is not carried: the key is reserved"),)


def test_who_manages_an_instance_in_the_source_manages_nothing_in_the_target() -> None:
    (item,) = look(snap(native("a", 1, managed_by="ecs"))).instances
    assert item.managed_by == ""


@pytest.mark.parametrize(
    ("instance", "route", "reason"),
    [
        (native("a", 1, kind="connect-proxy"), rules(), "it is a connect-proxy, not a service"),
        (native("a"), rules(), "it has no address"),
        (A, rules(address=Address.PUBLIC), "it has no public address"),
        (native("a", ipv4="0.0.0.0"), rules(), "its address is the unspecified one"),
        (native("a", ipv6="::"), rules(), "its address is the unspecified one"),
        (V6, rules(RECORDS), "it has no IPv4 address, and the service has A records"),
        (
            A,
            rules(RECORDS, records=frozenset({"AAAA"})),
            "it has no IPv6 address, and the service has AAAA records",
        ),
        (
            A,
            rules(RECORDS, records=frozenset({"CNAME"})),
            "it has no hostname, and the service has CNAME records",
        ),
        (
            native("a", 1, port=None),
            rules(RECORDS, records=frozenset({"SRV"})),
            "it has no port, and the service has SRV records",
        ),
        (
            NAMED,
            rules(replace(RECORDS, hostnames=True), records=frozenset({"SRV"})),
            "it has no address, and the service has SRV records",
        ),
        (NAMED, rules(RECORDS), "it has a name instead of an address, which only a CNAME record can carry"),
        (
            native("a", 1, tags=("private",)),
            rules(filter=Filter(exclude_tags=("private",))),
            "its tag 'private' is excluded by 'private'",
        ),
    ],
)
def test_what_cannot_be_carried_is_skipped_with_the_reason(
    instance: Instance, route: RouteRules, reason: str
) -> None:
    want = look(snap(instance), route=route)
    assert want == Wanted((), (Skip("web", instance.id, reason),))


@pytest.mark.parametrize(
    ("instance", "route"),
    [
        pytest.param(V6, rules(), id="ipv6-only-where-there-are-no-records"),
        pytest.param(V6, rules(RECORDS, records=frozenset({"AAAA"})), id="ipv6-only-with-aaaa-records"),
        pytest.param(NAMED, rules(), id="a-hostname-where-those-are-taken"),
        pytest.param(NAMED, rules(RECORDS, records=frozenset({"CNAME"})), id="a-hostname-with-cname-records"),
        pytest.param(native("a", 1, port=None), rules(RECORDS), id="no-port-without-srv-records"),
        pytest.param(V6, rules(RECORDS, records=frozenset()), id="anything-where-the-service-is-api-only"),
    ],
)
def test_what_the_records_can_answer_with_is_carried(instance: Instance, route: RouteRules) -> None:
    assert ids(look(snap(instance), route=route)) == [instance.id]


def test_the_records_that_a_service_has_count_rather_than_those_it_would_get() -> None:
    route = rules(RECORDS, records=frozenset({"A"}))
    assert ids(look(snap(V6), snap(info=info(("AAAA",), owner=None)), route)) == ["six"]


def test_records_that_changed_in_the_rules_are_told_because_the_service_keeps_its_own() -> None:
    route = rules(RECORDS, records=frozenset({"A", "SRV"}))
    want = look(snap(A), snap(info=info(("A",))), route)
    reason = "it has A records there, which cannot be changed; the route asks for A and SRV records"
    assert ids(want) == ["a"]
    assert want.skipped == (Skip("web", None, reason, "delete the service there: it is created anew"),)


@pytest.mark.parametrize("service", [info(("A",)), info(()), info(("SRV",), owner="others")])
def test_records_are_not_told_of_where_they_are_right_or_not_ours(service: Any) -> None:
    assert look(snap(A), snap(info=service), rules(RECORDS)).skipped == ()


def test_a_hostname_beside_an_address_is_left_out_where_it_cannot_be_carried() -> None:
    both = native("a", 1, hostname="lb.example.org")
    assert [item.hostname for item in look(snap(both), route=rules(RECORDS)).instances] == [None]
    assert [item.hostname for item in look(snap(both)).instances] == ["lb.example.org"]


def test_public_addresses_take_the_place_of_private_ones_by_choice() -> None:
    source = native("a", 1, hostname="lb", public_ipv4="198.51.100.1", public_ipv6="2001:db8::9")
    (item,) = look(snap(source), route=rules(address=Address.PUBLIC)).instances
    assert item.addresses == ("198.51.100.1", "2001:db8::9")
    assert (item.public_ipv4, item.public_ipv6) == (None, None)


@pytest.mark.parametrize(("public_port", "expected"), [(8443, 8443), (None, 80)])
def test_a_public_address_comes_with_its_own_port_if_it_has_one(
    public_port: int | None, expected: int
) -> None:
    source = native("a", 1, port=80, public_ipv4="198.51.100.1", public_port=public_port)
    (item,) = look(snap(source), route=rules(address=Address.PUBLIC)).instances
    assert (item.port, item.public_port) == (expected, None)
    (item,) = look(snap(source), route=rules(RECORDS)).instances
    assert (item.port, item.public_port) == (80, None)
    (item,) = look(snap(source), route=rules(replace(ENTRIES, public_addresses=True))).instances
    assert (item.port, item.public_port) == (80, public_port)


def test_public_addresses_travel_along_where_there_are_fields_for_them() -> None:
    source = native("a", 1, public_ipv4="198.51.100.1")
    (item,) = look(snap(source), route=rules(replace(ENTRIES, public_addresses=True))).instances
    assert (item.ipv4, item.public_ipv4) == ("10.0.0.1", "198.51.100.1")


# Echo.


@pytest.mark.parametrize("owner", ["us", "others", "consul-aws"])
def test_what_any_syncer_wrote_is_no_source(owner: str) -> None:
    assert look(snap(copy(A, owner=owner))) == Wanted((), ())


def test_under_transit_it_is_and_the_mark_keeps_the_chain() -> None:
    passed = replace(copy(A, "x"), mark=Mark("others", "far/one", "web", "a", ("farther/one",)))
    (item,) = look(snap(passed), route=rules(transit=True)).instances
    assert item.mark == Mark("us", SOURCE, "web", "x", ("farther/one", "far/one"))


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(Mark("others", TARGET, "web", "a"), id="from-the-target"),
        pytest.param(Mark("others", "far/one", "web", "a", (TARGET,)), id="through-the-target"),
        pytest.param(Mark("others", "far/one", "web", "a", (SOURCE,)), id="through-the-source-before"),
    ],
)
def test_under_transit_the_chain_stops_loops(mark: Mark) -> None:
    assert look(snap(replace(A, mark=mark)), route=rules(transit=True)) == Wanted((), ())


@pytest.mark.parametrize(
    ("instance", "ours"),
    [
        (copy(A), True),
        (copy(A, owner="US"), False),
        (copy(A, owner="us-2"), False),
        (copy(A, source="source/two"), False),
        (A, False),
    ],
)
def test_ours_is_what_carries_our_owner_and_this_source_by_equality(instance: Instance, ours: bool) -> None:
    assert is_ours(instance, rules()) is ours


# What is there already.


def test_under_skip_a_service_that_users_have_there_gets_nothing() -> None:
    want = look(snap(A, B), snap(native("z", 9), copy(A)), rules(same_name=SameName.SKIP))
    reason = "the target has a service 'web' of its own, and same_name is skip"
    assert want == Wanted((), (Skip("web", None, reason),), offered=2)


def test_under_skip_what_only_syncers_wrote_is_no_service_of_a_user() -> None:
    target = snap(copy(native("z", 9), owner="others"), copy(A))
    assert ids(look(snap(A), target, rules(same_name=SameName.SKIP))) == ["a"]


def test_under_merge_both_sides_stand_beside_each_other() -> None:
    assert ids(look(snap(A), snap(native("z", 9)))) == ["a"]


def test_the_same_address_and_port_natively_on_both_sides_is_left_alone() -> None:
    want = look(snap(A), snap(native("z", 1), copy(A)))
    assert want == Wanted(
        (), (Skip("web", "a", "10.0.0.1 is registered there already, not by a syncer"),), (), 1
    )


def test_the_same_address_with_another_port_is_another_instance() -> None:
    assert ids(look(snap(A), snap(native("z", 1, port=81)))) == ["a"]


def test_where_an_address_may_be_there_once_the_port_does_not_matter() -> None:
    want = look(snap(A), snap(native("z", 1, port=81), info=info()), rules(RECORDS))
    assert reasons(want) == {"a": "10.0.0.1 is registered there already, not by a syncer"}


def test_what_another_syncer_put_there_first_is_a_conflict() -> None:
    want = look(snap(A), snap(copy(native("z", 1), owner="others")))
    assert want == Wanted(
        (), (), (Conflict("web", "a", "10.0.0.1 is already there, from 'others'", "others"),), 1
    )


def test_what_we_have_registered_stands_beside_what_another_syncer_put_there() -> None:
    """If two withdrew for each other at the same time, nothing would be left."""
    target = snap(copy(A), copy(native("z", 1), owner="others"))
    assert ids(look(snap(A), target)) == ["a"]


def test_a_port_that_one_side_does_not_know_may_be_the_others() -> None:
    there = {"a": "10.0.0.1 is registered there already, not by a syncer"}
    assert reasons(look(snap(A), snap(native("z", 1, port=None)))) == there
    assert reasons(look(snap(replace(A, port=None)), snap(native("z", 1, port=81)))) == there


FELLOW: Final = copy(native("z", 1), source="a-source")
BETTER: Final = copy(native("z", 1), source="z-source")


def test_of_two_routes_of_ours_that_find_one_instance_the_lesser_source_makes_way() -> None:
    assert ids(look(snap(A), snap(FELLOW))) == ids(look(snap(A), snap(FELLOW, copy(A)))) == ["a"]
    there = {"a": "10.0.0.1 is registered there already, from z-source"}
    assert reasons(look(snap(A), snap(BETTER))) == reasons(look(snap(A), snap(BETTER, copy(A)))) == there


def test_a_route_of_ours_makes_way_for_nothing_that_has_only_some_of_the_addresses() -> None:
    both = replace(A, ipv6="2001:db8::1")
    assert ids(look(snap(both), snap(BETTER, copy(both)))) == ["a"]


def test_where_an_address_may_be_there_once_the_route_of_ours_that_has_it_keeps_it() -> None:
    there = {"a": "10.0.0.1 is registered there already, from a-source"}
    assert reasons(look(snap(A), snap(FELLOW, info=info()), rules(RECORDS))) == there
    assert ids(look(snap(A), snap(copy(A), FELLOW, info=info()), rules(RECORDS))) == ["a"]


def test_an_exclusive_address_of_another_syncer_cannot_be_moved_to() -> None:
    target = snap(copy(native("a", 5)), copy(native("z", 1), owner="others"), info=info())
    want = look(snap(A), target, rules(RECORDS))
    assert [conflict.holder for conflict in want.conflicts] == ["others"]
    assert want.instances == ()


def test_a_users_instance_is_named_rather_than_a_syncers_with_the_same_address() -> None:
    target = snap(copy(native("a0", 1), owner="others"), native("z", 1))
    assert reasons(look(snap(A), target)) == {"a": "10.0.0.1 is registered there already, not by a syncer"}


# Health.


def test_the_critical_are_withdrawn_and_so_are_new_ones_not_added() -> None:
    want = look(snap(DOWN, B), snap(copy(A), copy(B)))
    assert ids(want) == ["b"]
    assert want.skipped == (Skip("web", "a", "it is critical"),)
    assert want.offered == 2


@pytest.mark.parametrize("health", [Health.PASSING, Health.WARNING, Health.UNKNOWN])
def test_all_but_the_critical_serve(health: Health) -> None:
    assert ids(look(snap(native("a", 1, health=health)))) == ["a"]


def test_the_last_is_never_withdrawn_for_its_health_alone() -> None:
    want = look(snap(DOWN, DOWN_B), snap(copy(B)))
    assert ids(want) == ["b"]
    assert reasons(want) == {"a": "it is critical"}


def test_all_that_turn_critical_at_once_stay() -> None:
    assert ids(look(snap(DOWN, DOWN_B), snap(copy(A), copy(B)))) == ["a", "b"]


def test_the_last_is_withdrawn_if_the_rules_say_so() -> None:
    assert ids(look(snap(DOWN), snap(copy(A)), rules(keep_last=False))) == []


def test_the_last_of_ours_is_withdrawn_where_somebody_elses_serves() -> None:
    assert ids(look(snap(DOWN), snap(copy(A), native("z", 9)))) == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(native("z", 9, **CRITICAL), id="critical-itself"),
        pytest.param(native("z", 9, kind="connect-proxy"), id="no-service"),
    ],
)
def test_the_last_of_ours_stays_where_nobody_elses_serves(other: Instance) -> None:
    assert ids(look(snap(DOWN), snap(copy(A), other))) == ["a"]


def test_new_critical_ones_are_not_added_to_an_empty_service() -> None:
    assert ids(look(snap(DOWN))) == []


def test_a_critical_newcomer_takes_over_the_last_address_where_an_address_may_be_there_once() -> None:
    """A container that was replaced on its address, whose checks have not passed yet, leaves the name answering."""
    target = snap(copy(native("old", 1)), info=info())
    assert ids(look(snap(DOWN), target, rules(RECORDS))) == ["a"]
    assert ids(look(snap(DOWN_B), target, rules(RECORDS))) == []


def test_the_last_of_a_service_of_another_name_is_not_this_one() -> None:
    """After a rename the old service's entry with the same instance id is not the one that is kept."""
    stale = copy(native("a", 1, service="old"))
    assert ids(look(snap(DOWN), snap(replace(stale, service="web")))) == []


def test_the_critical_stay_where_they_are_marked() -> None:
    want = look(snap(DOWN, B), route=rules(unhealthy=Unhealthy.MARK))
    assert [(item.id, item.health) for item in want.instances] == [
        ("a", Health.CRITICAL),
        ("b", Health.PASSING),
    ]


@pytest.mark.parametrize(
    ("route", "target"),
    [
        (rules(replace(ENTRIES, healths=False), unhealthy=Unhealthy.MARK), snap()),
        (rules(RECORDS, unhealthy=Unhealthy.MARK), snap(info=info(health_settable=False))),
    ],
)
def test_where_they_cannot_be_marked_they_are_withdrawn(route: RouteRules, target: Complete) -> None:
    assert ids(look(snap(DOWN, B), target, route)) == ["b"]


# One instance for each address.

SHARING: Final = native("b", 1, port=81)
SHARED_REASON: Final = "a of this service has the same address, and one address is registered once"


def test_of_several_on_one_address_one_is_registered_and_the_others_say_why() -> None:
    want = look(snap(SHARING, A), route=rules(RECORDS))
    assert ids(want) == ["a"]
    assert want.skipped == (Skip("web", "b", SHARED_REASON, "write records: [SRV]"),)


@pytest.mark.parametrize("records", [("SRV",), ()])
def test_without_a_records_an_address_may_be_there_several_times(records: tuple[str, ...]) -> None:
    assert ids(look(snap(SHARING, A), route=rules(RECORDS, records=frozenset(records)))) == ["a", "b"]


def test_the_one_that_is_there_stays() -> None:
    assert ids(look(snap(SHARING, A), snap(copy(SHARING), info=info()), rules(RECORDS))) == ["b"]


def test_an_entry_on_another_address_gives_no_claim_to_this_one() -> None:
    """Otherwise what is chosen would depend on how far an interrupted plan has come."""
    stale = copy(native("b", 7))
    assert ids(look(snap(SHARING, A), snap(stale, info=info()), rules(RECORDS))) == ["a"]


def test_the_healthy_one_goes_before_the_one_that_is_there() -> None:
    route = rules(RECORDS, unhealthy=Unhealthy.MARK)
    source = snap(A, replace(SHARING, **CRITICAL))
    assert ids(look(source, snap(copy(SHARING), info=info()), route)) == ["a"]


def test_where_an_address_may_be_shared_all_are_registered() -> None:
    assert ids(look(snap(SHARING, A))) == ["a", "b"]


def test_the_wanted_and_the_offered_come_in_the_order_of_their_ids() -> None:
    assert ids(look(snap(B, A))) == ["a", "b"]
    assert [item.id for item in offer(rules(), "web", snap(B, A), None).instances] == ["a", "b"]


# A target that holds less than an instance has.


def test_what_is_wanted_is_what_the_target_will_give_back_with_the_health_it_has() -> None:
    want = look(snap(replace(A, tags=("blue",), health=Health.WARNING)), route=rules(BARE))
    mark = Mark(OWNER, SOURCE, "", "10.0.0.1:80")
    expected = Instance("web", "a", ipv4="10.0.0.1", port=80, health=Health.WARNING, mark=mark)
    assert want.instances == (expected,)


def test_of_those_that_are_one_entry_there_the_serving_is_registered_and_the_other_says_why() -> None:
    want = look(snap(native("a", 1, **CRITICAL), native("b", 1)), route=rules(BARE))
    assert ids(want) == ["b"]
    assert want.skipped == (Skip("web", "a", "b of this service is the same entry there"),)


def test_what_is_not_carried_is_named_as_the_source_names_it_though_the_target_knows_no_names() -> None:
    target = snap(copy(native("z", 1), owner="others"), native("y", 2))
    want = look(snap(A, B, native("c", 3, **CRITICAL)), target, rules(BARE))
    notes: tuple[Conflict | Skip, ...] = (*want.conflicts, *want.skipped)
    assert [(note.service, note.instance) for note in notes] == [
        ("web", "a"),
        ("web", "b"),
        ("web", "c"),
    ]


@pytest.mark.parametrize("carrier", [ENTRIES, BARE])
def test_what_the_source_says_has_ended_is_removed_as_such(carrier: Carrier) -> None:
    route, both = rules(carrier), snap(A, B)
    target, _ = carry_out(route, snap(), reconcile(route, Pair("web", snap(), "web", both)).changes)
    source = replace(snap(), ended=(A,))
    removals = reconcile(route, Pair("web", target, "web", source)).removals
    assert {(change.instance.ipv4, change.ended) for change in removals} == {
        ("10.0.0.1", True),
        ("10.0.0.2", False),
    }
