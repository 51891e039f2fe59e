"""``make bench``: print the figures, ours beside the plain poller's, and whether each target is met."""

import os
import platform
import sys
import time
from collections.abc import Callable

import psutil

from demo.stage import environment
from tests.bench import faults, latency, load, tasks
from tests.bench.table import Row, lines

SCENARIOS: dict[str, Callable[[], list[Row]]] = {
    "latency-200": lambda: latency.consul_to_cloudmap(200, 100, hot=False),
    "latency-2000": lambda: latency.consul_to_cloudmap(2000, 60, hot=True),
    "latency-back": lambda: latency.cloudmap_to_consul(200, 40),
    "idle": lambda: load.idle(500),
    "first-sync": lambda: load.first_sync(400),
    "churn": lambda: load.churn(500),
    "faults": lambda: faults.storm(50),
    "memory": lambda: load.memory(2000),
    "ecs-events": tasks.events,
    "ecs-read": tasks.read,
}


def main(chosen: list[str]) -> int:
    """Run the scenarios named, or all; return 1 if a target was missed."""
    unknown = set(chosen) - SCENARIOS.keys()
    if unknown:
        print(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
        return 2
    os.environ.update(environment())
    memory = psutil.virtual_memory().total / 2**30
    print(
        f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    )
    rows: list[Row] = []
    for name, scenario in SCENARIOS.items():
        if not chosen or name in chosen:
            began = time.monotonic()
            rows += scenario()
            print(f"  {name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    for line in lines(rows):
        print(line)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
