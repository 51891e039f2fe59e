"""``syncer withdraw``: take back everything that an installation has written."""

import sys
from collections.abc import Iterable
from functools import partial
from itertools import groupby
from pathlib import Path

import click

from syncer.app.routes import CONSUL, planned, route_names
from syncer.app.signals import stop_on_signals
from syncer.app.withdrawal import Remnant, Withdrawal, forget_keys
from syncer.cli.leaving import WRITING, run_until_stopped
from syncer.cli.options import BAD_SETTINGS, config_option, fail, settings_or_exit, start_logging
from syncer.cli.render import describe, symbol
from syncer.core.plan import DeleteService, Deregister, instance_id
from syncer.core.report import Observers
from syncer.observe.changelog import ChangeLog
from syncer.settings import Settings


@click.command(
    epilog="\b\nExamples:\n  syncer withdraw -c syncer.yaml\n"
    "  syncer withdraw --route 'corp.internal->consul' --yes"
)
@config_option
@click.option("--route", "only", multiple=True, help="Only what this route has written. May be repeated.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def withdraw(path: Path, only: tuple[str, ...], *, yes: bool) -> None:
    """Remove everything that carries this owner's mark from the targets, with a plan first.

    Stop the syncer first: one that runs would register everything anew. Directions that are turned off count, too.
    Services that were created for it are deleted once they are empty, and so are the nodes in Consul; what others
    have registered stays. It may be repeated at any time.

    Exit codes: 0 nothing of ours is left; 1 something is, or could not be looked at; 2 the command line is wrong.
    """
    settings = settings_or_exit(path)
    # Every removal here is one that the guard would hold; what fails is said at the end.
    start_logging(settings, level="error")
    known = route_names(settings, disabled=True)
    unknown = sorted(set(only) - set(known))
    if unknown:
        fail(f"there is no route {unknown[0]!r}; there are {', '.join(known)}", BAD_SETTINGS)
    stop = stop_on_signals()
    withdrawal = Withdrawal(settings, only or known, stop, Observers((ChangeLog(),)))
    work = partial(_withdrawn, settings, withdrawal, whole=not only, yes=yes)
    run_until_stopped(work, stop, WRITING)


def _withdrawn(settings: Settings, withdrawal: Withdrawal, *, whole: bool, yes: bool) -> int:
    problems = list(withdrawal.look())
    remnants = tuple(withdrawal.remnants())
    _show(remnants)
    _refuse(problems)
    if remnants and not yes:
        _ask()
    problems.extend(withdrawal.carry_out())
    consul = settings.lease.enabled or any(
        CONSUL in {route.source, route.target} for route in planned(settings)
    )
    if consul and not problems and whole:
        problem = forget_keys(settings)
        if problem:
            click.echo(
                f"syncer: the keys cloudmap-sync/{settings.owner}/ in Consul stay: {problem}", err=True
            )
    _refuse(problems)
    click.echo("nothing of ours is left")
    return 0


def _show(remnants: Iterable[Remnant]) -> None:
    instances = services = 0
    for route, group in groupby(remnants, key=lambda remnant: remnant.route):
        click.echo(route)
        for remnant in group:
            change = remnant.change
            name = f"{change.service}/{instance_id(change)}".rstrip("/")
            click.echo(f"  {symbol(change)} {name:<48} {describe(change)}")
            instances += isinstance(change, Deregister)
            services += isinstance(change, DeleteService)
    click.echo(
        f"Plan: {instances} instances to remove, {services} empty services to delete, "
        "and those that become empty."
    )


def _refuse(problems: Iterable[str]) -> None:
    found = tuple(problems)
    for problem in found:
        click.echo(f"syncer: {problem}", err=True)
    if found:
        fail("something of ours may be left")


def _ask() -> None:
    if not sys.stdin.isatty():
        fail("this is no terminal to ask at; --yes goes on without a question", BAD_SETTINGS)
    if not click.confirm("Remove all of this?"):
        fail("nothing was removed")
