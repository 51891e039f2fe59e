"""The emulated Cloud Map for the adapter's tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.emulator import EmulatedAws
from tests.systems.cloudmap.world import FAST, NAMESPACE, World


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own chain finds keys, and asks nobody else for them."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "emulated")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="package")
def server() -> Iterator[EmulatedAws]:
    """One emulator for all tests of the folder: starting one takes longer than most tests."""
    with EmulatedAws(FAST) as server:
        yield server


@pytest.fixture
def emulator(server: EmulatedAws) -> EmulatedAws:
    """A Cloud Map with one private DNS namespace, and nothing left of the tests before."""
    server.faults.remove()
    server.settings = FAST
    with server.state.lock:
        server.state.registries.clear()
    server.seed.namespace(NAMESPACE, "DNS_PRIVATE")
    server.calls.reset()
    return server


@pytest.fixture
def open_world(emulator: EmulatedAws) -> Iterator[Callable[..., World]]:
    """Open processes of ours, as many as a test needs."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> World:
            return stack.enter_context(World(emulator, **options))

        yield open_one


@pytest.fixture
def world(open_world: Callable[..., World]) -> World:
    """One process of ours."""
    return open_world()
