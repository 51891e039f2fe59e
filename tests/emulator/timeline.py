"""What happens later: operations that end, health that turns, changes that become visible."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Action = Callable[[float], None]


class Timeline:
    """Runs actions at their time, in order, under one lock that all of the state shares.

    Every request calls `advance` before it looks, so an answer never lags behind the clock;
    the thread only makes things happen when nobody asks.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._wake = threading.Condition(self.lock)
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()
        self._offset = time.time() - time.monotonic()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="emulator-timeline", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; what is still due never happens."""
        with self.lock:
            self._stopped = True
            self._wake.notify_all()
        self._thread.join(60)

    def wall(self, when: float) -> float:
        """Return the date of the monotonic time *when*, to the millisecond as the service has it."""
        return round(when + self._offset, 3)

    def at(self, when: float, action: Action) -> None:
        """Call ``action(when)`` once the clock has reached *when*. Needs the lock."""
        heapq.heappush(self._due, (when, next(self._order), action))
        if self._due[0][0] == when:
            self._wake.notify_all()

    def advance(self) -> float:
        """Run what is due and return the present monotonic time. Needs the lock."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            when, _, action = heapq.heappop(self._due)
            action(when)
        return now

    def _run(self) -> None:
        with self.lock:
            while not self._stopped:
                now = self.advance()
                pause = self._due[0][0] - now if self._due else None
                self._wake.wait(pause if pause is None else max(pause, 0.0005))
