"""What the tests of the ECS source have in common."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

from syncer.core.model import Complete, Instance, Listed, Read
from syncer.core.ports import Hint
from syncer.systems.ecs.dialects import Plain
from syncer.systems.ecs.source import EcsSource, ViewOptions
from syncer.systems.ecs.views import View
from tests.emulator.ecs_model import EmulatedTask

MakeSource = Callable[..., EcsSource]


def instances(view: View, service: str) -> tuple[Instance, ...]:
    """Return what *view* holds of *service*, which must be complete."""
    read = view.read(service)
    assert isinstance(read, Complete), read
    return read.instances


def ids(view: View, service: str) -> set[str]:
    return {item.id for item in instances(view, service)}


def snapshot(view: View) -> dict[str, tuple[Instance, ...]]:
    """Return all that *view* holds, listed and read."""
    listing = view.services()
    assert isinstance(listing, Listed), listing
    return {name: instances(view, name) for name in sorted(listing.names)}


def known_as(task: EmulatedTask, cluster: str = "prod") -> str:
    """Return the id that *task* has as an instance."""
    return f"{cluster}/{task.id}"


def plain(**options: object) -> tuple[ViewOptions, ...]:
    """Return the options of the one plain view."""
    return (ViewOptions(dialect=Plain(**options)),)  # type: ignore[arg-type]  # the test knows its options


@dataclass
class Watching:
    """A view watched in a thread, with the hints that came."""

    source: EcsSource
    view: str = ""
    stop: threading.Event = field(default_factory=threading.Event)
    hints: list[Hint] = field(default_factory=list)
    reads: list[Complete] = field(default_factory=list)

    def __post_init__(self) -> None:
        (watch,) = self.source.end(self.view).watches
        self.thread = threading.Thread(
            target=watch.run, args=(self.hints.append, self.reads.append, self.stop), daemon=True
        )

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    @property
    def registry(self) -> View:
        return self.source.views[self.view]

    def hinted(self) -> frozenset[str]:
        """Return every service that was named by a hint."""
        return frozenset(name for hint in tuple(self.hints) for name in hint.services or ())

    def forget(self) -> None:
        self.hints.clear()


def reads(view: View, names: Iterable[str], *, fresh: bool = True) -> list[Read]:
    return [view.read(name, fresh=fresh) for name in names]
