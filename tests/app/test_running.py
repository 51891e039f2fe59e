"""Asking the running process: where it is, and what is no answer of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from syncer.app.running import NotRunning, address_of, ask_health, ask_status
from syncer.settings import Settings


@contextmanager
def answering(status: int, body: bytes, seconds: float = 0) -> Iterator[str]:
    """Answer every question with *status* and *body*, *seconds* late; give the address."""
    late = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            late.wait(seconds)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            late.set()
            server.shutdown()
            thread.join(60)


@pytest.mark.parametrize(
    ("http", "address"),
    [
        pytest.param({}, "http://127.0.0.1:9110", id="as-it-is-by-default"),
        pytest.param({"address": "0.0.0.0", "port": 80}, "http://127.0.0.1:80", id="every-address"),
        pytest.param({"address": "::"}, "http://[::1]:9110", id="every-address-of-ipv6"),
        pytest.param({"address": "10.0.0.5"}, "http://10.0.0.5:9110", id="one-address"),
        pytest.param({"address": "fd00::1"}, "http://[fd00::1]:9110", id="one-address-of-ipv6"),
        pytest.param({"port": 0}, None, id="any-port"),
        pytest.param(False, None, id="off"),
    ],
)
def test_the_address_is_that_of_the_settings_as_it_can_be_called_from_here(
    http: Any, address: str | None
) -> None:
    settings = Settings.model_validate({"owner": "a", "namespaces": [{"name": "n"}], "http": http})
    assert address_of(settings) == address


def test_the_question_is_sent_along() -> None:
    with answering(200, b'{"program": {}, "routes": [1]}') as url:
        assert ask_status(url + "/", {"service": "a b"})["routes"] == [1]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, b"<html>", id="a-page"),
        pytest.param(200, b"[]", id="a-list"),
        pytest.param(200, b"{}", id="somebody-elses-json"),
        pytest.param(404, b'{"program": {}, "routes": []}', id="not-found"),
        pytest.param(302, b"", id="a-redirection"),
    ],
)
def test_what_is_no_status_is_not_taken_for_one(status: int, body: bytes) -> None:
    with answering(status, body) as url, pytest.raises(NotRunning, match="is not syncer"):
        ask_status(url)


def test_health_is_told_with_its_reasons() -> None:
    with answering(200, b'{"alive": true, "problems": []}') as url:
        assert ask_health(url) == ()
    with answering(503, b'{"alive": false, "problems": ["thread agenda has ended"]}') as url:
        assert ask_health(url) == ("thread agenda has ended",)
    with answering(503, b'{"alive": false, "problems": []}') as url:
        assert ask_health(url) == ("it says that it is not alive",)
    with answering(200, b"ok") as url, pytest.raises(NotRunning, match="is not syncer"):
        ask_health(url)


def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    with answering(200, b"{}", seconds=20) as url, pytest.raises(NotRunning, match="no answer in time"):
        ask_health(url, timeout=0.2)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://", "no address"])
def test_an_address_where_nobody_is_says_so(url: str) -> None:
    with pytest.raises(NotRunning):
        ask_status(url)
