import time
from dataclasses import replace
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import discover, eventually, refused, register

LATER = 0.013  # of 30 s


@pytest.fixture
def ready(client: Any, aws: EmulatedAws, web: str) -> str:
    aws.settings = replace(aws.settings, health_scale=LATER)
    register(client, web, "i1")
    eventually(lambda: discover(client))
    return web


def wish(client: Any, service: str, status: str) -> None:
    client.update_instance_custom_health_status(ServiceId=service, InstanceId="i1", Status=status)


def health(client: Any, service: str) -> Any:
    return client.get_instances_health_status(ServiceId=service)["Status"]["i1"]


def test_a_status_takes_effect_later_on_both_planes(client: Any, ready: str) -> None:
    wish(client, ready, "UNHEALTHY")
    assert health(client, ready) == "HEALTHY"
    eventually(lambda: health(client, ready) == "UNHEALTHY")
    assert discover(client)["i1"]["HealthStatus"] == "UNHEALTHY"
    wish(client, ready, "HEALTHY")
    eventually(lambda: health(client, ready) == "HEALTHY")


def test_the_reverting_call_cancels(client: Any, ready: str) -> None:
    wish(client, ready, "UNHEALTHY")
    wish(client, ready, "HEALTHY")
    time.sleep(30 * LATER + 0.1)
    assert health(client, ready) == "HEALTHY"


def test_repeats_neither_hurry_nor_put_off(client: Any, aws: EmulatedAws, ready: str) -> None:
    wish(client, ready, "UNHEALTHY")
    aws.settings = replace(aws.settings, health_scale=1.0)
    wish(client, ready, "UNHEALTHY")
    assert health(client, ready) == "HEALTHY"
    eventually(lambda: health(client, ready) == "UNHEALTHY")


def test_a_wish_that_was_cancelled_and_made_anew_waits_its_own_time(
    client: Any, aws: EmulatedAws, ready: str
) -> None:
    wish(client, ready, "UNHEALTHY")
    wish(client, ready, "HEALTHY")
    aws.settings = replace(aws.settings, health_scale=1.0)
    wish(client, ready, "UNHEALTHY")
    time.sleep(30 * LATER + 0.1)
    assert health(client, ready) == "HEALTHY"


def test_the_initial_status_holds_at_once(client: Any, web: str) -> None:
    register(client, web, "i1", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
    assert health(client, web) == "UNHEALTHY"


@pytest.mark.parametrize(("resets", "after"), [(False, "UNHEALTHY"), (True, "HEALTHY")])
def test_registering_again_keeps_or_resets_the_status_as_set(
    client: Any, aws: EmulatedAws, ready: str, resets: bool, after: str
) -> None:
    aws.settings = replace(aws.settings, reregister_resets_health=resets)
    aws.seed.health(ready, "i1", "UNHEALTHY")
    register(client, ready, "i1", "10.0.0.2")
    assert health(client, ready) == after


def test_an_instance_that_comes_back_is_healthy(client: Any, aws: EmulatedAws, ready: str) -> None:
    aws.seed.health(ready, "i1", "UNHEALTHY")
    aws.seed.deregister(ready, "i1")
    register(client, ready, "i1")
    assert health(client, ready) == "HEALTHY"


def test_a_service_without_a_custom_check_has_no_custom_health(
    client: Any, aws: EmulatedAws, corp: str
) -> None:
    service = aws.seed.service(corp, "plain", custom_health=False)
    aws.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    with refused("CustomHealthNotFound"):
        wish(client, service, "UNHEALTHY")
    assert health(client, service) == "UNKNOWN"


def test_an_unknown_instance_has_no_health(client: Any, ready: str) -> None:
    with refused("InstanceNotFound"):
        client.get_instances_health_status(ServiceId=ready, Instances=["i1", "i2"])
    with refused("InstanceNotFound"):
        client.update_instance_custom_health_status(ServiceId=ready, InstanceId="i2", Status="HEALTHY")
    with refused("InvalidInput"):
        wish(client, ready, "UNKNOWN")


def test_health_comes_in_pages_of_100(client: Any, aws: EmulatedAws, corp: str) -> None:
    (service,) = aws.seed.bulk(corp, 1, 150)
    first = client.get_instances_health_status(ServiceId=service)
    second = client.get_instances_health_status(ServiceId=service, NextToken=first["NextToken"])
    assert (len(first["Status"]), len(second["Status"])) == (100, 50)
    assert "NextToken" not in second
    assert not first["Status"].keys() & second["Status"].keys()
