"""What it costs: idle minutes, first syncs, steady churn, memory."""

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil

from tests.bench.rig import Rig, bulk, quantile, rig, settle
from tests.bench.table import Row

_INTERVAL = 10
"""Seconds that a sample of the agent's telemetry stands for."""


def idle(services: int, seconds: float = 60.0) -> list[Row]:
    """A minute in which nothing happens, with so many services each way."""
    counted: dict[str, tuple[float, float, float]] = {}
    for who in ("ours", "poller"):
        with rig(throttle=None) as bench:
            bench.fill_consul(services, 2)
            bench.emulator("POST", "/_emulator/seed", bulk(services, 2, "native-"))
            command = bench.ours(hurry=True) if who == "ours" else bench.poller()
            with bench.syncing(command) as process:
                bench.in_cloudmap(services * 2)
                settle(lambda bench=bench: bench.imported() >= services * 2, 300, "everything was imported")
                time.sleep(10)
                counted[who] = _minute(bench, process, seconds)
    ours, poller = counted["ours"], counted["poller"]
    title = f"idle minute, {services} each way: Cloud Map calls"
    return [
        Row(title, ours[0], "", "≤ 80", ours[0] <= 80, poller[0], "beside the revision sweep"),
        Row("  … Consul queries", ours[1], "", "≤ 30", ours[1] <= 30, poller[1]),
        Row("  … share of one core", ours[2], "%", "≤ 2", ours[2] <= 2, poller[2]),
    ]


def first_sync(services: int) -> list[Row]:
    """Into an empty Cloud Map, and into Consul."""
    each = 5
    with rig() as bench:
        bench.fill_consul(services, each)
        bench.emulator("DELETE", "/_emulator/calls")
        with bench.syncing(bench.ours()):
            out = settle(lambda: _registered(bench) >= services * each, 600, "all were registered")
            report = bench.calls()
    bound = max((services - 50) / 5, (services * each - 100) / 50)
    throttled = 100 * sum(report["throttled"].values()) / max(1, report["total"])
    took = {}
    for who in ("ours", "poller"):
        with rig() as bench:
            bench.emulator("POST", "/_emulator/seed", bulk(services, each))
            with bench.syncing(bench.ours() if who == "ours" else bench.poller()):
                took[who] = settle(
                    lambda bench=bench: bench.imported() >= services * each, 300, "all were imported"
                )
    ratio, back = out / bound, took["ours"]
    what = f"first sync of {services} × {each} into"
    return [
        Row(
            f"{what} Cloud Map, against what the rates allow",
            ratio,
            "×",
            "≤ 1.1",
            ratio <= 1.1,
            None,
            f"{out:.0f} s",
        ),
        Row("  … calls throttled", throttled, "%", "< 1", throttled < 1),
        Row(f"{what} Consul, the process's start included", back, "s", "≤ 4", back <= 4, took["poller"]),
    ]


@dataclass
class _Churn:
    """Changes that were made on one side, and when each arrived on the other."""

    made: dict[str, float] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)

    def delays(self) -> list[float]:
        return [(self.arrived[key] - made) * 1000 for key, made in self.made.items() if key in self.arrived]


def churn(services: int, seconds: float = 60.0, rate: float = 10.0) -> list[Row]:
    """Changes on both sides at a steady rate."""
    with rig(throttle=None, operation_delay=0.5) as bench:
        bench.fill_consul(services, 5)
        bench.emulator("POST", "/_emulator/seed", bulk(services, 5, "native-"))
        with bench.syncing(bench.ours(hurry=True)) as process:
            bench.in_cloudmap(services * 5)
            settle(lambda: bench.imported() >= services * 5, 300, "everything was imported")
            time.sleep(5)
            bench.emulator("DELETE", "/_emulator/calls")
            used = _cpu(process)
            out, back = _Churn(), _Churn()
            stop = threading.Event()
            threads = [
                threading.Thread(target=_consul_side, args=(bench, services, rate, seconds, out)),
                threading.Thread(target=_cloudmap_side, args=(bench, services, rate, seconds, back)),
            ]
            watcher = threading.Thread(target=_arrivals, args=(bench, back, stop))
            for thread in (*threads, watcher):
                thread.start()
            for thread in threads:
                thread.join()
            used = 100 * (_cpu(process) - used) / seconds
            time.sleep(6)
            stop.set()
            watcher.join()
            _match(out, bench.entries("RegisterInstance"))
    rows = []
    for what, side, limit in (("Cloud Map", out, 1000), ("Consul", back, 3000)):
        lost = len(side.made) - len(side.delays())
        high = quantile(side.delays(), 0.99)
        rows.append(
            Row(
                f"churn of {rate:g}/s, {services} × 5, into {what}: p99",
                high,
                "ms",
                f"≤ {limit}",
                high <= limit,
                None,
                f"{len(side.made)} changes",
            )
        )
        rows.append(Row("  … lost", lost, "", "0", lost == 0))
    rows.append(Row("  … share of one core", used, "%", "≤ 60", used <= 60))
    return rows


