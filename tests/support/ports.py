"""Ports of this machine that nobody uses."""

import os
import random
import re
import socket
from collections.abc import Mapping

# Below the range from which the system takes the near end of outgoing connections (32768 and up by default
# on Linux): a port that a test has been given stays free while its server is stopped and started again.
_ALL = range(15_000, 32_000)
_given: set[int] = set()


def ours(environment: Mapping[str, str]) -> range:
    """Return the ports that this process may give: where tests run in several, each has ports of its own.

    A port is free until its server listens, and again while it is started anew: others must not be given it then.
    Source: pytest-xdist's documentation of the environment variables of a worker.
    """
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = re.sub(r"\D", "", environment.get("PYTEST_XDIST_WORKER", "")) or "0"
    return _ALL[int(number) % workers :: workers]


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return *count* ports of *host* that are free for both TCP and UDP, each given only once a process."""
    # Others look for ports, too: each begins somewhere else.
    mine = ours(os.environ)
    candidates = random.sample(mine, len(mine))
    found: list[int] = []
    while len(found) < count:
        if not candidates:
            raise OSError(f"no {count} free ports on {host}")
        port = candidates.pop()
        if port not in _given and _is_free(host, port):
            _given.add(port)
            found.append(port)
    return found


def free_port(host: str = "127.0.0.1") -> int:
    """Return one port of *host* that is free for both TCP and UDP."""
    return free_ports(1, host)[0]


def _is_free(host: str, port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind((host, port))
            except OSError:
                return False
    return True
