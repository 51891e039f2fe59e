"""Reads one Consul datacenter: the list of its services, and each of them whole."""

from threading import Lock
from typing import Final

from syncer.core.errors import SyncError
from syncer.core.model import Complete, Listed, Listing, Read, Unlisted, Unreadable
from syncer.systems.consul.answers import Entry, decode_entries, decode_names
from syncer.systems.consul.call import Answer, segment
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.completeness import Completeness, staleness
from syncer.systems.consul.mapping import NODE_PREFIX, to_instance

SERVERS: Final = "consul"
"""The service of Consul's own servers; no service of anybody's."""


class ConsulReader:
    """One datacenter (and namespace) as a registry."""

    def __init__(
        self,
        client: ConsulClient,
        datacenter: str,
        *,
        completeness: Completeness | None = None,
        node_prefix: str = NODE_PREFIX,
        parallel: int = 8,
    ) -> None:
        """Read through *client*, whose transport should have at least *parallel* connections.

        Args:
            client: asks the endpoint's datacenter and namespace.
            datacenter: as the agent names it, see :func:`~syncer.systems.consul.about.agent_info`.
            completeness: shared with the watch; one of its own where none is given.
            node_prefix: begins the names of our synthetic nodes.
            parallel: how many reads at once.
        """
        self._client = client
        self._id = client.endpoint.registry_id(datacenter)
        self._completeness = completeness or Completeness(client)
        self._node_prefix = node_prefix
        self._parallel = parallel
        self._lock = Lock()
        self._had: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """The registry's id, such as ``consul/dc1``."""
        return self._id

    @property
    def parallel(self) -> int:
        """How many reads at once do it no harm."""
        return self._parallel

    def services(self) -> Listing:
        """List the names of all services but Consul's own.

        A token may see a part only; that is no fault. A list that suddenly lacks Consul's own service, or
        everything, is one that lost its rights or its data.
        """
        try:
            answer = self._client.http.fetch("/v1/catalog/services", decode_names)
        except SyncError as e:
            return Unlisted(str(e), e.code)
        names = frozenset(answer.value or ())
        problem = staleness(answer) or self._lost(names)
        if problem is not None:
            return Unlisted(problem, "incomplete")
        with self._lock:
            self._had = names
        return Listed(names - {SERVERS})

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read *service* with the health of its instances. One that does not exist is complete and empty."""
        try:
            answer = self._client.http.fetch(path_of(service), decode_entries)
        except SyncError as e:
            return Unreadable(service, str(e), e.code)
        problem = self._completeness.problem(service, answer)
        if problem is not None:
            return Unreadable(service, problem, "incomplete")
        return to_complete(service, answer, self._node_prefix)

    def _lost(self, names: frozenset[str]) -> str | None:
        with self._lock:
            had = self._had
        if SERVERS in had and SERVERS not in names:
            return (
                "the list lacks Consul's own service, which it had: the token lost rights, or Consul its data"
            )
        if had and not names:
            return "the list is empty, and was not before"
        return None


def path_of(service: str) -> str:
    """Return the path that reads *service* whole."""
    return f"/v1/health/service/{segment(service)}"


def to_complete(service: str, answer: Answer[list[Entry] | None], node_prefix: str) -> Complete:
    """Return *answer* in the model's words.

    Consul finds services by name without regard to case; only those whose name is *service* to the letter are meant.
    """
    entries = (entry for entry in answer.value or () if entry.Service.Service == service)
    instances = (to_instance(entry, node_prefix) for entry in entries)
    return Complete(service, tuple(sorted(instances, key=lambda item: item.id)))
