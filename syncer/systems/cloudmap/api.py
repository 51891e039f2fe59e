"""Calls of Cloud Map: paced by the quotas, retried while that helps, paged to the end, errors translated."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Self

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from syncer.core.errors import Garbled, SyncError, Throttled, Unavailable
from syncer.systems.aws import ENOUGH, Answer, Aws, required
from syncer.systems.cloudmap.quotas import Quotas

_SERVICE: Final = "servicediscovery"
_DATA_PLANE: Final = frozenset({"DiscoverInstances", "DiscoverInstancesRevision"})
_READS: Final = ("Discover", "Get", "List")
_PAGES: Final = 1000
"""Pages after which a list is taken to go round in circles."""


class Api:
    """Cloud Map of one account and Region. Thread-safe; each method raises :class:`~syncer.core.errors.SyncError`."""

    def __init__(
        self, aws: Aws, quotas: Quotas, stop: threading.Event, data_plane: Aws | None = None
    ) -> None:
        """Call through *aws*, and through *data_plane* where Discover* has an endpoint of its own."""
        self._aws = aws
        self._data = data_plane or aws
        self._quotas = quotas
        self._may_write: Callable[[], object] | None = None
        self.stop = stop

    def permitted(self, may_write: Callable[[], object]) -> Self:
        """Return the same API for somebody who may write only while *may_write* gives something true.

        It is asked at the last moment, after every wait: what was submitted earlier stops with it.
        """
        other = type(self)(self._aws, self._quotas, self.stop, self._data)
        other._may_write = may_write  # noqa: SLF001 - of the same class
        return other

    @property
    def region(self) -> str:
        """The Region in force."""
        return self._aws.region

    def once(self, operation: str, **parameters: Any) -> Answer:
        """Make one attempt, as soon as the quota allows it."""
        bucket = self._quotas.bucket(operation)
        if not bucket.take(self.stop):
            raise Unavailable(f"{operation}: stopping", code="Stopping")
        if self._may_write is not None and not operation.startswith(_READS) and not self._may_write():
            raise SyncError(f"{operation}: somebody else may be writing now", code="NoLease")
        aws = self._data if operation in _DATA_PLANE else self._aws
        try:
            return aws.call(_SERVICE, operation, **parameters)
        except Throttled:
            bucket.throttled()
            raise

    def call(self, operation: str, *, attempts: int = 4, **parameters: Any) -> Answer:
        """As :meth:`once`, with up to *attempts* while Cloud Map is unavailable or asks for fewer calls."""
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_attempt(attempts) | stop_after_delay(ENOUGH) | stop_when_event_set(self.stop),
            wait=wait_random_exponential(multiplier=0.15, max=3.0),
            sleep=sleep_using_event(self.stop),
            reraise=True,
        )
        return retrying(self.once, operation, **parameters)

    def pages(
        self, operation: str, items: str, *, attempts: int = 4, **parameters: Any
    ) -> Iterator[list[Any]]:
        """Yield the member *items* of each page to the very last; a page may be empty and still not be the last.

        Raises:
            Garbled: a page without the member, or a list that does not end.
        """
        token: str | None = None
        for _ in range(_PAGES):
            more = {"NextToken": token} if token else {}
            answer = self.call(operation, attempts=attempts, **parameters, **more)
            yield required(answer, items)
            before, token = token, answer.get("NextToken")
            if not token:
                return
            if token == before:
                break
        raise Garbled(f"{operation}: the pages do not end")
