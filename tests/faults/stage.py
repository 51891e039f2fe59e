"""A world in step, and one ordeal for every fault: changes on both sides while it lasts, then convergence."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.scenes import EXPORTED, IMPORTED, populate
from tests.e2e.world import Running, Tree, World
from tests.emulator.faults import Kind
from tests.support.wait import eventually

OPERATIONS = [
    "CreateService",
    "DeleteService",
    "DeregisterInstance",
    "GetInstance",
    "GetNamespace",
    "GetOperation",
    "GetService",
    "ListInstances",
    "ListNamespaces",
    "ListOperations",
    "ListServices",
    "ListTagsForResource",
    "RegisterInstance",
    "UpdateService",
    "UpdateInstanceCustomHealthStatus",
]
SETTINGS: Tree = {
    "consul": {"timeout": 0.6},
    "aws": {"timeout": 0.6, "rates": {name: {"rate": 1000, "burst": 1000} for name in OPERATIONS}},
    # Nothing here may rest on the fuse: only an empty source is still held.
    "guard": {"floor": 10_000},
    "intervals": {"forget_empty": 0.3, "retry_most": 0.4},
}
"""Short timeouts and pauses; no limit of our own on the calls."""
_LOOK = 0.12
"""Seconds between two full reads while a fault lasts."""


@dataclass
class Stage:
    """Both sides with what lives there, and beside it one service each whose only instance is another every time."""

    world: World
    running: Running
    number: int = 0

    def ordeal(self, *faults: AbstractContextManager[object], looks: int = 2) -> None:
        """Go through *faults*, one by one: nothing alive may leave either side, and all is in step after each."""
        for fault in faults:
            self.calm()
            with fault:
                self.change()
                for _ in range(looks):
                    self.running.reread()
                    self.watch(_LOOK)
            self.converge()

    def calm(self) -> None:
        """Lift everything, and begin the logs anew."""
        self.world.aws.faults.remove()
        self.world.proxy.lift()
        self.world.aws.calls.reset()
        self.world.proxy.forget()

    def watch(self, seconds: float) -> None:
        """See for so long that everything alive is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.assert_alive()
            time.sleep(0.03)

    def converge(self) -> None:
        """Wait until both sides are in step, what changed meanwhile included."""
        self.running.reread()
        eventually(self._in_step, 60, "both sides are in step", interval=0.05)
        self.assert_alive()

    def change(self) -> None:
        """Replace the one instance of ``export`` in Consul, and of ``import`` in Cloud Map, by another."""
        before, self.number = self.number, self.number + 1
        world = self.world
        world.consul.register("export", f"export-{self.number}", self._address(8), 80)
        world.cloud.put("import", f"import-{self.number}", self._address(9))
        if before:
            world.consul.deregister(f"export-{before}")
            world.aws.seed.deregister(world.cloud.service("import"), f"import-{before}")

    def assert_alive(self) -> None:
        """Assert that everything that lives is on both sides, and that nobody asked for it to leave."""
        cloud = self.world.cloud.state()
        for name, addresses in EXPORTED.items():
            found = {item.address for item in cloud.get(name, {}).values()}
            assert found >= set(addresses), f"{name} lost {set(addresses) - found} in Cloud Map"
        for name, addresses in IMPORTED.items():
            found = set(self.world.in_consul(name))
            assert found >= set(addresses), f"{name} lost {set(addresses) - found} in Consul"
        removed = [*self.world.cloud.withdrawn(), *self.world.proxy.removed()]
        wrong = [item for item in removed if item.split("-")[0] in {*EXPORTED, *IMPORTED}]
        assert not wrong, f"the removal of {wrong} was asked for"

    def _address(self, group: int) -> str:
        return f"10.{group}.{self.number // 250}.{self.number % 250 + 1}"

    def _in_step(self) -> bool:
        assert self.world.cloud.addresses("export") == [self._address(8)]
        assert self.world.in_consul("import") == [self._address(9)]
        return True

    @contextmanager
    def cloud(self, kind: Kind, operation: str = "*", **options: Any) -> Iterator[None]:
        """Have Cloud Map fail while the block runs."""
        fault = self.world.aws.fault(kind, operation=operation, **options)
        try:
            yield
        finally:
            self.world.aws.faults.remove(fault.id)


@contextmanager
def stage(world: World, *changes: Tree) -> Iterator[Stage]:
    """Populate *world*, and keep it in step until the block ends."""
    populate(world)
    with world.syncing(SETTINGS, *changes, proxied=True) as running:
        running.settled()
        stage = Stage(world, running)
        stage.change()
        stage.converge()
        yield stage
