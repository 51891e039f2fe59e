"""The calls that write into the catalogue: one by one, or many in a transaction."""

import json
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Final

from syncer.core.errors import Garbled, Missing, Refused, SyncError
from syncer.core.model import Instance
from syncer.systems.consul.answers import decode_node, decode_node_checks
from syncer.systems.consul.call import segment
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.jobs import Wish
from syncer.systems.consul.mapping import (
    NODE_ADDRESS,
    NODE_META,
    NODE_PREFIX,
    node_name,
    to_check,
    to_service,
)

_SERF_CHECK: Final = "serfHealth"


class Catalog:
    """Writes instances onto the synthetic nodes of their origins, and nowhere else. Thread-safe."""

    def __init__(
        self,
        client: ConsulClient,
        node_prefix: str = NODE_PREFIX,
        may_write: Callable[[str], object] = lambda _origin: True,
    ) -> None:
        """Ask *may_write*, at the last moment, whether what came from an origin may be written."""
        self._client = client
        self._may_write = may_write
        self._prefix = node_prefix
        self._lock = Lock()
        self._nodes: set[str] = set()

    def carry_out(self, wish: Wish) -> None:
        """Carry *wish* out by one call.

        Raises:
            SyncError: it could not be done.
        """
        instance = wish.job.instance
        node = self._node(instance)
        self._check(node)
        self._permit(instance)
        if wish.job.removes:
            self._deregister(node, instance.id)
        elif wish.health_only:
            self._register(node, check=to_check(instance, node))
        else:
            self._register(node, service=to_service(instance), check=to_check(instance, node))

    def carry_out_all(self, wishes: Sequence[Wish]) -> None:
        """Carry all of *wishes* out in one transaction, or none of them.

        Raises:
            SyncError: nothing was done; Refused with code 409 where one of them is to blame.
        """
        for node in {self._node(wish.job.instance) for wish in wishes}:
            self._check(node)
            if not self._exists(node):
                self._register(node)
        for wish in wishes:
            self._permit(wish.job.instance)
        self._client.txn.put([operation for wish in wishes for operation in self._operations(wish)])

    def size(self, wish: Wish) -> tuple[int, int]:
        """Return how many operations *wish* takes in a transaction, and their bytes.

        Raises:
            Refused: it cannot be written at all.
        """
        operations = self._operations(wish)
        return len(operations), len(json.dumps(operations)) + len(operations)

    def remove_node_if_empty(self, origin: str) -> bool:
        """Remove the synthetic node of *origin* if nothing is on it; return whether it is gone.

        Raises:
            SyncError: it could not be looked at or removed.
        """
        node = node_name(self._prefix, origin)
        self._refuse_real(node)
        answer = self._client.http.fetch(f"/v1/catalog/node/{segment(node)}", decode_node)
        if answer.value is None:
            return True
        if answer.value.Services:
            return False
        with self._lock:
            self._nodes.discard(node)
        return bool(self._client.catalog.deregister(node))

    def _node(self, instance: Instance) -> str:
        if instance.mark is None:
            raise Refused(f"{instance.id!r} carries no mark", code="mark")
        return node_name(self._prefix, instance.mark.origin)

    def _permit(self, instance: Instance) -> None:
        if instance.mark is not None and not self._may_write(instance.mark.origin):
            raise SyncError("somebody else may be writing now", code="NoLease")

    def _check(self, node: str) -> None:
        with self._lock:
            known = node in self._nodes
        if not known:
            self._refuse_real(node)
            with self._lock:
                self._nodes.add(node)

    def _refuse_real(self, node: str) -> None:
        """An agent's anti-entropy would delete at once what we put on its node."""
        answer = self._client.http.fetch(f"/v1/health/node/{segment(node)}", decode_node_checks)
        if any(check.CheckID == _SERF_CHECK for check in answer.value or ()):
            raise Refused(f"the node {node!r} is a real agent's: choose another node prefix", code="node")

    def _exists(self, node: str) -> bool:
        answer = self._client.http.fetch(f"/v1/catalog/node/{segment(node)}", decode_node)
        return answer.value is not None

    def _register(
        self, node: str, *, service: dict[str, Any] | None = None, check: dict[str, Any] | None = None
    ) -> None:
        done = self._client.catalog.register(
            node,
            NODE_ADDRESS,
            service=service,
            check=check,
            skipnodeupdate=True,  # where the node is missing, it is made all the same
            node_meta=NODE_META,
        )
        if not done:
            raise Garbled("catalog/register: neither done nor refused", code="answer")

    def _deregister(self, node: str, service_id: str) -> None:
        try:
            done = self._client.catalog.deregister(node, service_id=service_id)
        except Missing:
            return  # a token without node:write is told so; with it, there is no difference
        if not done:
            raise Garbled("catalog/deregister: neither done nor refused", code="answer")

    def _operations(self, wish: Wish) -> list[dict[str, Any]]:
        instance = wish.job.instance
        node = self._node(instance)
        if wish.job.removes:
            service: dict[str, Any] = {"ID": instance.id, "Service": instance.service}
            return [{"Service": {"Verb": "delete", "Node": node, "Service": self._scoped(service)}}]
        check = {"Check": {"Verb": "set", "Check": self._scoped(to_check(instance, node))}}
        if wish.health_only:
            return [check]
        service = to_service(instance)
        return [{"Service": {"Verb": "set", "Node": node, "Service": self._scoped(service)}}, check]

    def _scoped(self, item: dict[str, Any]) -> dict[str, Any]:
        """Add namespace and partition, which a transaction takes from its items, not from the request."""
        endpoint = self._client.endpoint
        scope = {"Namespace": endpoint.namespace, "Partition": endpoint.partition}
        return {**item, **{key: value for key, value in scope.items() if value}}
