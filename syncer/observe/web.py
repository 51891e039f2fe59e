"""The web server: metrics, health, status as JSON and as a page. Read-only; nothing it sends asks elsewhere."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from syncer.observe.health import Health
from syncer.observe.metrics import Metrics
from syncer.observe.query import parse_query
from syncer.observe.render import assets, page
from syncer.observe.snapshot import Status

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger()

_PLAIN: Final = "text/plain; charset=utf-8"
_JSON: Final = "application/json; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"
_REASONS: Final = {
    200: "OK",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    content_type: str
    body: bytes
    status: int = 200


Handler = Callable[["WSGIEnvironment"], Answer]


def make_app(*, metrics: Metrics, status: Status, health: Health) -> "WSGIApplication":
    """Return the application: ``/``, ``/status.json``, ``/metrics``, ``/healthz``, ``/readyz``; GET and HEAD alone."""
    handlers: dict[str, Handler] = {
        "/metrics": lambda environ: Answer(*metrics.render(environ.get("HTTP_ACCEPT", ""))),
        "/healthz": lambda _: _verdict("alive", health.alive()),
        "/readyz": lambda _: _verdict("ready", health.ready()),
        "/status.json": lambda environ: _json(status.snapshot(parse_query(environ.get("QUERY_STRING", "")))),
        "/": lambda environ: _page(status, environ),
    }
    for name, asset in assets().items():
        handlers[f"/{name}"] = _fixed(Answer(asset.content_type, asset.body))

    def app(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        answer = _answer(handlers, method, environ)
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *_SECURITY,
        ]
        if answer.status == 405:
            headers.append(("Allow", "GET, HEAD"))
        start(f"{answer.status} {_REASONS[answer.status]}", headers)
        return [] if method == "HEAD" else [answer.body]

    return app


class WebServer:
    """Serves an application from a daemon thread until it is stopped."""

    def __init__(self, app: "WSGIApplication", *, address: str = "127.0.0.1", port: int = 8080) -> None:
        """Serve *app* at *address* (``::`` takes IPv4, too) and *port*; 0 takes any that is free."""
        self._app = app
        self._where = (address, port)
        self._stop = threading.Event()
        self._letting_go = threading.Lock()
        """What wakes the thread must not be closed, and its number given to another file, while it is used."""
        self._thread: threading.Thread | None = None
        self._wake: Callable[[], None] = lambda: None
        self.port = port
        """The port in use, once started."""

    def start(self) -> None:
        """Bind, and serve from now on.

        Raises:
            OSError: the address or the port cannot be had.
        """
        address, _ = self._where
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server(self._where, family=family, dualstack_ipv6=address == "::")
        self.port = listening.getsockname()[1]
        channels: dict[int, Any] = {}
        server = create_server(
            self._app,
            map=channels,
            sockets=[listening],
            threads=4,
            ident="",
            connection_limit=100,
            channel_timeout=60,
            max_request_header_size=16_384,
            max_request_body_size=16_384,
        )

        assert isinstance(server, BaseWSGIServer)  # as for any single socket

        def serve() -> None:
            while not self._stop.is_set():
                wasyncore.loop(timeout=0.5, map=channels, count=1)
            server.task_dispatcher.shutdown(cancel_pending=True, timeout=1)
            with self._letting_go:
                wasyncore.close_all(channels, ignore_all=True)

        self._wake = server.pull_trigger
        self._thread = threading.Thread(target=serve, name="web", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, and let go of the port; returns within two seconds or so."""
        with self._letting_go:
            if not self._stop.is_set():
                self._stop.set()
                self._wake()
        if self._thread is not None:
            self._thread.join(2.5)


def _answer(handlers: Mapping[str, Handler], method: str, environ: "WSGIEnvironment") -> Answer:
    if method not in {"GET", "HEAD"}:
        return Answer(_PLAIN, b"Only GET and HEAD are answered.\n", 405)
    handler = handlers.get(environ.get("PATH_INFO", ""))
    if handler is None:
        return Answer(_PLAIN, b"There is nothing here.\n", 404)
    try:
        return handler(environ)
    except Exception:  # noqa: BLE001 - a defect in one answer must not show its insides; it is logged whole
        _log.exception("answer_failed", path=environ.get("PATH_INFO", ""))
        return Answer(_PLAIN, b"This answer failed; the log says why.\n", 500)


def _fixed(answer: Answer) -> Handler:
    return lambda _: answer


def _json(data: Mapping[str, Any], status: int = 200) -> Answer:
    return Answer(_JSON, json.dumps(data, ensure_ascii=True).encode() + b"\n", status)


def _verdict(name: str, problems: tuple[str, ...]) -> Answer:
    return _json({name: not problems, "problems": list(problems)}, 503 if problems else 200)


def _page(status: Status, environ: "WSGIEnvironment") -> Answer:
    query = parse_query(environ.get("QUERY_STRING", ""))
    return Answer(_HTML, page(status.snapshot(query), query).encode("utf-8", "replace"))
