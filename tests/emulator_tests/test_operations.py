import time
from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import eventually, finished, pages, refused, register

IPV4 = "AWS_INSTANCE_IPV4"


def feed(client: Any, **filters: Any) -> list[str]:
    """Return the ids of all operations that match, newest first."""
    wanted = [{"Name": name, **rest} for name, rest in filters.items()]
    found = pages(client.list_operations, "Operations", Filters=wanted)
    return [one["Id"] for page in found for one in page]


def test_an_operation_is_submitted_then_pending_then_successful(
    client: Any, aws: EmulatedAws, corp: str, web: str
) -> None:
    aws.settings = replace(aws.settings, operation_delay=0.6)
    request = {"ServiceId": web, "InstanceId": "i1", "Attributes": {IPV4: "10.0.0.1"}}
    accepted = client.register_instance(**request)["OperationId"]
    seen: list[str] = []

    def over() -> bool:
        operation = client.get_operation(OperationId=accepted)["Operation"]
        if operation["Status"] not in seen:
            seen.append(operation["Status"])
        return bool(operation["Status"] == "SUCCESS")

    eventually(over)
    assert seen == ["SUBMITTED", "PENDING", "SUCCESS"]
    operation = client.get_operation(OperationId=accepted)["Operation"]
    assert operation["Targets"] == {"NAMESPACE": corp, "SERVICE": web, "INSTANCE": "i1"}
    assert (operation["UpdateDate"] - operation["CreateDate"]).total_seconds() == pytest.approx(
        0.6, abs=0.002
    )


def test_without_a_delay_an_operation_is_done_at_once(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, operation_delay=0.0)
    accepted = client.register_instance(ServiceId=web, InstanceId="i", Attributes={IPV4: "10.0.0.1"})
    assert client.get_operation(OperationId=accepted["OperationId"])["Operation"]["Status"] == "SUCCESS"


def test_jitter_makes_operations_end_in_another_order(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, operation_delay=0.1, operation_jitter=0.9)
    for number in range(20):
        attributes = {IPV4: f"10.0.0.{number}"}
        client.register_instance(ServiceId=web, InstanceId=f"i{number}", Attributes=attributes)
    eventually(lambda: client.get_service(Id=web)["Service"]["InstanceCount"] == 20)
    ended = [client.get_operation(OperationId=i)["Operation"]["Targets"]["INSTANCE"] for i in feed(client)]
    assert ended != [f"i{number}" for number in reversed(range(20))]


def test_an_unknown_operation_is_not_found(client: Any) -> None:
    with refused("OperationNotFound"):
        client.get_operation(OperationId="nothing")


def test_operations_are_a_change_feed_of_a_namespace_newest_first(
    client: Any, aws: EmulatedAws, corp: str, web: str
) -> None:
    other = aws.seed.service(aws.seed.namespace("other.internal"), "web")
    first = register(client, web, "i1", "10.0.0.1")["Id"]
    register(client, other, "i1", "10.0.0.1")
    second = register(client, web, "i2", "10.0.0.2")["Id"]
    assert feed(client, NAMESPACE_ID={"Values": [corp]}) == [second, first]
    assert feed(client, SERVICE_ID={"Values": [web]}) == [second, first]


def test_an_operation_that_ends_comes_to_the_front_again(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("slow_operation", instance="slow", seconds=0.8)
    slow = client.register_instance(ServiceId=web, InstanceId="slow", Attributes={IPV4: "10.0.0.1"})
    quick = register(client, web, "quick", "10.0.0.2")["Id"]
    eventually(lambda: feed(client)[0] == quick)
    finished(client, slow)
    assert feed(client)[:2] == [slow["OperationId"], quick]


def test_operations_are_found_by_status_and_type(client: Any, web: str) -> None:
    good = register(client, web, "i1", "10.0.0.1")["Id"]
    bad = register(client, web, "i2", "10.0.0.1")["Id"]
    gone = finished(client, client.deregister_instance(ServiceId=web, InstanceId="i1"))["Id"]
    assert feed(client, STATUS={"Values": ["FAIL"]}) == [bad]
    assert feed(client, STATUS={"Values": ["SUCCEED"]}) == [gone, good]
    assert feed(client, TYPE={"Values": ["DEREGISTER_INSTANCE"]}) == [gone]
    both = {"Values": ["SUCCESS", "FAIL"], "Condition": "IN"}
    assert feed(client, STATUS=both, TYPE={"Values": ["REGISTER_INSTANCE"]}) == [bad, good]


def test_operations_are_found_by_the_date_of_their_last_update(client: Any, web: str) -> None:
    first = register(client, web, "i1", "10.0.0.1")
    time.sleep(0.01)
    between = time.time()
    time.sleep(0.01)
    second = register(client, web, "i2", "10.0.0.2")

    def updated(start: float, end: float) -> list[str]:
        return feed(client, UPDATE_DATE={"Values": [f"{start:.3f}", f"{end:.3f}"], "Condition": "BETWEEN"})

    assert updated(between, time.time() + 60) == [second["Id"]]
    assert updated(between - 60, between) == [first["Id"]]


@pytest.mark.parametrize(
    "one",
    [
        {"Name": "UPDATE_DATE", "Values": ["1"], "Condition": "BETWEEN"},
        {"Name": "UPDATE_DATE", "Values": ["1", "2"]},
        {"Name": "UPDATE_DATE", "Values": ["yesterday", "2"], "Condition": "BETWEEN"},
        {"Name": "NAMESPACE_ID", "Values": ["a", "b"], "Condition": "IN"},
        {"Name": "STATUS", "Values": ["SUCCESS", "FAIL"]},
        {"Name": "TYPE", "Values": ["CREATE_SERVICE"]},
        {"Name": "COLOUR", "Values": ["red"]},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(client: Any, one: dict[str, Any]) -> None:
    with refused("InvalidInput"):
        client.list_operations(Filters=[one])


def test_pages_neither_skip_nor_repeat_while_operations_come_in(client: Any, web: str) -> None:
    known = [register(client, web, f"i{n}", f"10.0.0.{n}")["Id"] for n in range(5)]
    first = client.list_operations(MaxResults=2)
    register(client, web, "late", "10.0.0.99")
    rest = client.list_operations(MaxResults=10, NextToken=first["NextToken"])["Operations"]
    assert [one["Id"] for one in [*first["Operations"], *rest]] == known[::-1]


@pytest.mark.parametrize(("mode", "sizes"), [("mixed", [1, 0, 0]), ("after", [1, 0, 0]), ("before", [1])])
def test_filters_apply_before_or_after_paging_as_set(
    client: Any, aws: EmulatedAws, web: str, mode: Any, sizes: list[int]
) -> None:
    aws.settings = replace(aws.settings, operation_filters=mode)
    for number in range(2):
        register(client, web, f"i{number}", f"10.0.0.{number}")
    finished(client, client.deregister_instance(ServiceId=web, InstanceId="i0"))
    wanted = [{"Name": "TYPE", "Values": ["DEREGISTER_INSTANCE"]}]
    found = pages(client.list_operations, "Operations", Filters=wanted, MaxResults=1)
    assert [len(page) for page in found] == sizes


def test_old_operations_are_forgotten(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.settings = replace(aws.settings, kept_operations=2)
    oldest, *rest = [register(client, web, f"i{n}", f"10.0.0.{n}")["Id"] for n in range(3)]
    assert feed(client) == rest[::-1]
    with refused("OperationNotFound"):
        client.get_operation(OperationId=oldest)
