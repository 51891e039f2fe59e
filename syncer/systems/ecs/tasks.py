"""Reads tasks with everything that belongs to them, many at a time; says of each whether it was read whole.

    ListTasks → DescribeTasks → interfaces, or hosts (ECS → EC2, SSM) → task definitions → tags of services

What fails poisons what it concerns: a batch of interfaces the tasks that have them, a batch of tasks that were known
before those tasks, tasks that nobody has seen yet the cluster.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.core.errors import SyncError
from syncer.systems.daemons import Daemons
from syncer.systems.ecs.addresses import Addresses
from syncer.systems.ecs.client import PAGE, EcsApi
from syncer.systems.ecs.definitions import Definitions, ServiceTags
from syncer.systems.ecs.model import Placed, Problem, Task
from syncer.systems.ecs.parse import to_task

MISSING = "MISSING"
"""Why DescribeTasks has nothing of a task: it is gone (API reference, API failures)."""


@dataclass(slots=True)
class ClusterRead:
    """What a read of a cluster, or of some tasks in it, has found."""

    placed: dict[str, Placed] = field(default_factory=dict)
    """By ARN; those with a problem are as they were known before, or as much as was read."""
    gone: set[str] = field(default_factory=set)
    """Tasks that ECS does not know any more."""
    trouble: Problem | None = None
    """Set where tasks may exist of which nothing is known."""
    whole: bool = False
    """Whether the list of tasks was read to its end, so that what is not in it does not run."""


_Batch = tuple[list[str], Future[Any]]
"""ARNs, and the call that describes them."""


class TaskReader:
    """Reads the tasks of clusters in one account and Region. Thread-safe."""

    def __init__(self, api: EcsApi, *, service_tags: bool = False, threads: int = 8) -> None:
        """Read through *api*, at most *threads* calls at once; *service_tags* asks for the services' tags, too."""
        self._api = api
        self._pool = Daemons(threads, "ecs-call")
        self._addresses = Addresses(api, self._pool)
        self._definitions = Definitions(api, self._pool)
        self._service_tags = ServiceTags(api, self._pool) if service_tags else None

    def clusters(self) -> tuple[str, ...]:
        """Return the ARNs of all active clusters. Raises :class:`SyncError`."""
        return self._api.clusters()

    def cluster(self, cluster: str, known: Mapping[str, Placed]) -> ClusterRead:
        """Read all tasks of *cluster* that are meant to run; *known* is what was read before, by ARN.

        Known ones that the list lacks are asked for by name: whether they were stopped, or the list is wrong.
        """
        read = ClusterRead()
        batches: list[_Batch] = []
        try:
            for page in filter(None, self._api.tasks(cluster)):
                batches.append((page, self._pool.submit(self._api.describe_tasks, cluster, page)))  # noqa: PERF401
            read.whole = True
            batches.extend(
                self._describe(cluster, sorted(known.keys() - {arn for page, _ in batches for arn in page}))
            )
        except SyncError as e:
            read.trouble = problem_of(e)
        tasks = self._described(batches, read, known)
        self._place(cluster, tasks, read, known, reuse=False)
        return read

    def tasks(
        self, cluster: str, arns: Sequence[str], known: Mapping[str, Placed], *, reuse: bool
    ) -> ClusterRead:
        """Read *arns* of *cluster*; with *reuse*, addresses that are known are not asked for again.

        Raises :class:`SyncError` where none of them could be described.
        """
        read = ClusterRead()
        batches = self._describe(cluster, arns)
        tasks = self._described(batches, read, known)
        if not tasks and not read.gone:
            for _, future in batches:
                future.result()
        self._place(cluster, tasks, read, known, reuse=reuse)
        return read

    def close(self) -> None:
        """Let go of the threads without waiting for them."""
        self._pool.shutdown()

    def _describe(self, cluster: str, arns: Sequence[str]) -> list[_Batch]:
        parts = [list(arns[start : start + PAGE]) for start in range(0, len(arns), PAGE)]
        return [(part, self._pool.submit(self._api.describe_tasks, cluster, part)) for part in parts]

    def _described(
        self,
        batches: Iterable[_Batch],
        read: ClusterRead,
        known: Mapping[str, Placed],
    ) -> list[Task]:
        tasks: list[Task] = []
        for arns, future in batches:
            try:
                answer = future.result()
            except SyncError as e:
                _poison(arns, problem_of(e), read, known)
                continue
            failures = {item.get("arn", ""): item.get("reason", "") for item in answer.get("failures", ())}
            found = [to_task(raw) for raw in answer["tasks"]]
            tasks.extend(found)
            read.gone |= {arn for arn, reason in failures.items() if reason == MISSING}
            # A task that is neither described nor said to be missing was not read.
            for arn in {*arns} - {task.arn for task in found} - read.gone:
                reason = failures.get(arn) or "it is missing from the answer"
                _poison([arn], Problem(f"DescribeTasks: {reason}", failures.get(arn, "")), read, known)
        return tasks

    def _place(
        self,
        cluster: str,
        tasks: list[Task],
        read: ClusterRead,
        known: Mapping[str, Placed],
        *,
        reuse: bool,
    ) -> None:
        """Add to *read* where *tasks* are reached; those that do not run keep what is known of them."""
        running = [task for task in tasks if task.running]
        definitions = self._definitions.begin(running)
        service_tags = self._service_tags.begin(cluster, running) if self._service_tags else None
        fixed = {
            task.arn: known[task.arn] for task in running if reuse and _reusable(known.get(task.arn), task)
        }
        addresses = self._addresses.find(cluster, [task for task in running if task.arn not in fixed], known)
        for task in tasks:
            before = known.get(task.arn)
            if not task.running:
                read.placed[task.arn] = (
                    replace(before, task=task, problem=None, tags_problem=None) if before else Placed(task)
                )
                continue
            address = fixed[task.arn].address if task.arn in fixed else addresses[task.arn]
            definition = definitions.get(task)
            tags = service_tags.get(task) if service_tags else None
            problem = next((part for part in (address, definition) if isinstance(part, Problem)), None)
            read.placed[task.arn] = Placed(
                task,
                (before.address if before else None) if isinstance(address, Problem) else address,
                (before.definition if before else None) if isinstance(definition, Problem) else definition,
                (before.service_tags if before else None) if isinstance(tags, Problem) else tags,
                problem,
                tags if isinstance(tags, Problem) else None,
            )


def problem_of(error: SyncError) -> Problem:
    """Return *error* as a value."""
    return Problem(str(error), error.code)


def _poison(arns: Iterable[str], problem: Problem, read: ClusterRead, known: Mapping[str, Placed]) -> None:
    for arn in arns:
        if arn in known:
            read.placed[arn] = replace(known[arn], problem=problem)
        else:
            read.trouble = read.trouble or problem


def _reusable(before: Placed | None, task: Task) -> bool:
    return (
        before is not None
        and before.task.interface == task.interface
        and before.problem is None
        and before.address is not None
        and before.address.certain
    )
