"""What the observers see of the engine when they are asked: routes and what was last read, structurally typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from syncer.core.model import Read
from syncer.core.rules import RouteRules


class MirrorView(Protocol):
    """One registry as it was last read."""

    @property
    def id(self) -> str:
        """The registry's id."""

    @property
    def ready(self) -> bool:
        """Whether everything was listed, and each service read or tried, at least once in this process."""

    def peek(self) -> Mapping[str, Read]:
        """Return every read as it stands, by service, without reading anything."""


class RouteView(Protocol):
    """One route at work."""

    @property
    def id(self) -> str:
        """The route's id."""

    @property
    def rules(self) -> RouteRules:
        """How it translates."""

    @property
    def source(self) -> MirrorView:
        """Where it reads."""

    @property
    def target(self) -> MirrorView:
        """Where it writes."""

    @property
    def last_pass(self) -> float | None:
        """``time.monotonic()`` of the last pass that read everything it looked at."""


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a route, as people know it."""

    label: str
    """Such as ``Consul dc1`` or ``corp.internal``."""
    dns: str = ""
    """What follows a service's name in DNS (``service.consul``, ``corp.internal``); empty where no DNS answers."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A route with both its ends."""

    route: RouteView
    source: Side
    target: Side
