"""Our transport behind python-consul2's extension point: bounded, pooled, typed, and with our own errors.

The library builds requests and knows the API; how they travel is decided here. What it drops (headers, filters,
namespaces) is asked for by :meth:`Transport.fetch` with a decoder of one's own.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from threading import local
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import urllib3
from consul import base

from syncer.core.errors import Garbled, Missing, SyncError
from syncer.systems.consul.call import Answer, Call, Cut, Response, ignore
from syncer.systems.consul.connections import Sockets, make_pool, whole_body
from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.faults import raise_for_status, translated

T = TypeVar("T")
Params = Mapping[str, object] | Sequence[tuple[str, object]] | None

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 10.0


class Transport(base.HTTPClient):  # type: ignore[misc]  # the library is published without types
    """Pooled connections to one endpoint; thread-safe.

    All methods raise :class:`~syncer.core.errors.SyncError`, and :class:`~syncer.systems.consul.call.Cut` after :meth:`cut`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        connections: int = 8,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        on_call: Callable[[Call], None] = ignore,
    ) -> None:
        """Prepare at most *connections* connections; none is opened before the first call. Timeouts in seconds."""
        super().__init__(endpoint.host, endpoint.port, endpoint.scheme, endpoint.tls.verify)
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._defaults = endpoint.defaults
        self._headers = {"Accept": "application/json", "User-Agent": "consul-cloudmap-sync"}
        if endpoint.token:
            self._headers["X-Consul-Token"] = endpoint.token
        self._on_call = on_call
        self._sockets = Sockets()
        self._begun = _Begun()
        self._pool = make_pool(endpoint, connections, self._sockets)

    # --- What the library calls ---

    def get(self, callback: Callable[[Any], T], path: str, params: Params = None, headers: Any = None) -> T:
        """Make a GET for the library."""
        return self._call("GET", quote(path), params, callback, headers=headers)

    def put(
        self,
        callback: Callable[[Any], T],
        path: str,
        params: Params = None,
        data: str = "",
        headers: Any = None,
    ) -> T:
        """Make a PUT for the library."""
        return self._call("PUT", quote(path), params, callback, body=data, headers=headers)

    def post(
        self,
        callback: Callable[[Any], T],
        path: str,
        params: Params = None,
        headers: Any = None,
        data: str = "",
    ) -> T:
        """Make a POST for the library."""
        return self._call("POST", quote(path), params, callback, body=data, headers=headers)

    def delete(
        self,
        callback: Callable[[Any], T],
        path: str,
        params: Params = None,
        data: str = "",
        headers: Any = None,
    ) -> T:
        """Make a DELETE for the library."""
        return self._call("DELETE", quote(path), params, callback, body=data, headers=headers)

    # --- What we call ---

    def fetch(
        self,
        path: str,
        decode: Callable[[bytes | bytearray], T],
        params: Params = None,
        *,
        body: object = None,
        read_timeout: float | None = None,
        blocking: bool = False,
    ) -> Answer[T]:
        """GET *path*, or POST *body* there, and return what *decode* makes of the answer.

        Args:
            path: with every segment quoted already, see :func:`~syncer.systems.consul.call.segment`.
            decode: raises ValueError for what it does not understand.
            params: added to the endpoint's defaults.
            body: what to POST, as JSON; None for a GET.
            read_timeout: seconds for the whole answer, in place of the transport's own.
            blocking: for the observer.

        Raises:
            Missing: the answer is 404.
        """

        def callback(response: Any) -> Answer[T]:
            if response.code == 404:
                raise Missing(response.body.strip() or "not found", code="404")
            headers = response.headers
            value = decode(response.content)
            return Answer(
                value,
                index=_number(headers.get("X-Consul-Index")),
                filtered=headers.get("X-Consul-Results-Filtered-By-ACLs", "").lower() == "true",
                known_leader=headers.get("X-Consul-KnownLeader", "true").lower() != "false",
                last_contact=_number(headers.get("X-Consul-LastContact")) / 1000,
                digest=time.monotonic() - self._begun.at,
            )

        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        timeout = self.read_timeout if read_timeout is None else read_timeout
        return self._call(method, path, params, callback, body=data, read_timeout=timeout, blocking=blocking)

    def cut(self) -> None:
        """End all calls under way at once, from any thread; they and all later ones raise :class:`Cut`."""
        self._sockets.cut()

    def close(self) -> None:
        """Close the connections that are idle."""
        self._pool.close()

    def _call(
        self,
        method: str,
        path: str,
        params: Params,
        callback: Callable[[Any], T],
        *,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float | None = None,
        blocking: bool = False,
    ) -> T:
        started = time.monotonic()
        error = ""
        try:
            with translated(f"{method} {_operation(path)}"):
                response = self._send(
                    method,
                    path + self._query(params),
                    body=body,
                    headers={**self._headers, **(headers or {})},
                    read_timeout=self.read_timeout if read_timeout is None else read_timeout,
                )
                raise_for_status(response)
                return callback(response)
        except SyncError as e:
            if self._sockets.is_cut:
                raise Cut from e
            error = e.code
            raise
        finally:
            seconds = time.monotonic() - started
            self._on_call(Call(f"{method} {_operation(path)}", seconds, error, blocking))

    def _send(
        self, method: str, url: str, *, body: str | None, headers: Mapping[str, str], read_timeout: float
    ) -> Response:
        deadline = time.monotonic() + self.connect_timeout + read_timeout
        response = self._pool.urlopen(
            method,
            url,
            body=body.encode() if body else None,
            headers=headers,
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=self.connect_timeout, read=read_timeout),
            preload_content=False,
        )
        self._begun.at = time.monotonic()
        try:
            content = whole_body(response, deadline)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        kind = response.headers.get("Content-Type", "")
        if content and response.status < 300 and "json" not in kind:
            raise Garbled(f"the answer is {kind or 'of no type'}, not JSON", code="content-type")
        return Response(response.status, response.headers, content)

    def _query(self, params: Params) -> str:
        pairs = list(params.items()) if isinstance(params, Mapping) else list(params or ())
        given = {key for key, _ in pairs}
        pairs.extend((key, value) for key, value in self._defaults.items() if key not in given)
        return f"?{urlencode(pairs)}" if pairs else ""


class _Begun(local):
    """When the answer to this thread's call began to arrive."""

    at = 0.0


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0


def _operation(path: str) -> str:
    words = path.removeprefix("/v1/").split("/")
    return words[0] if words[0] in {"kv", "txn"} else "/".join(words[:2])
