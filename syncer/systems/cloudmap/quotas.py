"""How fast each operation of Cloud Map may be called: token buckets that throttling lowers and calm raises again.

The rates of the control plane are not published. The defaults are the client-side limits of AWS's own controller for
multi-cluster services (aws-cloud-map-mcs-controller-for-k8s, ``pkg/cloudmap/api.go``), less three in a hundred, so
that a server with the same numbers has no reason to throttle. ListInstances: kubernetes-sigs/external-dns#2505.
DiscoverInstances and DiscoverInstancesRevision: AWS Cloud Map quotas.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls in a second in the long run, and how many may come at once after a calm."""

    rate: float
    burst: float


_OTHERS: Final = Rate(9.7, 18.0)
RATES: Final[Mapping[str, Rate]] = {
    "ListNamespaces": Rate(0.485, 5),
    "ListServices": Rate(1.94, 10),
    "CreateService": Rate(4.85, 49),
    "RegisterInstance": Rate(48.5, 98),
    "DeregisterInstance": Rate(48.5, 98),
    "GetOperation": Rate(97.0, 196),
    "ListInstances": Rate(48.5, 48),
    "GetInstancesHealthStatus": Rate(19.0, 38),
    "ListOperations": Rate(4.85, 19),
    "DiscoverInstances": Rate(970.0, 1900),
    "DiscoverInstancesRevision": Rate(2900.0, 2900),
}
"""By operation, for one account and Region."""

_LEAST: Final = 0.05
"""The share of its rate that throttling never lowers a bucket below."""
_CALM: Final = 15.0
"""Seconds without throttling after which a bucket begins to rise again."""
_RISE: Final = 0.1
"""The share of the full rate that it rises by in each of these spans."""


class Bucket:
    """Tokens of one operation. Thread-safe; whoever comes first is served first."""

    def __init__(self, rate: Rate) -> None:
        self._full = rate
        self._share = 1.0
        self._tokens = rate.burst
        self._filled = time.monotonic()
        self._throttled: float | None = None
        self._lock = threading.Lock()

    def take(self, stop: threading.Event) -> bool:
        """Take one token, waiting for it if need be; False if *stop* was set first."""
        with self._lock:
            now = time.monotonic()
            self._fill(now)
            self._tokens -= 1.0
            wait = 0.0 if self._tokens >= 0 else -self._tokens / (self._full.rate * self._share)
        if wait <= 0:
            return not stop.is_set()
        if stop.wait(wait):
            with self._lock:
                self._tokens += 1.0
            return False
        return True

    def throttled(self) -> None:
        """Halve the rate: the server has another opinion of it than we. Several at once count as one."""
        with self._lock:
            now = time.monotonic()
            self._fill(now)
            if self._throttled is None or now - self._throttled > 1.0:
                self._share = max(_LEAST, self._share / 2)
                self._tokens = min(self._tokens, 0.0)
            self._throttled = now

    @property
    def share(self) -> float:
        """The share of the full rate that is used at present."""
        with self._lock:
            self._fill(time.monotonic())
            return self._share

    def _fill(self, now: float) -> None:
        if self._throttled is not None and now - self._throttled > _CALM:
            self._share = min(1.0, self._share + _RISE)
            self._throttled = now if self._share < 1.0 else None
        gained = (now - self._filled) * self._full.rate * self._share
        self._tokens = min(self._full.burst * self._share, self._tokens + gained)
        self._filled = now


class Quotas:
    """The buckets of one account and Region, shared by all its namespaces. Thread-safe."""

    def __init__(self, rates: Mapping[str, Rate] | None = None) -> None:
        """Use *rates* where they name an operation, and the known ones elsewhere."""
        self._rates = {**RATES, **(rates or {})}
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def bucket(self, operation: str) -> Bucket:
        """Return the bucket of *operation*."""
        with self._lock:
            if operation not in self._buckets:
                self._buckets[operation] = Bucket(self._rates.get(operation, _OTHERS))
            return self._buckets[operation]
