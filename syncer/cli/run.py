"""``syncer run``: keep everything in step until told to stop."""

import sys
from pathlib import Path

import click

from syncer.app.service import serve
from syncer.app.signals import stop_on_signals
from syncer.cli.options import config_option, fail, settings_or_exit, start_logging


@click.command(epilog="\b\nExamples:\n  syncer run -c syncer.yaml\n  SYNCER_OWNER=vpc-test syncer run")
@config_option
def run(path: Path) -> None:
    """Keep everything in step until SIGTERM or SIGINT; then leave within 10 seconds, with exit code 0.

    Leaving withdraws nothing. Metrics are at /metrics, the state at /healthz, /readyz and /status.json, and a page
    for people at /, all on the address that the settings give.
    """
    settings = settings_or_exit(path)
    start_logging(settings)
    stop = stop_on_signals()
    try:
        serve(settings, stop)
    except OSError as e:
        fail(
            f"the HTTP address {settings.http.address}:{settings.http.port} cannot be used: {e.strerror or e}"
        )
    sys.exit(0)
