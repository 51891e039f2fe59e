"""Asking the process that runs these settings, on the address that they give for metrics and status."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from syncer.settings import Settings

TIMEOUT: Final = 5.0
"""Seconds for one question."""
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - recognised, not bound to
_MOST: Final = 64 << 20

Json = dict[str, Any]


class NotRunning(Exception):
    """Nobody answers there, or somebody who is not syncer; the text says which."""


def address_of(settings: Settings) -> str | None:
    """Return where the process of *settings* can be asked from this host; None where it has no web server."""
    http = settings.http
    if not http.enabled or not http.port:
        return None
    host = _EVERYWHERE.get(http.address) or (f"[{http.address}]" if ":" in http.address else http.address)
    return f"http://{host}:{http.port}"


def ask_status(url: str, question: Mapping[str, str] | None = None, *, timeout: float = TIMEOUT) -> Json:
    """Return what ``/status.json`` below *url* answers to *question*; see :mod:`syncer.observe.snapshot`.

    Raises:
        NotRunning: there is no such answer.
    """
    query = f"?{urlencode(question)}" if question else ""
    status, answer = _ask(f"{url.rstrip('/')}/status.json{query}", timeout)
    program = answer.get("program")
    if status != 200 or not isinstance(program, dict) or "routes" not in answer:
        raise NotRunning(f"what answers at {url} is not syncer (status {status})")
    return answer


def ask_health(url: str, *, timeout: float = TIMEOUT) -> tuple[str, ...]:
    """Return why the process at *url* should be started anew, as ``/healthz`` tells it; empty where all is well.

    Raises:
        NotRunning: there is no such answer.
    """
    status, answer = _ask(f"{url.rstrip('/')}/healthz", timeout)
    if "alive" not in answer:
        raise NotRunning(f"what answers at {url} is not syncer (status {status})")
    return tuple(answer.get("problems") or ()) or (
        () if answer["alive"] else ("it says that it is not alive",)
    )


def _ask(url: str, timeout: float) -> tuple[int, Json]:
    with urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=timeout)) as pool:
        try:
            response = pool.request("GET", url, redirect=False, preload_content=False)
            try:
                content = response.read(_MOST)
            finally:
                response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as e:
            raise NotRunning(f"nothing answers at {url.partition('?')[0]}: {_reason(e)}") from e
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    return response.status, answer if isinstance(answer, dict) else {}


def _reason(error: Exception) -> str:
    refused = isinstance(error, urllib3.exceptions.NewConnectionError)  # to urllib3 a kind of timeout
    if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
        return "no answer in time"
    return str(error).rsplit(": ", 1)[-1]
