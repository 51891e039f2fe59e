"""The two wide watches' memory: which services an answer about everything says have changed. Pure."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from syncer.systems.consul.answers import StateCheck


@dataclass(slots=True)
class Changed:
    """What the difference between two answers names."""

    services: dict[str, int] = field(default_factory=dict)
    """By name, with an index that Consul had reached once the service had changed."""
    nodes: set[str] = field(default_factory=set)
    """Nodes with a change of their own health: it concerns every service there."""
    indexes: set[int] = field(default_factory=set)
    """The indexes of all these changes, as far as they are known."""

    def add(self, check: StateCheck, index: int) -> None:
        """Take note that *check* changed at *index*."""
        self.indexes.add(index)
        if check.ServiceName:
            self.services[check.ServiceName] = max(index, self.services.get(check.ServiceName, 0))
        else:
            self.nodes.add(check.Node)


class Checks:
    """What is known of all checks, from ``/v1/health/state/any``."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], StateCheck] = {}
        self._index = 0

    @property
    def services(self) -> frozenset[str]:
        """The services that have a check."""
        return frozenset(check.ServiceName for check in self._known.values())

    def take(self, checks: list[StateCheck], index: int) -> Changed:
        """Return what changed since the last answer, and remember *checks*.

        What did not change keeps its ModifyIndex, so only what is newer than the last answer is looked at; of that,
        only what differs in content counts: the text of a check's output may change every few seconds.
        """
        changed = Changed()
        for check in [_shared(check) for check in checks if check.ModifyIndex > self._index]:
            key = (check.Node, check.CheckID)
            before = self._known.get(key)
            self._known[key] = check
            if before is None or _differs(before, check):
                changed.add(check, check.ModifyIndex)
                if before is not None and before.ServiceName != check.ServiceName:
                    changed.add(before, check.ModifyIndex)
        if len(self._known) != len(checks):
            for key in self._known.keys() - {(check.Node, check.CheckID) for check in checks}:
                changed.add(self._known.pop(key), index)
        self._index = index
        return changed

    def reset(self, checks: list[StateCheck], index: int) -> None:
        """Forget what was known, and remember *checks*."""
        self._known = {(check.Node, check.CheckID): check for check in map(_shared, checks)}
        self._index = index


def _shared(check: StateCheck) -> StateCheck:
    """Return *check* with texts that many checks have in common."""
    return msgspec.structs.replace(
        check,
        Node=sys.intern(check.Node),
        Status=sys.intern(check.Status),
        ServiceName=sys.intern(check.ServiceName),
        ServiceTags=list(map(sys.intern, check.ServiceTags)) if check.ServiceTags else None,
    )


def _differs(before: StateCheck, after: StateCheck) -> bool:
    return (
        before.Status != after.Status
        or before.ServiceName != after.ServiceName
        or before.ServiceTags != after.ServiceTags
    )


class Names:
    """The names of all services with their tags, from ``/v1/catalog/services``."""

    def __init__(self) -> None:
        self._known: dict[str, frozenset[str]] = {}
        self.names: frozenset[str] = frozenset()
        """All names."""

    def take(self, names: Mapping[str, Iterable[str] | None]) -> tuple[set[str], set[str]]:
        """Return which names are new or have other tags, and which are gone; remember *names*.

        Without *consul*, the servers' own.
        """
        now = {name: frozenset(tags or ()) for name, tags in names.items() if name != "consul"}
        changed = {name for name, tags in now.items() if self._known.get(name) != tags}
        gone = self._known.keys() - now.keys()
        self._known = now
        if changed or gone:
            self.names = frozenset(now)
        return changed, set(gone)
