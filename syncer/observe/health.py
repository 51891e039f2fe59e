"""Whether the process is alive, and whether it does its work: what ``/healthz`` and ``/readyz`` say."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from syncer.observe.views import Watched


class Health:
    """Judges by what it can see; keeps nothing."""

    def __init__(
        self,
        watched: Callable[[], Iterable[Watched]],
        *,
        stale_after: float,
        threads: Callable[[], Mapping[str, bool]] = dict,
        waiting: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Look at the routes that *watched* gives.

        Args:
            watched: the routes there are; more may come while the process runs.
            stale_after: seconds after which a route without a good pass is not ready any more.
            threads: the threads that must live, by name: whether each does.
            waiting: why something is not there yet, such as a namespace that was not found.
        """
        self._watched = watched
        self._stale_after = stale_after
        self._threads = threads
        self._waiting = waiting

    def alive(self) -> tuple[str, ...]:
        """Return why the process cannot go on, so that it should be started anew; empty where it can."""
        return tuple(f"thread {name} has ended" for name, lives in self._threads().items() if not lives)

    def ready(self) -> tuple[str, ...]:
        """Return what is not in order: empty once both sides of every route were read, and passes go on."""
        problems = [*self.alive(), *self._waiting()]
        watched = tuple(self._watched())
        if not watched and not problems:
            problems.append("there is no route yet")
        for item in watched:
            problems.extend(self._route(item))
        return tuple(problems)

    def _route(self, item: Watched) -> Iterator[str]:
        route = item.route
        for mirror, side in ((route.source, item.source), (route.target, item.target)):
            if not mirror.ready:
                yield f"route {route.id}: {side.label} was not read completely yet"
        if route.last_pass is None:
            yield f"route {route.id}: no pass has read everything yet"
            return
        age = time.monotonic() - route.last_pass
        if age > self._stale_after:
            yield (
                f"route {route.id}: the last pass that read everything was {age:.0f} s ago, "
                f"more than {self._stale_after:.0f} s"
            )
