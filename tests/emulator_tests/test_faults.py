import time
from contextlib import suppress
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.emulator import EmulatedAws
from tests.emulator.errors import ApiError
from tests.emulator_tests.steps import discover, pages, refused, register


def test_an_error_with_any_code_and_status(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("error", operation="Discover*", service="web", code="AccessDeniedException", status=403)
    with refused("AccessDeniedException") as answer:
        discover(client)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert client.get_service(Id=web)["Service"]["Id"] == web
    aws.faults.remove()
    assert discover(client) == {}


@pytest.mark.parametrize(
    ("aim", "hit"),
    [
        ({"service": "web"}, True),
        ({"service": "we*"}, True),
        ({"service": "other"}, False),
        ({"namespace": "corp.internal"}, True),
        ({"namespace": "other"}, False),
        ({"operation": "ListInstances"}, True),
        ({"operation": "List*", "service": "other"}, False),
        ({"instance": "i1"}, False),
    ],
)
def test_a_fault_hits_what_it_is_aimed_at(
    client: Any, aws: EmulatedAws, web: str, aim: dict[str, str], hit: bool
) -> None:
    fault = aws.fault("error", **aim)
    try:
        client.list_instances(ServiceId=web)
    except ClientError:
        assert hit
    assert fault.hits == hit


def test_a_fault_can_be_aimed_by_id(client: Any, aws: EmulatedAws, web: str, corp: str) -> None:
    for aim in ({"service": web}, {"namespace": corp}):
        fault = aws.fault("error", code="InternalFailure", **aim)
        with refused("InternalFailure"):
            discover(client)
        aws.faults.remove(fault.id)


def test_a_fault_skips_then_hits_so_many_times(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("error", operation="GetService", skip=1, count=2)
    outcomes = []
    for _ in range(5):
        try:
            client.get_service(Id=web)
            outcomes.append("ok")
        except ClientError:
            outcomes.append("error")
    assert outcomes == ["ok", "error", "error", "ok", "ok"]


def test_a_fault_ends_after_its_duration(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("error", duration=0.5)
    with refused("InternalFailure"):
        client.get_service(Id=web)
    time.sleep(0.55)
    client.get_service(Id=web)


def test_a_fault_of_chance_hits_some_and_not_all(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.faults.random.seed(7)
    fault = aws.fault("error", probability=0.5)
    for _ in range(40):
        with suppress(ClientError):
            client.get_service(Id=web)
    assert 0 < fault.hits < 40


def test_a_page_of_html_is_no_answer(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("http500")
    with refused("500"):
        client.get_service(Id=web)


def test_a_reset_connection_carries_nothing_out(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("reset", operation="DeleteService", count=1)
    with pytest.raises(ConnectionClosedError):
        client.delete_service(Id=web)
    assert client.get_service(Id=web)["Service"]["Id"] == web


def test_a_lost_answer_was_carried_out(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("lost_answer", operation="DeleteService", count=1)
    with pytest.raises(ConnectionClosedError):
        client.delete_service(Id=web)
    with refused("ServiceNotFound"):
        client.get_service(Id=web)


def test_a_delay_is_waited_for(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("delay", seconds=0.3)
    start = time.monotonic()
    client.get_service(Id=web)
    assert time.monotonic() - start >= 0.3


def test_a_call_that_hangs_runs_into_the_clients_timeout(
    make_client: Any, aws: EmulatedAws, web: str
) -> None:
    impatient = make_client(config=Config(read_timeout=0.2, retries={"total_max_attempts": 1}))
    aws.fault("hang", seconds=60)
    with pytest.raises(ReadTimeoutError):
        impatient.get_service(Id=web)


def test_an_empty_answer_looks_like_success(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.seed.instance(web, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    aws.fault("empty")
    assert discover(client) == {}
    assert client.list_services()["Services"] == []
    assert client.get_instances_health_status(ServiceId=web)["Status"] == {}


def test_a_truncated_page_hides_that_there_is_more(client: Any, aws: EmulatedAws, corp: str) -> None:
    (service,) = aws.seed.bulk(corp, 1, 150)
    aws.fault("truncate", operation="ListInstances")
    assert [len(page) for page in pages(client.list_instances, "Instances", ServiceId=service)] == [100]
    aws.fault("truncate", operation="DiscoverInstances", keep=3)
    assert len(discover(client, "svc-0")) == 3


def test_an_operation_fails_after_it_was_accepted(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("fail_operation", instance="i1", code="THROTTLED_REQUEST", count=1)
    failed = register(client, web, "i1")
    assert (failed["Status"], failed["ErrorCode"]) == ("FAIL", "THROTTLED_REQUEST")
    assert register(client, web, "i1")["Status"] == "SUCCESS"


def test_a_slow_operation_takes_longer(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.fault("slow_operation", seconds=0.5)
    done = register(client, web, "i1")
    assert (done["UpdateDate"] - done["CreateDate"]).total_seconds() >= 0.5


def test_a_namespace_that_vanished_is_gone_from_every_answer(
    client: Any, aws: EmulatedAws, corp: str, web: str
) -> None:
    other = aws.seed.namespace("other.internal")
    aws.seed.service(other, "api")
    aws.fault("namespace_gone", namespace="corp.internal")
    with refused("NamespaceNotFound"):
        discover(client)
    with refused("NamespaceNotFound"):
        client.get_namespace(Id=corp)
    with refused("NamespaceNotFound"):
        client.create_service(Name="new", NamespaceId=corp)
    with refused("ServiceNotFound"):
        client.get_service(Id=web)
    with refused("ServiceNotFound"):
        client.list_instances(ServiceId=web)
    assert [n["Name"] for n in client.list_namespaces()["Namespaces"]] == ["other.internal"]
    assert [s["Name"] for s in client.list_services()["Services"]] == ["api"]


def test_a_stale_answer_is_the_first_one_again(client: Any, aws: EmulatedAws, web: str) -> None:
    fault = aws.fault("stale", operation="DiscoverInstances")
    assert discover(client) == {}
    aws.seed.instance(web, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    assert discover(client) == {}
    aws.faults.remove(fault.id)
    assert list(discover(client)) == ["i1"]


def test_a_fault_that_does_not_exist_is_refused(aws: EmulatedAws) -> None:
    for options in ({"kind": "rain"}, {"kind": "error", "colour": "red"}):
        with pytest.raises(ApiError):
            aws.fault(**options)  # type: ignore[arg-type]  # that is the point
