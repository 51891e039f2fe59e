from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import eventually, finished, pages, refused, register


def dns(*kinds: str, ttl: int = 15, **more: Any) -> dict[str, Any]:
    return {"DnsRecords": [{"Type": kind, "TTL": ttl} for kind in kinds], **more}


def test_a_service_has_what_it_was_created_with(client: Any, corp: str) -> None:
    tags = [{"Key": "owner", "Value": "me"}]
    made = client.create_service(
        Name="web",
        NamespaceId=corp,
        Description="ours",
        DnsConfig=dns("A"),
        HealthCheckCustomConfig={},
        Tags=tags,
    )["Service"]
    found = client.get_service(Id=made["Arn"])["Service"]
    assert found["Name"] == "web"
    assert (found["NamespaceId"], found["Description"], found["InstanceCount"]) == (corp, "ours", 0)
    assert found["DnsConfig"] == {"NamespaceId": corp, "RoutingPolicy": "MULTIVALUE"} | dns("A")
    assert found["HealthCheckCustomConfig"] == {}
    assert client.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"] == tags
    (listed,) = client.list_services()["Services"]
    assert listed["Description"] == "ours"
    assert "NamespaceId" not in listed


@pytest.mark.parametrize(
    "name",
    [
        "-web",
        "web-",
        "a..b",
        "a b",
        "x" * 64,
        ".".join(["x" * 63] * 2 + ["yy"]),
        "wéb",
        "",
    ],
)
def test_a_name_that_dns_could_not_carry_is_refused(client: Any, corp: str, name: str) -> None:
    with refused("InvalidInput"):
        client.create_service(Name=name, NamespaceId=corp, DnsConfig=dns("A"))


@pytest.mark.parametrize("name", ["web", "_web._tcp", "Web_1", "a.b-c.d", "x" * 63])
def test_a_name_of_dot_separated_labels_is_taken(client: Any, corp: str, name: str) -> None:
    assert client.create_service(Name=name, NamespaceId=corp, DnsConfig=dns("A"))["Service"]["Name"] == name


def test_two_names_that_differ_by_case_are_one_in_a_dns_namespace(client: Any, web: str, corp: str) -> None:
    with refused("ServiceAlreadyExists") as answer:
        client.create_service(Name="WEB", NamespaceId=corp, DnsConfig=dns("A"))
    assert answer["ServiceId"] == web
    assert answer["ServiceArn"].endswith(web)


def test_two_names_that_differ_by_case_are_two_in_an_http_namespace(client: Any, aws: EmulatedAws) -> None:
    shop = aws.seed.namespace("shop", "HTTP")
    ids = {client.create_service(Name=name, NamespaceId=shop)["Service"]["Id"] for name in ("web", "WEB")}
    assert len(ids) == 2


