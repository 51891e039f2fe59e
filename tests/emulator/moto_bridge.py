"""Hands a request to moto's WSGI application, and brings its answer back whole."""

import io
import sys
from typing import Any
from urllib.parse import unquote

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .httpd import Request, Response


class Moto:
    """All of AWS but Cloud Map, as moto has it."""

    def __init__(self, port: int) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._port = port

    def handle(self, request: Request) -> Response:
        """Return moto's answer."""
        status = 500
        headers: list[tuple[str, str]] = []

        def start_response(line: str, given: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            nonlocal status, headers
            status, headers = int(line.split(" ", 1)[0]), given
            return lambda _data: None

        chunks = self._app(self._environ(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Response(status, tuple(headers), body)

    def _environ(self, request: Request) -> dict[str, Any]:
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(request.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(request.path, "latin-1"),
            "QUERY_STRING": request.query,
            "REQUEST_URI": request.target,
            "RAW_URI": request.target,
            "REMOTE_ADDR": request.peer[0],
            "REMOTE_PORT": request.peer[1],
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self._port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(request.body)),
        }
        preserved: dict[str, str] = {}
        for name, value in request.raw_headers:
            key = name.upper().replace("-", "_")
            if key in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                continue
            if "_" in name:
                if not should_preserve_original_header_name(name):
                    continue
                preserved[environ_key_for_header(name)] = name
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = preserved
        return environ
