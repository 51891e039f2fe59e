from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import discover, eventually, finished, pages, refused, register

IPV4, IPV6, PORT = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_PORT"


def test_registering_the_same_id_replaces_every_attribute(client: Any, web: str) -> None:
    register(client, web, "i1", "10.0.0.1", colour="red", size="1")
    register(client, web, "i1", "10.0.0.2", colour="blue")
    found = client.get_instance(ServiceId=web, InstanceId="i1")["Instance"]
    assert found["Attributes"] == {IPV4: "10.0.0.2", "colour": "blue"}
    assert len(client.list_instances(ServiceId=web)["Instances"]) == 1


@pytest.mark.usefixtures("unhurried")
def test_an_accepted_registration_is_not_there_yet(client: Any, web: str) -> None:
    accepted = client.register_instance(ServiceId=web, InstanceId="i1", Attributes={IPV4: "10.0.0.1"})
    with refused("InstanceNotFound"):
        client.get_instance(ServiceId=web, InstanceId="i1")
    finished(client, accepted)
    assert client.get_instance(ServiceId=web, InstanceId="i1")["Instance"]["Id"] == "i1"


def test_an_instance_is_deregistered_by_an_operation(client: Any, web: str) -> None:
    register(client, web, "i1")
    operation = finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))
    assert (operation["Type"], operation["Status"]) == ("DEREGISTER_INSTANCE", "SUCCESS")
    with refused("InstanceNotFound"):
        client.deregister_instance(ServiceId=web, InstanceId="i1")


@pytest.mark.usefixtures("unhurried")
def test_only_one_operation_at_a_time_for_one_instance(client: Any, web: str) -> None:
    request = {"ServiceId": web, "InstanceId": "i1", "Attributes": {IPV4: "10.0.0.1"}}
    first = client.register_instance(**request)
    with refused("DuplicateRequest") as answer:
        client.register_instance(**request)
    assert answer["DuplicateOperationId"] == first["OperationId"]
    assert f"type RegisterInstance and id {first['OperationId']} is in progress" in answer["Error"]["Message"]
    with refused("DuplicateRequest"):
        client.deregister_instance(ServiceId=web, InstanceId="i1")
    client.register_instance(**request | {"InstanceId": "i2", "Attributes": {IPV4: "10.0.0.2"}})
    finished(client, first)
    client.register_instance(**request)


@pytest.mark.usefixtures("unhurried")
def test_the_same_request_again_gets_the_same_operation(client: Any, web: str) -> None:
    request = {
        "ServiceId": web,
        "InstanceId": "i1",
        "Attributes": {IPV4: "10.0.0.1"},
        "CreatorRequestId": "abc",
    }
    first, second = client.register_instance(**request), client.register_instance(**request)
    assert first["OperationId"] == second["OperationId"]


def test_two_instances_with_one_address_conflict_where_there_is_an_a_record(client: Any, web: str) -> None:
    register(client, web, "i1", "10.0.0.1")
    failed = register(client, web, "i2", "10.0.0.1")
    assert (failed["Status"], failed["ErrorCode"]) == ("FAIL", "INVALID_CHANGE_BATCH")
    assert [i["Id"] for i in client.list_instances(ServiceId=web)["Instances"]] == ["i1"]
    finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))
    assert register(client, web, "i2", "10.0.0.1")["Status"] == "SUCCESS"


def test_two_instances_may_share_an_address_in_a_service_with_srv_only(
    client: Any, aws: EmulatedAws, corp: str
) -> None:
    service = aws.seed.service(corp, "web", records={"SRV": 15})
    for number in (1, 2):
        done = register(client, service, f"i{number}", "10.0.0.1", **{PORT: f"808{number}"})
        assert done["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("records", "attributes"),
    [
        pytest.param({"A": 1}, {}, id="a-without-ipv4"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.300"}, id="not-an-address"),
        pytest.param({"AAAA": 1}, {IPV4: "10.0.0.1"}, id="aaaa-without-ipv6"),
        pytest.param({"AAAA": 1}, {IPV6: "10.0.0.1"}, id="not-an-ipv6-address"),
        pytest.param({"A": 1, "AAAA": 1}, {IPV4: "10.0.0.1"}, id="both-with-one"),
        pytest.param({"SRV": 1}, {IPV4: "10.0.0.1"}, id="srv-without-port"),
        pytest.param({"SRV": 1}, {PORT: "80"}, id="srv-without-address"),
        pytest.param({"SRV": 1}, {IPV4: "10.0.0.1", PORT: "0"}, id="port-zero"),
        pytest.param({"SRV": 1}, {IPV4: "10.0.0.1", PORT: "65536"}, id="port-too-big"),
        pytest.param({"SRV": 1}, {IPV4: "10.0.0.1", PORT: "http"}, id="port-no-number"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "AWS_EC2_INSTANCE_ID": "i-1"}, id="ec2-in-dns"),
        pytest.param({"A": 1}, {"AWS_ALIAS_DNS_NAME": "lb.example.com"}, id="alias-multivalue"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "AWS_INIT_HEALTH_STATUS": "MAYBE"}, id="init-health"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "a b": "c"}, id="space-in-key"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "k" * 256: "c"}, id="long-key"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "k": "é"}, id="not-ascii"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "k": " v"}, id="leading-space"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1", "k": "v" * 1025}, id="long-value"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1"} | {f"k{n}": "" for n in range(31)}, id="31-custom"),
        pytest.param({"A": 1}, {IPV4: "10.0.0.1"} | {f"k{n}": "v" * 1000 for n in range(5)}, id="5000-chars"),
    ],
)
def test_attributes_that_the_service_cannot_take_are_refused(
    client: Any, aws: EmulatedAws, corp: str, records: dict[str, int], attributes: dict[str, str]
) -> None:
    service = aws.seed.service(corp, "web", records=records)
    with refused("InvalidInput"):
        client.register_instance(ServiceId=service, InstanceId="i1", Attributes=attributes)


