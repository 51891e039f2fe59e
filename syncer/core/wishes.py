"""One change at a time for each instance, and the latest wish wins: the bookkeeping of a writer.

A plain data structure without threads or clocks: a writer guards it with a lock of its own.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Wish = TypeVar("Wish")


@dataclass(slots=True)
class Wishes(Generic[Key, Wish]):
    """What is being carried out and what waits behind it, by key."""

    _running: dict[Key, Wish] = field(default_factory=dict)
    _waiting: dict[Key, Wish] = field(default_factory=dict)

    def offer(self, key: Key, wish: Wish) -> tuple[bool, Wish | None]:
        """Take *wish*; return whether it may start now, and the waiting wish that it replaced, if any."""
        if key not in self._running:
            self._running[key] = wish
            return True, None
        replaced = self._waiting.pop(key, None)
        self._waiting[key] = wish
        return False, replaced

    def finish(self, key: Key) -> Wish | None:
        """End the running wish of *key*; return the one that waited and runs now, if any."""
        self._running.pop(key, None)
        following = self._waiting.pop(key, None)
        if following is not None:
            self._running[key] = following
        return following

    def running(self, key: Key) -> Wish | None:
        """Return what is being carried out for *key*; None where nothing is."""
        return self._running.get(key)

    def latest(self, key: Key) -> Wish | None:
        """Return what *key* will be once everything is carried out; None where nothing is under way."""
        return self._waiting[key] if key in self._waiting else self._running.get(key)

    def __len__(self) -> int:
        """Return how many keys have something under way."""
        return len(self._running)

    def __iter__(self) -> Iterator[Key]:
        """Iterate over the keys that have something under way."""
        return iter(tuple(self._running))
