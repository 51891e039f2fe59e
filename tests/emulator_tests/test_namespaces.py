from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import eventually, finished, pages, refused


def by_name(client: Any, name: str) -> Any:
    return next((n for n in client.list_namespaces()["Namespaces"] if n["Name"] == name), None)


@pytest.mark.parametrize(
    ("call", "options", "kind"),
    [
        pytest.param("create_http_namespace", {}, "HTTP", id="http"),
        pytest.param("create_private_dns_namespace", {"Vpc": "vpc-1"}, "DNS_PRIVATE", id="private"),
        pytest.param("create_public_dns_namespace", {}, "DNS_PUBLIC", id="public"),
    ],
)
def test_a_namespace_of_each_type_is_created_by_an_operation_and_deleted_by_another(
    client: Any, call: str, options: dict[str, Any], kind: str
) -> None:
    accepted = getattr(client, call)(Name="corp.example", Description="ours", **options)
    operation = finished(client, accepted)
    assert (operation["Status"], operation["Type"]) == ("SUCCESS", "CREATE_NAMESPACE")
    listed = by_name(client, "corp.example")
    assert listed["Id"] == operation["Targets"]["NAMESPACE"]
    assert (listed["Type"], listed["Description"]) == (kind, "ours")
    assert listed["Properties"]["HttpProperties"]["HttpName"] == "corp.example"
    assert ("HostedZoneId" in listed["Properties"]["DnsProperties"]) == (kind != "HTTP")
    by_arn = client.get_namespace(Id=listed["Arn"])["Namespace"]
    assert by_arn["Id"] == listed["Id"]

    finished(client, client.delete_namespace(Id=listed["Id"]))
    with refused("NamespaceNotFound"):
        client.get_namespace(Id=listed["Id"])


def test_a_name_that_is_created_again_has_another_http_name(client: Any) -> None:
    finished(client, client.create_http_namespace(Name="shop"))
    finished(client, client.delete_namespace(Id=by_name(client, "shop")["Id"]))
    finished(client, client.create_http_namespace(Name="shop"))
    found = by_name(client, "shop")
    assert found["Name"] == "shop"
    assert found["Properties"]["HttpProperties"]["HttpName"].startswith("shop_")


def test_an_existing_name_is_refused_with_the_id_of_its_namespace(client: Any, corp: str) -> None:
    with refused("NamespaceAlreadyExists") as answer:
        client.create_public_dns_namespace(Name="Corp.Internal")
    assert answer["NamespaceId"] == corp


def test_private_namespaces_of_one_name_may_live_in_two_vpcs(client: Any) -> None:
    for vpc in ("vpc-1", "vpc-2"):
        done = finished(client, client.create_private_dns_namespace(Name="corp.internal", Vpc=vpc))
        assert done["Status"] == "SUCCESS"
    http_names = {
        n["Properties"]["HttpProperties"]["HttpName"] for n in client.list_namespaces()["Namespaces"]
    }
    assert len(http_names) == 2


