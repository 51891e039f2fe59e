"""``syncer health``: is the running process alive? For a container's health check, without curl."""

import sys
from pathlib import Path

import click

from syncer.app.running import NotRunning, ask_health
from syncer.cli.options import config_option, url_option, where_to_ask


@click.command(epilog='\b\nExample, in a Dockerfile:\n  HEALTHCHECK CMD ["syncer", "health"]')
@config_option
@url_option
def health(path: Path, url: str | None) -> None:
    """Ask the running process whether it is alive (/healthz), and say so by the exit code.

    0 if it is; 1 if it should be started anew, or if nothing answers.
    """
    try:
        problems = ask_health(where_to_ask(path, url))
    except NotRunning as e:
        problems = (str(e),)
    for problem in problems:
        click.echo(f"syncer: {problem}", err=True)
    sys.exit(1 if problems else 0)
