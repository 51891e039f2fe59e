"""Token buckets by operation, account and Region.

Published: DiscoverInstances and DiscoverInstancesRevision (Cloud Map quotas). The client-side
limits of the AWS Cloud Map MCS controller stand in for those of the control plane; the rest are
guesses of the same size.
"""

from .errors import ApiError

RATES: dict[str, tuple[float, float]] = {
    "DiscoverInstances": (1_000, 2_000),
    "DiscoverInstancesRevision": (3_000, 6_000),
    "ListNamespaces": (0.5, 5),
    "ListServices": (2, 10),
    "CreateService": (5, 50),
    "RegisterInstance": (50, 100),
    "DeregisterInstance": (50, 100),
    "GetOperation": (100, 200),
    "ListInstances": (50, 100),
    # Guesses from here on.
    "DeleteService": (5, 50),
    "UpdateService": (5, 50),
    "GetService": (10, 50),
    "GetNamespace": (10, 50),
    "GetInstance": (50, 100),
    "GetInstancesHealthStatus": (20, 40),
    "UpdateInstanceCustomHealthStatus": (50, 100),
    "ListOperations": (10, 50),
    "ListTagsForResource": (10, 50),
    "TagResource": (5, 50),
    "UntagResource": (5, 50),
}
"""Rate a second and burst."""

_DATA_PLANE = ("DiscoverInstances", "DiscoverInstancesRevision")


class Throttle:
    """Lets calls through at the rates above, multiplied by a factor; None lets all through."""

    def __init__(self, factor: float | None) -> None:
        self.factor = factor
        self.rates = dict(RATES)
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def admit(self, account: str, region: str, operation: str, now: float) -> None:
        """Take one token. Raises ThrottlingException, or RequestLimitExceeded on the data plane."""
        limit = self.rates.get(operation)
        if limit is None or not self.factor:
            return
        rate, burst = limit[0] * self.factor, max(1.0, limit[1] * self.factor)
        key = (account, region, operation)
        tokens, last = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - last) * rate)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            if operation in _DATA_PLANE:
                raise ApiError("RequestLimitExceeded", "The rate of requests is too high.", status=429)
            raise ApiError("ThrottlingException", "Rate exceeded")
        self._buckets[key] = (tokens - 1, now)
