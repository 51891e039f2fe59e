"""Who is told what an installation calls, holds and hears: the metrics, or nobody."""

from collections.abc import Callable
from typing import Any, Protocol


class Calls(Protocol):
    """Gives each system somebody to tell its calls to."""

    def calls(self, system: str) -> Callable[[Any], None]:
        """Return who is told the calls of *system*."""

    def leading(self, lease: str, *, held: bool) -> None:
        """Take note that *lease* is held by this process, or is not."""

    def watch_age(self, registry: str, watch: str, age: Callable[[], float]) -> None:
        """Take note of how to ask for the seconds since *watch* last heard of *registry*."""


class Unobserved:
    """Tells nobody."""

    def calls(self, _system: str) -> Callable[[Any], None]:
        """Return somebody who does not listen."""
        return lambda _call: None

    def leading(self, lease: str, *, held: bool) -> None:
        """Take no note."""

    def watch_age(self, registry: str, watch: str, age: Callable[[], float]) -> None:
        """Take no note."""
