"""How long a change takes, each way."""

import json
import random
import time
from collections.abc import Callable
from functools import partial

from tests.bench.rig import Rig, bulk, quantile, rig, settle
from tests.bench.table import Row


def consul_to_cloudmap(services: int, samples: int, *, hot: bool) -> list[Row]:
    """From a change in Consul to RegisterInstance received, with everything in step before."""
    with rig(throttle=None) as bench:
        bench.fill_consul(services, 5)
        wide = _wide_answer(bench)
        with bench.syncing(bench.ours(hurry=True)):
            bench.in_cloudmap(services * 5)
            time.sleep(3)
            quiet = _changes(bench, services, samples, hot=False, pause=0.5)
            moving = _changes(bench, services, samples, hot=True, pause=0.5) if hot else []
    poller = _poller_changes(services, 6)
    big = services > 1000
    limits = (200, 800) if big else (40, 150)
    rows = _latency_rows(f"Consul → RegisterInstance, {services} × 5", quiet, limits, poller)
    if big:
        share = quantile(quiet, 0.5) / wide
        rows.append(
            Row(
                "  … as a multiple of Consul's wide answer",
                share,
                "×",
                "≤ 1.8",
                share <= 1.8,
                None,
                f"{wide:.0f} ms",
            )
        )
    if hot:
        rows += _latency_rows(
            f"Consul → RegisterInstance, {services} × 5, changed lately", moving, (40, 200), poller
        )
    return rows


def cloudmap_to_consul(services: int, samples: int) -> list[Row]:
    """From the end of an operation in Cloud Map to the instance in Consul's catalogue."""
    took = []
    with rig(throttle=None, operation_delay=0.3) as bench:
        bench.emulator("POST", "/_emulator/seed", bulk(services, 5))
        client = bench.cloudmap()
        ids = bench.services()
        with bench.syncing(bench.ours()):
            settle(lambda: bench.imported() >= services * 5, 120, "everything was imported")
            time.sleep(2)
            for number in range(samples):
                name = random.Random(number).choice(sorted(ids))
                began = bench.register(
                    client, ids[name], f"new-{number}", f"10.200.{number // 250}.{number % 250}"
                )
                settle_quickly(partial(_in_consul, bench, name, f"new-{number}-"), 30)
                took.append((time.monotonic() - began) * 1000)
                time.sleep(random.Random(number).random())
    return _latency_rows(f"Cloud Map operation done → Consul, {services} × 5", took, (1000, 2000), None)


def _latency_rows(
    what: str, values: list[float], limits: tuple[float, float], poller: list[float] | None
) -> list[Row]:
    median, high = quantile(values, 0.5), quantile(values, 0.99)
    theirs = (quantile(poller, 0.5), quantile(poller, 0.99)) if poller else (None, None)
    return [
        Row(
            what, median, "ms", f"≤ {limits[0]:g}", median <= limits[0], theirs[0], f"median of {len(values)}"
        ),
        Row("  … p99", high, "ms", f"≤ {limits[1]:g}", high <= limits[1], theirs[1]),
    ]


def _changes(bench: Rig, services: int, samples: int, *, hot: bool, pause: float) -> list[float]:
    numbers = list(range(services))
    random.Random(7).shuffle(numbers)
    took = []
    for sample in range(samples):
        number = numbers[sample % 10] if hot else numbers[10 + sample % (services - 10)]
        took.append(_one_change(bench, number, f"{'hot' if hot else 'quiet'}{sample}"))
        time.sleep(pause)
    return took


def _one_change(bench: Rig, number: int, tag: str) -> float:
    bench.emulator("DELETE", "/_emulator/calls")
    began = time.monotonic()
    bench.set_instance(f"svc-{number}", 9, number=number, tag=tag)
    found: list[float] = []

    def seen() -> bool:
        found[:] = [entry["monotonic"] for entry in bench.entries("RegisterInstance")]
        return bool(found)

    settle_quickly(seen, 60)
    return (found[0] - began) * 1000


def _in_consul(bench: Rig, service: str, prefix: str) -> bool:
    return any(entry["Service"]["ID"].startswith(prefix) for entry in bench.health(service))


def settle_quickly(predicate: Callable[[], bool], timeout: float) -> None:
    """Wait for *predicate*, asked thirty times a second."""
    end = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.03)


def _poller_changes(services: int, samples: int) -> list[float]:
    with rig(throttle=None) as bench:
        bench.fill_consul(services, 5)
        with bench.syncing(bench.poller()):
            bench.in_cloudmap(services * 5)
            time.sleep(2)
            return _changes(bench, services, samples, hot=False, pause=0.5)


def _wide_answer(bench: Rig) -> float:
    """Milliseconds that Consul takes to answer for the health of all."""
    took = []
    for _ in range(9):
        began = time.monotonic()
        answer = bench.http.request("GET", f"{bench.consul.http_url}/v1/health/state/any", timeout=60)
        took.append((time.monotonic() - began) * 1000)
        json.loads(answer.data)
    return quantile(took, 0.5)
