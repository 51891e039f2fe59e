from collections.abc import Iterator
from typing import Any

import pytest

from syncer.systems.aws import Access
from syncer.systems.ecs.source import EcsSource, SourceOptions, ViewOptions
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.systems.ecs.steps import MakeSource


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAwsWithEcs]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    with EmulatedAwsWithEcs() as running:
        running.ecs.cluster("prod")
        yield running


@pytest.fixture
def world(aws: EmulatedAwsWithEcs) -> EcsWorld:
    return aws.ecs


@pytest.fixture
def access(aws: EmulatedAwsWithEcs) -> Access:
    return Access(region=aws.region, endpoint_url=aws.endpoint_url, timeout=5.0)


@pytest.fixture
def make_source(access: Access) -> Iterator[MakeSource]:
    """Makes sources of the cluster `prod`, unless other options are given."""
    made: list[EcsSource] = []

    def make(
        views: tuple[ViewOptions, ...] = (ViewOptions(),), given: Access | None = None, **options: Any
    ) -> EcsSource:
        chosen = SourceOptions(**{"clusters": ("prod",), **options})
        made.append(EcsSource("prod", given or access, chosen, views))
        return made[-1]

    yield make
    for source in made:
        source.close()
