"""``syncer approve``: let removals pass that the guard holds."""

import getpass
import socket
import threading
import time
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final

import click

from syncer.app.installation import Installation
from syncer.app.routes import route_names
from syncer.app.sharing import open_approvals
from syncer.app.signals import stop_on_signals
from syncer.cli.leaving import LOOKING, run_until_stopped
from syncer.cli.options import BAD_SETTINGS, config_option, fail, settings_or_exit, start_logging
from syncer.core.errors import SyncError
from syncer.core.report import Observers
from syncer.settings import Settings
from syncer.systems.consul.approvals import VALID

_PATIENCE: Final = 10.0
"""Seconds within which a running syncer takes an approval up."""

_OTHERWISE: Final = "what is held passes as guard.release_after says"


@click.command(
    epilog="\b\nExamples:\n  syncer approve                          what is held?\n"
    "  syncer approve 'consul->corp.internal'  let it pass"
)
@click.argument("route", required=False)
@config_option
def approve(route: str | None, path: Path) -> None:
    """Let the removals of ROUTE pass that the guard holds now.

    The running syncer is told by Consul's key/value store. What it plans to remove later is judged anew. Without
    ROUTE, show what is held; the exit code is then 1 if anything is.

    Exit codes: 0 the running syncer took the approval up; 1 it did not, or Consul cannot be reached or is not used; 2
    there is no such route.
    """
    settings = settings_or_exit(path)
    start_logging(settings, level="warning")
    stop = stop_on_signals()
    if route is None:
        run_until_stopped(partial(_show_held, settings, stop), stop, LOOKING)
    known = route_names(settings)
    if route not in known:
        for name in known:
            click.echo(f"  {quote(name)}", err=True)
        fail(f"there is no route {route!r}; the routes of {path} are listed above", BAD_SETTINGS)
    if not settings.uses_consul:
        fail(f"these settings do not use Consul, by which a running syncer would be told; {_OTHERWISE}")
    run_until_stopped(partial(_approve, settings, route, stop), stop, LOOKING)


def _approve(settings: Settings, route: str, stop: threading.Event) -> int:
    try:
        taken = _approved(settings, route, stop)
    except SyncError as e:
        fail(f"Consul: {e}")
    if not taken:
        fail(
            f"no running syncer of owner {settings.owner!r} took it up within {_PATIENCE:.0f} s; "
            f"one that writes {route} within {VALID / 60:.0f} minutes from now does"
        )
    click.echo(f"{route}: what was held passes now")
    return 0


def _approved(settings: Settings, route: str, stop: threading.Event) -> bool:
    approvals = open_approvals(settings)
    approvals.give(route, f"{getpass.getuser()}@{socket.gethostname()}")
    deadline = time.monotonic() + _PATIENCE
    while approvals.given(route):
        if time.monotonic() > deadline or stop.wait(0.1):
            return False
    return True


def _show_held(settings: Settings, stop: threading.Event) -> int:
    """Plan once, as ``syncer plan`` does, and say what the guard holds; return the exit code."""
    installation = Installation(settings, stop, Observers(), looks=True)
    problems = list(installation.bring_up())
    reports = installation.once(write=False)
    installation.engine.close()
    problems.extend(f"{report.route}: {error}" for report in reports for error in report.errors)
    for report in reports:
        for plan in report.plans:
            if plan.held:
                click.echo(f"{report.route}: {plan.service}: {len(plan.held)} removals held: {plan.hold}")
    held = [report.route for report in reports if report.held]
    for name in held:
        click.echo(f"to let them pass: syncer approve {quote(name)}" if settings.uses_consul else _OTHERWISE)
    if not held and not problems:
        click.echo("nothing is held")
    for problem in problems:
        click.echo(f"syncer: {problem}", err=True)
    return 1 if held or problems else 0
