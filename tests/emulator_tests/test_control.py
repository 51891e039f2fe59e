import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import discover, refused, register


@pytest.fixture
def http(aws: EmulatedAws) -> Any:
    def send(method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = requests.request(method, f"{aws.endpoint_url}/_emulator{path}", timeout=30, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    return send


def test_calls_are_counted_by_operation_until_they_are_reset(
    client: Any, http: Callable[..., Any], web: str
) -> None:
    client.get_service(Id=web)
    with refused("ServiceNotFound"):
        client.get_service(Id="srv-none")
    report = http("GET", "/calls")
    assert report["counts"] == {"GetService": 2}
    assert report["errors"] == {"GetService": 1}
    http("DELETE", "/calls")
    assert http("GET", "/calls")["total"] == 0


def test_the_log_tells_when_what_and_about_whom(client: Any, http: Callable[..., Any], web: str) -> None:
    before, ticks = time.time(), time.monotonic()
    register(client, web, "i1")
    (entry,) = http("GET", "/calls?entries=1&operation=RegisterInstance")["entries"]
    assert before - 0.1 <= entry["time"] <= time.time()
    assert ticks <= entry["monotonic"] <= time.monotonic()
    assert entry["params"] == {"ServiceId": web, "InstanceId": "i1"}
    assert (entry["outcome"], entry["region"]) == ("ok", "us-east-1")
    assert http("GET", f"/calls?entries=1&since={time.time()}")["entries"] == []


def test_a_watcher_is_told_of_successful_calls(client: Any, aws: EmulatedAws, web: str) -> None:
    seen: list[tuple[float, str, Any]] = []
    aws.on_call(lambda *call: seen.append(call))
    before = time.monotonic()
    register(client, web, "i1")
    with refused("ServiceNotFound"):
        client.get_service(Id="srv-none")
    when, operation, params = seen[0]
    assert before <= when <= time.monotonic()
    assert (operation, params["InstanceId"]) == ("RegisterInstance", "i1")
    assert params["Attributes"] == {"AWS_INSTANCE_IPV4": "10.0.0.1"}
    assert "GetService" not in {call[1] for call in seen}


def test_faults_are_set_listed_and_lifted_over_http(client: Any, http: Callable[..., Any], web: str) -> None:
    made = http("POST", "/faults", json={"kind": "error", "operation": "GetService", "code": "Oops"})
    with refused("Oops"):
        client.get_service(Id=web)
    (listed,) = http("GET", "/faults")
    assert (listed["id"], listed["hits"]) == (made["id"], 1)
    http("DELETE", f"/faults?id={made['id']}")
    client.get_service(Id=web)
    http("POST", "/faults", json={"kind": "rain"}, status=400)


def test_a_document_seeds_everything_at_once(client: Any, http: Callable[..., Any]) -> None:
    instance = {"id": "i1", "attributes": {"AWS_INSTANCE_IPV4": "10.9.0.1"}, "health": "UNHEALTHY"}
    made = http(
        "POST",
        "/seed",
        json={
            "namespaces": [
                {"name": "corp.internal", "services": [{"name": "web", "instances": [instance]}]},
                {"name": "shop", "type": "HTTP", "options": {"Description": "ours"}},
            ],
            "bulk": {"namespace": "corp.internal", "services_count": 3, "instances_each": 2},
        },
    )
    web = made["corp.internal"]["services"]["web"]
    http("POST", "/seed", json={"ecs": [{"service": web, "task_id": "t1", "ip": "10.9.0.2", "port": 80}]})
    assert {k: v["HealthStatus"] for k, v in discover(client).items()} == {"i1": "UNHEALTHY", "t1": "HEALTHY"}
    assert len(made["bulk"]) == 3
    assert len(discover(client, "svc-2")) == 2
    assert client.list_operations()["Operations"] == []
    assert client.get_namespace(Id=made["shop"]["id"])["Namespace"]["Description"] == "ours"


def test_a_document_seeds_another_account_and_region(client: Any, http: Callable[..., Any]) -> None:
    http("POST", "/seed", json={"region": "eu-west-1", "namespaces": [{"name": "far"}]})
    assert client.list_namespaces()["Namespaces"] == []


def test_settings_are_read_and_changed_while_it_runs(client: Any, http: Callable[..., Any], web: str) -> None:
    assert http("GET", "/settings")["operation_delay"] == 0.02
    http("POST", "/settings", json={"operation_delay": 0.0})
    answer = client.register_instance(
        ServiceId=web, InstanceId="i1", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"}
    )
    done = client.get_operation(OperationId=answer["OperationId"])["Operation"]
    assert done["Status"] == "SUCCESS"
    http("POST", "/settings", json={"colour": "red"}, status=400)
    http("GET", "/nothing", status=400)


def test_2000_services_of_5_instances_are_seeded_in_one_request(
    http: Callable[..., Any], client: Any
) -> None:
    made = http(
        "POST",
        "/seed",
        json={
            "namespaces": [{"name": "corp.internal"}],
            "bulk": {"namespace": "corp.internal", "services_count": 2000, "instances_each": 5},
        },
    )
    assert len(made["bulk"]) == 2000
    assert len(discover(client, "svc-1999")) == 5
