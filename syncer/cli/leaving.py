"""Ending a command in time when it is told to stop, whatever it waits for."""

import os
import sys
import threading
from collections.abc import Callable
from typing import Final, NoReturn

import click

LOOKING: Final = 1.0
"""Seconds for a command that only looks: it has nothing to bring to an end."""
WRITING: Final = 8.5
"""Seconds for a command that writes: as long as the engine gives to what is under way, and a little."""


def run_until_stopped(work: Callable[[], int], stop: threading.Event, grace: float) -> NoReturn:
    """Do *work*, and end the process with the exit code that it returns.

    Once *stop* is set, *work* has *grace* seconds to end by itself. Then the process ends with exit code 1, even
    though a call may be under way that waits for its answer: it is made by a thread of its own, and abandoned.
    """
    done = threading.Event()
    ended: list[int | BaseException] = []

    def attempt() -> None:
        try:
            ended.append(work())
        except BaseException as e:  # noqa: BLE001 - raised again by the thread that waits
            ended.append(e)
        finally:
            done.set()

    threading.Thread(target=attempt, name="command", daemon=True).start()
    while not done.wait(0.1) and not stop.is_set():
        pass
    if not done.wait(grace if stop.is_set() else 0.0):
        _abandon("told to stop before it was done")
    (result,) = ended
    if isinstance(result, BaseException):
        raise result
    sys.exit(result)


def _abandon(reason: str) -> NoReturn:
    """End the process at once: what is under way in other threads is not waited for, as it would be by exit()."""
    click.echo(f"syncer: {reason}", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
