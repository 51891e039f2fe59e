"""Running commands as processes of their own, as a user does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncer.app.running import NotRunning, ask_status
from tests.e2e.world import ENVIRONMENT
from tests.support.wait import eventually

Done = subprocess.CompletedProcess[str]
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """Return the environment of a command: invented credentials, and no settings of somebody's own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SYNCER_", "CONSUL_"))
    }
    return kept | ENVIRONMENT


def syncer(*words: str | Path, timeout: float = 90) -> Done:
    """Run ``syncer`` with *words* for *timeout* seconds at most; return what it printed and its exit code."""
    command = [sys.executable, "-m", "syncer", *map(str, words)]
    return subprocess.run(
        command, env=environment(), cwd=ROOT, timeout=timeout, capture_output=True, text=True, check=False
    )


@contextmanager
def running(config: Path, url: str) -> Iterator[None]:
    """Run ``syncer run`` until the block ends, and enter it once everything is in step."""
    command = [sys.executable, "-m", "syncer", "run", "-c", str(config)]
    with subprocess.Popen(command, env=environment(), cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: _ready(url), 60, "the process is ready")
            yield
        finally:
            process.terminate()
            process.wait(60)


def _ready(url: str) -> bool:
    try:
        return bool(ask_status(url)["ready"]["ok"])
    except NotRunning:
        return False
