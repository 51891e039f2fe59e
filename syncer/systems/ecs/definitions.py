"""What tasks have from elsewhere in ECS: the ports of their definitions, the tags of their services."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from typing import Any, Final

from syncer.core.errors import SyncError
from syncer.core.model import nothing
from syncer.systems.ecs.client import SERVICES, EcsApi
from syncer.systems.ecs.model import Definition, Problem, Task
from syncer.systems.ecs.parse import to_definition, to_tags

_MOST: Final = 10_000
"""Definitions remembered; beyond, all are forgotten and read again as they are needed."""


class Definitions:
    """Task definitions, each read once: a revision never changes. Thread-safe."""

    def __init__(self, api: EcsApi, pool: Executor) -> None:
        self._api = api
        self._pool = pool
        self._lock = threading.Lock()
        self._known: dict[str, Definition] = {}

    def begin(self, tasks: Iterable[Task]) -> "FetchedDefinitions":
        """Begin to read what *tasks* need and is not known."""
        arns = {task.definition for task in tasks}
        with self._lock:
            if len(self._known) > _MOST:
                self._known.clear()
            known = {arn: self._known[arn] for arn in arns if arn in self._known}
        running = {arn: self._pool.submit(self._api.definition, arn) for arn in sorted(arns - known.keys())}
        return FetchedDefinitions(known, running, self._keep)

    def _keep(self, arn: str, definition: Definition) -> None:
        with self._lock:
            self._known[arn] = definition


class FetchedDefinitions:
    """The definitions that one read needs."""

    def __init__(
        self,
        known: dict[str, Definition],
        running: dict[str, Future[Any]],
        keep: Callable[[str, Definition], None],
    ) -> None:
        self._found: dict[str, Definition | Problem] = dict(known)
        self._running = running
        self._keep = keep

    def get(self, task: Task) -> Definition | Problem:
        """Return the definition of *task*, or why it could not be read; waits for it."""
        arn = task.definition
        if arn not in self._found:
            try:
                definition = to_definition(self._running[arn].result())
                self._keep(arn, definition)
                self._found[arn] = definition
            except SyncError as e:
                self._found[arn] = Problem(str(e), e.code)
        return self._found[arn]


class ServiceTags:
    """The tags of ECS services, each read again when it is older than *age* seconds. Thread-safe."""

    def __init__(self, api: EcsApi, pool: Executor, age: float = 60.0) -> None:
        self._api = api
        self._pool = pool
        self._age = age
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Mapping[str, str]]] = {}

    def begin(self, cluster: str, tasks: Iterable[Task]) -> "FetchedTags":
        """Begin to read the tags of the services of *tasks*, all in *cluster*, as far as they are not known."""
        names = {task.service for task in tasks if task.service}
        oldest = time.monotonic() - self._age
        with self._lock:
            for key in [key for key, (when, _) in self._known.items() if when < oldest]:
                del self._known[key]
            known = {name: self._known[cluster, name][1] for name in names if (cluster, name) in self._known}
        due = sorted(names - known.keys())
        parts = [due[start : start + SERVICES] for start in range(0, len(due), SERVICES)]
        running = [(part, self._pool.submit(self._api.services, cluster, part)) for part in parts]
        found: dict[str, Mapping[str, str] | Problem] = dict(known)
        return FetchedTags(found, running, lambda name, tags: self._keep(cluster, name, tags))

    def _keep(self, cluster: str, name: str, tags: Mapping[str, str]) -> None:
        with self._lock:
            self._known[cluster, name] = (time.monotonic(), tags)


class FetchedTags:
    """The tags of services that one read needs."""

    def __init__(
        self,
        found: dict[str, Mapping[str, str] | Problem],
        running: list[tuple[list[str], Future[list[Any]]]],
        keep: Callable[[str, Mapping[str, str]], None],
    ) -> None:
        self._found = found
        self._running = running
        self._keep = keep

    def get(self, task: Task) -> Mapping[str, str] | Problem:
        """Return the tags of the service of *task*, none for a stand-alone one; waits for them."""
        if task.service is None:
            return nothing()
        while self._running:
            self._take(*self._running.pop())
        return self._found.get(task.service, Problem("its service is not known to ECS"))

    def _take(self, names: list[str], future: Future[list[Any]]) -> None:
        try:
            for raw in future.result():
                tags = to_tags(raw.get("tags", ()))
                self._found[raw["serviceName"]] = tags
                self._keep(raw["serviceName"], tags)
        except SyncError as e:
            self._found.update(dict.fromkeys(names, Problem(str(e), e.code)))