def _match(churned: _Churn, entries: list[dict[str, Any]]) -> None:
    """Take for each change the first registration of its instance that came after it."""
    times: dict[str, list[float]] = {}
    for entry in entries:
        instance = entry["params"]["InstanceId"].rpartition("-")[0]
        times.setdefault(instance, []).append(entry["monotonic"])
    for key, made in churned.made.items():
        after = [when for when in times.get(key.partition("/")[2], ()) if when >= made]
        if after:
            churned.arrived[key] = min(after)


def memory(services: int, churn_seconds: float = 40.0) -> list[Row]:
    """Resident memory with so many services on both sides, before and after churn."""
    with rig(throttle=None, operation_delay=0.3) as bench:
        bench.fill_consul(services, 5)
        bench.emulator("POST", "/_emulator/seed", bulk(services, 5, "native-"))
        with bench.syncing(bench.ours(hurry=True)) as process:
            bench.in_cloudmap(services * 5)
            settle(lambda: bench.imported() >= services * 5, 300, "everything was imported")
            time.sleep(10)
            before = process.memory_info().rss / 1e6
            _consul_side(bench, services, 20, churn_seconds, _Churn())
            time.sleep(5)
            after = process.memory_info().rss / 1e6
    what = f"resident memory, {services} × 5 on both sides"
    return [
        Row(what, after, "MB", "≤ 150", after <= 150, None, f"{before:.0f} MB before the churn"),
    ]


def _consul_side(bench: Rig, services: int, rate: float, seconds: float, churned: _Churn) -> None:
    picks = random.Random(11)

    def change(number: int) -> None:
        index = picks.randrange(services)
        churned.made[f"c{number}/svc-{index}-9"] = time.monotonic()
        bench.set_instance(f"svc-{index}", 9, number=index, tag=f"c{number}")

    _paced(change, rate, seconds)


def _cloudmap_side(bench: Rig, services: int, rate: float, seconds: float, churned: _Churn) -> None:
    picks = random.Random(12)
    client, ids = bench.cloudmap(), bench.services()

    def change(number: int) -> None:
        index = picks.randrange(services)
        address = f"10.201.{number // 250}.{number % 250}"
        churned.made[f"m{number}"] = bench.register(client, ids[f"native-{index}"], f"m{number}", address)

    _paced(change, rate, seconds, workers=16)


def _paced(change: object, rate: float, seconds: float, workers: int = 4) -> None:
    assert callable(change)
    began = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            pool.submit(change, number)


def _arrivals(bench: Rig, churned: _Churn, stop: threading.Event) -> None:
    """Watch the imported instances' checks appear, by blocking queries on their node."""
    index = "0"
    while not stop.is_set():
        node = _node(bench)
        path = f"/v1/health/node/{node}?index={index}&wait=2s"
        answer = bench.http.request("GET", bench.consul.http_url + path, timeout=30)
        index = answer.headers["X-Consul-Index"]
        now = time.monotonic()
        for check in json.loads(answer.data):
            key = check["ServiceID"].split("-")[0]
            if key.startswith("m") and key not in churned.arrived:
                churned.arrived[key] = now


def _node(bench: Rig) -> str:
    answer = bench.http.request("GET", f"{bench.consul.http_url}/v1/catalog/nodes", timeout=20)
    return next(
        str(node["Node"]) for node in json.loads(answer.data) if node["Node"].startswith("cloudmap-sync")
    )


def _registered(bench: Rig) -> int:
    return int(bench.calls()["counts"].get("RegisterInstance", 0))


def _minute(bench: Rig, process: psutil.Process, seconds: float) -> tuple[float, float, float]:
    bench.emulator("DELETE", "/_emulator/calls")
    cpu = _cpu(process)
    queries: dict[str, int] = {}
    began = datetime.now(UTC)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _count_queries(bench, queries, began)
        time.sleep(min(4.0, max(0.0, end - time.monotonic())))
    counts = bench.calls()["counts"]
    calls = sum(
        count for name, count in counts.items() if ":" not in name and name != "DiscoverInstancesRevision"
    )
    scale = 60 / seconds
    asked = 60 * sum(queries.values()) / (_INTERVAL * max(1, len(queries)))
    return calls * scale, asked, 100 * (_cpu(process) - cpu) / seconds


def _count_queries(bench: Rig, queries: dict[str, int], began: datetime) -> None:
    """Add what the agent's telemetry says of its last ten seconds, once, if they are all behind *began*.

    Questions for the telemetry do not count.
    """
    answer = json.loads(
        bench.http.request("GET", f"{bench.consul.http_url}/v1/agent/metrics", timeout=20).data
    )
    served = (
        item for item in answer["Samples"] if item["Name"].startswith(("consul.http.", "consul.api.http"))
    )
    interval = datetime.strptime(answer["Timestamp"], "%Y-%m-%d %H:%M:%S +0000 UTC").replace(tzinfo=UTC)
    if interval < began:
        return
    queries[answer["Timestamp"]] = sum(item["Count"] for item in served if "agent" not in str(item))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
