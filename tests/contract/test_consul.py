"""A real Consul keeps the contract, by way of its reader, its writer and its watch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import urllib3

from syncer.systems.consul.about import agent_info
from syncer.systems.consul.carrier import CONSUL_CARRIER
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.reader import ConsulReader
from syncer.systems.consul.transport import Transport
from syncer.systems.consul.watch import ConsulWatch
from syncer.systems.consul.writer import Batching, ConsulWriter
from tests.contract.contract import RegistryContract, ready
from tests.contract.subject import Subject
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

__all__ = ["ready"]

_WAIT = 1.0
"""Seconds until a paused agent counts as gone."""


@pytest.fixture(scope="module")
def agent() -> Iterator[ConsulAgent]:
    with ConsulAgent() as agent:
        yield agent


@pytest.fixture
def subject(agent: ConsulAgent) -> Iterator[Subject]:
    endpoint = Endpoint.at(agent.http_url)
    client = ConsulClient(endpoint, Transport(endpoint, read_timeout=_WAIT))
    write_client = ConsulClient(endpoint, Transport(endpoint, read_timeout=_WAIT))
    info = agent_info(client)
    completeness = Completeness(client, info)
    writer = ConsulWriter(write_client, batching=Batching.of(info))

    @contextmanager
    def broken() -> Iterator[None]:
        agent.pause()
        try:
            # The signal takes a moment to reach all threads.
            eventually(lambda: not _answers(agent), message="the paused agent falls silent")
            yield
        finally:
            agent.resume()

    def elsewhere(service: str, id: str, ipv4: str, port: int) -> None:  # noqa: A002 - the model's word
        agent.register(service, id, ipv4, port)

    yield Subject(
        ConsulReader(client, info.datacenter, completeness=completeness),
        writer,
        ConsulWatch(endpoint, completeness=completeness, wait=5.0, read_timeout=_WAIT),
        CONSUL_CARRIER,
        elsewhere,
        broken,
        impossible=lambda good: replace(good, ipv4="0.0.0.0"),
    )
    writer.close(5)
    for transport in (client.http, write_client.http):
        transport.close()
    _empty(agent)


def _answers(agent: ConsulAgent) -> bool:
    try:
        agent.call("GET", "/v1/status/leader", timeout=0.3)
    except urllib3.exceptions.HTTPError:
        return False
    return True


def _empty(agent: ConsulAgent) -> None:
    """Remove what the tests wrote: all nodes but the agent's own."""
    own = agent.call("GET", "/v1/agent/self")["Config"]["NodeName"]
    for node in agent.call("GET", "/v1/catalog/nodes"):
        if node["Node"] != own:
            agent.call("PUT", "/v1/catalog/deregister", {"Node": node["Node"]})


class TestConsul(RegistryContract):
    """All of the contract."""
