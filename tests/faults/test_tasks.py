"""ECS, what it is looked up in, and what its tasks are written into fail in every way: no task that runs is withdrawn."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tasks import TaskWorld
from tests.e2e.world import Running, Tree
from tests.emulator.faults import Kind
from tests.faults.stage import SETTINGS
from tests.support.wait import eventually

SERVICES = ("ecs:*", "ec2:*", "sqs:[RDC]*", "route53:*", "elasticloadbalancing:*")
"""Of SQS all but SendMessage, by which the events come."""
CALLS = (
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:DescribeTaskDefinition",
    "ec2:DescribeNetworkInterfaces",
    "sqs:ReceiveMessage",
    "route53:ListResourceRecordSets",
    "route53:ChangeResourceRecordSets",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:RegisterTargets",
)
PORT: Final = 8080
_WAIT: Final = 60.0


class Tasks:
    """Three tasks that run all the time, and one that another takes the place of; each is in four targets."""

    def __init__(self, world: TaskWorld, running: Running, group: str) -> None:
        self.world, self.running, self.group = world, running, group
        self.lasting = [self._start() for _ in range(3)]
        self.passing = self._start()

    def ordeal(self, kind: Kind, operation: str, **options: Any) -> None:
        """Let calls fail while one task gives way to another; then all is in step, and no other ever left."""
        fault = self.world.aws.fault(kind, operation=operation, **options)
        try:
            before, self.passing = self.passing, self._start()
            self.world.ecs.stop_task(before, upto="RUNNING")
            for _ in range(2):
                self.running.reread()
                self._watch(0.2)
        finally:
            self.world.aws.faults.remove(fault.id)
        self.converge()

    def converge(self) -> None:
        """Wait until each target holds what runs, and nothing else; whoever lasts is there all the time."""
        self.running.reread()
        end = time.monotonic() + _WAIT
        while not self.in_step():
            self._watch(0.1)
            assert time.monotonic() < end, f"{self._there()} is not what runs"

    def in_step(self) -> bool:
        """Whether each target holds what runs, and nothing else."""
        return self._there() == self._held([*self.lasting, self.passing])

    def _start(self) -> Any:
        return self.world.ecs.start_task("prod", service="web", public_ip=True, ports={"app": (PORT,)})

    def _watch(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for lasting, found in zip(self._held(self.lasting), self._there(), strict=True):
                assert lasting <= found, f"{lasting - found} was withdrawn"
            time.sleep(0.02)

    def _held(self, tasks: list[Any]) -> list[set[str]]:
        private = {task.interface.ipv4 for task in tasks}
        return [private, private, {task.interface.public_ipv4 for task in tasks}, private]

    def _there(self) -> list[set[str]]:
        """Return the addresses in Consul, Cloud Map, the hosted zone's answers and the group, past what fails."""
        world = self.world
        targets = {address for address, _ in world.whole.target_groups.registered(self.group)}
        found = world.in_consul("web"), world.cloud.addresses("web"), world.ask("web.example.com")
        return [*map(set, found), targets]


@pytest.fixture(scope="module")
def tasks(folder: Path) -> Iterator[Tasks]:
    """The tasks, in step with the four targets."""
    with TaskWorld(folder) as world:
        group = world.group("web")
        routes: list[Tree] = [
            {"source": "ecs/prod", "target": "consul"},
            {"source": "ecs/prod", "target": "corp.internal"},
            {"source": "ecs/prod", "target": f"route53/{world.zone}"},
            {"source": "ecs/prod", "target": f"elb/{world.aws.region}", "rename": {"web": group}},
        ]
        with world.syncing(SETTINGS, world.with_tasks({}, *routes)) as running:
            eventually(lambda: not running.installation.waiting(), _WAIT)
            tasks = Tasks(world, running, group)
            eventually(tasks.in_step, _WAIT, "every target holds what runs")
            yield tasks


@pytest.mark.parametrize("operation", [*SERVICES, *CALLS])
def test_an_error_withdraws_no_task_that_runs(tasks: Tasks, operation: str) -> None:
    tasks.ordeal("error", operation, code="InternalFailure", status=500)


@pytest.mark.parametrize("operation", SERVICES)
def test_a_refusal_withdraws_no_task_that_runs(tasks: Tasks, operation: str) -> None:
    tasks.ordeal("error", operation, code="AccessDenied", status=403)


@pytest.mark.parametrize("operation", SERVICES)
@pytest.mark.parametrize("kind", ["http500", "reset", "hang", "lost_answer"])
def test_no_answer_withdraws_no_task_that_runs(tasks: Tasks, kind: Kind, operation: str) -> None:
    tasks.ordeal(kind, operation)


@pytest.mark.parametrize("operation", SERVICES)
def test_throttling_of_every_second_call_withdraws_no_task_that_runs(tasks: Tasks, operation: str) -> None:
    tasks.ordeal("error", operation, code="Throttling", probability=0.5)
