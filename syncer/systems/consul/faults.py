"""What goes wrong between us and Consul, in the project's own errors."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from consul import base
from urllib3 import exceptions as urllib3

from syncer.core.errors import (
    Denied,
    Garbled,
    Missing,
    Refused,
    SyncError,
    Throttled,
    Unavailable,
)

_LONGEST_TEXT: Final = 300

# Consul answers 500 for nearly everything that a server's RPC refuses. Source: measured on 1.8.7.
_REFUSALS = re.compile(
    r"Invalid |Must provide|must be|cannot be|can't be|too long|too large|reserved|not allowed|bad request",
    re.IGNORECASE,
)
_MISSING = re.compile(r"Unknown (service|node|check)|Missing (service|node) registration", re.IGNORECASE)
_DENIED = re.compile(r"Permission denied|ACL not found|lacks permission", re.IGNORECASE)
_UNAVAILABLE = re.compile(r"No cluster leader|leadership lost|raft is|timed? ?out|connection", re.IGNORECASE)


def raise_for_status(response: Any) -> None:
    """Raise what the status of *response* means; 404 is left to the callback, as the library has it."""
    status: int = response.code
    if status < 300 or status == 404:
        return
    text = " ".join(response.body.split())[:_LONGEST_TEXT] or f"status {status}"
    raise _error(status, text)(text, code=str(status))


def _error(status: int, text: str) -> type[SyncError]:
    if status == 403:
        return Denied
    if status == 429 or (status == 503 and "rate limit" in text.lower()):
        return Throttled
    if status == 500:
        return _of_rpc(text)
    if status == 408 or status > 500 or status < 400:
        # A redirection is not Consul's: whatever stands before it does not let us through.
        return Unavailable
    return Refused


def _of_rpc(text: str) -> type[SyncError]:
    if _UNAVAILABLE.search(text):
        return Unavailable
    if _DENIED.search(text):
        return Denied
    if _MISSING.search(text):
        return Missing
    return Refused if _REFUSALS.search(text) else Unavailable


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what urllib3, the library and the decoders raise into the project's errors."""
    try:
        yield
    except SyncError:
        raise
    except (urllib3.HTTPError, OSError) as e:
        raise _of_connection(operation, e) from e
    except base.NotFound as e:
        raise Missing(f"{operation}: {e}", code="404") from e
    except (base.ConsulException, ValueError, KeyError, TypeError) as e:
        raise Garbled(f"{operation}: the answer is not understood: {_reason(e)}", code="answer") from e


def _of_connection(operation: str, error: Exception) -> SyncError:
    match error:
        case urllib3.NewConnectionError() | urllib3.NameResolutionError():
            why = _reason(error).rsplit(": ", 1)[-1]
            return Unavailable(f"{operation}: no connection: {why}", code="connect")
        case urllib3.TimeoutError() | TimeoutError():
            return Unavailable(f"{operation}: no answer in time", code="timeout")
        case urllib3.SSLError():
            return Unavailable(f"{operation}: TLS: {_reason(error)}", code="tls")
        case urllib3.ProtocolError():
            return _of_protocol(operation, error)
        case _:
            return Unavailable(f"{operation}: {_reason(error)}", code="connection")


def _of_protocol(operation: str, error: urllib3.ProtocolError) -> SyncError:
    """urllib3 wraps a connection that broke and an answer that is no HTTP alike; the cause tells them apart."""
    cause = error.args[1] if len(error.args) > 1 and not isinstance(error, urllib3.IncompleteRead) else error
    if isinstance(cause, urllib3.IncompleteRead | http.client.IncompleteRead):
        return Garbled(f"{operation}: the answer was cut short", code="truncated")
    if isinstance(cause, OSError):
        return Unavailable(f"{operation}: the connection broke: {_reason(cause)}", code="connection")
    return Garbled(f"{operation}: the answer is no HTTP: {_reason(cause)}", code="protocol")


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:_LONGEST_TEXT]
