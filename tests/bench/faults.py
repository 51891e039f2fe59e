"""What is withdrawn while calls fail: everything is alive all along, so nothing should be."""

import random
import time
from typing import Any

import yaml

from tests.bench.rig import Rig, bulk, rig, settle
from tests.bench.table import Row

_KINDS = (
    {"kind": "error", "code": "InternalFailure", "status": 500},
    {"kind": "error", "code": "ThrottlingException"},
    {"kind": "error", "code": "AccessDeniedException"},
    {"kind": "error", "code": "ServiceNotFound"},
    {"kind": "http500"},
    {"kind": "reset"},
    {"kind": "truncate", "keep": 1},
    {"kind": "namespace_gone"},
    {"kind": "empty"},
    {"kind": "stale"},
)
_OPERATIONS = (
    "ListServices",
    "ListInstances",
    "DiscoverInstances",
    "DiscoverInstancesRevision",
    "GetInstance",
    "GetService",
    "GetNamespace",
    "ListOperations",
    "GetOperation",
    "RegisterInstance",
)


def storm(services: int, seconds: float = 60.0) -> list[Row]:
    """Have reads and writes fail in all ways, with full reads every few seconds; count what was withdrawn."""
    dice = random.Random(23)
    with rig(throttle=None, operation_delay=0.1) as bench:
        bench.fill_consul(services, 5)
        bench.emulator("POST", "/_emulator/seed", bulk(services, 5, "native-"))
        with bench.syncing(_restless(bench)):
            bench.in_cloudmap(services * 5)
            settle(lambda: bench.imported() >= services * 5, 120, "everything was imported")
            bench.emulator("DELETE", "/_emulator/calls")
            lost, faults, end = 0, 0, time.monotonic() + seconds
            while time.monotonic() < end:
                for operation in dice.sample(_OPERATIONS, 3):
                    fault = {"operation": operation, "duration": dice.uniform(0.5, 4), **dice.choice(_KINDS)}
                    bench.emulator("POST", "/_emulator/faults", fault)
                    faults += 1
                if dice.random() < 0.2:
                    bench.consul.pause()
                    time.sleep(dice.uniform(0.5, 4))
                    bench.consul.resume()
                    faults += 1
                lost = max(lost, services * 5 - bench.imported())
                time.sleep(0.5)
            bench.emulator("DELETE", "/_emulator/faults")
            time.sleep(8)
            lost = max(lost, services * 5 - bench.imported())
            lost += len(bench.entries("DeregisterInstance"))
    what = f"live instances withdrawn over {faults} faults in {seconds:.0f} s, {services} × 5 each way"
    return [Row(what, lost, "", "0", lost == 0)]


def _restless(bench: Rig) -> list[str]:
    """Return the command of our own syncer with full passes every few seconds."""
    command = bench.ours(hurry=True)
    path = bench.folder / "syncer.yaml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    settings["intervals"] = {"full": 4, "retry_most": 3}
    path.write_text(yaml.safe_dump(settings))
    return command
