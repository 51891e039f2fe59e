"""Programs that hand their words to a test, and print what it says."""

import json
import shlex
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

_TEXT = """\
#!{python} -IS
import json, os, sys, urllib.request
words = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if "--password-stdin" in words:
    words.append(sys.stdin.read())
request = urllib.request.Request("http://127.0.0.1:{port}/", json.dumps(words).encode())
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
with opener.open(request, timeout=100) as answer:
    told = json.load(answer)
sys.stdout.write(told["out"])
sys.stderr.write(told["err"])
sys.exit(1 if told["err"] else 0)
"""


class Programs:
    """Files that can be run; *carry_out* gets the words of each, its name first, and returns what it prints.

    What *carry_out* raises is told on standard error, and the program leaves with 1.
    """

    def __init__(self, carry_out: Callable[[list[str]], str]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(carry_out))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

    def write(self, folder: Path, *names: str) -> None:
        """Write programs of these names into *folder*."""
        text = _TEXT.format(python=sys.executable, port=self._server.server_port)
        for name in names:
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)


def _handler(carry_out: Callable[[list[str]], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Hand on what a program was called with."""
            words = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told = {"out": "", "err": ""}
            try:
                told["out"] = carry_out(words)
            except Exception as e:  # noqa: BLE001 - the program tells it
                told["err"] = f"{shlex.join(words)}: {type(e).__name__}: {e}\n"
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
