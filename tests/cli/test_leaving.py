"""Commands that are told to stop while nobody answers them: they leave, long before their calls time out."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from syncer.cli.leaving import run_until_stopped
from tests.cli.process import ROOT, environment
from tests.support.ports import free_port

IN_TIME = 30.0
"""Seconds; half of what the calls wait for their answers."""


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", free_port()), backlog=64) as listening:
        listening.settimeout(60)
        yield listening


@pytest.mark.parametrize(
    "command",
    [["once"], ["plan"], ["doctor"], ["explain", "web"], ["approve"], ["withdraw"]],
    ids=lambda it: it[0],
)
def test_a_command_that_waits_for_an_answer_leaves_when_it_is_told_to(
    command: list[str], silent: socket.socket, tmp_path: Path
) -> None:
    host, port = silent.getsockname()
    url = f"http://{host}:{port}"
    tree = {
        "owner": "tests",
        "consul": {"address": url, "timeout": 60},
        "aws": {"region": "eu-central-1", "endpoint_url": url, "timeout": 60},
        "namespaces": [{"name": "corp.internal"}],
        "http": False,
    }
    path = tmp_path / "syncer.yaml"
    path.write_text(yaml.safe_dump(tree))
    words = [sys.executable, "-m", "syncer", *command, "-c", str(path)]
    with subprocess.Popen(
        words, env=environment(), cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            held = silent.accept()  # kept open: whoever asks waits for an answer
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=IN_TIME)
            held[0].close()
        finally:
            process.kill()
    assert process.returncode == 1
    assert "syncer: told to stop before it was done" in told


def test_what_ends_by_itself_gives_its_own_exit_code() -> None:
    with pytest.raises(SystemExit) as left:
        run_until_stopped(lambda: 3, threading.Event(), 60)
    assert left.value.code == 3


def test_a_failure_is_raised_where_one_waits_for_it() -> None:
    def fail() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_until_stopped(fail, threading.Event(), 60)


def test_what_is_told_to_stop_may_bring_its_work_to_an_end() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(SystemExit) as left:
        run_until_stopped(lambda: 0, stop, 60)
    assert left.value.code == 0
