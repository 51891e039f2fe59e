"""A real Consul keeps the contract, by way of its reader, its writer and its watch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from syncer.systems.consul.about import agent_info
from syncer.systems.consul.carrier import CONSUL_CARRIER
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.reader import ConsulReader
from syncer.systems.consul.transport import ConsulClient, Transport
from syncer.systems.consul.watch import ConsulWatch
from syncer.systems.consul.writer import Batching, ConsulWriter
from tests.contract.contract import RegistryContract, ready
from tests.contract.subject import Subject
from tests.support.consul_agent import ConsulAgent

__all__ = ["ready"]
