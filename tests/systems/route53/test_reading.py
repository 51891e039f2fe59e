import threading
from typing import Any

import pytest

from syncer.core.model import Complete, Listed, Unlisted, Unreadable
from syncer.core.plan import Update
from syncer.systems.route53.target import Route53Target
from tests.emulator.route53_server import WithRoute53
from tests.systems.route53.steps import (
    OTHER_TASK,
    TASK,
    MakeTarget,
    a_record,
    do,
    instances,
    put,
    register,
    sets,
    wanted,
)

LIST = "route53:ListResourceRecordSets"


def test_every_name_with_an_address_is_a_service(target: Route53Target, client: Any, zone: str) -> None:
    put(
        client,
        zone,
        a_record("a.example.com", "192.0.2.1"),
        a_record("b.example.com", "2001:db8::1", kind="AAAA"),
        a_record("c.example.com", "a.example.com", kind="CNAME"),
        a_record("d.example.com", '"text"', kind="TXT"),
    )
    register(target, wanted())
    names = {f"{letter}.example.com" for letter in "abc"} | {"web.example.com"}
    assert target.registry.services() == Listed(frozenset(names))


def test_a_name_without_records_is_complete_and_empty(target: Route53Target) -> None:
    assert target.registry.read("nothing.example.com", fresh=True) == Complete("nothing.example.com", ())


def test_records_of_others_have_no_mark_and_keep_their_addresses(
    target: Route53Target, client: Any, zone: str
) -> None:
    put(client, zone, a_record("simple.example.com", "192.0.2.1", "192.0.2.2"))
    put(client, zone, a_record("multi.example.com", "192.0.2.3", identifier=TASK))
    put(client, zone, a_record("cname.example.com", "other.example.org.", kind="CNAME"))
    alias = {
        "Name": "alias.example.com",
        "Type": "A",
        "AliasTarget": {"HostedZoneId": zone, "DNSName": "lb.example.org.", "EvaluateTargetHealth": False},
    }
    put(client, zone, alias)
    found = {name: instances(target, f"{name}.example.com") for name in ("simple", "multi", "cname", "alias")}
    assert [item.ipv4 for item in found["simple"]] == ["192.0.2.1", "192.0.2.2"]
    assert [item.ipv4 for item in found["multi"]] == ["192.0.2.3"]
    assert [item.hostname for item in found["cname"]] == ["other.example.org"]
    assert [item.hostname for item in found["alias"]] == ["lb.example.org"]
    assert all(item.mark is None for items in found.values() for item in items)
    assert len({item.id for items in found.values() for item in items}) == 5


def test_a_zone_of_many_pages_is_read_to_the_last(aws: WithRoute53, target: Route53Target) -> None:
    tasks = [f"{number:032x}" for number in range(25)]
    register(target, *(wanted(task=task, ipv4=f"203.0.113.{n}") for n, task in enumerate(tasks)))
    register(target, wanted("zzz.example.com", ipv4="203.0.113.200"))
    aws.route53.page = 4
    assert target.registry.services() == Listed(frozenset({"web.example.com", "zzz.example.com"}))
    for fresh in (False, True):
        found = instances(target, fresh=fresh)
        assert {item.mark.instance for item in found if item.mark} == {f"main/{task}" for task in tasks}


def test_after_a_listing_each_name_is_read_once_without_a_call(
    aws: WithRoute53, target: Route53Target
) -> None:
    register(target, wanted())
    target.registry.services()
    aws.calls.reset()
    assert len(instances(target, fresh=False)) == 1
    assert instances(target, "other.example.com", fresh=False) == ()
    assert aws.calls.count(LIST) == 0
    instances(target, fresh=False)
    instances(target, "other.example.com", fresh=False)
    assert aws.calls.count(LIST) == 2


def test_what_was_written_since_the_listing_is_not_answered_from_it(
    aws: WithRoute53, target: Route53Target
) -> None:
    target.registry.services()
    register(target, wanted())
    assert len(instances(target, fresh=False)) == 1


