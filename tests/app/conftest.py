"""Fixtures of the tests of the wiring."""

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
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both registries, shared by the tests of a module: each has services of its own."""
    with World(tmp_path_factory.mktemp("world"), emulated=replace(FAST, throttle=None)) as world:
        yield world
