"""Where tasks are reached: their own interfaces from EC2, or the hosts that they share from EC2 or SSM."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from syncer.core.errors import SyncError
from syncer.systems.ecs.client import INTERFACES, MANAGED, PAGE, EcsApi
from syncer.systems.ecs.model import Address, Placed, Problem, Task
from syncer.systems.ecs.parse import instance_address, interface_address, node_address

_Found = dict[str, Address | Problem]


class Addresses:
    """Finds addresses in batches. Thread-safe; remembers only which EC2 instance or managed node a host is."""

    def __init__(self, api: EcsApi, pool: Executor) -> None:
        """Make calls to *api* in the threads of *pool*."""
        self._api = api
        self._pool = pool
        self._lock = threading.Lock()
        self._hosts: dict[str, str] = {}
        """Container instance ARN to EC2 instance id, or managed node id: it never changes."""

    def find(
        self, cluster: str, tasks: Sequence[Task], known: Mapping[str, Placed]
    ) -> Mapping[str, Address | Problem | None]:
        """Return, for each of *tasks* by ARN, its address, why it could not be read, or None where it has none yet."""
        owned = self._interfaces({task.interface for task in tasks if task.interface})
        shared = [task for task in tasks if task.interface is None and task.container_instance]
        hosts = self._shared(cluster, {task.container_instance or "" for task in shared})
        found: dict[str, Address | Problem | None] = {}
        for task in tasks:
            before = known.get(task.arn)
            if task.interface:
                found[task.arn] = _own(task, owned.get(task.interface), before.address if before else None)
            elif before is not None and before.task.interface:
                found[task.arn] = Problem("its network interface is missing from the answer")
            elif task.interface is not None:
                found[task.arn] = None
            else:
                found[task.arn] = hosts.get(task.container_instance or "")
        return found

    def _interfaces(self, ids: set[str]) -> _Found:
        raw = self._batches(sorted(ids), INTERFACES, self._api.interfaces, "NetworkInterfaceId")
        return {
            key: item if isinstance(item, Problem) else interface_address(item) for key, item in raw.items()
        }

    def _shared(self, cluster: str, arns: set[str]) -> _Found:
        """Return the addresses of hosts, by container instance ARN."""
        with self._lock:
            unknown = sorted(arns - self._hosts.keys())

        def describe(batch: Sequence[str]) -> list[Any]:
            return self._api.container_instances(cluster, batch)

        raw = self._batches(unknown, PAGE, describe, "containerInstanceArn")
        failed: _Found = {key: item for key, item in raw.items() if isinstance(item, Problem)}
        with self._lock:
            for arn, item in raw.items():
                if not isinstance(item, Problem) and item.get("ec2InstanceId"):
                    self._hosts[arn] = item["ec2InstanceId"]
            ids = {arn: self._hosts[arn] for arn in arns if arn in self._hosts}
        nodes = sorted({key for key in ids.values() if key.startswith("mi-")})
        instances = sorted(set(ids.values()) - set(nodes))
        machines: _Found = {
            key: item if isinstance(item, Problem) else instance_address(item)
            for key, item in self._batches(instances, INTERFACES, self._api.instances, "InstanceId").items()
        } | {
            key: item if isinstance(item, Problem) else node_address(item)
            for key, item in self._batches(nodes, MANAGED, self._api.managed_nodes, "InstanceId").items()
        }
        gone = Problem("its host is not known to ECS, EC2 or SSM")
        return {arn: machines.get(ids[arn], gone) if arn in ids else failed.get(arn, gone) for arn in arns}

    def _batches(
        self, ids: Sequence[str], size: int, fetch: Callable[[Sequence[str]], list[Any]], key: str
    ) -> dict[str, Any]:
        """Return the raw items of *ids* by id; a problem for each one of a batch that failed."""
        parts = [ids[start : start + size] for start in range(0, len(ids), size)]
        running: list[tuple[Sequence[str], Future[list[Any]]]] = [
            (part, self._pool.submit(fetch, part)) for part in parts
        ]
        found: dict[str, Any] = {}
        for part, future in running:
            try:
                found.update((item[key], item) for item in future.result())
            except SyncError as e:
                found.update(dict.fromkeys(part, Problem(str(e), e.code)))
        return found


def _own(task: Task, found: Address | Problem | None, before: Address | None) -> Address | Problem:
    """Return a task's own address; where EC2 does not know its interface, what ECS and an earlier look have said."""
    if isinstance(found, Problem):
        return found
    if found is not None:
        return found if found.ipv4 else replace(found, ipv4=task.interface_ipv4)
    if before is not None and before.certain:
        return before
    return Address(ipv4=task.interface_ipv4, certain=False)