def test_the_same_request_again_gets_the_same_service(client: Any, corp: str) -> None:
    request = {"Name": "web", "NamespaceId": corp, "DnsConfig": dns("A"), "CreatorRequestId": "abc"}
    first, second = (client.create_service(**request)["Service"] for _ in range(2))
    assert first["Id"] == second["Id"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="nothing-at-all"),
        pytest.param({"DnsConfig": dns("A", "CNAME")}, id="cname-with-a"),
        pytest.param({"DnsConfig": dns("CNAME")}, id="cname-without-weighted"),
        pytest.param({"DnsConfig": dns("A", "A")}, id="twice"),
        pytest.param({"DnsConfig": dns()}, id="no-records"),
        pytest.param({"DnsConfig": dns("MX")}, id="unknown-type"),
        pytest.param({"DnsConfig": dns("A", ttl=2**31)}, id="ttl-too-long"),
        pytest.param({"DnsConfig": dns("A"), "Type": "HTTP"}, id="api-only-with-records"),
        pytest.param({"DnsConfig": dns("A"), "HealthCheckConfig": {"Type": "TCP"}}, id="route-53-check"),
        pytest.param({"DnsConfig": dns("A", RoutingPolicy="LATENCY")}, id="unknown-policy"),
        pytest.param({"DnsConfig": dns("A"), "Description": "x" * 1025}, id="long-description"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(client: Any, corp: str, options: dict[str, Any]) -> None:
    with refused("InvalidInput"):
        client.create_service(Name="web", NamespaceId=corp, **options)


@pytest.mark.parametrize(
    "config",
    [
        dns("A"),
        dns("AAAA"),
        dns("A", "AAAA"),
        dns("SRV"),
        dns("A", "SRV"),
        dns("CNAME", RoutingPolicy="WEIGHTED"),
    ],
)
def test_the_record_types_that_go_together_are_taken(client: Any, corp: str, config: dict[str, Any]) -> None:
    made = client.create_service(Name="web", NamespaceId=corp, DnsConfig=config)["Service"]
    assert made["DnsConfig"]["DnsRecords"] == config["DnsRecords"]


def test_type_http_makes_an_api_only_service_in_a_dns_namespace(client: Any, corp: str) -> None:
    made = client.create_service(Name="web", NamespaceId=corp, Type="HTTP")["Service"]
    assert made["Type"] == "HTTP"
    assert "DnsConfig" not in made


def test_a_missing_namespace_is_named_as_such(client: Any, corp: str) -> None:
    with refused("NamespaceNotFound"):
        client.create_service(Name="web", NamespaceId=f"{corp}x", DnsConfig=dns("A"))


def test_update_deletes_what_it_is_not_sent_but_the_custom_health_check(client: Any, corp: str) -> None:
    made = client.create_service(
        Name="web", NamespaceId=corp, DnsConfig=dns("A"), Description="ours", HealthCheckCustomConfig={}
    )["Service"]
    change = {"Description": "new", "DnsConfig": dns("A", ttl=60)}
    operation = finished(client, client.update_service(Id=made["Id"], Service=change))
    assert operation["Type"] == "UPDATE_SERVICE"
    found = client.get_service(Id=made["Id"])["Service"]
    assert (found["Description"], found["DnsConfig"]["DnsRecords"][0]["TTL"]) == ("new", 60)

    finished(client, client.update_service(Id=made["Id"], Service={}))
    found = client.get_service(Id=made["Id"])["Service"]
    assert "Description" not in found
    assert "DnsConfig" not in found
    assert found["HealthCheckCustomConfig"] == {}


def test_update_cannot_change_the_types_of_records(client: Any, web: str) -> None:
    with refused("InvalidInput"):
        client.update_service(Id=web, Service={"DnsConfig": dns("A", "AAAA")})


@pytest.mark.usefixtures("unhurried")
def test_a_service_with_instances_cannot_be_deleted_until_they_are_gone(client: Any, web: str) -> None:
    accepted = client.register_instance(
        ServiceId=web, InstanceId="i1", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"}
    )
    with refused("ResourceInUse"):  # on its way
        client.delete_service(Id=web)
    finished(client, accepted)
    with refused("ResourceInUse"):  # there
        client.delete_service(Id=web)
    accepted = client.deregister_instance(ServiceId=web, InstanceId="i1")
    with refused("ResourceInUse"):  # going
        client.delete_service(Id=web)
    finished(client, accepted)
    client.delete_service(Id=web)
    with refused("ServiceNotFound"):
        client.get_service(Id=web)


def test_a_service_that_is_created_again_can_have_its_old_id(client: Any, web: str, corp: str) -> None:
    client.delete_service(Id=web)
    again = client.create_service(Name="web", NamespaceId=corp, DnsConfig=dns("A"))["Service"]
    assert (again["Id"], again["InstanceCount"]) == (web, 0)


def test_a_page_may_be_empty_and_yet_not_the_last(client: Any, aws: EmulatedAws, corp: str) -> None:
    other = aws.seed.namespace("other", "HTTP")
    aws.seed.bulk("corp.internal", 5, 0)
    aws.seed.service(other, "wanted")
    wanted = [{"Name": "NAMESPACE_ID", "Values": [other]}]
    found = pages(client.list_services, "Services", Filters=wanted, MaxResults=2)
    assert [[s["Name"] for s in page] for page in found] == [[], [], ["wanted"]]
    assert corp not in str(found)


def test_a_token_survives_services_that_come_and_go(client: Any, aws: EmulatedAws, corp: str) -> None:
    ids = aws.seed.bulk(corp, 4, 0)
    first = client.list_services(MaxResults=2)
    client.delete_service(Id=ids[0])
    aws.seed.service(corp, "late")
    second = client.list_services(MaxResults=10, NextToken=first["NextToken"])
    assert [s["Name"] for s in second["Services"]] == ["svc-2", "svc-3", "late"]
    with refused("InvalidInput"):
        client.list_services(NextToken="rubbish")


def test_the_instance_count_follows_the_operations(client: Any, web: str) -> None:
    register(client, web, "i1")
    assert client.get_service(Id=web)["Service"]["InstanceCount"] == 1


def test_a_service_has_attributes_of_its_own(client: Any, web: str) -> None:
    client.update_service_attributes(ServiceId=web, Attributes={"a": "1", "b": "2"})
    client.delete_service_attributes(ServiceId=web, Attributes=["a"])
    found = client.get_service_attributes(ServiceId=web)["ServiceAttributes"]
    assert found["Attributes"] == {"b": "2"}
    with refused("ServiceAttributesLimitExceededException"):
        client.update_service_attributes(ServiceId=web, Attributes={f"k{n}": "" for n in range(30)})


def test_tags_are_added_and_removed(client: Any, web: str) -> None:
    arn = client.get_service(Id=web)["Service"]["Arn"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    with refused("ResourceNotFoundException"):
        client.list_tags_for_resource(ResourceARN=f"{arn}x")
    with refused("TooManyTagsException"):
        client.tag_resource(ResourceARN=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(51)])


@pytest.mark.usefixtures("unhurried")
def test_a_new_service_is_discovered_a_little_later(client: Any, corp: str) -> None:
    client.create_service(Name="new", NamespaceId=corp, DnsConfig=dns("A"))
    with refused("ServiceNotFound"):
        client.discover_instances(NamespaceName="corp.internal", ServiceName="new")

    def seen() -> bool:
        try:
            return "Instances" in client.discover_instances(NamespaceName="corp.internal", ServiceName="new")
        except client.exceptions.ServiceNotFound:
            return False

    eventually(seen)
