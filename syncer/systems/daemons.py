"""Threads for which nobody waits when the process ends, behind the standard library's interface."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

from typing_extensions import override

P = ParamSpec("P")
T = TypeVar("T")


class Daemons(Executor):
    """Calls functions in a few daemon threads, which begin when they are needed. Thread-safe.

    Those of ``ThreadPoolExecutor`` are joined when the interpreter ends: a call that hangs until its timeout would
    keep the process from leaving.
    """

    def __init__(self, size: int, name: str) -> None:
        """Make *size* calls at once."""
        self._size = size
        self._name = name
        self._tasks: SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = SimpleQueue()
        self._started = 0
        self._idle = 0
        self._closed = False
        self._lock = threading.Lock()

    @override
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have *fn* called. Raises RuntimeError once it is shut down."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self._name}: closed")
            self._tasks.put((future, partial(fn, *args, **kwargs)))  # type: ignore[arg-type]  # Future is invariant
            if self._idle:
                self._idle -= 1
            elif self._started < self._size:
                name = f"{self._name}-{self._started}"
                self._started += 1
                threading.Thread(target=self._work, name=name, daemon=True).start()
        return future

    @override
    def shutdown(self, wait: bool = False, *, cancel_futures: bool = True) -> None:
        """Take nothing more, and begin nothing that waits; never waits itself. May be called twice."""
        with self._lock:
            self._closed = True
            try:
                while item := self._tasks.get_nowait():
                    item[0].cancel()
                    item[0].set_running_or_notify_cancel()  # else whoever waits for several would wait on
            except Empty:
                pass
            for _ in range(self._started):
                self._tasks.put(None)

    def _work(self) -> None:
        while (item := self._tasks.get()) is not None:
            future, call = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as e:  # noqa: BLE001 - whoever asks for the result is told
                    future.set_exception(e)
            del item, future, call
            with self._lock:
                self._idle += self._tasks.empty()
