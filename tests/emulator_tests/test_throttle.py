from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator import EmulatedAws
from tests.emulator_tests.steps import eventually, refused


@pytest.fixture(autouse=True)
def throttled(aws: EmulatedAws) -> None:
    aws.settings = replace(aws.settings, throttle=1.0)


def burst(client: Any, calls: int) -> list[str]:
    """List namespaces as fast as can be; return what came of each call."""
    outcomes = []
    for _ in range(calls):
        try:
            client.list_namespaces()
        except ClientError as error:
            outcomes.append(str(error.response["Error"]["Code"]))
        else:
            outcomes.append("ok")
    return outcomes


def test_a_burst_is_let_through_and_what_exceeds_it_is_throttled(client: Any, aws: EmulatedAws) -> None:
    outcomes = burst(client, 20)
    assert outcomes[:5] == ["ok"] * 5
    assert set(outcomes) == {"ok", "ThrottlingException"}
    assert aws.calls.throttled() == outcomes.count("ThrottlingException")
    assert aws.calls.count("ListNamespaces") == 20


def test_each_operation_region_and_account_has_its_own_bucket(
    client: Any, make_client: Callable[..., Any]
) -> None:
    assert "ThrottlingException" in burst(client, 20)
    client.list_services()
    assert burst(make_client(region_name="eu-west-1"), 1) == ["ok"]


@pytest.mark.parametrize("factor", [10.0, None])
def test_rates_can_be_scaled_or_switched_off(client: Any, aws: EmulatedAws, factor: float | None) -> None:
    aws.settings = replace(aws.settings, throttle=factor)
    assert burst(client, 40) == ["ok"] * 40


def test_the_data_plane_says_it_with_another_code(client: Any, aws: EmulatedAws, web: str) -> None:
    aws.api.throttle.rates["DiscoverInstances"] = (0.001, 1)
    names = {"NamespaceName": "corp.internal", "ServiceName": "web"}
    client.discover_instances(**names)
    with refused("RequestLimitExceeded"):
        client.discover_instances(**names)
    assert web


def test_a_bucket_fills_again(client: Any, aws: EmulatedAws) -> None:
    aws.api.throttle.rates["ListNamespaces"] = (5.0, 1)
    assert burst(client, 2) == ["ok", "ThrottlingException"]
    eventually(lambda: burst(client, 1) == ["ok"])
