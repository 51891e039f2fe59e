from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import refused


@pytest.fixture
def route53(make_client: Callable[..., Any]) -> Any:
    return make_client("route53")


@pytest.fixture
def zone(route53: Any) -> str:
    created = route53.create_hosted_zone(Name="example.com", CallerReference="1")
    return str(created["HostedZone"]["Id"]).rsplit("/", 1)[-1]


def a_record(name: str, *values: str, identifier: str = "", ttl: int = 60) -> dict[str, Any]:
    record = {"Name": name, "Type": "A", "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]}
    return record | ({"SetIdentifier": identifier, "MultiValueAnswer": True} if identifier else {})


def change(route53: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def listed(route53: Any, zone: str) -> list[tuple[str, str, str]]:
    """Return name, SetIdentifier and first value of every A record."""
    sets = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return sorted(
        (s["Name"], s.get("SetIdentifier", ""), s["ResourceRecords"][0]["Value"])
        for s in sets
        if s["Type"] == "A"
    )


def test_a_deletion_removes_that_one_record_set_only(route53: Any, zone: str) -> None:
    one = a_record("a.example.com", "192.0.2.1", identifier="x")
    other = a_record("b.example.com", "192.0.2.2", identifier="x")
    change(route53, zone, ("CREATE", one), ("CREATE", other))
    change(route53, zone, ("DELETE", one))
    assert listed(route53, zone) == [("b.example.com.", "x", "192.0.2.2")]


@pytest.mark.parametrize(
    ("before", "action", "record"),
    [
        pytest.param(
            ("x", "192.0.2.1"), "CREATE", a_record("w.example.com", "192.0.2.2"), id="simple-beside"
        ),
        pytest.param(
            ("", "192.0.2.1"),
            "UPSERT",
            a_record("w.example.com", "192.0.2.2", identifier="y"),
            id="multivalue-beside",
        ),
        pytest.param(("", "192.0.2.1"), "CREATE", a_record("w.example.com", "192.0.2.2"), id="exists"),
        pytest.param(("", "192.0.2.1"), "DELETE", a_record("w.example.com", "192.0.2.2"), id="other-value"),
        pytest.param(
            ("", "192.0.2.1"), "DELETE", a_record("w.example.com", "192.0.2.1", ttl=5), id="other-ttl"
        ),
        pytest.param(("", "192.0.2.1"), "DELETE", a_record("v.example.com", "192.0.2.1"), id="not-there"),
        pytest.param(("", "192.0.2.1"), "CREATE", a_record("w.example.org", "192.0.2.1"), id="other-zone"),
        pytest.param(
            ("", "192.0.2.1"),
            "CREATE",
            a_record("v.example.com", "192.0.2.1", "192.0.2.2", identifier="y"),
            id="two-values-in-multivalue",
        ),
    ],
)
def test_a_change_that_route_53_refuses_leaves_everything_as_it_was(
    route53: Any, zone: str, before: tuple[str, str], action: str, record: dict[str, Any]
) -> None:
    identifier, value = before
    change(route53, zone, ("CREATE", a_record("w.example.com", value, identifier=identifier)))
    known = listed(route53, zone)
    with refused("InvalidChangeBatch"):
        change(route53, zone, ("CREATE", a_record("fine.example.com", "192.0.2.9")), (action, record))
    assert listed(route53, zone) == known


def test_a_batch_has_a_limit_in_which_upserts_count_twice(route53: Any, zone: str) -> None:
    records = [a_record(f"n{n}.example.com", "192.0.2.1") for n in range(501)]
    with refused("InvalidChangeBatch"):
        change(route53, zone, *(("UPSERT", record) for record in records))
    change(route53, zone, *(("CREATE", record) for record in records))
    change(route53, zone, *(("UPSERT", record) for record in records[:500]))


def test_an_upsert_replaces_and_a_swap_fits_in_one_batch(route53: Any, zone: str) -> None:
    first, second = a_record("w.example.com", "192.0.2.1"), a_record("w.example.com", "192.0.2.2", ttl=5)
    change(route53, zone, ("UPSERT", first))
    change(route53, zone, ("UPSERT", second))
    assert listed(route53, zone) == [("w.example.com.", "", "192.0.2.2")]
    change(
        route53, zone, ("DELETE", second), ("CREATE", a_record("w.example.com", "192.0.2.3", identifier="x"))
    )
    assert listed(route53, zone) == [("w.example.com.", "x", "192.0.2.3")]


def test_calls_of_every_service_are_in_the_log(
    make_client: Callable[..., Any], aws: EmulatedAws, route53: Any, zone: str
) -> None:
    make_client("ecs").list_clusters()
    make_client("ec2").describe_vpcs()
    make_client("elbv2").describe_target_groups()
    change(route53, zone, ("CREATE", a_record("w.example.com", "192.0.2.1")))
    assert set(aws.calls.report()["counts"]) == {
        "ecs:ListClusters",
        "ec2:DescribeVpcs",
        "elasticloadbalancing:DescribeTargetGroups",
        "route53:CreateHostedZone",
        "route53:ChangeResourceRecordSets",
    }


def test_a_fault_hits_another_service_by_its_name_and_only_then(
    make_client: Callable[..., Any], aws: EmulatedAws, route53: Any, zone: str
) -> None:
    ecs, ec2 = make_client("ecs"), make_client("ec2")
    aws.fault("error", code="Anything")
    ecs.list_clusters()
    aws.fault("error", operation="ecs:List*", code="ThrottlingException")
    aws.fault("error", operation="ec2:*", code="RequestLimitExceeded", status=503)
    aws.fault("error", operation="route53:Change*", code="PriorRequestNotComplete")
    with refused("ThrottlingException"):
        ecs.list_clusters()
    with refused("RequestLimitExceeded"):
        ec2.describe_vpcs()
    with refused("PriorRequestNotComplete"):
        change(route53, zone, ("CREATE", a_record("w.example.com", "192.0.2.1")))
    aws.faults.remove()
    aws.fault("lost_answer", operation="route53:*", count=1)
    with pytest.raises(ConnectionClosedError):
        change(route53, zone, ("CREATE", a_record("w.example.com", "192.0.2.1")))
    assert len(listed(route53, zone)) == 1
