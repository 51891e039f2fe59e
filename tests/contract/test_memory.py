"""The registry in memory keeps the contract, in both of its shapes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.errors import Unavailable
from syncer.core.model import Instance
from syncer.systems.memory import MemoryRegistry, MemoryWatch, MemoryWriter
from tests.contract.contract import RegistryContract, ready
from tests.contract.subject import Subject

__all__ = ["ready"]

_WORD: Final = re.compile(r"[ -~]*")
_LIMITS: Final = AttributeLimits(10, _WORD, 64, _WORD, 256, total=2000, tags_length=256)


def _takes_all(_: str) -> None:
    return None


LIKE_CONSUL: Final = Carrier(_takes_all, replace(_LIMITS, tags_length=None))
LIKE_CLOUD_MAP: Final = Carrier(_takes_all, _LIMITS, unique_address=True, service_entities=True)


@pytest.fixture(params=[LIKE_CONSUL, LIKE_CLOUD_MAP], ids=["like-consul", "like-cloud-map"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    carrier: Carrier = request.param
    registry = MemoryRegistry("memory/one", carrier)
    writer = MemoryWriter(registry)

    @contextmanager
    def broken() -> Iterator[None]:
        for operation in ("list", "read", "write"):
            registry.faults.break_(operation, Unavailable("the line is down"))
        try:
            yield
        finally:
            for operation in ("list", "read", "write"):
                registry.faults.mend(operation)

    def elsewhere(service: str, id: str, ipv4: str, port: int) -> None:  # noqa: A002 - the model's word
        registry.put(Instance(service, id, ipv4=ipv4, port=port))

    yield Subject(
        registry,
        writer,
        MemoryWatch(registry),
        carrier,
        elsewhere,
        broken,
        impossible=lambda good: replace(good, ipv4="0.0.0.0"),
    )
    writer.close(5)


class TestMemory(RegistryContract):
    """All of the contract."""
