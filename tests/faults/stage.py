"""A world in step, and one ordeal for every fault: changes on both sides while it lasts, then convergence."""

import itertools
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.scenes import EXPORTED, IMPORTED, populate
from tests.e2e.world import Running, Tree, World
from tests.emulator.faults import Kind
from tests.support.wait import eventually

OPERATIONS = """CreateService DeleteService DeregisterInstance GetInstance GetNamespace GetOperation GetService
    ListInstances ListNamespaces ListOperations ListServices ListTagsForResource RegisterInstance UpdateService
    UpdateInstanceCustomHealthStatus""".split()
SETTINGS: Tree = {
    "consul": {"timeout": 0.6},
    "aws": {"timeout": 0.6, "rates": {name: {"rate": 1000, "burst": 1000} for name in OPERATIONS}},
    # Nothing here may rest on the fuse: only an empty source is still held.
    "guard": {"floor": 10_000},
    "intervals": {"forget_empty": 0.3, "retry_most": 0.4},
}
"""Short timeouts and pauses; no limit of our own on the calls."""


@dataclass
class Stage:
    """Both sides with what lives there, and what is born and dies beside it, case by case."""

    world: World
    running: Running
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _born: tuple[str, ...] = ()

    def ordeal(self, fault: AbstractContextManager[object], *, looks: int = 3) -> None:
        """Go through *fault*: see that nothing alive leaves either side, and that all is in step afterwards."""
        self.calm()
        with fault:
            gone = self._born
            self._change()
            for _ in range(looks):
                self.running.reread()
                end = time.monotonic() + 0.15
                while time.monotonic() < end:
                    self.assert_alive()
                    time.sleep(0.03)
        self.converge(gone)

    def calm(self) -> None:
        """Lift everything, wait until all is in step, and begin the logs anew."""
        self.world.aws.faults.remove()
        self.world.proxy.lift()
        self.converge(())
        self.world.aws.calls.reset()
        self.world.proxy.forget()

    def converge(self, gone: tuple[str, ...]) -> None:
        """Wait until both sides are in step; what *gone* names must have left, what was born have come."""
        self.assert_alive()
        eventually(self._in_step, 20, "both sides are in step")
        self.assert_alive()
        for name in gone:
            assert not self.world.cloud.instances(name) if name.startswith("export") else True
            assert not self.world.in_consul(name) if name.startswith("import") else True

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
        wrong = [item for item in removed if item.rsplit("-", 2)[0] in {*EXPORTED, *IMPORTED}]
        assert not wrong, f"the removal of {wrong} was asked for"

    def _in_step(self) -> bool:
        names = self._born
        for name in names:
            if name.startswith("export") and len(self.world.cloud.instances(name)) != 1:
                return False
            if name.startswith("import") and len(self.world.in_consul(name)) != 1:
                return False
        self.running.settled()
        return True

    def _change(self) -> None:
        """Let a service be born on each side, and let those of the time before die."""
        world, number = self.world, next(self._numbers)
        for name in self._born:
            if name.startswith("export"):
                world.consul.deregister(f"{name}-i")
            else:
                world.aws.seed.deregister(world.cloud.service(name), f"{name}-i")
        self._born = (f"export{number}", f"import{number}")
        world.consul.register(self._born[0], f"{self._born[0]}-i", f"10.8.{number // 250}.{number % 250}", 80)
        world.cloud.put(self._born[1], f"{self._born[1]}-i", f"10.9.{number // 250}.{number % 250}")

    @contextmanager
    def cloud_fault(self, kind: Kind, operation: str = "*", **options: Any) -> Iterator[None]:
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
        yield Stage(world, running)
