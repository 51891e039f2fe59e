"""Connections to one endpoint: pooled, kept alive, watched for dead peers, and to be cut from another thread."""

import socket
import time
from contextlib import suppress
from threading import Lock
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection

from syncer.core.errors import Garbled, Unavailable
from syncer.systems.consul.endpoint import Endpoint

_LARGEST_ANSWER: Final = 512 << 20

# A connection whose other end is gone is noticed within half a minute, not when a blocking query is over.
_KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
for _name, _value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
    if hasattr(socket, _name):
        _KEEPALIVE.append((socket.IPPROTO_TCP, getattr(socket, _name), _value))


class Sockets:
    """The open sockets of a transport, to be shut from another thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self.is_cut = False

    def add(self, sock: socket.socket) -> None:
        """Take note of a new socket; shut it if :meth:`cut` was called before."""
        with self._lock:
            # Those that the pool has closed meanwhile have no file any more.
            self._open = {other for other in self._open if other.fileno() != -1}
            self._open.add(sock)
            cut = self.is_cut
        if cut:
            _shut(sock)

    def cut(self) -> None:
        """Shut all sockets, those to come included: who reads from one is woken at once."""
        with self._lock:
            self.is_cut = True
            sockets, self._open = self._open, set()
        for sock in sockets:
            _shut(sock)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # closed already
        # Below TLS: its own shutdown is not made for another thread's use.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def make_pool(endpoint: Endpoint, connections: int, sockets: Sockets) -> urllib3.HTTPConnectionPool:
    """Return a pool of at most *connections* to *endpoint*, whose sockets *sockets* knows.

    A call that finds all of them in use waits for one.
    """
    common: dict[str, Any] = {"maxsize": connections, "block": True, "socket_options": _KEEPALIVE}
    pool: urllib3.HTTPConnectionPool
    if endpoint.scheme == "https":
        tls = endpoint.tls
        if not tls.verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        pool = urllib3.HTTPSConnectionPool(
            endpoint.host,
            endpoint.port,
            ssl_context=tls.context,
            server_hostname=tls.server_name,
            assert_hostname=tls.server_name if tls.verify else False,
            **common,
        )
    else:
        pool = urllib3.HTTPConnectionPool(endpoint.host, endpoint.port, **common)
    pool.ConnectionCls = _known_to(sockets, pool.ConnectionCls)
    return pool


def _known_to(sockets: Sockets, kind: type[Any]) -> type[HTTPConnection]:
    class Known(kind):  # type: ignore[misc]  # its base is chosen at run time: with TLS or without
        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                sockets.add(self.sock)

    return Known


def whole_body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytearray:
    """Read the whole body, but not past *deadline*: a timeout of the socket alone forgives a dripping server.

    Raises:
        Garbled: there is no end to it.
        Unavailable: it takes too long.
    """
    content = bytearray()  # grown in place: a large answer is not held twice
    while part := response.read1(1 << 18):
        content += part
        if len(content) > _LARGEST_ANSWER:
            raise Garbled("the answer does not end", code="size")
        if time.monotonic() > deadline:
            raise Unavailable("the answer did not arrive in time", code="timeout")
    return content
