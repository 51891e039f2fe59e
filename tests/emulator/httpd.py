"""A small threaded HTTP/1.1 server with keep-alive: Cloud Map directly, all else to moto."""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedIOBase

from typing_extensions import override

from .protocol import Reply

_LONGEST_LINE = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in lower case, ``raw_headers`` as they came."""

    method: str
    target: str
    headers: dict[str, str]
    raw_headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: tuple[str, int]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer with its own headers, as moto gives it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


Answer = Reply | Response
Route = Callable[[Request], Answer]


def read_request(stream: BufferedIOBase, connection: socket.socket, peer: tuple[str, int]) -> Request | None:
    """Return the next request, or None at the end of the connection. Raises ValueError if malformed."""
    line = stream.readline(_LONGEST_LINE)
    if not line.strip():
        return None
    method, target, _version = line.decode("latin-1").split(" ", 2)
    raw: list[tuple[str, str]] = []
    while (line := stream.readline(_LONGEST_LINE)) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        raw.append((name, value.strip()))
    headers = {name.lower(): value for name, value in raw}
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b"".join(iter(lambda: _chunk(stream), b""))
    else:
        body = stream.read(int(headers.get("content-length") or 0))
    return Request(method, target, headers, tuple(raw), body, peer)


def _chunk(stream: BufferedIOBase) -> bytes:
    size = int(stream.readline(_LONGEST_LINE).partition(b";")[0], 16)
    data = stream.read(size)
    stream.readline(_LONGEST_LINE)
    return data


def _encode(request: Request, answer: Answer, request_id: str) -> bytes:
    if isinstance(answer, Reply):
        headers: tuple[tuple[str, str], ...] = (("Content-Type", answer.content_type),)
    else:
        headers = answer.headers
    status = HTTPStatus(answer.status or 500)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", f"x-amzn-RequestId: {request_id}"]
    lines += [
        f"{name}: {value}" for name, value in headers if name.lower() not in ("content-length", "connection")
    ]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    body = b"" if request.method == "HEAD" else answer.body
    return "\r\n".join(lines).encode("latin-1") + body


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: "HttpServer"

    @override
    def handle(self) -> None:
        self.server.connections.add(self.connection)
        try:
            while request := read_request(self.rfile, self.connection, self.client_address):
                answer = self.server.route(request)
                if answer.status is None:
                    _reset(self.connection)
                    return
                self.connection.sendall(_encode(request, answer, self.server.next_id()))
                if request.headers.get("connection", "").lower() == "close":
                    return
        except (OSError, ValueError):
            return  # the peer went away, or does not speak HTTP
        finally:
            self.server.connections.discard(self.connection)


def _reset(connection: socket.socket) -> None:
    """Close so that the peer sees a reset, not an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stop_serving(server: socketserver.TCPServer) -> None:
    """Shut *server* down at once: it is woken, as it looks up only now and then."""
    stopping = threading.Thread(target=server.shutdown, daemon=True)
    stopping.start()
    while stopping.is_alive():
        with socket.socket(server.address_family, server.socket_type) as waker, suppress(OSError):
            waker.settimeout(0.2)
            waker.connect(server.server_address)
            waker.send(b"")
        stopping.join(0.005)
    server.server_close()


class HttpServer(socketserver.ThreadingTCPServer):
    """A thread for each connection; every request goes to *route*."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512
    block_on_close = False

    def __init__(self, address: tuple[str, int], route: Route, next_id: Callable[[], str]) -> None:
        super().__init__(address, _Handler)
        self.route = route
        self.next_id = next_id
        self.connections: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, name="emulator-http", daemon=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and close every connection."""
        stop_serving(self)
        self._thread.join(60)
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed meanwhile
