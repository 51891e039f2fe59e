"""Whether an answer is everything there is: Consul leaves out what the token may not see, without an error."""

import time
from collections.abc import Sequence
from threading import Lock
from typing import Final

from syncer.core.errors import SyncError
from syncer.systems.consul.about import AgentInfo, agent_info, authorized
from syncer.systems.consul.answers import Entry, decode_names
from syncer.systems.consul.call import Answer
from syncer.systems.consul.client import ConsulClient

MOST_CONTACT: Final = 30.0
"""Seconds that a server may have been without its leader and still be believed."""
_BELIEF: Final = 60.0
"""Seconds for which an answer about rights in general is kept."""
_AGAIN: Final = 30.0
"""Seconds until the agent is asked again who it is, where it did not say."""

Id = tuple[str, str]


class Completeness:
    """Judges answers of ``/v1/health/service``; one for each Consul, shared by reader and watch. Thread-safe.

    From 1.11 on an answer says that it was filtered. Before, the rights themselves are asked for, in the cases in
    which something may have been left out: fewer instances than the last time, an empty answer to a first question,
    and any first answer where the token does not see all nodes.
    """

    def __init__(self, client: ConsulClient, info: AgentInfo | None = None) -> None:
        self._client = client
        self._lock = Lock()
        self._info = info
        self._asked = 0.0
        self._last: dict[str, frozenset[Id]] = {}
        self._all_nodes = (0.0, False)

    def problem(self, service: str, answer: Answer[list[Entry] | None]) -> str | None:
        """Return why *answer* may not be all of *service*; None if it is."""
        stale = staleness(answer)
        if stale is not None:
            return stale
        if answer.filtered:
            return "the token may not see all of it (X-Consul-Results-Filtered-By-ACLs)"
        if not answer.value and (doubt := self._listed(service)) is not None:
            return doubt
        if not self._must_probe():
            return None
        ids = frozenset((entry.Node.Node, entry.Service.ID) for entry in answer.value or ())
        with self._lock:
            before = self._last.get(service)
        try:
            problem = self._probe(service, ids, before)
        except SyncError as e:
            return f"it cannot be found out whether the token sees all of it: {e}"
        if problem is None:
            with self._lock:
                self._last[service] = ids
        return problem

    def _listed(self, service: str) -> str | None:
        """Return why *service*, which reads as empty, may not be: Consul lists what has instances, and nothing else."""
        try:
            names = self._client.http.fetch("/v1/catalog/services", decode_names).value or {}
        except SyncError as e:
            return f"it cannot be found out whether it is empty: {e}"
        if not names:
            return "it reads as empty, and so does the list of services, which has at least Consul's own"
        return "it reads as empty, and the list of services has it" if service in names else None

    def _must_probe(self) -> bool:
        info = self._known()
        return info is None or not (info.says_filtered or info.acls is False)

    def _known(self) -> AgentInfo | None:
        with self._lock:
            now = time.monotonic()
            if self._info is not None or (self._asked and now - self._asked < _AGAIN):
                return self._info
            self._asked = now
        try:
            info = agent_info(self._client)
        except SyncError:
            return None
        with self._lock:
            # Without ACLs there is nothing to ask for later; what is not known may become known.
            self._info = info if info.version or info.acls is False else None
        return info

    def _probe(self, service: str, ids: frozenset[Id], before: frozenset[Id] | None) -> str | None:
        if before is None:
            return self._probe_first(service, empty=not ids)
        gone = before - ids
        if not gone:
            return None
        nodes = sorted({("node", node) for node, _ in gone})
        return self._denied([("service", service), *nodes], "of what it showed before")

    def _probe_first(self, service: str, *, empty: bool) -> str | None:
        rights = [("service", service)] if empty else []
        with self._lock:
            asked, allowed = self._all_nodes
        if not (allowed and time.monotonic() - asked < _BELIEF):
            rights.append(("node", ""))
        if not rights:
            return None
        problem = self._denied(rights, "of a service that is read for the first time")
        if problem is None:
            with self._lock:
                self._all_nodes = (time.monotonic(), True)
        return problem

    def _denied(self, rights: Sequence[Id], what: str) -> str | None:
        verdicts = authorized(self._client, list(rights))
        if verdicts is None:
            return None
        lacking = [f'{kind} "{name}"' for (kind, name), allowed in verdicts.items() if not allowed]
        if not lacking:
            return None
        return f"the token may not read all {what}: it lacks read for {', '.join(lacking[:3])}"


def staleness(answer: Answer[object]) -> str | None:
    """Return why *answer* is not Consul's present state; None if it is."""
    if not answer.known_leader:
        return "the server that answered knows no leader"
    if answer.last_contact > MOST_CONTACT:
        return f"the server that answered last heard of its leader {answer.last_contact:.0f} s ago"
    return None
