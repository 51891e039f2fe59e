"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import ENVIRONMENT, World


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own chain finds invented keys, and asks nobody else for them."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def world(tmp_path: Path, credentials: None) -> Iterator[World]:
    """Both registries, with nothing in them but the namespace ``corp.internal``."""
    with World(tmp_path) as world:
        yield world
