"""``syncer plan`` and ``syncer once``: one pass, looked at or carried out."""

import json
import threading
from functools import partial
from pathlib import Path

import click

from syncer.app.installation import Installation
from syncer.app.signals import stop_on_signals
from syncer.cli.leaving import LOOKING, WRITING, run_until_stopped
from syncer.cli.options import config_option, settings_or_exit, start_logging
from syncer.cli.render import plan_text
from syncer.cli.render_json import plan_json
from syncer.core.report import Observers, PassReport
from syncer.observe.changelog import ChangeLog
from syncer.settings import Settings


@click.command(
    epilog="\b\n+  is added          ~  is changed in place          -  is removed\n"
    "!  is held by the guard, in conflict, or could not be read\n\n"
    "\b\nExamples:\n  syncer plan -c syncer.yaml\n  syncer plan --json | jq '.routes[].changes'"
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="List what is skipped, too, with the reason, and what to do about it behind an arrow.",
)
def plan(path: Path, *, as_json: bool, verbose: bool) -> None:
    """Show what would be done, and change nothing.

    A namespace that is missing, and that the settings say how to create, is planned for as an empty one.
    """
    settings = settings_or_exit(path)
    start_logging(settings, level="warning")
    stop = stop_on_signals()
    work = partial(_planned, settings, stop, as_json=as_json, verbose=verbose)
    run_until_stopped(work, stop, LOOKING)


def _planned(settings: Settings, stop: threading.Event, *, as_json: bool, verbose: bool) -> int:
    installation = Installation(settings, stop, Observers(), looks=True)
    problems = installation.bring_up()
    reports, created = installation.once(write=False), installation.awaited()
    if as_json:
        click.echo(json.dumps(plan_json(reports, created) | {"problems": list(problems)}, indent=2))
    else:
        for line in plan_text(reports, created, verbose=verbose):
            click.echo(line)
    for problem in problems:
        click.echo(f"syncer: {problem}", err=True)
    return 1 if problems or any(report.errors for report in reports) else 0


@click.command(epilog="\b\nExample:\n  syncer once -c syncer.yaml && echo in sync")
@config_option
def once(path: Path) -> None:
    """Bring everything in step once, wait for it, and end.

    The exit code is 0 if everything is in sync afterwards, and 1 if something is held, in conflict, could not be
    read or could not be written.
    """
    settings = settings_or_exit(path)
    start_logging(settings)
    stop = stop_on_signals()
    run_until_stopped(partial(_brought_in_step, settings, stop), stop, WRITING)


def _brought_in_step(settings: Settings, stop: threading.Event) -> int:
    installation = Installation(settings, stop, Observers((ChangeLog(),)))
    problems = list(installation.bring_up())
    reports = installation.once(write=True)
    problems.extend(problem for report in reports for problem in left_over(report))
    installation.engine.close()
    for problem in problems:
        click.echo(f"syncer: {problem}", err=True)
    owned = sum(report.owned for report in reports)
    click.echo(
        f"{'not in sync' if problems else 'in sync'}: {len(reports)} routes, {owned} instances of ours"
    )
    return 1 if problems else 0


def left_over(report: PassReport) -> list[str]:
    """Return what of *report* means that its route is not in sync."""
    found = [f"{report.route}: {error}" for error in report.errors]
    for item in report.plans:
        found.extend(f"{report.route}: {item.service}: {reason}" for reason in item.unreadable)
        found.extend(
            f"{report.route}: {item.service}: conflict: {conflict.reason}" for conflict in item.conflicts
        )
        if item.held:
            found.append(f"{report.route}: {item.service}: {len(item.held)} removals held: {item.hold}")
    changes = sum(len(item.changes) for item in report.plans)
    if changes:
        found.append(f"{report.route}: {changes} changes are left to do")
    return found
