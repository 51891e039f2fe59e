"""Threads for each kind of call, so that one that waits for its quota holds up no other."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger()

_Job = Callable[[], None]


class Lanes:
    """A few threads for each lane; jobs of one lane start in the order in which they came.

    Those of one service have half of a lane's threads at most: where its calls hang, there are others left.
    """

    def __init__(self, threads: Mapping[str, int]) -> None:
        """Open a lane for each key of *threads*, with so many threads."""
        self._lanes = {lane: _Lane(count) for lane, count in threads.items()}
        for name, lane in self._lanes.items():
            for number in range(lane.threads):
                label = f"cloudmap-{name}-{number}"
                threading.Thread(target=self._work, args=(name, lane), name=label, daemon=True).start()

    def put(self, lane: str, service: str, job: _Job) -> None:
        """Have *job*, which is about *service*, done by the next free thread of *lane*."""
        self._lanes[lane].put(service, job)

    def close(self) -> None:
        """End every thread once the jobs that wait are done."""
        for lane in self._lanes.values():
            lane.close()

    def _work(self, name: str, lane: "_Lane") -> None:
        while (taken := lane.take()) is not None:
            service, job = taken
            try:
                job()
            except Exception:  # noqa: BLE001 - a defect in one job must not end the lane; it is logged whole
                _log.exception("cloudmap_job_failed", lane=name)
            finally:
                lane.done(service)


class _Lane:
    """The jobs of one lane that wait, and of which services some are being done."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._share = max(1, threads // 2)
        self._changed = threading.Condition()
        self._jobs: deque[tuple[str, _Job]] = deque()
        self._put_off: dict[str, deque[_Job]] = {}
        """Jobs of services that have their share, in order."""
        self._busy: Counter[str] = Counter()
        self._closed = False

    def put(self, service: str, job: _Job) -> None:
        with self._changed:
            self._jobs.append((service, job))
            self._changed.notify()

    def take(self) -> tuple[str, _Job] | None:
        """Wait for a job; None once all are done and it is closed."""
        with self._changed:
            while True:
                while self._jobs:
                    service, job = self._jobs.popleft()
                    if self._busy[service] < self._share:
                        self._busy[service] += 1
                        return service, job
                    self._put_off.setdefault(service, deque()).append(job)
                if self._closed and not self._put_off:
                    return None
                self._changed.wait()

    def done(self, service: str) -> None:
        """Note that a job of *service* is done; the next one of it comes first of all."""
        with self._changed:
            self._busy[service] -= 1
            if not self._busy[service]:
                del self._busy[service]
            waiting = self._put_off.get(service)
            if waiting:
                self._jobs.appendleft((service, waiting.popleft()))
                if not waiting:
                    del self._put_off[service]
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
