"""Ports of this machine that nobody uses."""

import random
import socket

# Below the range from which the system takes the near end of outgoing connections (32768 and up by default
# on Linux): a port that a test has been given stays free while its server is stopped and started again.
_RANGE = range(15_000, 32_000)
_given: set[int] = set()


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return *count* ports of *host* that are free for both TCP and UDP, each given only once a process."""
    # Other processes look for ports, too: each begins somewhere else.
    candidates = random.sample(_RANGE, len(_RANGE))
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
