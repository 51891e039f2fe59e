"""The emulated Route 53 has the rules that matter here, as a user's own client sees them."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.route53_server import WithRoute53
from tests.systems.route53.steps import a_record, answers, put, sets


def refused(client: Any, zone: str, *records: dict[str, Any], action: str = "CREATE") -> str:
    """Return the code with which a batch is refused."""
    with pytest.raises(ClientError) as caught:
        put(client, zone, *records, action=action)
    return str(caught.value.response["Error"]["Code"])


def test_simple_and_multivalue_records_of_one_name_do_not_mix(client: Any, zone: str) -> None:
    put(client, zone, a_record("web.example.com", "192.0.2.1"))
    assert (
        refused(client, zone, a_record("web.example.com", "192.0.2.2", identifier="a"))
        == "InvalidChangeBatch"
    )
    assert (
        refused(client, zone, a_record("web.example.com", "x.example.com", kind="CNAME"))
        == "InvalidChangeBatch"
    )


def test_a_batch_is_carried_out_whole_or_not_at_all(client: Any, zone: str) -> None:
    good, bad = a_record("a.example.com", "192.0.2.1"), a_record("b.example.com", "no address")
    assert refused(client, zone, good, bad) == "InvalidChangeBatch"
    assert sets(client, zone, "a.example.com") == {}


def test_a_deletion_repeats_all_values_and_removes_one_record_set(client: Any, zone: str) -> None:
    for name in ("web", "api"):
        put(client, zone, a_record(f"{name}.example.com", "192.0.2.1", identifier="same"))
    wrong = a_record("web.example.com", "192.0.2.1", identifier="same", ttl=61)
    assert refused(client, zone, wrong, action="DELETE") == "InvalidChangeBatch"
    put(client, zone, a_record("web.example.com", "192.0.2.1", identifier="same"), action="DELETE")
    assert sets(client, zone, "web.example.com") == {}
    assert sets(client, zone, "api.example.com") == {("A", "same"): ["192.0.2.1"]}


@pytest.mark.parametrize(("count", "fits"), [(500, True), (501, False)])
def test_an_upsert_counts_twice_towards_a_thousand_records(
    client: Any, zone: str, count: int, *, fits: bool
) -> None:
    records = [a_record(f"n{number}.example.com", "192.0.2.1") for number in range(count)]
    if fits:
        put(client, zone, *records, action="UPSERT")
    else:
        assert refused(client, zone, *records, action="UPSERT") == "InvalidChangeBatch"


def test_pages_are_followed_by_name_type_and_identifier(aws: WithRoute53, client: Any, zone: str) -> None:
    aws.route53.page = 3
    records = [a_record("web.example.com", f"192.0.2.{n}", identifier=f"i{n}") for n in range(10)]
    put(client, zone, *records, a_record("\\052.example.com", "192.0.2.99"))
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    found = [
        (one["Name"], one["Type"], one.get("SetIdentifier"))
        for page in pages
        for one in page["ResourceRecordSets"]
    ]
    assert len(found) == len(set(found)) == 2 + 10 + 1  # with SOA and NS
    assert ("\\052.example.com.", "A", None) in found
    begun = client.list_resource_record_sets(
        HostedZoneId=zone, StartRecordName="web.example.com", MaxItems="2"
    )
    assert [one["SetIdentifier"] for one in begun["ResourceRecordSets"]] == ["i0", "i1"]


def test_a_change_is_pending_first_and_others_of_its_zone_may_have_to_wait(
    aws: WithRoute53, client: Any, zone: str
) -> None:
    aws.route53.spreading = aws.route53.busy = 3600.0
    change = client.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={
            "Changes": [{"Action": "CREATE", "ResourceRecordSet": a_record("a.example.com", "192.0.2.1")}]
        },
    )["ChangeInfo"]
    assert client.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "PENDING"
    assert refused(client, zone, a_record("b.example.com", "192.0.2.1")) == "PriorRequestNotComplete"
    aws.route53.spreading = aws.route53.busy = 0.0
    assert client.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    put(client, zone, a_record("b.example.com", "192.0.2.1"))


def test_more_calls_than_the_account_may_make_are_throttled(aws: WithRoute53, client: Any, zone: str) -> None:
    aws.route53.rate, aws.route53.burst = 0.01, 2
    for _ in range(2):
        client.get_hosted_zone(Id=zone)
    with pytest.raises(ClientError, match="Throttling"):
        client.get_hosted_zone(Id=zone)


def test_the_emulated_dns_answers_with_what_is_in_the_zone(aws: WithRoute53, client: Any, zone: str) -> None:
    assert answers(aws.dns_address, "web.example.com") == []
    put(client, zone, *(a_record("web.example.com", f"192.0.2.{n}", identifier=str(n)) for n in (1, 2)))
    assert answers(aws.dns_address, "web.example.com") == ["192.0.2.1", "192.0.2.2"]


def test_settings_of_cloud_map_are_not_touched_by_it(aws: WithRoute53) -> None:
    aws.settings = replace(aws.settings, operation_delay=0.5)
    assert aws.settings.operation_delay == 0.5
