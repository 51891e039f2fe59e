"""Finding out what the wide watches notice but do not name.

A change of a service's port or meta, and any change of an instance without checks, wakes the watch on the service
list and leaves no difference in either wide answer (measured on 1.8.7). Such a wake is held against what the other
watches say of the same index; what nobody explains is looked up in one dump of all nodes, where each instance has
the index of its last change. A change of a node's own health concerns all services there: they are asked for.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Condition, Event
from typing import Final

import structlog

from syncer.core.errors import Denied, Garbled, Missing, Refused, SyncError
from syncer.systems.consul.answers import DumpedNode, decode_dump, decode_node
from syncer.systems.consul.call import Answer, Cut, segment
from syncer.systems.consul.census import Census
from syncer.systems.consul.doubts import Doubts
from syncer.systems.consul.pace import Backoff, Pace
from syncer.systems.consul.query import Asking

_FEW_NODES: Final = 8
_SWEEP: Final = (50, 0.25)
"""Services at a time and seconds between, where there is no dump."""

_log = structlog.get_logger()


class Inquiry:
    """One thread and one connection for questions that come up. The other methods may be called by any thread."""

    def __init__(
        self,
        asking: Asking,
        dirty: Callable[[Mapping[str, int]], None],
        suspects: Callable[[], Iterator[str]],
        stop: Event,
    ) -> None:
        """Tell *dirty* of services with the index of their change.

        *suspects* names all services, those first that hide most: they are told of where Consul gives no dump.
        """
        self._transport = asking.transport()
        self._dirty = dirty
        self._suspects = suspects
        self._stop = stop
        self._changed = Condition()
        self._doubts = Doubts()
        self._nodes: dict[str, int] = {}
        self._census = Census()
        self._wanted = False
        self._dumps = True
        self._pace = Pace(burst=1, most=5.0)

    @property
    def based(self) -> bool:
        """Whether there is a dump to compare with, or will be."""
        with self._changed:
            return self._wanted or self._census.based or not self._dumps

    def rebase(self) -> None:
        """Begin anew: somebody reads everything; what changes from here on is of interest."""
        with self._changed:
            self._wanted = True
            self._census.forget()
            self._doubts.forget()
            self._changed.notify()

    def wake(self, index: int, *, calm: bool, explained: bool) -> None:
        """Take note that a service changed at *index*; *explained*: that it is known which.

        Without *calm* there may be others behind it that nobody explains.
        """
        with self._changed:
            self._doubts.wake(index, time.monotonic(), calm=calm, explained=explained)
            self._changed.notify()

    def explain(self, index: int) -> None:
        """Take note that it is known which service changed at *index*."""
        with self._changed:
            self._doubts.explain(index)
            if self._doubts.pressing:
                self._changed.notify()

    def told(self, services: Mapping[str, int]) -> None:
        """Take note that *services* are read, or will be, as they were at these indexes or later."""
        with self._changed:
            self._census.told(services)

    def judged(self, index: int, grace: float) -> None:
        """Take note that the wide watch on health has explained what it can up to *index*.

        It takes *grace* seconds or less for that.
        """
        with self._changed:
            self._doubts.judged(index, grace)
            if self._doubts.pressing:
                self._changed.notify()

    def look_at(self, nodes: set[str], index: int) -> None:
        """Ask for the services on *nodes*, whose health changed at *index*."""
        with self._changed:
            self._nodes.update(dict.fromkeys(nodes, index))
            self._changed.notify()

    def cut(self) -> None:
        """End what is under way at once."""
        self._transport.cut()
        with self._changed:
            self._changed.notify()

    def run(self) -> None:
        """Work until the stop event is set."""
        backoff = Backoff()
        while not self._stop.is_set():
            with self._changed:
                delay = self._due(time.monotonic())
                if delay is None or delay > 0:
                    self._changed.wait(delay)
                    continue
            try:
                self._inquire()
                backoff.reset()
            except Cut:
                return
            except SyncError:
                self._stop.wait(backoff.pause())
            except Exception:  # noqa: BLE001 - a fault of ours must not end the watch
                _log.exception("consul_inquiry_fault")
                self._stop.wait(backoff.pause())

    def _due(self, now: float) -> float | None:
        """Return in how many seconds there is something to ask; None: nothing as it is."""
        return 0.0 if self._nodes or (self._wanted and self._dumps) else self._doubts.due(now)

    def _inquire(self) -> None:
        with self._changed:
            nodes, self._nodes = self._nodes, {}
        try:
            if not nodes:
                self._find()
            elif len(nodes) <= _FEW_NODES or not self._dumps:
                for node in list(nodes):
                    self._look_at(node, nodes[node])
                    del nodes[node]
            else:
                on = {item.Node: item for item in self._dump().value or ()}
                found = (item.Service for node in nodes if node in on for item in on[node].Services or ())
                self._tell(dict.fromkeys(found, 0))
        except SyncError:
            with self._changed:
                self._nodes = {**nodes, **self._nodes}
            raise

    def _look_at(self, node: str, index: int) -> None:
        answer = self._transport.fetch(f"/v1/catalog/node/{segment(node)}", decode_node)
        services = (answer.value.Services if answer.value else None) or {}
        self._tell({item.Service: index for item in services.values()})

    def _find(self) -> None:
        """Name what changed since all was known."""
        if not self._dumps:
            self._sweep()
            return
        with self._changed:
            first, self._wanted = self._wanted, False
            oldest = self._doubts.oldest
        started = time.monotonic()
        try:
            answer = self._dump()
        except (Denied, Garbled, Missing, Refused) as e:
            _log.warning("consul_dump_unavailable", reason=str(e))
            with self._changed:
                self._dumps = False
            return
        except SyncError:
            with self._changed:
                self._wanted |= first
            raise
        with self._changed:
            found = self._census.take(answer.value or (), answer.index, oldest)
            now = time.monotonic()
            pause = self._pace.pause(now - started)
            self._doubts.answered(answer.index, now, cost=now - started, pause=pause)
        self._tell(found)

    def _dump(self) -> Answer[list[DumpedNode] | None]:
        answer = self._transport.fetch("/v1/internal/ui/nodes", decode_dump)
        if answer.value and not any(
            item.ModifyIndex for node in answer.value for item in node.Services or ()
        ):
            raise Garbled("the dump of nodes has no indexes", code="dump")
        return answer

    def _sweep(self) -> None:
        """Call every service suspect, a few at a time; wakes that come meanwhile begin it anew afterwards."""
        with self._changed:
            self._doubts.forget()
        size, pause = _SWEEP
        names = list(self._suspects())
        for start in range(0, len(names), size):
            self._tell(dict.fromkeys(names[start : start + size], 0))
            if self._stop.wait(pause):
                return

    def _tell(self, services: dict[str, int]) -> None:
        services.pop("consul", None)
        if services:
            self._dirty(services)
