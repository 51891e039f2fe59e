"""Threads for each kind of call, so that one that waits for its quota holds up no other."""

import queue
import threading
from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger()


class Lanes:
    """A few threads for each lane; jobs of one lane start in the order in which they came."""

    def __init__(self, threads: Mapping[str, int]) -> None:
        """Open a lane for each key of *threads*, with so many threads."""
        self._queues: dict[str, queue.SimpleQueue[Callable[[], None] | None]] = {
            lane: queue.SimpleQueue() for lane in threads
        }
        self._threads = threads
        for lane, count in threads.items():
            for number in range(count):
                name = f"cloudmap-{lane}-{number}"
                threading.Thread(target=self._work, args=(lane,), name=name, daemon=True).start()

    def put(self, lane: str, job: Callable[[], None]) -> None:
        """Have *job* done by the next free thread of *lane*."""
        self._queues[lane].put(job)

    def close(self) -> None:
        """End every thread once the jobs that wait are done."""
        for lane, count in self._threads.items():
            for _ in range(count):
                self._queues[lane].put(None)

    def _work(self, lane: str) -> None:
        while (job := self._queues[lane].get()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001 - a defect in one job must not end the lane; it is logged whole
                _log.exception("cloudmap_job_failed", lane=lane)
