"""A few threads that do the same for many things at once, and for which nobody waits when the process ends."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

import structlog

_log = structlog.get_logger()
Thing = TypeVar("Thing")
Result = TypeVar("Result")


class Crew:
    """Calls a function for many things, a few at once. Thread-safe.

    Its threads are daemons, which those of ``concurrent.futures`` are not: a call that hangs until its timeout would
    keep the process from ending.
    """

    def __init__(self, size: int, name: str) -> None:
        """Do *size* things at once, whoever asks for them; the threads begin when they are needed."""
        self._size = size
        self._name = name
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._started = 0
        self._closed = False
        self._lock = threading.Lock()

    def each(self, call: Callable[[Thing], Result], things: Sequence[Thing]) -> list[Result]:
        """Return what *call* returns for each of *things*, in their order.

        Raises:
            RuntimeError: the crew was closed before all was done, or *call* raised.
        """
        results: dict[int, Result] = {}
        left = threading.Semaphore(0)

        def one(number: int, thing: Thing) -> None:
            try:
                if not self._closed:
                    results[number] = call(thing)
            except Exception:  # noqa: BLE001 - it must not end the thread; whoever waits is told, and it is logged whole
                _log.exception("task_failed", crew=self._name)
            finally:
                left.release()

        self._give([partial(one, number, thing) for number, thing in enumerate(things)])
        for _ in things:
            left.acquire()
        if len(results) < len(things):
            raise RuntimeError(f"{self._name}: {len(things) - len(results)} of {len(things)} were not done")
        return [results[number] for number in range(len(things))]

    def close(self) -> None:
        """Do nothing more than what is being done at this moment; may be called twice."""
        with self._lock:
            self._closed = True
            for _ in range(self._started):
                self._tasks.put(None)

    def _give(self, tasks: Sequence[Callable[[], None]]) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self._name}: closed")
            for task in tasks:
                self._tasks.put(task)
            while self._started < min(len(tasks), self._size):
                name = f"{self._name}-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
                self._started += 1

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()
