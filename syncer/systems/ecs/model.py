"""What is known of a task: what ECS says of it, and what EC2, SSM and its task definition add."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from syncer.core.model import Health, nothing

RUNNING: Final = "RUNNING"
STOPPED: Final = "STOPPED"
_SERVICE: Final = "service:"


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a container listens on."""

    number: int
    """Inside the container."""
    host: int
    """Where it is reached: the same for a task with an interface of its own, the host's port otherwise."""
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a task as it runs."""

    name: str
    bindings: tuple[Port, ...] = ()
    """What the host forwards to it; empty for a task with an interface of its own."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a revision of a task definition says of ports; it never changes."""

    ports: Mapping[str, tuple[Port, ...]] = field(hash=False)
    """Container name to its declared ports, both in the definition's order."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a task is reached: its interface's addresses, or those of the host that it shares."""

    ipv4: str | None = None
    ipv6: str | None = None
    public_ipv4: str | None = None
    public_ipv6: str | None = None
    zone: str = ""
    """The availability zone, where it is known."""
    tags: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Those of the network interface; none for a shared host."""
    certain: bool = True
    """False while EC2 does not know the interface yet, and its public address may still appear."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as ECS describes it."""

    arn: str
    cluster: str
    """Its short name."""
    group: str
    """``service:<name>``, ``family:<family>``, or what the caller of RunTask made up."""
    definition: str
    """The task definition's ARN, with its revision."""
    last_status: str = RUNNING
    desired_status: str = RUNNING
    version: int = 0
    """Grows with each change that makes an event (API reference, Task)."""
    health: Health = Health.PASSING
    launch_type: str = ""
    zone: str = ""
    interface: str | None = None
    """The id of the network interface of its own, the first if there are several: empty while it is still to come,
    None where the task shares its host's."""
    interface_ipv4: str | None = None
    container_instance: str | None = None
    """The ARN of the host in the cluster; None on Fargate."""
    containers: tuple[Container, ...] = ()
    tags: Mapping[str, str] = field(default_factory=nothing, hash=False)

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def service(self) -> str | None:
        """The ECS service that keeps it; None for a stand-alone task."""
        return self.group.removeprefix(_SERVICE) if self.group.startswith(_SERVICE) else None

    @property
    def family(self) -> str:
        """The task definition's name without its revision."""
        return self.definition.rsplit("/", 1)[-1].rpartition(":")[0]

    @property
    def revision(self) -> str:
        """The task definition's revision."""
        return self.definition.rpartition(":")[2]

    @property
    def name(self) -> str:
        """The ECS service's name; the family of a stand-alone task."""
        return self.service or self.family

    @property
    def region(self) -> str:
        """The Region, from the ARN."""
        return (self.arn.split(":") + [""] * 4)[3]

    @property
    def running(self) -> bool:
        """Whether it runs and is meant to go on."""
        return self.last_status == RUNNING and self.desired_status == RUNNING

    @property
    def stopping(self) -> bool:
        """Whether it is meant to stop, however far that is."""
        return STOPPED in {self.desired_status, self.last_status}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be read."""

    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A task with everything that is known of where it is reached."""

    task: Task
    address: Address | None = None
    """None where it has no address yet."""
    definition: Definition | None = None
    service_tags: Mapping[str, str] | None = field(default=None, hash=False)
    """The tags of its ECS service; None where they were not asked for, or never read."""
    problem: Problem | None = None
    """Set where a part could not be read: nothing may be concluded from what is missing."""
    tags_problem: Problem | None = None
    """Set where the tags of its service could not be read; what stands there is from before."""
