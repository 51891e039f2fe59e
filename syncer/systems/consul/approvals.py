"""Approvals of held removals, left in Consul's key/value store by whoever gives them, for whoever holds the removals.

cloudmap-sync/<owner>/approve/<route>    {"by": "alice@host", "at": 1700000000.0}
"""

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from syncer.systems.consul.client import ConsulClient

VALID: Final = 300.0
"""Seconds for which an approval can be taken up: what is held later may be something else."""
WAIT: Final = 60.0
"""Seconds that Consul may hold the question for new approvals."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval that nobody has taken up yet."""

    route: str
    by: str
    age: float
    """Seconds, by this machine's clock and that of whoever gave it."""
    index: int
    """Of the key's last change."""

    @property
    def valid(self) -> bool:
        """Whether it is young enough; clocks may differ by as much."""
        return abs(self.age) <= VALID


class Approvals:
    """The approvals for one owner. :meth:`wait` is used by one thread; all methods raise ``SyncError``."""

    def __init__(self, client: ConsulClient, watching: ConsulClient, owner: str) -> None:
        """Use *client* for short calls, and *watching*, whose read timeout must exceed 64 s, to wait."""
        self._client = client
        self._watching = watching
        self._prefix = f"cloudmap-sync/{owner}/approve/"
        self._index = 0

    def give(self, route: str, by: str) -> None:
        """Approve what *route* holds, in the name of *by*."""
        self._client.kv.put(self._prefix + route, json.dumps({"by": by, "at": time.time()}))

    def given(self, route: str) -> bool:
        """Whether an approval of *route* waits to be taken up."""
        return self._client.kv.get(self._prefix + route)[1] is not None

    def wait(self) -> tuple[Approval, ...]:
        """Return what is approved: at once the first time and after a failure, else after a change or a minute."""
        try:
            index, items = self._watching.kv.get(
                self._prefix, recurse=True, index=self._index or None, wait=f"{WAIT:.0f}s"
            )
        except BaseException:
            self._index = 0
            raise
        number = int(index or 0)
        self._index = number if number >= self._index else 0
        return tuple(self._approval(item) for item in items or ())

    def settle(self, approval: Approval) -> None:
        """Take *approval* away, unless it was given anew meanwhile."""
        self._client.kv.delete(self._prefix + approval.route, cas=approval.index)

    def withdraw(self, route: str) -> None:
        """Take an approval of *route* back, if there is one."""
        self._client.kv.delete(self._prefix + route)

    def cut(self) -> None:
        """End :meth:`wait` at once, for good."""
        self._watching.http.cut()

    def _approval(self, item: dict[str, Any]) -> Approval:
        try:
            value = json.loads(item["Value"] or b"")
            by, at = str(value["by"]), float(value["at"])
        except (KeyError, TypeError, ValueError):
            by, at = "somebody unknown", 0.0
        return Approval(item["Key"].removeprefix(self._prefix), by, time.time() - at, item["ModifyIndex"])