def test_attributes_at_the_limits_are_taken(client: Any, web: str) -> None:
    custom = {f"k{n:02}": "v" * 150 for n in range(29)} | {"last": "inner spaces\tand tabs"}
    assert register(client, web, "i1", **custom)["Status"] == "SUCCESS"


@pytest.mark.parametrize("identifier", ["a b", "i" * 65, "é", "a,b"])
def test_an_id_that_is_not_one_is_refused(client: Any, web: str, identifier: str) -> None:
    with refused("InvalidInput"):
        client.register_instance(ServiceId=web, InstanceId=identifier, Attributes={IPV4: "10.0.0.1"})


def test_the_initial_health_needs_a_custom_check(client: Any, aws: EmulatedAws, corp: str) -> None:
    service = aws.seed.service(corp, "plain", custom_health=False)
    attributes = {IPV4: "10.0.0.1", "AWS_INIT_HEALTH_STATUS": "HEALTHY"}
    with refused("InvalidInput"):
        client.register_instance(ServiceId=service, InstanceId="i1", Attributes=attributes)


def test_an_alias_needs_weighted_records_and_no_address(client: Any, aws: EmulatedAws, corp: str) -> None:
    service = aws.seed.service(corp, "lb", records={"A": 15}, routing="WEIGHTED")
    alias = {"AWS_ALIAS_DNS_NAME": "lb.example.com"}
    with refused("InvalidInput"):
        client.register_instance(ServiceId=service, InstanceId="i1", Attributes=alias | {IPV4: "10.0.0.1"})
    accepted = client.register_instance(ServiceId=service, InstanceId="i1", Attributes=alias)
    assert finished(client, accepted)["Status"] == "SUCCESS"


def test_an_ec2_instance_brings_its_private_address(
    client: Any, make_client: Callable[..., Any], aws: EmulatedAws
) -> None:
    ec2 = make_client("ec2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    (machine,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    aws.seed.namespace("shop", "HTTP")
    service = aws.seed.service("shop", "web")
    request = {"ServiceId": service, "InstanceId": "i1"}
    wanted = {"AWS_EC2_INSTANCE_ID": machine["InstanceId"]}
    finished(client, client.register_instance(**request, Attributes=wanted))
    found = client.get_instance(**request)["Instance"]["Attributes"]
    assert found[IPV4] == machine["PrivateIpAddress"]
    with refused("InvalidInput"):
        client.register_instance(**request, Attributes={"AWS_EC2_INSTANCE_ID": "i-0"})


def test_the_quotas_of_instances_hold_also_for_those_on_their_way(
    client: Any, aws: EmulatedAws, corp: str, web: str
) -> None:
    aws.settings = replace(
        aws.settings, instances_per_service=2, instances_per_namespace=3, operation_delay=5
    )

    def add(service: str, number: int) -> None:
        client.register_instance(
            ServiceId=service, InstanceId=f"i{number}", Attributes={IPV4: f"10.0.0.{number}"}
        )

    add(web, 1)
    add(web, 2)
    with refused("ResourceLimitExceeded"):
        add(web, 3)
    other = aws.seed.service(corp, "other")
    aws.seed.instance(other, "a", {IPV4: "10.0.1.1"})
    aws.seed.instance(other, "b", {IPV4: "10.0.1.2"})
    third = aws.seed.service(corp, "third")
    aws.seed.instance(third, "c", {IPV4: "10.0.1.3"})
    with refused("ResourceLimitExceeded"):
        add(third, 9)


def test_an_upsert_is_not_counted_against_the_quota(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, instances_per_service=1)
    register(client, web, "i1")
    assert register(client, web, "i1", "10.0.0.2")["Status"] == "SUCCESS"


def test_instances_are_listed_in_pages(client: Any, aws: EmulatedAws, corp: str) -> None:
    (service,) = aws.seed.bulk(corp, 1, 250)
    found = pages(client.list_instances, "Instances", ServiceId=service)
    assert [len(page) for page in found] == [100, 100, 50]
    assert len({i["Id"] for page in found for i in page}) == 250


def test_a_service_is_named_by_id_or_arn_and_not_by_somebody_elses_arn(client: Any, web: str) -> None:
    arn = client.get_service(Id=web)["Service"]["Arn"]
    register(client, arn, "i1")
    assert client.get_instance(ServiceId=arn, InstanceId="i1")["Instance"]["Id"] == "i1"
    with refused("ServiceNotFound"):
        client.list_instances(ServiceId=arn.replace("us-east-1", "eu-west-1"))


def test_ecs_registers_with_its_own_attributes(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.seed.ecs_instance(web, "0123abcd", "10.0.1.7", 8080, ecs_service="shop", cluster="prod")
    attributes = discover(client)["0123abcd"]["Attributes"]
    assert attributes["ECS_SERVICE_NAME"] == "shop"
    assert (attributes[IPV4], attributes[PORT]) == ("10.0.1.7", "8080")
    aws.seed.deregister(web, "0123abcd")
    eventually(lambda: discover(client) == {})
