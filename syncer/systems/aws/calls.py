"""One call of an operation of AWS, with a timeout, and its errors translated."""

import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, Self

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

from syncer.core.errors import Garbled, SyncError, Unavailable
from syncer.systems.aws.errors import translate
from syncer.systems.aws.sessions import Access, Sessions

ENOUGH: Final = 8.0
"""Seconds after which a call is not tried again here: one that waits for its answer keeps others waiting, and whoever
wants it asks again later."""
_READS: Final = ("Describe", "Get", "List")

Answer = Mapping[str, Any]
"""What an operation answered, as the SDK has parsed it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a call, for metrics."""

    service: str
    operation: str
    """As AWS names it, such as ``DescribeTasks``."""
    seconds: float
    code: str = ""
    """The error's code; empty if it succeeded."""

    @property
    def error(self) -> str:
        """The code, under the name that observers know it by."""
        return self.code


def _unobserved(_call: Call) -> None:
    return


class Aws:
    """Calls AWS. Thread-safe; never retries by itself unless it is asked to, and every call has a timeout."""

    def __init__(
        self,
        access: Access,
        *,
        on_call: Callable[[Call], None] = _unobserved,
        stop: threading.Event | None = None,
    ) -> None:
        """Tell *on_call* every attempt; once *stop* is set, nothing is retried any more."""
        self.access = access
        self._on_call = on_call
        self._shared = stop is not None
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._sessions = Sessions(access)
        self._clients: dict[tuple[str, float], BaseClient] = {}
        self._may_write: Callable[[], object] | None = None

    def permitted(self, may_write: Callable[[], object]) -> Self:
        """Return the same for somebody who may write only while *may_write* gives something true.

        It is asked right before each attempt of whatever is no reading operation.
        """
        other = copy(self)
        other._may_write = may_write  # noqa: SLF001 - of the same class
        return other

    @property
    def region(self) -> str:
        """The Region in force; empty where none is configured anywhere."""
        with self._lock:
            return self._sessions.region

    def call(self, service: str, operation: str, *, longer: float = 0.0, **parameters: Any) -> Answer:
        """Make one attempt of *operation* (``DescribeTasks``); raise :class:`SyncError` if it does not succeed.

        *longer* seconds are added to the timeout, for an operation that waits.
        """
        if self._may_write is not None and not operation.startswith(_READS) and not self._may_write():
            raise SyncError(f"{operation}: somebody else may be writing now", code="NoLease")
        began = time.monotonic()
        code = ""
        try:
            client = self._client(service, longer)
            method = getattr(client, xform_name(operation))
            answer: Answer = method(**parameters)
            return answer
        except (BotoCoreError, ClientError, ResponseParserError) as e:
            error = translate(e, operation)
            code = error.code
            raise error from e
        except (AttributeError, LookupError, TypeError, ValueError) as e:
            # The SDK takes the answer's types on trust: a list where an object belongs breaks its parser.
            code = type(e).__name__
            raise Garbled(f"{operation}: an answer of another shape than promised: {e}", code=code) from e
        finally:
            self._on_call(Call(service, operation, time.monotonic() - began, code))

    def retry(self, service: str, operation: str, *, attempts: int = 4, **parameters: Any) -> Answer:
        """As :meth:`call`, with up to *attempts* while AWS is unavailable or asks for fewer calls.

        None begins once that has taken :data:`ENOUGH`.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            stop=stop_after_attempt(attempts) | stop_after_delay(ENOUGH) | stop_when_event_set(self._stop),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        return retrying(self.call, service, operation, **parameters)

    def close(self) -> None:
        """Close what is idle; nothing is retried any more, unless that is for somebody else's *stop* to say."""
        if not self._shared:
            self._stop.set()
        with self._lock:
            for client in self._clients.values():
                client.close()

    def _client(self, service: str, longer: float) -> BaseClient:
        with self._lock:
            key = (service, longer)
            if key not in self._clients:
                self._clients[key] = self._sessions.client(service, longer=longer)
            return self._clients[key]


def required(answer: Answer, name: str) -> Any:
    """Return the member *name* of *answer*; raise :class:`Garbled` where it is not there.

    The SDK reads an answer that is not JSON as one without members: it must not pass for an empty list.
    """
    if answer.get(name) is None:
        raise Garbled(f"the answer has no {name}")
    return answer[name]
