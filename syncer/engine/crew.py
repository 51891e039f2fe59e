"""A few threads that do the same for many things at once, and for which nobody waits when the process ends."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import TypeVar

import structlog

from syncer.systems.daemons import Daemons

_log = structlog.get_logger()
Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Crew:
    """Calls a function for many things, a few at once. Thread-safe."""

    def __init__(self, size: int, name: str) -> None:
        """Do *size* things at once, whoever asks for them; the threads begin when they are needed."""
        self._name = name
        self._threads = Daemons(size, name)

    def each(self, call: Callable[[Thing], Result], things: Sequence[Thing]) -> list[Result]:
        """Return what *call* returns for each of *things*, in their order.

        Raises:
            RuntimeError: the crew was closed before all was done, or *call* raised.
        """
        results: list[Result] = []
        for future in [self._threads.submit(call, thing) for thing in things]:
            try:
                results.append(future.result())
            except CancelledError:
                continue
            except Exception:  # noqa: BLE001 - the others go on; whoever waits is told, and it is logged whole
                _log.exception("task_failed", crew=self._name)
        if len(results) < len(things):
            raise RuntimeError(f"{self._name}: {len(things) - len(results)} of {len(things)} were not done")
        return results

    def close(self) -> None:
        """Do nothing more than what is being done at this moment; may be called twice."""
        self._threads.shutdown()
