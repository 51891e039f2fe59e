"""What is withdrawn while calls fail on both sides: everything is alive all along, so nothing should be."""

import json
import random
import threading
import time
from typing import Any, Final

import urllib3
import yaml
from typing_extensions import override

from tests.bench.rig import Rig, bulk, rig, settle
from tests.bench.table import Row
from tests.e2e.mishaps import Fault, Kind
from tests.e2e.proxy import ConsulProxy

_CLOUD_KINDS: Final = (
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
_OPERATIONS: Final = (
    "*",
    "ListServices",
    "ListInstances",
    "DiscoverInstances",
    "DiscoverInstancesRevision",
    "ListOperations",
    "GetOperation",
    "RegisterInstance",
)
_CONSUL_KINDS: Final[tuple[Kind, ...]] = ("status", "empty", "garbage", "cut", "hang", "reset", "lost_answer")
_PATHS: Final = ("*", "catalog/services", "health/service/*", "health/*", "catalog/*", "internal/*", "txn")

_ROOMY: Final = {"limits": {"http_max_conns_per_client": 10_000}}
"""The proxy keeps its side of a blocking query whose client was cut off until Consul answers: minutes, each.

Of Consul's usual 200 for each client, none would be left for the syncer, which has some 80 open.
"""


class Watcher(threading.Thread):
    """Looks at Consul itself, past the proxy, for imported instances that left, or came back, or turned critical.

    Consul gives a check that was removed and put back another CreateIndex: nothing is missed between two looks.
    """

    def __init__(self, bench: Rig) -> None:
        super().__init__(name="watcher", daemon=True)
        self._bench = bench
        self._born: dict[str, int] = {}
        self._ended = threading.Event()
        self.withdrawn: set[str] = set()
        self.looks = 0

    def look(self) -> None:
        """Look once. Raises what urllib3 does if Consul does not answer."""
        http, url = self._bench.http, self._bench.consul.http_url
        answer = http.request("GET", f"{url}/v1/health/state/any", timeout=30, retries=False)
        if answer.status != 200:
            return  # no leader for a moment, after a pause
        checks = [check for check in json.loads(answer.data) if check["Node"].startswith("cloudmap-sync")]
        now = {
            check["CheckID"]: check["CreateIndex"]
            for check in checks
            if check["ServiceID"] and check["Status"] == "passing"
        }
        self.withdrawn |= {key for key, index in self._born.items() if now.get(key) != index}
        self._born = now | self._born
        self.looks += 1

    @override
    def run(self) -> None:
        """Look five times a second, until told to end."""
        while not self._ended.wait(0.2):
            try:
                self.look()
            except urllib3.exceptions.HTTPError:
                continue

    def end(self) -> None:
        """Look for the last time."""
        self._ended.set()
        self.join(40)
        self.look()


def storm(services: int, seconds: float = 20.0) -> list[Row]:
    """Have calls to both sides fail in all ways, with full reads every few seconds; count what was withdrawn."""
    with (
        rig(_ROOMY, throttle=None, operation_delay=0.1) as bench,
        ConsulProxy(bench.consul.http_addr) as proxy,
    ):
        bench.fill_consul(services, 5)
        bench.emulator("POST", "/_emulator/seed", bulk(services, 5, "native-"))
        with bench.syncing(_restless(bench, proxy)):
            bench.in_cloudmap(services * 5)
            settle(lambda: bench.imported() >= services * 5, 120, "everything was imported")
            bench.emulator("DELETE", "/_emulator/calls")
            proxy.forget()
            watcher = Watcher(bench)
            watcher.look()
            watcher.start()
            hits = _rage(bench, proxy, seconds)
            _still_in_step(bench)
            time.sleep(5)  # a full pass after the last fault: what it left behind would be removed by now
            watcher.end()
            lost = len(watcher.withdrawn) + len(proxy.removed()) + _withdrawn_in_cloudmap(bench)
    what = f"live instances withdrawn, {services} × 5 each way, {seconds:.0f} s of faults"
    return [Row(what, lost, "", "0", lost == 0, None, f"{hits} calls hit; {watcher.looks} looks at Consul")]


def _rage(bench: Rig, proxy: ConsulProxy, seconds: float) -> int:
    """Put faults in force, with a change on the Consul side beside each; return how many calls they hit."""
    dice, end, number = random.Random(23), time.monotonic() + seconds, 0
    cloud: dict[int, int] = {}
    consul: list[Fault] = []
    while time.monotonic() < end:
        for operation in dice.sample(_OPERATIONS, 3):
            fault = {"operation": operation, "duration": dice.uniform(0.5, 4), **dice.choice(_CLOUD_KINDS)}
            bench.emulator("POST", "/_emulator/faults", fault)
        proxy.lift()
        for kind in dice.sample(_CONSUL_KINDS, dice.randrange(3)):
            consul.append(proxy.fault(kind, dice.choice(_PATHS), status=dice.choice((403, 404, 500))))
            proxy.break_connections()
        if dice.random() < 0.1:
            bench.consul.pause()
            time.sleep(dice.uniform(0.5, 3))
            bench.consul.resume()
        number += 1
        bench.set_instance(f"svc-{number % 10}", 1, number=number % 10, tag=f"v{number}")
        time.sleep(0.5)
        cloud |= {item["id"]: item["hits"] for item in bench.emulator("GET", "/_emulator/faults")}
    proxy.lift()
    bench.emulator("DELETE", "/_emulator/faults")
    return sum(cloud.values()) + sum(fault.hits for fault in consul)


def _still_in_step(bench: Rig) -> None:
    """Wait until a change on each side has crossed: a syncer that had ended would withdraw nothing, either."""
    bench.set_instance("svc-0", 9, number=0, tag="after")
    before, service = bench.imported(), bench.services()["native-0"]
    bench.register(bench.cloudmap(), service, "after", "10.250.0.1")

    def crossed() -> bool:
        arrived = any(
            "svc-0-9" in entry["params"]["InstanceId"] for entry in bench.entries("RegisterInstance")
        )
        return arrived and bench.imported() > before

    settle(crossed, 60, "the syncer carried a change each way after the storm")


def _withdrawn_in_cloudmap(bench: Rig) -> int:
    """Return how many calls would have taken an instance out of Cloud Map's answers."""
    counts = bench.calls()["counts"]
    return sum(
        int(counts.get(name, 0))
        for name in ("DeregisterInstance", "DeleteService", "UpdateInstanceCustomHealthStatus")
    )


def _restless(bench: Rig, proxy: ConsulProxy) -> list[str]:
    """Return the command of our own syncer, behind *proxy*, with full passes every few seconds."""
    command = bench.ours(hurry=True)
    path = bench.folder / "syncer.yaml"
    settings: dict[str, Any] = yaml.safe_load(path.read_text())
    settings["consul"]["address"] = proxy.url
    settings["intervals"] = {"full": 4, "retry_most": 3}
    path.write_text(yaml.safe_dump(settings))
    return command
