"""Fixtures of the doctor's tests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.e2e.world import ENVIRONMENT, FAST, World


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own chain finds invented keys, and asks nobody else for them."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both registries, shared by the tests of a module: each asks for settings and faults of its own."""
    with World(tmp_path_factory.mktemp("world"), emulated=replace(FAST, throttle=None)) as world:
        yield world


@pytest.fixture
def world(shared: World) -> Iterator[World]:
    """The shared world, without faults before and after."""
    yield shared
    shared.aws.faults.remove()
    shared.proxy.lift()
