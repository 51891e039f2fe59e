"""A small HTTP proxy before a real Consul, which can fail in every way that a network or a server can."""

import contextlib
import http.client
import itertools
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from typing_extensions import override

from tests.e2e.mishaps import Fault, Kind, Seen

_BEFORE: Final = frozenset({"status", "hang", "reset"})
_UPSTREAM: Final = 700.0
"""Seconds that a blocking query may take."""


@dataclass
class _Book:
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: dict[int, Fault] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    open: set[socket.socket] = field(default_factory=set)
    most: int = 1 << 30
    refused: int = 0


class ConsulProxy:
    """Listens on a port of its own, and passes everything on to *upstream*."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._book = _Book()
        self._ids = itertools.count(1)
        handler = type("Handler", (_Handler,), {"book": self._book, "upstream": upstream})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        serve = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="consul-proxy", daemon=True
        )
        serve.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.break_connections()

    def fault(self, kind: Kind, path: str = "*", **options: Any) -> Fault:
        """Put a fault in force."""
        fault = Fault(kind, path, id=next(self._ids), **options)
        with self._book.lock:
            self._book.faults[fault.id] = fault
        return fault

    def lift(self) -> None:
        """Lift all faults."""
        with self._book.lock:
            self._book.faults.clear()

    @contextmanager
    def failing(self, kind: Kind, path: str = "*", **options: Any) -> Iterator[Fault]:
        """Fail while the block runs, watches under way included."""
        fault = self.fault(kind, path, **options)
        self.break_connections()
        try:
            yield fault
        finally:
            with self._book.lock:
                self._book.faults.pop(fault.id, None)

    def limit(self, connections: int) -> None:
        """Close every connection beyond so many at once, as Consul's http_max_conns_per_client does."""
        self._book.most = connections

    @property
    def refused(self) -> int:
        """How many connections were closed for being too many."""
        return self._book.refused

    @property
    def connections(self) -> int:
        """How many connections are open."""
        with self._book.lock:
            return len(self._book.open)

    def break_connections(self) -> None:
        """Shut every connection that is open."""
        with self._book.lock:
            opened = tuple(self._book.open)
        for sock in opened:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def calls(self, method: str = "*", path: str = "*") -> list[Seen]:
        """Return what arrived since the last :meth:`forget`; *path* is a glob."""
        with self._book.lock:
            seen = tuple(self._book.seen)
        return [item for item in seen if fnmatchcase(item.method, method) and fnmatchcase(item.path, path)]

    def forget(self) -> None:
        """Forget the calls that arrived so far."""
        with self._book.lock:
            self._book.seen.clear()

    def removed(self) -> list[str]:
        """Return the ids of the services whose removal was asked for, by itself or in a transaction."""
        # The library writes its keys in lower case; Consul takes them in any.
        alone = [item.body.get("serviceid", "") for item in self.calls("PUT", "catalog/deregister")]
        return alone + self._in_transactions("delete")

    def added(self) -> list[str]:
        """Return the ids of the services that were put in place, by themselves or in a transaction."""
        bodies = [item.body for item in self.calls("PUT", "catalog/register")]
        alone = [body["service"]["ID"] for body in bodies if body.get("service")]
        return alone + self._in_transactions("set")

    def _in_transactions(self, verb: str) -> list[str]:
        return [
            operation["Service"]["Service"]["ID"]
            for item in self.calls("PUT", "txn")
            for operation in item.body
            if operation.get("Service", {}).get("Verb", "").startswith(verb)
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that broke is no news here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    book: _Book
    upstream: tuple[str, int]

    @override
    def handle(self) -> None:
        with self.book.lock:
            refused = len(self.book.open) >= self.book.most
            self.book.refused += refused
            if not refused:
                self.book.open.add(self.connection)
        if refused:
            return
        self._to = http.client.HTTPConnection(*self.upstream, timeout=_UPSTREAM)
        try:
            with contextlib.suppress(OSError, http.client.HTTPException):
                super().handle()
        finally:
            self._to.close()
            with self.book.lock:
                self.book.open.discard(self.connection)

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        path = self.path.split("?")[0].removeprefix("/v1/")
        with self.book.lock:
            self.book.seen.append(Seen(self.command, path, json.loads(body) if body else None))
        early = self._fault(path, before=True)
        if early is not None:
            self._fail(early)
            return
        headers = {key: value for key, value in self.headers.items() if key.lower() != "host"}
        self._to.request(self.command, self.path, body, headers)
        answer = self._to.getresponse()
        content = answer.read()
        kept = [
            (key, value)
            for key, value in answer.getheaders()
            if key.lower() not in {"content-length", "transfer-encoding", "connection"}
        ]
        late = self._fault(path, before=False) or self._fault(path, before=True)
        if late is None:
            self._answer(answer.status, kept, content)
        elif late.kind in _BEFORE:
            self._fail(late)
        else:
            self._bend(late, answer.status, kept, content)

    do_GET = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - the base class finds them by these names

    def _fault(self, path: str, *, before: bool) -> Fault | None:
        with self.book.lock:
            return next(
                (
                    fault
                    for fault in self.book.faults.values()
                    if (fault.kind in _BEFORE) is before and fault.takes(self.command, path)
                ),
                None,
            )

    def _fail(self, fault: Fault) -> None:
        if fault.kind == "status":
            self._answer(fault.status, [("Content-Type", "text/plain")], fault.body.encode())
            return
        if fault.kind == "hang":
            time.sleep(fault.seconds)
        else:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def _bend(self, fault: Fault, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        match fault.kind:
            case "empty":
                content = b"{}" if content.lstrip().startswith(b"{") else b"[]"
            case "garbage":
                content = b'{"Node": <html>oops'
            case "replace":
                content = fault.body.encode()
            case "header":
                name, value = fault.body.split(": ")
                headers = [pair for pair in headers if pair[0].lower() != name.lower()] + [(name, value)]
            case "cut":
                self._answer(status, headers, content, sent=len(content) // 2)
                self.close_connection = True
                return
            case _:
                self._fail(fault)
                return
        self._answer(status, headers, content)

    def _answer(
        self, status: int, headers: list[tuple[str, str]], content: bytes, sent: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""
