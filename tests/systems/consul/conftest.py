"""One agent for all tests here that do not change it; each test uses services of its own."""

import itertools
from collections.abc import Iterator

import pytest

from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.transport import Transport
from tests.support.consul_agent import ConsulAgent

_numbers = itertools.count()


@pytest.fixture(scope="session")
def agent() -> Iterator[ConsulAgent]:
    with ConsulAgent() as running:
        yield running


@pytest.fixture(scope="session")
def client(agent: ConsulAgent) -> ConsulClient:
    endpoint = Endpoint.at(agent.http_url)
    return ConsulClient(endpoint, Transport(endpoint))


@pytest.fixture
def service() -> str:
    """A service name that no other test uses."""
    return f"web{next(_numbers)}"