def test_a_fresh_read_sees_what_somebody_else_wrote_after_the_listing(
    target: Route53Target, client: Any, zone: str
) -> None:
    target.registry.services()
    put(client, zone, a_record("web.example.com", "192.0.2.1"))
    assert [item.ipv4 for item in instances(target, fresh=True)] == ["192.0.2.1"]


def test_two_zones_share_no_names(make_target: MakeTarget, target: Route53Target, client: Any) -> None:
    client.create_hosted_zone(Name="example.net", CallerReference="2")
    other = make_target("example.net")
    register(target, wanted())
    register(other, wanted("web.example.net"))
    assert target.registry.services() == Listed(frozenset({"web.example.com"}))
    assert other.registry.services() == Listed(frozenset({"web.example.net"}))
    assert other.id != target.id


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("error", {"code": "AccessDenied", "status": 403}),
        ("http500", {}),
        ("reset", {}),
        ("error", {"code": "Throttling", "status": 400}),
        ("error", {"code": "NoSuchHostedZone", "status": 404}),
    ],
)
def test_a_failed_read_is_unreadable_and_a_failed_list_unlisted(
    aws: WithRoute53, target: Route53Target, stop: threading.Event, kind: Any, options: dict[str, Any]
) -> None:
    register(target, wanted())
    aws.fault(kind, operation=LIST, **options)
    threading.Timer(0.3, stop.set).start()  # retries end then
    assert isinstance(target.registry.read("web.example.com", fresh=True), Unreadable)
    assert isinstance(target.registry.services(), Unlisted)


def test_a_second_page_that_fails_leaves_nothing_half_read(
    aws: WithRoute53, target: Route53Target, stop: threading.Event
) -> None:
    register(target, *(wanted(task=task, ipv4=f"203.0.113.{n}") for n, task in enumerate((TASK, OTHER_TASK))))
    aws.route53.page = 1
    aws.fault("error", operation=LIST, code="InternalError", status=500, skip=1)
    threading.Timer(0.3, stop.set).start()
    assert isinstance(target.registry.read("web.example.com", fresh=True), Unreadable)


def test_an_answer_that_is_no_list_is_unreadable(target: Route53Target, client: Any, zone: str) -> None:
    client.delete_hosted_zone(Id=zone)
    read = target.registry.read("web.example.com")
    assert isinstance(read, Unreadable)
    assert zone in read.reason


def test_a_record_of_ours_that_somebody_bent_reads_as_something_to_be_put_right(
    target: Route53Target, client: Any, zone: str
) -> None:
    item = wanted(ipv6="2001:db8::1")
    register(target, item)
    (_, identifier), *_ = sets(client, zone)
    put(
        client,
        zone,
        a_record("web.example.com", "203.0.113.10", identifier=identifier, ttl=5),
        action="UPSERT",
    )
    (read,) = instances(target)
    assert read != target.stored(item)
    do(target, Update(read, item))
    assert instances(target) == (target.stored(item),)


def test_the_engine_gets_all_that_it_needs(target: Route53Target, zone: str) -> None:
    end = target.end()
    assert end.registry.id == f"route53/{zone}"
    assert end.registry.parallel > 0
    assert end.writer is target.writer
    carrier = target.carrier
    assert carrier.name_problem("web.example.com") is None
    assert carrier.name_problem("web.example.org") is not None
    assert (carrier.healths, carrier.hostnames, carrier.unique_address) == (False, False, True)


def test_pages_that_do_not_end_are_unreadable(aws: WithRoute53, target: Route53Target) -> None:
    register(target, *(wanted(task=task, ipv4=f"203.0.113.{n}") for n, task in enumerate((TASK, OTHER_TASK))))
    aws.route53.page = 0
    read = target.registry.read("web.example.com", fresh=True)
    assert isinstance(read, Unreadable)
    assert "do not end" in read.reason
