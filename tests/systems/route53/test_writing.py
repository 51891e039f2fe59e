import re
import time
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from syncer.core.errors import Busy, Denied, Missing, Refused
from syncer.core.model import Health
from syncer.core.plan import Deregister, Register, SetHealth, Update
from syncer.core.ports import Ending
from syncer.systems.route53.target import Route53Target
from tests.emulator.route53_server import WithRoute53
from tests.support.wait import eventually
from tests.systems.route53.steps import (
    ORIGIN,
    OTHER_TASK,
    TASK,
    Ends,
    MakeTarget,
    a_record,
    answers,
    carry_out,
    deregister_all,
    do,
    instances,
    put,
    register,
    sets,
    ttl_of,
    wanted,
)

CHANGE = "route53:ChangeResourceRecordSets"
WEB = "web.example.com"


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(wanted(), id="ipv4"),
        pytest.param(wanted(ipv4=None, ipv6="2001:db8::1"), id="ipv6"),
        pytest.param(wanted(ipv6="2001:0DB8:0::1"), id="both-and-not-canonical"),
        pytest.param(wanted(attributes=MappingProxyType({"ttl": "5", "team": "a"})), id="its-own-lifetime"),
        pytest.param(wanted(attributes=MappingProxyType({"ttl": "soon"})), id="a-lifetime-that-is-none"),
        pytest.param(wanted(tags=("blue",), port=8080, health=Health.WARNING), id="what-dns-cannot-hold"),
        pytest.param(wanted(cluster="x" * 200), id="a-long-id"),
        pytest.param(wanted(task="tâche n° 1"), id="an-id-beyond-ascii"),
    ],
)
def test_what_is_registered_is_read_back_as_its_stored_form(target: Route53Target, item: Any) -> None:
    register(target, item)
    assert instances(target) == (target.stored(item),)
    assert target.stored(target.stored(item)) == target.stored(item)


def test_a_resolver_is_answered_until_the_instance_is_deregistered(
    aws: WithRoute53, target: Route53Target
) -> None:
    register(target, wanted(ipv6="2001:db8::1"), wanted(task=OTHER_TASK, ipv4="203.0.113.11"))
    assert answers(aws.dns_address, WEB) == ["203.0.113.10", "203.0.113.11"]
    assert answers(aws.dns_address, WEB, "AAAA") == ["2001:db8::1"]
    do(target, Deregister(wanted(ipv6="2001:db8::1")))
    assert answers(aws.dns_address, WEB) == ["203.0.113.11"]
    assert answers(aws.dns_address, WEB, "AAAA") == []
    deregister_all(target)
    assert answers(aws.dns_address, WEB) == []


