"""An ECS source put together: one inventory, its views, and the feed that watches for all of them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from syncer.core.ports import End
from syncer.systems.aws import Access, Aws, Call
from syncer.systems.ecs.client import EcsApi
from syncer.systems.ecs.dialects import Dialect, Plain
from syncer.systems.ecs.events import Queue
from syncer.systems.ecs.feed import Feed, PollPump, Pump, ViewWatch
from syncer.systems.ecs.inventory import REMEMBERED, Inventory
from syncer.systems.ecs.pump import EventPump
from syncer.systems.ecs.tasks import TaskReader
from syncer.systems.ecs.views import Selection, View


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """One view of a source."""

    name: str = ""
    """Part of the registry's id; empty for the one that has the source's name alone."""
    dialect: Dialect = field(default_factory=Plain)
    selection: Selection = field(default_factory=Selection)
    drain: float = 0.0
    """Seconds that a stopping task stays, critical; 0 has it leave at once."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What is read, and how changes are noticed."""

    clusters: tuple[str, ...] = ("default",)
    """Names, ARNs, or globs over names."""
    queue_url: str | None = None
    """The SQS queue that EventBridge fills; None for polling."""
    poll: float = 30.0
    """Seconds between full reads where there is no queue, or it cannot be read."""
    may_take: Callable[[], bool] = lambda: True
    """Whether this process may take events from the queue now, and is the one that writes what is offered: replicas
    that share a queue would share the events out."""


def registry_id(source: str, view: str = "") -> str:
    """Return the id of a view's registry: ``ecs/<source>`` or ``ecs/<source>/<view>``."""
    return f"ecs/{source}/{view}" if view else f"ecs/{source}"


class EcsSource:
    """The tasks of some clusters in one account and Region, as one registry for each view. Thread-safe."""

    def __init__(
        self,
        name: str,
        access: Access,
        options: SourceOptions,
        views: tuple[ViewOptions, ...] = (ViewOptions(),),
        *,
        on_call: Callable[[Call], None] = lambda _call: None,
        stop: threading.Event | None = None,
    ) -> None:
        """Offer *views* of what *access* reads; nothing is called before the first read or watch.

        Every attempt of a call is told to *on_call*; once *stop* is set, nothing is tried again.
        """
        self.name = name
        self._aws = Aws(access, on_call=on_call, stop=stop)
        reader = TaskReader(EcsApi(self._aws), service_tags=any(view.dialect.service_tags for view in views))
        drain = max((view.drain for view in views), default=0.0)
        self._inventory = Inventory(reader, options.clusters, remember=drain + REMEMBERED)
        self.views = {
            view.name: View(
                registry_id(name, view.name), self._inventory, view.dialect, view.selection, drain=view.drain
            )
            for view in views
        }
        self._feed = Feed(name, self._inventory, self._pump(options), alone=options.may_take)

    def end(self, view: str = "") -> End:
        """Return *view* as the engine wants it: a registry that is only read, and its watch."""
        found = self.views[view]
        return End(found, (ViewWatch(found, self._feed),))

    def ends(self) -> tuple[End, ...]:
        """Return the ends of all views."""
        return tuple(self.end(view) for view in self.views)

    def close(self) -> None:
        """Let go of threads and connections; calls under way end by themselves."""
        self._aws.close()
        self._inventory.close()

    def _pump(self, options: SourceOptions) -> Pump:
        if options.queue_url is None:
            return PollPump(self._inventory, options.poll)
        queue = Queue(self._aws, options.queue_url)
        return EventPump(self._inventory, queue, may_take=options.may_take, longest=options.poll)
