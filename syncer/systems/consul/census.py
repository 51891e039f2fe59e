"""What was known of all instances at the last dump of nodes, and what the next one shows beside it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from syncer.systems.consul.answers import DumpedNode


class Census:
    """Names what changed between two dumps, except for what was told meanwhile."""

    def __init__(self) -> None:
        self._index: int | None = None
        self._unchecked: Counter[str] = Counter()
        self._told: dict[str, int] = {}

    @property
    def based(self) -> bool:
        """Whether there is a dump to compare with."""
        return self._index is not None

    def forget(self) -> None:
        """Forget the last dump: somebody reads everything anew."""
        self._index = None

    def told(self, services: Mapping[str, int]) -> None:
        """Take note that *services* are read, or will be, as they were at these indexes or later."""
        for service, index in services.items():
            self._told[service] = max(index, self._told.get(service, 0))

    def take(self, nodes: Iterable[DumpedNode], index: int, oldest: int | None = None) -> dict[str, int]:
        """Return the services that changed since the last dump, with the index of their change; 0 if unknown.

        An instance that is new or changed is known by its index. One that went is known by its check, to the watch
        on health; so only those without a check are counted here. Without a dump before, only what changed at
        *oldest* or later is named.
        """
        since = self._index if self._index is not None else (oldest or index + 1) - 1
        found: dict[str, int] = {}
        unchecked: Counter[str] = Counter()
        for node in nodes:
            checked = {check.ServiceID for check in node.Checks or ()}
            for item in node.Services or ():
                if item.ID not in checked:
                    unchecked[item.Service] += 1
                if item.ModifyIndex > since and item.ModifyIndex > self._told.get(item.Service, 0):
                    found[item.Service] = max(item.ModifyIndex, found.get(item.Service, 0))
        if self._index is not None:
            names = self._unchecked.keys() | unchecked.keys()
            lost = [name for name in names if self._unchecked[name] != unchecked[name]]
            found.update((name, 0) for name in lost if name not in found)
        self._index, self._unchecked = index, unchecked
        self._told = {name: at for name, at in self._told.items() if at > index}
        return found
