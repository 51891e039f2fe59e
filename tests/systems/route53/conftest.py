import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from syncer.systems.aws import Access, Aws
from syncer.systems.route53.api import Route53
from syncer.systems.route53.target import Options, Route53Target
from syncer.systems.route53.zones import find_zone
from tests.emulator import Settings
from tests.emulator.route53_server import WithRoute53
from tests.systems.route53.steps import ORIGIN, OWNER, MakeTarget


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[WithRoute53]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    with WithRoute53(Settings(operation_delay=0.01)) as running:
        yield running


@pytest.fixture
def client(aws: WithRoute53) -> Iterator[Any]:
    """A user's own client."""
    made = boto3.client("route53", **aws.client_options(config=Config(retries={"total_max_attempts": 1})))
    yield made
    made.close()


@pytest.fixture
def zone(client: Any) -> str:
    """The id of the hosted zone example.com."""
    created = client.create_hosted_zone(Name="example.com", CallerReference="1")
    return str(created["HostedZone"]["Id"]).rsplit("/", 1)[-1]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def api(aws: WithRoute53, stop: threading.Event) -> Iterator[Route53]:
    access = Access(region=aws.region, endpoint_url=aws.endpoint_url, timeout=5.0)
    reached = Aws(access, stop=stop)
    yield Route53(reached, stop, rate=200.0, burst=50)
    reached.close()


@pytest.fixture
def make_target(api: Route53, zone: str) -> Iterator[MakeTarget]:
    """Makes targets of the zone example.com."""
    made: list[Route53Target] = []

    def make(reference: str = zone, *, slower: Route53 | None = None, **options: Any) -> Route53Target:
        used = slower or api
        chosen = Options(**{"owner": OWNER, "origins": (ORIGIN,), "debounce": 0.02, **options})
        made.append(Route53Target(used, find_zone(used, reference), chosen))
        return made[-1]

    yield make
    for target in made:
        target.close(5.0)


@pytest.fixture
def target(make_target: MakeTarget) -> Route53Target:
    return make_target()
