from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.emulator import EmulatedAws, Settings

FAST = Settings(operation_delay=0.02, discover_lag=0.02, health_scale=0.002, throttle=None)
ONCE = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, max_pool_connections=50)


@pytest.fixture
def aws() -> Iterator[EmulatedAws]:
    with EmulatedAws(FAST) as running:
        yield running


@pytest.fixture
def make_client(aws: EmulatedAws) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(service: str = "servicediscovery", **options: Any) -> Any:
        made.append(boto3.client(service, **aws.client_options(config=ONCE) | options))  # type: ignore[call-overload]  # any service
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., Any]) -> Any:
    return make_client()


@pytest.fixture
def unhurried(aws: EmulatedAws) -> None:
    """Long enough to look in between, on a busy machine as well."""
    aws.settings = replace(aws.settings, operation_delay=0.35, discover_lag=0.35)


@pytest.fixture
def corp(aws: EmulatedAws) -> str:
    """The id of a private DNS namespace."""
    return aws.seed.namespace("corp.internal")


@pytest.fixture
def web(aws: EmulatedAws, corp: str) -> str:
    """The id of a service with A records and a custom health check."""
    return aws.seed.service(corp, "web")
