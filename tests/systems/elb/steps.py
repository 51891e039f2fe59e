"""What the tests of the target groups have in common."""

from collections.abc import Callable
from typing import Any

from syncer.core.model import Complete, Instance, Mark
from syncer.core.plan import Change, Register
from syncer.core.ports import Ending, Outcome
from syncer.systems.elb.target import ElbTarget
from tests.systems.route53.steps import Ends

OWNER = "prod"
ORIGIN = "ecs/prod/alb"
TASK = "0123456789abcdef0123456789abcdef"

MakeTarget = Callable[..., ElbTarget]
MakeGroup = Callable[..., str]


def wanted(
    group: str, ipv4: str | None = "10.0.0.1", port: int | None = 8080, *, origin: str = ORIGIN, **more: Any
) -> Instance:
    """Return an instance as a source offers it to the target."""
    mark = Mark(OWNER, origin, group, f"main/{TASK}/app/{port}")
    return Instance(group, mark.instance, ipv4=ipv4, port=port, mark=mark, **more)


def carry_out(target: ElbTarget, *changes: Change) -> list[Outcome]:
    """Submit *changes*, in their stored form, together; return how each ended, in their order."""
    ends = Ends()
    target.writer.submit(changes, ends)
    outcomes = ends.wait(len(changes))
    return sorted(outcomes, key=lambda outcome: [outcome.change is one for one in changes].index(True))


def do(target: ElbTarget, *changes: Change) -> None:
    """Submit *changes*, which must all be done."""
    for outcome in carry_out(target, *changes):
        assert outcome.ending is Ending.DONE, outcome


def register(target: ElbTarget, *instances: Instance) -> None:
    """Register *instances* in their stored form, as a plan does."""
    do(target, *(Register(target.stored(item)) for item in instances))


def instances(target: ElbTarget, group: str) -> tuple[Instance, ...]:
    """Return what *group* holds, which must be complete."""
    read = target.registry.read(group, fresh=True)
    assert isinstance(read, Complete), read
    return read.instances
