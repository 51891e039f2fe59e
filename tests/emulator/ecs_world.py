"""The emulated ECS as a test drives it: clusters, hosts and tasks that start, turn unhealthy, stop, and tell so."""

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .ecs_model import (
    LIFE,
    EmulatedDefinition,
    EmulatedHost,
    EmulatedInterface,
    EmulatedService,
    EmulatedTask,
    LaunchType,
)
from .settings import DEFAULT_ACCOUNT, DEFAULT_REGION

Emit = Callable[[EmulatedTask], None]


class EcsWorld:
    """ECS of one account and Region, with the interfaces and hosts that EC2 and SSM know. Thread-safe."""

    def __init__(self, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> None:
        self.account = account
        self.region = region
        self.lock = threading.RLock()
        self.clusters: dict[str, str] = {}
        """Short name to ARN."""
        self.tasks: dict[str, EmulatedTask] = {}
        """By ARN."""
        self.definitions: dict[str, EmulatedDefinition] = {}
        self.interfaces: dict[str, EmulatedInterface] = {}
        self.hosts: dict[str, EmulatedHost] = {}
        """Container instances by ARN."""
        self.services: dict[tuple[str, str], EmulatedService] = {}
        """By cluster and name."""
        self.on_change: list[Emit] = []
        """Called, under the lock, after each change of a task that makes an event."""
        self.on_answer: list[Callable[[dict[str, Any]], Any]] = []
        """Called with each answer in JSON, to bend it."""
        self._numbers = itertools.count(1)

    def cluster(self, name: str) -> str:
        """Return the cluster's ARN; it is created if need be."""
        with self.lock:
            return self.clusters.setdefault(name, self._arn("ecs", f"cluster/{name}"))

    def delete_cluster(self, name: str) -> None:
        """Delete the cluster and all in it without an event."""
        with self.lock:
            arn = self.clusters.pop(name)
            for task in [task for task in self.tasks.values() if task.cluster_arn == arn]:
                del self.tasks[task.arn]

    def service(self, cluster: str, name: str, tags: Mapping[str, str] | None = None) -> EmulatedService:
        """Return the ECS service, created if need be, with *tags* if they are given."""
        with self.lock:
            arn = self._arn("ecs", f"service/{cluster}/{name}")
            fresh = EmulatedService(arn, name, self.cluster(cluster))
            service = self.services.setdefault((cluster, name), fresh)
            if tags is not None:
                service.tags = dict(tags)
            return service

    def define(
        self, family: str, ports: Mapping[str, Sequence[int]], network_mode: str = "awsvpc"
    ) -> EmulatedDefinition:
        """Return the latest revision of *family*, a new one if it differs: container name to container ports."""
        wanted = {name: tuple(found) for name, found in ports.items()}
        with self.lock:
            revisions = [item for item in self.definitions.values() if _family(item.arn) == family]
            if revisions and (revisions[-1].ports, revisions[-1].network_mode) == (wanted, network_mode):
                return revisions[-1]
            arn = self._arn("ecs", f"task-definition/{family}:{len(revisions) + 1}")
            self.definitions[arn] = EmulatedDefinition(arn, network_mode, wanted)
            return self.definitions[arn]

    def host(
        self,
        cluster: str,
        ipv4: str,
        *,
        anywhere: bool = False,
        public_ipv4: str | None = None,
        ipv6: str | None = None,
    ) -> EmulatedHost:
        """Add a container instance: an EC2 instance, or with *anywhere* a machine that SSM manages."""
        with self.lock:
            self.cluster(cluster)
            number = next(self._numbers)
            arn = self._arn("ecs", f"container-instance/{cluster}/{number:032x}")
            host_id = f"mi-{number:017x}" if anywhere else f"i-{number:017x}"
            self.hosts[arn] = EmulatedHost(arn, host_id, ipv4, public_ipv4, ipv6, f"{self.region}a")
            return self.hosts[arn]

    def start_task(
        self,
        cluster: str = "default",
        *,
        service: str | None = None,
        family: str | None = None,
        launch_type: LaunchType = "FARGATE",
        ports: Mapping[str, Sequence[int]] | None = None,
        public_ip: bool | str = False,
        ipv6: str | None = None,
        tags: Mapping[str, str] | None = None,
        interface_tags: Mapping[str, str] | None = None,
        host: EmulatedHost | None = None,
        upto: str = "RUNNING",
    ) -> EmulatedTask:
        """Start a task and take it through its life up to *upto*, an event for each step.

        With a *host* it shares the host's addresses under ports of the host; without, it has an interface of its own.
        """
        with self.lock:
            if service is not None:
                self.service(cluster, service)
            mode = "bridge" if host else "awsvpc"
            definition = self.define(family or service or "job", ports or {"app": (8080,)}, mode)
            number = next(self._numbers)
            task = EmulatedTask(
                arn=self._arn("ecs", f"task/{cluster}/{number:032x}"),
                cluster_arn=self.cluster(cluster),
                group=f"service:{service}" if service else f"family:{family or 'job'}",
                definition=definition,
                launch_type=launch_type,
                zone=f"{self.region}{'abc'[number % 3]}",
                host=host,
                tags=dict(tags or {}),
            )
            if host is None:
                public = _address(54, number) if public_ip is True else public_ip or None
                task.interface = EmulatedInterface(
                    f"eni-{number:017x}",
                    _address(10, number),
                    "subnet-1",
                    task.zone,
                    public,
                    ipv6,
                    dict(interface_tags or {}),
                )
                self.interfaces[task.interface.id] = task.interface
            else:
                task.bindings = {name: tuple(_bind(host, found)) for name, found in definition.ports.items()}
            self.tasks[task.arn] = task
            self._tell(task)
            self.advance(task, upto)
            return task

    def advance(self, task: EmulatedTask, upto: str) -> None:
        """Take *task* through its life up to *upto*, an event for each step."""
        with self.lock:
            for status in LIFE[LIFE.index(task.last_status) + 1 : LIFE.index(upto) + 1]:
                self._change(task, last_status=status)

    def stop_task(self, task: EmulatedTask, *, upto: str = "STOPPED") -> None:
        """Tell *task* to stop, and take it through the rest of its life up to *upto*."""
        with self.lock:
            self._change(task, desired_status="STOPPED")
            self.advance(task, upto)
            if task.last_status == "STOPPED" and task.interface is not None:
                self.interfaces.pop(task.interface.id, None)

    def set_health(self, task: EmulatedTask, health: str) -> None:
        """Set HEALTHY, UNHEALTHY or UNKNOWN."""
        self._change(task, health=health)

    def forget(self, task: EmulatedTask) -> None:
        """Let ECS know nothing of a stopped task any more, as about an hour later."""
        with self.lock:
            del self.tasks[task.arn]

    def running(self, cluster: str) -> list[EmulatedTask]:
        """Return the tasks of *cluster* that are meant to run, by ARN."""
        arn = self.clusters.get(cluster)
        return sorted(
            (
                task
                for task in self.tasks.values()
                if task.cluster_arn == arn and task.desired_status == "RUNNING"
            ),
            key=lambda task: task.arn,
        )

    def _change(self, task: EmulatedTask, **values: Any) -> None:
        with self.lock:
            for name, value in values.items():
                setattr(task, name, value)
            task.version += 1
            self._tell(task)

    def _tell(self, task: EmulatedTask) -> None:
        for emit in self.on_change:
            emit(task)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _family(arn: str) -> str:
    return arn.rsplit("/", 1)[-1].rpartition(":")[0]


def _address(first: int, number: int) -> str:
    return f"{first}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _bind(host: EmulatedHost, ports: Sequence[int]) -> Iterator[tuple[int, int]]:
    for port in ports:
        yield port, host.next_port
        host.next_port += 1