def test_records_live_for_60_seconds_unless_the_instance_says_otherwise(
    aws: WithRoute53, make_target: MakeTarget
) -> None:
    register(make_target(), wanted("a.example.com"))
    register(make_target(ttl=20), wanted("b.example.com"))
    own = wanted("c.example.com", attributes=MappingProxyType({"ttl": "5"}))
    register(make_target(), own)
    assert [ttl_of(aws.dns_address, f"{name}.example.com") for name in "abc"] == [60, 20, 5]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"ipv4": "203.0.113.99"}, id="another-address"),
        pytest.param({"ipv6": "2001:db8::9"}, id="one-more-address"),
        pytest.param({"ipv4": None, "ipv6": "2001:db8::9"}, id="another-kind-of-address"),
        pytest.param({"attributes": MappingProxyType({"ttl": "7"})}, id="another-lifetime"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_an_update_takes_the_place_of_what_was_there(
    make_target: MakeTarget, changed: dict[str, Any], *, known: bool
) -> None:
    before = wanted()
    register(make_target(), before)
    target = make_target()  # one that has seen nothing yet
    if known:
        instances(target)
    after = replace(before, **changed)
    do(target, Update(before, after))
    assert instances(target) == (target.stored(after),)


def test_an_entry_that_another_instance_takes_over_keeps_its_id(target: Route53Target) -> None:
    before = wanted()
    register(target, before)
    after = replace(wanted(task=OTHER_TASK), id=before.id)
    do(target, Update(before, after))
    assert instances(target) == (target.stored(after),)
    deregister_all(target)
    assert instances(target) == ()


def test_two_entries_may_swap_their_instances_at_once(target: Route53Target) -> None:
    one, two = wanted(), wanted(task=OTHER_TASK, ipv4="203.0.113.11")
    register(target, one, two)
    swapped = replace(two, id=one.id, ipv4=one.ipv4), replace(one, id=two.id, ipv4=two.ipv4)
    do(target, Update(one, swapped[0]), Update(two, swapped[1]))
    assert set(instances(target)) == set(map(target.stored, swapped))


def test_deregistering_twice_is_done_twice(target: Route53Target) -> None:
    register(target, wanted())
    for _ in range(2):
        do(target, Deregister(wanted()))
    assert instances(target) == ()


@pytest.mark.parametrize("known", [True, False])
def test_what_somebody_else_removed_or_changed_is_deregistered_all_the_same(
    make_target: MakeTarget, client: Any, zone: str, *, known: bool
) -> None:
    target = make_target()
    register(target, wanted(), wanted(task=OTHER_TASK, ipv4="203.0.113.11"))
    first, second = (target.mapping.identifier(wanted(task=task)) for task in (TASK, OTHER_TASK))
    put(client, zone, a_record(WEB, "203.0.113.10", identifier=first), action="DELETE")
    put(client, zone, a_record(WEB, "203.0.113.77", identifier=second, ttl=9), action="UPSERT")
    used = target if known else make_target()
    do(used, Deregister(wanted()), Deregister(wanted(task=OTHER_TASK, ipv4="203.0.113.11")))
    assert sets(client, zone) == {}


def test_records_of_others_in_the_same_name_are_left_alone(
    target: Route53Target, client: Any, zone: str
) -> None:
    put(client, zone, a_record(WEB, "192.0.2.1", identifier="theirs"), a_record(WEB, '"x"', kind="TXT"))
    register(target, wanted())
    do(target, Deregister(wanted()))
    assert sets(client, zone) == {("A", "theirs"): ["192.0.2.1"], ("TXT", ""): ['"x"']}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("record", "words"),
    [
        (a_record(WEB, "192.0.2.1"), "simple A record.*take_over"),
        (a_record(WEB, "other.example.org", kind="CNAME"), "CNAME"),
        (a_record(WEB, "192.0.2.1") | {"SetIdentifier": "a", "Weight": 1}, "Weight"),
    ],
)
def test_a_record_that_excludes_ours_is_left_and_named(
    make_target: MakeTarget, client: Any, zone: str, record: dict[str, Any], words: str, *, known: bool
) -> None:
    target = make_target()
    if known:
        instances(target)
    put(client, zone, record)
    there = sets(client, zone)
    (outcome,) = carry_out(target, Register(wanted()))
    assert outcome.ending is Ending.FAILED
    assert isinstance(outcome.error, Refused)
    assert outcome.error.code == "RecordInTheWay"
    assert re.search(words, str(outcome.error))
    assert sets(client, zone) == there


def test_once_what_was_in_the_way_is_gone_the_instance_is_registered(
    target: Route53Target, client: Any, zone: str
) -> None:
    put(client, zone, a_record(WEB, "192.0.2.1"))
    assert carry_out(target, Register(wanted()))[0].ending is Ending.FAILED
    put(client, zone, a_record(WEB, "192.0.2.1"), action="DELETE")
    register(target, wanted())


def test_one_bad_change_stops_no_other(target: Route53Target, client: Any, zone: str) -> None:
    put(client, zone, a_record("cname.example.com", "x.example.org", kind="CNAME"))
    good = [wanted(task=f"{n:032x}", ipv4=f"203.0.113.{n}") for n in range(20)]
    bad = [
        wanted("cname.example.com"),
        wanted(task=OTHER_TASK, ipv4="no-address"),
        wanted("web.example.org"),
        wanted(task="f" * 32, ipv4=None),
    ]
    outcomes = carry_out(target, *map(Register, good[:10]), *map(Register, bad), *map(Register, good[10:]))
    endings = [outcome.ending for outcome in outcomes]
    assert endings == [Ending.DONE] * 10 + [Ending.FAILED] * 4 + [Ending.DONE] * 10
    assert all(isinstance(outcome.error, Refused) for outcome in outcomes[10:14])
    assert {item.ipv4 for item in instances(target)} == {item.ipv4 for item in good}


def test_what_comes_within_a_moment_goes_in_one_request(aws: WithRoute53, make_target: MakeTarget) -> None:
    target = make_target(debounce=0.3)
    ends = Ends()
    for number in range(30):
        item = wanted(f"n{number % 3}.example.com", task=f"{number:032x}", ipv4=f"203.0.113.{number}")
        target.writer.submit([Register(item)], ends)
    ends.wait(30)
    assert aws.calls.count(CHANGE) == 1


def test_more_than_a_request_can_hold_goes_in_several(aws: WithRoute53, target: Route53Target) -> None:
    many = [
        wanted(f"n{number}.example.com", ipv4="203.0.113.1", ipv6=f"2001:db8::{number:x}")
        for number in range(600)
    ]
    register(target, *many)
    assert aws.calls.count(CHANGE) == 3  # of 250 instances with two records each, and an UPSERT counts twice
    do(target, *map(Deregister, many))
    assert aws.calls.count(CHANGE) == 3 + 2


