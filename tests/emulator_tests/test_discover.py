from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import discover, eventually, finished, refused, register

WEB = {"NamespaceName": "corp.internal", "ServiceName": "web"}


def revision(client: Any) -> int:
    return int(client.discover_instances_revision(**WEB)["InstancesRevision"])


def test_the_data_plane_lags_behind_the_operation(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, discover_lag=0.4)
    register(client, web, "i1")
    assert discover(client) == {}
    eventually(lambda: "i1" in discover(client))
    finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))
    assert "i1" in discover(client)
    eventually(lambda: discover(client) == {})


def test_an_instance_is_discovered_with_attributes_health_and_names(client: Any, web: str) -> None:
    register(client, web, "i1", colour="red")
    found = eventually(lambda: discover(client).get("i1"))
    assert found == {
        "InstanceId": "i1",
        "NamespaceName": "corp.internal",
        "ServiceName": "web",
        "HealthStatus": "HEALTHY",
        "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1", "colour": "red"},
    }


def test_at_most_100_unless_asked_and_never_more_than_1000(client: Any, aws: EmulatedAws, corp: str) -> None:
    aws.seed.bulk(corp, 1, 1001)
    names = {"NamespaceName": "corp.internal", "ServiceName": "svc-0"}
    answer = client.discover_instances(**names)
    assert len(answer["Instances"]) == 100
    assert "NextToken" not in answer
    assert len(client.discover_instances(**names, MaxResults=1000)["Instances"]) == 1000
    with refused("InvalidInput"):
        client.discover_instances(**names, MaxResults=1001)


def test_the_order_is_random(client: Any, aws: EmulatedAws, corp: str) -> None:
    aws.seed.bulk(corp, 1, 50)
    first, second = (list(discover(client, "svc-0")) for _ in range(2))
    assert sorted(first) == sorted(second)
    assert first != second


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, {"well", "good"}),
        ("HEALTHY", {"well", "good"}),
        ("UNHEALTHY", {"ill"}),
        ("ALL", {"well", "good", "ill"}),
        ("HEALTHY_OR_ELSE_ALL", {"well", "good"}),
    ],
)
def test_the_health_filter(
    client: Any, aws: EmulatedAws, web: str, wanted: str | None, found: set[str]
) -> None:
    for number, (name, health) in enumerate(
        [("well", ""), ("good", "HEALTHY"), ("ill", "UNHEALTHY")], start=1
    ):
        aws.seed.instance(web, name, {"AWS_INSTANCE_IPV4": f"10.0.0.{number}"}, health=health)
    options = {"HealthStatus": wanted} if wanted else {}
    answer = client.discover_instances(**WEB, **options)
    assert {i["InstanceId"] for i in answer["Instances"]} == found


def test_all_unhealthy_is_all_where_that_was_asked(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.seed.instance(web, "ill", {"AWS_INSTANCE_IPV4": "10.0.0.1"}, health="UNHEALTHY")
    assert list(discover(client, HealthStatus="HEALTHY_OR_ELSE_ALL")) == ["ill"]
    assert discover(client, HealthStatus="HEALTHY") == {}


def test_a_service_without_a_check_has_unknown_health(client: Any, aws: EmulatedAws, corp: str) -> None:
    service = aws.seed.service(corp, "plain", custom_health=False)
    aws.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    for wanted in ("ALL", "HEALTHY"):
        assert discover(client, "plain", HealthStatus=wanted)["i1"]["HealthStatus"] == "UNKNOWN"


def test_query_parameters_must_all_fit_and_optional_ones_if_any_does(
    client: Any, aws: EmulatedAws, web: str
) -> None:
    for number, colour in enumerate(("red", "red", "blue")):
        attributes = {"AWS_INSTANCE_IPV4": f"10.0.0.{number}", "colour": colour, "n": str(number)}
        aws.seed.instance(web, f"i{number}", attributes)
    assert set(discover(client, QueryParameters={"colour": "red"})) == {"i0", "i1"}
    assert set(discover(client, QueryParameters={"colour": "red", "n": "2"})) == set()
    red = {"colour": "red"}
    assert set(discover(client, QueryParameters=red, OptionalParameters={"n": "1"})) == {"i1"}
    assert set(discover(client, QueryParameters=red, OptionalParameters={"n": "2"})) == {"i0", "i1"}


def test_a_namespace_is_discovered_by_its_http_name(client: Any, aws: EmulatedAws) -> None:
    finished(client, client.delete_namespace(Id=aws.seed.namespace("shop", "HTTP")))
    again = aws.seed.namespace("shop", "HTTP")
    aws.seed.service(again, "web")
    properties = client.get_namespace(Id=again)["Namespace"]["Properties"]
    assert discover(client, namespace=properties["HttpProperties"]["HttpName"]) == {}
    with refused("NamespaceNotFound"):
        discover(client, namespace="shop")


def test_an_unknown_service_is_not_found(client: Any, corp: str) -> None:
    with refused("ServiceNotFound"):
        discover(client, "nothing")
    assert corp


def test_the_revision_grows_with_registrations_and_attributes_and_not_with_health(
    client: Any, aws: EmulatedAws, web: str
) -> None:
    seen = [revision(client)]
    for attributes in ({}, {"colour": "red"}):
        register(client, web, "i1", **attributes)
        seen.append(eventually(lambda: (now := revision(client)) > seen[-1] and now))
    aws.seed.health(web, "i1", "UNHEALTHY")
    register(client, web, "i1", colour="red")
    eventually(lambda: discover(client)["i1"]["HealthStatus"] == "UNHEALTHY")
    assert revision(client) == seen[-1]
    finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))
    eventually(lambda: revision(client) > seen[-1])
    assert client.discover_instances(**WEB)["InstancesRevision"] == revision(client)


def test_attributes_may_leave_the_revision_alone(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, revision_on_attributes=False)
    register(client, web, "i1")
    eventually(lambda: "i1" in discover(client))
    before = revision(client)
    register(client, web, "i1", colour="red")
    eventually(lambda: discover(client)["i1"]["Attributes"].get("colour") == "red")
    assert revision(client) == before


def test_the_revision_does_not_go_back_when_a_service_is_made_again(
    client: Any, aws: EmulatedAws, web: str, corp: str
) -> None:
    before = revision(client)
    client.delete_service(Id=web)
    aws.seed.service(corp, "web")
    assert revision(client) > before
