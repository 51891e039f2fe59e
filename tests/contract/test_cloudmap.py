"""Cloud Map, as the emulator has it, keeps the contract: by its reader, its writer and its operations feed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from syncer.systems.aws import Access, Aws
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.carrier import carrier
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.feed import OperationFeed
from syncer.systems.cloudmap.namespaces import find
from syncer.systems.cloudmap.operations import Operations
from syncer.systems.cloudmap.quotas import Quotas
from syncer.systems.cloudmap.reader import CloudMapReader
from syncer.systems.cloudmap.services import Services
from syncer.systems.cloudmap.writer import CloudMapWriter
from tests.contract.contract import RegistryContract, ready
from tests.contract.subject import Subject
from tests.emulator import EmulatedAws, Settings

__all__ = ["ready"]

FAST = Settings(operation_delay=0.03, discover_lag=0.02, health_scale=0.01, throttle=None)
NAMESPACE = "corp.internal"


@pytest.fixture(scope="module")
def credentials() -> Iterator[None]:
    """The SDK's own chain finds keys, and asks nobody else for them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "emulated")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment.delenv("AWS_PROFILE", raising=False)
        yield


@pytest.fixture
def emulator(credentials: None) -> Iterator[EmulatedAws]:
    with EmulatedAws(FAST) as emulator:
        emulator.seed.namespace(NAMESPACE, "DNS_PRIVATE")
        yield emulator


@pytest.fixture
def subject(emulator: EmulatedAws) -> Iterator[Subject]:
    stop = threading.Event()
    aws = Aws(Access(emulator.region, endpoint_url=emulator.endpoint_url, timeout=5.0), stop=stop)
    api = Api(aws, Quotas(), stop)
    namespace = find(api, name=NAMESPACE)
    directory = Directory(api, namespace)
    operations = Operations(api)
    writer = CloudMapWriter(api, Services(api, namespace, directory), directory, operations)
    user = _User(emulator, namespace.id)

    @contextmanager
    def broken() -> Iterator[None]:
        fault = emulator.fault("error", code="InternalFailure", status=500)
        try:
            yield
        finally:
            emulator.faults.remove(fault.id)

    yield Subject(
        CloudMapReader(api, namespace, directory),
        writer,
        OperationFeed(api, namespace, directory, operations, interval=0.2),
        carrier(namespace),
        user.register,
        broken,
        impossible=lambda good: replace(good, attributes={"a space": "is not allowed"}),
    )
    writer.close(5)
    stop.set()
    operations.close()
    aws.close()


class _User:
    """Somebody who registers by the API."""

    def __init__(self, emulator: EmulatedAws, namespace: str) -> None:
        self._client = boto3.client(
            "servicediscovery", **emulator.client_options(config=Config(inject_host_prefix=False))
        )
        self._namespace = namespace
        self._services: dict[str, str] = {}

    def register(self, service: str, id: str, ipv4: str, port: int) -> None:  # noqa: A002 - the model's word
        if service not in self._services:
            made = self._client.create_service(
                Name=service,
                NamespaceId=self._namespace,
                DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 60}], "RoutingPolicy": "MULTIVALUE"},
                HealthCheckCustomConfig={},
            )
            self._services[service] = made["Service"]["Id"]
        self._client.register_instance(
            ServiceId=self._services[service],
            InstanceId=id,
            Attributes={"AWS_INSTANCE_IPV4": ipv4, "AWS_INSTANCE_PORT": str(port)},
        )


class TestCloudMap(RegistryContract):
    """All of the contract."""