def test_the_latest_wish_wins_and_each_ends_once(target: Route53Target) -> None:
    item = wanted()
    ends = Ends()
    changes = [Register(replace(item, ipv4=f"203.0.113.{n}")) for n in range(1, 30)]
    for change in changes:
        target.writer.submit([change], ends)
    outcomes = ends.wait(len(changes))
    assert {outcome.ending for outcome in outcomes} == {Ending.DONE, Ending.SUPERSEDED}
    assert [outcome.change for outcome in outcomes if outcome.ending is Ending.DONE][-1] is changes[-1]
    assert [found.ipv4 for found in instances(target)] == ["203.0.113.29"]


def test_a_zone_that_is_still_at_work_is_asked_again(aws: WithRoute53, target: Route53Target) -> None:
    aws.route53.busy = 0.3
    register(target, wanted())
    register(target, wanted(task=OTHER_TASK, ipv4="203.0.113.11"))
    assert len(instances(target)) == 2


def test_throttling_slows_down_and_all_is_done_in_the_end(aws: WithRoute53, target: Route53Target) -> None:
    aws.fault("error", operation=CHANGE, code="Throttling", status=400, count=2)
    register(target, wanted())
    assert len(instances(target)) == 1


def test_an_answer_that_got_lost_does_no_harm(aws: WithRoute53, target: Route53Target) -> None:
    aws.fault("lost_answer", operation=CHANGE, count=1)
    register(target, wanted())
    aws.fault("lost_answer", operation=CHANGE, count=1)
    do(target, Deregister(wanted()))
    assert instances(target) == ()


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, Denied),
        ("NoSuchHostedZone", 404, Missing),
        ("PriorRequestNotComplete", 400, Busy),
    ],
)
def test_a_failure_that_stays_fails_all_of_its_request_and_the_writer_goes_on(
    aws: WithRoute53, target: Route53Target, code: str, status: int, kind: type[Exception]
) -> None:
    fault = aws.fault("error", operation=CHANGE, code=code, status=status)
    outcomes = carry_out(target, Register(wanted()), Register(wanted("b.example.com")))
    assert [outcome.ending for outcome in outcomes] == [Ending.FAILED] * 2
    assert all(isinstance(outcome.error, kind) for outcome in outcomes)
    aws.faults.remove(fault.id)
    register(target, wanted())


def test_a_zone_has_no_health_to_set(target: Route53Target) -> None:
    (outcome,) = carry_out(target, SetHealth(Health.PASSING, wanted(health=Health.CRITICAL)))
    assert isinstance(outcome.error, Refused)


def test_an_instance_without_a_mark_is_not_ours_to_write(target: Route53Target) -> None:
    (outcome,) = carry_out(target, Register(replace(wanted(), mark=None)))
    assert isinstance(outcome.error, Refused)
    assert instances(target) == ()


def test_what_other_owners_and_other_origins_wrote_is_told_apart(make_target: MakeTarget) -> None:
    other = make_target(owner="test")
    register(other, wanted(owner="test"))
    elsewhere = make_target(origins=(ORIGIN, "consul/dc1"))
    register(elsewhere, wanted(task=OTHER_TASK, ipv4="203.0.113.11", origin="consul/dc1"))
    marks = {item.mark for item in instances(make_target(origins=(ORIGIN, "consul/dc1")))}
    assert {(mark.owner, mark.origin) for mark in marks if mark} == {("test", ORIGIN), ("prod", "consul/dc1")}


def test_a_closing_writer_finishes_what_is_under_way_and_abandons_the_rest(
    aws: WithRoute53, make_target: MakeTarget
) -> None:
    target = make_target()
    slow = aws.fault("delay", operation=CHANGE, seconds=0.5, count=1)
    ends = Ends()
    target.writer.submit([Register(wanted())], ends)
    eventually(lambda: slow.hits, message="the request is under way")
    target.writer.submit([Register(wanted("b.example.com"))], ends)
    target.close(10.0)
    target.writer.submit([Register(wanted("c.example.com"))], ends)
    endings = {outcome.change.service: outcome.ending for outcome in ends.wait(3)}
    assert endings["b.example.com"] is Ending.ABANDONED
    assert endings["c.example.com"] is Ending.ABANDONED
    assert endings[WEB] is Ending.DONE


def test_a_writer_that_may_not_wait_abandons_what_is_under_way(
    aws: WithRoute53, make_target: MakeTarget
) -> None:
    target = make_target()
    aws.fault("delay", operation=CHANGE, seconds=2.0, count=1)
    ends = Ends()
    target.writer.submit([Register(wanted())], ends)
    target.close(0.3)
    assert [outcome.ending for outcome in ends.wait(1)] == [Ending.ABANDONED]
    time.sleep(0.1)
    ends.wait(1)
