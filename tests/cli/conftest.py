"""Fixtures of the commands' tests."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.e2e.world import ENVIRONMENT, FAST, World
from tests.support.ports import free_ports


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own chain finds invented keys, and asks nobody else for them."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both registries, shared by the tests of a module."""
    with World(tmp_path_factory.mktemp("world"), emulated=replace(FAST, throttle=None)) as world:
        yield world


@pytest.fixture
def port() -> int:
    """A free TCP port."""
    (port,) = free_ports(1)
    return port
