"""A few threads that do the same for many things at once, and for which nobody waits when the process ends."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
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
        self._window = 2 * size
        self._threads = Daemons(size, name)

    def each(
        self, call: Callable[[Thing], Result], things: Sequence[Thing], patience: float | None = None
    ) -> list[Result | None]:
        """Return what *call* returns for each of *things*, in their order.

        With *patience*, those that have not returned once none did for so many seconds are left to themselves: None
        stands for them.

        Raises:
            RuntimeError: the crew was closed before all was done, or *call* raised.
        """
        futures: list[Future[Result]] = []
        left: set[Future[Result]] = set()
        patient = True
        for thing in things:
            futures.append(self._threads.submit(call, thing))
            left.add(futures[-1])
            if patient and len(left) >= self._window:
                left, patient = _next(left, patience)
        while left and patient:
            left, patient = _next(left, patience)
        results: list[Result | None] = []
        for future in futures:
            try:
                results.append(None if future in left else future.result())
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


def _next(left: set[Future[Result]], patience: float | None) -> tuple[set[Future[Result]], bool]:
    """Return those of *left* that are left once one of them is done, and whether one was before patience was over."""
    done, rest = wait(left, patience, FIRST_COMPLETED)
    return rest, bool(done)
