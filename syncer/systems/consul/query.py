"""A blocking query, asked again and again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Final, Generic, TypeVar

import structlog

from syncer.core.errors import SyncError, Unavailable
from syncer.systems.consul.call import Answer, Call, Cut, ignore
from syncer.systems.consul.completeness import staleness
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.pace import Backoff
from syncer.systems.consul.transport import CONNECT_TIMEOUT, READ_TIMEOUT, Transport

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

MOST_WAIT: Final = 600.0
"""Seconds. Source: Consul's documentation of blocking queries."""
_JITTER: Final = 0.05
_ALWAYS_RESET: Final = 1.0
"""Seconds between answers whose index goes back each time."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asking:
    """How to ask."""

    endpoint: Endpoint
    wait: float = 300.0
    """Seconds that Consul may hold a query; varied a little, so that many queries do not come back at once."""
    connect_timeout: float = CONNECT_TIMEOUT
    read_timeout: float = READ_TIMEOUT
    """Seconds for an answer beyond the time that it may be held."""
    on_call: Callable[[Call], None] = field(default=ignore)

    def transport(self) -> Transport:
        """Return a transport with a single connection."""
        return Transport(
            self.endpoint,
            connections=1,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            on_call=self.on_call,
        )


@dataclass(frozen=True, slots=True)
class Step(Generic[T_co]):
    """One answer of a blocking query."""

    answer: Answer[T_co]
    reset: bool
    """Whether Consul's index went back: what was known before says nothing about what changed."""
    moved: bool
    """Whether Consul's index is another than before; where it is not, the wait was over."""
    calm: bool
    """Whether the query was waiting when the change came, so that this is its answer and not that of several."""
    cost: float
    """Seconds of work that the answer took, Consul's and ours, estimated."""


class BlockingQuery(Generic[T]):
    """One resource on a connection of its own. Used by one thread; :meth:`cut` may be called by any."""

    def __init__(self, asking: Asking, path: str, decode: Callable[[bytes | bytearray], T]) -> None:
        self._asking = asking
        self._path = path
        self._decode = decode
        self._transport = asking.transport()
        self._blocking = False
        self._ratio = 4.0
        self.index = 0
        """Of the last answer."""

    def next(self) -> Step[T]:
        """Return the next answer: the first at once, the others when something changed or the wait is over.

        After a failure the next answer comes at once, too: an index from before may be one that Consul never
        reaches again.

        Raises:
            SyncError: there is no answer, or it is not Consul's present state.
            Cut: :meth:`cut` was called.
        """
        blocking, params, timeout = self._blocking, None, self._asking.read_timeout
        self._blocking = False
        if blocking:
            wait = min(MOST_WAIT, self._asking.wait * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311
            params = {"index": str(self.index), "wait": f"{wait * 1000:.0f}ms"}
            timeout += wait * 17 / 16  # the server adds up to a sixteenth
        started = time.monotonic()
        answer = self._transport.fetch(
            self._path, self._decode, params, read_timeout=timeout, blocking=blocking
        )
        seconds = time.monotonic() - started
        stale = staleness(answer)
        if stale is not None:
            raise Unavailable(stale, code="stale")
        before, reset = self.index, answer.index < self.index
        # Not below 1: such a query would never wait. After a reset, what is there now is read without waiting.
        self.index = max(answer.index, 1)
        self._blocking = not reset
        cost = self._cost(answer, seconds, blocking)
        return Step(answer, reset, self.index != before, blocking and seconds > 0.03 + 2 * cost, cost)

    def cut(self) -> None:
        """End :meth:`next` at once, for good."""
        self._transport.cut()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def _cost(self, answer: Answer[T], seconds: float, blocking: bool) -> float:
        """Estimate Consul's part by what it was, beside ours, when the query did not wait."""
        if not blocking:
            self._ratio = min(10.0, max(2.0, seconds / max(answer.digest, 1e-6)))
            return seconds
        return answer.digest * self._ratio


def follow(
    query: BlockingQuery[T],
    take: Callable[[Step[T]], float],
    failed: Callable[[SyncError], None],
    stop: Event,
) -> None:
    """Hand every answer of *query* to *take*, which returns a pause in seconds, until *stop* is set or it is cut.

    Failures go to *failed*, and are followed by growing pauses.
    """
    backoff = Backoff()
    resets = 0
    while not stop.is_set():
        try:
            step = query.next()
            resets = resets + 1 if step.reset else 0
            # Something in between may give no index at all, or another every time: then nothing ever waits.
            pause = max(take(step), _ALWAYS_RESET if resets > 1 else 0.0)
            backoff.reset()
        except Cut:
            return
        except SyncError as e:
            failed(e)
            pause = backoff.pause()
        except Exception as e:  # noqa: BLE001 - a fault of ours must not end the watch
            _log.exception("consul_watch_fault")
            failed(SyncError(f"{type(e).__name__}: {e}", code="internal"))
            pause = backoff.pause()
        stop.wait(pause)
    query.close()