def test_a_vpc_that_has_a_zone_of_that_name_fails_the_operation(
    client: Any, make_client: Callable[..., Any]
) -> None:
    make_client("route53").create_hosted_zone(
        Name="corp.internal",
        CallerReference="1",
        VPC={"VPCRegion": "us-east-1", "VPCId": "vpc-1"},
        HostedZoneConfig={"PrivateZone": True},
    )
    done = finished(client, client.create_private_dns_namespace(Name="corp.internal", Vpc="vpc-1"))
    assert (done["Status"], done["ErrorCode"]) == ("FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert client.list_namespaces()["Namespaces"] == []


@pytest.mark.usefixtures("unhurried")
def test_a_namespace_is_not_there_before_its_operation_has_ended(client: Any) -> None:
    accepted = client.create_http_namespace(Name="shop")
    assert by_name(client, "shop") is None
    finished(client, accepted)
    assert by_name(client, "shop")


@pytest.mark.usefixtures("unhurried")
def test_a_namespace_that_is_being_created_refuses_a_second_request(client: Any) -> None:
    first = client.create_http_namespace(Name="shop")
    with refused("DuplicateRequest") as answer:
        client.create_http_namespace(Name="shop")
    assert answer["DuplicateOperationId"] == first["OperationId"]


def test_a_namespace_with_services_cannot_be_deleted(client: Any, web: str, corp: str) -> None:
    with refused("ResourceInUse"):
        client.delete_namespace(Id=corp)
    client.delete_service(Id=web)
    assert finished(client, client.delete_namespace(Id=corp))["Status"] == "SUCCESS"


def test_filters_apply_after_the_page_was_cut(client: Any, aws: EmulatedAws) -> None:
    for name in ("a", "b", "c"):
        aws.seed.namespace(name, "HTTP")
    wanted = [{"Name": "NAME", "Values": ["c"]}]
    found = pages(client.list_namespaces, "Namespaces", Filters=wanted, MaxResults=1)
    assert [[n["Name"] for n in page] for page in found] == [[], [], ["c"]]


@pytest.mark.parametrize(
    ("one", "names"),
    [
        pytest.param({"Name": "TYPE", "Values": ["HTTP"]}, ["shop"], id="type"),
        pytest.param(
            {"Name": "NAME", "Values": ["corp"], "Condition": "BEGINS_WITH"}, ["corp.internal"], id="begin"
        ),
        pytest.param({"Name": "HTTP_NAME", "Values": ["shop"]}, ["shop"], id="http-name"),
        pytest.param(
            {"Name": "TYPE", "Values": ["HTTP", "DNS_PRIVATE"], "Condition": "IN"},
            ["corp.internal", "shop"],
            id="in",
        ),
    ],
)
def test_namespaces_are_found_by_type_name_and_http_name(
    client: Any, aws: EmulatedAws, corp: str, one: dict[str, Any], names: list[str]
) -> None:
    aws.seed.namespace("shop", "HTTP")
    found = client.list_namespaces(Filters=[one])["Namespaces"]
    assert sorted(n["Name"] for n in found) == names


def test_the_soa_ttl_is_given_and_updated(client: Any) -> None:
    soa = {"DnsProperties": {"SOA": {"TTL": 60}}}
    finished(client, client.create_private_dns_namespace(Name="corp.internal", Vpc="vpc-1", Properties=soa))
    found = by_name(client, "corp.internal")
    assert found["Properties"]["DnsProperties"]["SOA"]["TTL"] == 60
    soa = {"DnsProperties": {"SOA": {"TTL": 30}}}
    change = {"Description": "new", "Properties": soa}
    finished(client, client.update_private_dns_namespace(Id=found["Id"], Namespace=change))
    found = by_name(client, "corp.internal")
    assert (found["Description"], found["Properties"]["DnsProperties"]["SOA"]["TTL"]) == ("new", 30)
    with refused("InvalidInput"):
        client.update_http_namespace(Id=found["Id"], Namespace={"Description": "x"})


def test_the_quota_of_namespaces_holds(client: Any, aws: EmulatedAws) -> None:
    aws.settings = replace(aws.settings, namespace_quota=1)
    finished(client, client.create_http_namespace(Name="one"))
    with refused("ResourceLimitExceeded"):
        client.create_http_namespace(Name="two")


def test_its_hosted_zone_stands_in_route_53_which_refuses_to_edit_it(
    client: Any, make_client: Callable[..., Any], corp: str
) -> None:
    route53 = make_client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    assert zone["Name"] == "corp.internal."
    own = client.get_namespace(Id=corp)["Namespace"]["Properties"]["DnsProperties"]["HostedZoneId"]
    assert zone["Id"] == f"/hostedzone/{own}"
    record = {"Name": "x.corp.internal", "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "10.0.0.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    with refused("AccessDenied"):
        route53.change_resource_record_sets(HostedZoneId=own, ChangeBatch=batch)
    finished(client, client.delete_namespace(Id=corp))
    eventually(lambda: route53.list_hosted_zones()["HostedZones"] == [])
