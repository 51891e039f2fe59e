"""Switching from the tools that users have to this one, without a moment in which the name has no address."""

from typing import Any

import pytest

from syncer.core.model import Listed
from syncer.core.plan import Deregister, Register
from syncer.core.ports import Ending
from tests.emulator.route53_server import WithRoute53
from tests.systems.route53.steps import (
    OTHER_TASK,
    TASK,
    MakeTarget,
    a_record,
    answers,
    carry_out,
    do,
    instances,
    put,
    register,
    sets,
    wanted,
)

WEB = "web.example.com"
STRANGER = "00000000000000000000000000000001"


@pytest.mark.parametrize("known", [True, False])
def test_a_simple_record_makes_way_in_the_same_request(
    aws: WithRoute53, make_target: MakeTarget, client: Any, zone: str, *, known: bool
) -> None:
    target = make_target(take_over=True)
    if known:
        instances(target)
    put(client, zone, a_record(WEB, "198.51.100.1"))
    before = aws.calls.count("route53:ChangeResourceRecordSets")
    tasks = [wanted(), wanted(task=OTHER_TASK, ipv4="203.0.113.11")]
    if not known:
        target.registry.services()
    register(target, *tasks)
    assert answers(aws.dns_address, WEB) == ["203.0.113.10", "203.0.113.11"]
    assert {identifier for _, identifier in sets(client, zone)} == set(map(target.mapping.identifier, tasks))
    if not known:
        assert aws.calls.count("route53:ChangeResourceRecordSets") == before + 1


def test_a_simple_record_stays_until_there_is_something_to_take_its_place(
    make_target: MakeTarget, client: Any, zone: str
) -> None:
    put(client, zone, a_record(WEB, "198.51.100.1"))
    target = make_target(take_over=True)
    assert target.registry.services() == Listed(frozenset({WEB}))
    assert instances(target) == ()  # so that a plan registers what has its address
    do(target, Deregister(wanted()))
    assert sets(client, zone) == {("A", ""): ["198.51.100.1"]}


def test_only_simple_records_of_a_kind_that_is_written_make_way(
    make_target: MakeTarget, client: Any, zone: str
) -> None:
    put(client, zone, a_record(WEB, "2001:db8::77", kind="AAAA"), a_record(WEB, '"x"', kind="TXT"))
    register(make_target(take_over=True), wanted())
    assert sets(client, zone).keys() >= {("AAAA", ""), ("TXT", "")}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(a_record(WEB, "x.example.org", kind="CNAME"), id="cname"),
        pytest.param(a_record(WEB, "198.51.100.1") | {"SetIdentifier": "a", "Weight": 1}, id="weighted"),
    ],
)
def test_what_is_no_simple_record_never_makes_way(
    make_target: MakeTarget, client: Any, zone: str, record: dict[str, Any]
) -> None:
    put(client, zone, record)
    target = make_target(take_over=True)
    assert len(instances(target)) == 1
    assert carry_out(target, Register(wanted()))[0].ending is Ending.FAILED


def test_a_record_called_by_its_task_makes_way_for_ours_of_that_task_and_no_other(
    aws: WithRoute53, make_target: MakeTarget, client: Any, zone: str
) -> None:
    put(
        client,
        zone,
        a_record(WEB, "203.0.113.10", identifier=TASK),
        a_record(WEB, "203.0.113.11", identifier=OTHER_TASK),
        a_record(WEB, "203.0.113.12", identifier=STRANGER),
        a_record(WEB, "203.0.113.13", identifier="blue"),
    )
    target = make_target(take_over=True)
    assert [item.ipv4 for item in instances(target)] == ["203.0.113.13"]  # the rest makes way
    register(target, wanted(), wanted(task=OTHER_TASK, ipv4="203.0.113.11"))
    assert {identifier for _, identifier in sets(client, zone) if "/" not in identifier} == {STRANGER, "blue"}
    assert answers(aws.dns_address, WEB) == [f"203.0.113.{n}" for n in (10, 11, 12, 13)]


def test_a_record_that_the_old_tool_wrote_again_leaves_with_its_task(
    make_target: MakeTarget, client: Any, zone: str
) -> None:
    target = make_target(take_over=True)
    register(target, wanted())
    put(client, zone, a_record(WEB, "203.0.113.10", identifier=TASK))
    assert instances(target) == (target.stored(wanted()),)
    do(target, Deregister(wanted()))
    assert sets(client, zone) == {}


def test_another_owners_record_of_the_same_task_stays(
    make_target: MakeTarget, client: Any, zone: str
) -> None:
    other = make_target(owner="test")
    register(other, wanted(owner="test"))
    target = make_target(take_over=True)
    instances(target)
    register(target, wanted())
    do(target, Deregister(wanted()))
    assert instances(other) == (other.stored(wanted(owner="test")),)


def test_without_take_over_the_old_tools_records_are_somebody_elses(
    make_target: MakeTarget, client: Any, zone: str
) -> None:
    put(client, zone, a_record(WEB, "203.0.113.10", identifier=TASK))
    target = make_target()
    (found,) = instances(target)
    assert (found.ipv4, found.mark) == ("203.0.113.10", None)
    register(target, wanted())
    do(target, Deregister(wanted()))
    assert sets(client, zone) == {("A", TASK): ["203.0.113.10"]}
