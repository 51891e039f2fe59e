"""Fixtures of the fault tests: one world for each module, since each case leaves it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import ENVIRONMENT, World
from tests.faults.stage import Stage, stage


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder, in an environment with invented credentials."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_PROFILE", raising=False)
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        yield tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[Stage]:
    """A stage that all cases of a module share."""
    with World(folder) as world, stage(world) as shared:
        yield shared


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    """A world of a test's own."""
    with World(folder) as world:
        yield world
