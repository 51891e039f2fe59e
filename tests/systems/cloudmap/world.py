"""One namespace of the emulated Cloud Map with every part of the adapter around it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

import boto3
from botocore.config import Config

from syncer.core.model import Complete, Instance, Mark, Unreadable
from syncer.core.plan import Change, CreateService
from syncer.core.ports import Ending, Hint, Outcome
from syncer.systems.aws import Access, Aws
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.namespaces import find
from syncer.systems.cloudmap.operations import Operations
from syncer.systems.cloudmap.quotas import Quotas, Rate
from syncer.systems.cloudmap.reader import CloudMapReader
from syncer.systems.cloudmap.services import Services
from syncer.systems.cloudmap.writer import CloudMapWriter
from tests.emulator import EmulatedAws, Settings
from tests.support.wait import eventually

NAMESPACE: Final = "corp.internal"
OWNER: Final = "prod"
ORIGIN: Final = "consul/dc1"
LONG: Final = 60.0
"""Seconds that anything may take: a bound against hanging, not a target."""

FAST: Final = Settings(operation_delay=0.04, discover_lag=0.02, health_scale=0.01, throttle=None)
FREE: Final = {
    operation: Rate(5000, 5000)
    for operation in (
        "CreateService",
        "DeleteService",
        "DeregisterInstance",
        "DiscoverInstances",
        "DiscoverInstancesRevision",
        "GetInstance",
        "GetInstancesHealthStatus",
        "GetNamespace",
        "GetOperation",
        "GetService",
        "ListInstances",
        "ListNamespaces",
        "ListOperations",
        "ListServices",
        "ListTagsForResource",
        "RegisterInstance",
        "UpdateInstanceCustomHealthStatus",
        "UpdateService",
    )
}
"""Rates that stop nobody, for tests that are not about rates."""


def open_api(
    emulator: EmulatedAws, stop: threading.Event, quotas: Quotas | None = None, **access: Any
) -> Api:
    """Return an API that calls *emulator*; *access* may change how."""
    options = {"region": emulator.region, "endpoint_url": emulator.endpoint_url, "timeout": 5.0, **access}
    return Api(Aws(Access(**options), stop=stop), quotas or Quotas(FREE), stop)


def client(emulator: EmulatedAws) -> Any:
    """Return the SDK's own client: somebody else's hand."""
    return boto3.client(
        "servicediscovery", **emulator.client_options(config=Config(inject_host_prefix=False))
    )


class World:
    """Everything that one process of ours has of one namespace."""

    def __init__(
        self, emulator: EmulatedAws, *, name: str = NAMESPACE, rates: dict[str, Rate] | None = None
    ) -> None:
        self.emulator = emulator
        self.stop = threading.Event()
        self.quotas = Quotas({**FREE, **(rates or {})})
        self.api = open_api(emulator, self.stop, self.quotas)
        self.namespace = find(self.api, name=name)
        self.directory = Directory(self.api, self.namespace)
        self.operations = Operations(self.api)
        self.reader = CloudMapReader(self.api, self.namespace, self.directory)
        self.services = Services(self.api, self.namespace, self.directory)
        self.writer = CloudMapWriter(self.api, self.services, self.directory, self.operations)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close(0)
        self.stop.set()

    def read(self, service: str = "web", *, fresh: bool = False) -> Complete:
        """Read *service*, which must be readable."""
        found = self.reader.read(service, fresh=fresh)
        assert isinstance(found, Complete), found
        return found

    def ids(self, service: str = "web", *, fresh: bool = False) -> list[str]:
        """Return the ids of the instances of *service*."""
        return [instance.id for instance in self.read(service, fresh=fresh).instances]

    def unreadable(self, service: str = "web", *, fresh: bool = False) -> Unreadable:
        """Read *service*, which must not be readable."""
        found = self.reader.read(service, fresh=fresh)
        assert isinstance(found, Unreadable), found
        return found

    def do(self, *changes: Change) -> list[Outcome]:
        """Carry *changes* out and return their outcomes, in the order in which they ended."""
        told = Told()
        self.writer.submit(changes, told)
        return told.wait(len(changes))

    def done(self, *changes: Change) -> None:
        """Carry *changes* out; all must succeed."""
        for outcome in self.do(*changes):
            assert outcome.ending is Ending.DONE, outcome


@dataclass
class Told:
    """Collects outcomes."""

    outcomes: list[Outcome] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes.append(outcome)

    def wait(self, count: int) -> list[Outcome]:
        """Wait until *count* changes have ended."""
        eventually(lambda: len(self.outcomes) >= count, LONG, f"{count} changes have ended")
        with self.lock:
            return list(self.outcomes)


class Heard:
    """Runs a watch in a thread and collects what it says."""

    def __init__(self, run: Callable[..., None]) -> None:
        self.hints: list[Hint] = []
        self.reads: list[Complete] = []
        self.stop = threading.Event()
        self._thread = threading.Thread(
            target=run, args=(self.hints.append, self.reads.append, self.stop), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> bool:
        """Stop the watch; return whether it ended."""
        self.stop.set()
        self._thread.join(60)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def named(self, service: str) -> bool:
        """Whether a hint has named *service*, or everything."""
        return any(hint.services is None or service in hint.services for hint in self.hints)


def made(service: str = "web", *, records: Sequence[str] = ("A",), ttl: int = 15) -> CreateService:
    """Return the creation of *service* by us."""
    return CreateService(service, frozenset(records), ttl, OWNER, ORIGIN)


def ours(number: int = 1, service: str = "web", **values: Any) -> Instance:
    """Return an instance as a route of ours would write it."""
    return Instance(
        **{
            "service": service,
            "id": f"i{number}",
            "ipv4": f"10.1.{number // 250}.{number % 250 + 1}",
            "port": 8080,
            "mark": Mark(OWNER, ORIGIN, service, f"node/i{number}"),
            **values,
        }
    )
