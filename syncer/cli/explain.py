"""``syncer explain``: why a service is carried, or is not."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from syncer.app.explaining import Explanation, Standing, Verdict
from syncer.app.explaining import explain as explanation_of
from syncer.app.running import NotRunning, address_of, ask_status
from syncer.app.signals import stop_on_signals
from syncer.cli.leaving import LOOKING, run_until_stopped
from syncer.cli.options import config_option, settings_or_exit, start_logging, url_option
from syncer.cli.render import describe, symbol, where
from syncer.core.model import Conflict, Instance, Skip, Unreadable
from syncer.core.plan import ServicePlan, instance_id
from syncer.settings import Settings

_EPILOG = """\b
Examples:
  syncer explain web -c syncer.yaml
  syncer explain web.corp.internal
"""


@click.command(epilog=_EPILOG)
@click.argument("service")
@config_option
@url_option
def explain(service: str, path: Path, url: str | None) -> None:
    """Say where SERVICE is, which route and rule takes or leaves it, and what happened to it last.

    SERVICE is a plain name or any DNS form of it. It is read on all sides, and nothing is written; what was done last,
    and which error is current, is asked of the running process. The exit code is 1 if SERVICE is nowhere, or a side
    cannot be read.
    """
    settings = settings_or_exit(path)
    start_logging(settings, level="error")
    stop = stop_on_signals()
    run_until_stopped(partial(_explained, settings, service, stop, url), stop, LOOKING)


def _explained(settings: Settings, service: str, stop: threading.Event, url: str | None) -> int:
    found = explanation_of(settings, service, stop)
    for line in explanation_text(found):
        click.echo(line)
    names = {standing.service for standing in found.standings} or {service}
    for line in _running(url or address_of(settings), sorted(names)):
        click.echo(line)
    for problem in found.problems:
        click.echo(f"syncer: {problem}", err=True)
    if not found.found and not found.problems:
        click.echo(f"syncer: {service} is in none of the registries", err=True)
    unreadable = any(isinstance(standing.read, Unreadable) for standing in found.standings)
    return 1 if found.problems or unreadable or not found.found else 0


def explanation_text(found: Explanation) -> Iterator[str]:
    """Yield *found* as lines for people: the registries, then the routes."""
    for standing in found.standings:
        yield from _standing(standing)
    for name in found.awaited:
        yield f"namespace {name}: not there yet, `syncer once` or `syncer run` creates it"
    for verdict in found.verdicts:
        yield from _verdict(verdict)


def _standing(standing: Standing) -> Iterator[str]:
    dns = f", in DNS {standing.dns}" if standing.dns else ""
    title = f"{standing.title}: {standing.service}{dns}"
    if isinstance(standing.read, Unreadable):
        yield f"{title}: cannot be read: {standing.read.reason}"
        return
    if not standing.there:
        yield f"{title}: not there"
        return
    info = standing.read.info
    if info is not None:
        made = f", created by {info.owner!r}" if info.owner else ""
        records = f"{'+'.join(sorted(info.records))} records" if info.records else "found by the API only"
        title += f" ({records}{made})"
    yield title
    for instance in standing.read.instances:
        yield f"  {instance.id:<40} {where(instance)}  {instance.health}  {_owner(instance)}".rstrip()
    if not standing.read.instances:
        yield "  no instances"


def _owner(instance: Instance) -> str:
    if instance.mark is not None:
        mark = instance.mark
        stood_for = f"{mark.service}/{mark.instance}" if mark.service else mark.instance
        return f"written by {mark.owner!r} for {stood_for} in {mark.origin}"
    return f"managed by {instance.managed_by}" if instance.managed_by else ""


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.route}: {verdict.source or 'nothing'} → {verdict.target or 'no name'}"
    if verdict.left is not None:
        yield f"  left out: {verdict.left.reason}{_advice(verdict.left)}"
    if verdict.echo:
        owners = ", ".join(sorted({repr(item.mark.owner) for item in verdict.echo if item.mark}))
        yield f"  no source: what a syncer wrote, {len(verdict.echo)} in number, by {owners}"
    if verdict.plan is not None:
        yield from _plan(verdict.plan, verdict.left)


def _plan(plan: ServicePlan, left: Skip | Conflict | None) -> Iterator[str]:
    for reason in plan.unreadable:
        yield f"  not planned: {reason}"
    if plan.unreadable:
        return
    remarks: tuple[Skip | Conflict, ...] = (*plan.skipped, *plan.conflicts)
    for item in remarks:
        if left is not None and item.reason == left.reason:
            continue
        kind = "left out" if isinstance(item, Skip) else "conflict"
        yield f"  {kind}: {item.instance or item.service}: {item.reason}{_advice(item)}"
    for change in plan.changes:
        name = f"{change.service}/{instance_id(change)}".rstrip("/")
        yield f"  to do: {symbol(change)} {name}  {describe(change)}"
    if left is None and not plan.changes:
        yield f"  in step: ours are {plan.owned} of {plan.offered} that the source offers"


def _advice(item: Skip | Conflict) -> str:
    return f" → {item.advice}" if isinstance(item, Skip) and item.advice else ""


def _running(url: str | None, names: list[str]) -> Iterator[str]:
    """Yield what the running process says of the service under each of *names*."""
    if url is None:
        yield "what was done last is not known: the settings turn the web server off (http)"
        return
    seen: set[str] = set()
    try:
        for name in names:
            for line in _remembered(ask_status(url, {"service": name})):
                if line not in seen:
                    seen.add(line)
                    yield line
    except NotRunning as e:
        yield f"what was done last is not known: {e}"
        return
    if not seen:
        yield f"the process at {url} has not changed anything of it since it started"


def _remembered(answer: dict[str, Any]) -> Iterator[str]:
    for item in answer["held"]["items"]:
        yield f"held: {item['route']}: {item['removals']} removals: {item['reason']} → {item['advice']}"
    for item in answer["failing"]["items"]:
        what = f"{item['kind']} {item['service']}/{item['instance']}".rstrip("/")
        yield f"failing: {item['route']}: {what}, {item['times']} times since {item['since']}: {item['error']}"
    for item in answer["unreadable"]["items"]:
        yield f"unreadable: {item['route']}: {'; '.join(item['reasons'])}"
    for item in answer["changes"]["items"]:
        what = f"{item['kind']} {item['service']}/{item['instance']}".rstrip("/")
        error = f": {item['error']}" if item["error"] else ""
        yield f"last: {item['at']} {item['route']}: {what} {item['address']} {item['result']}{error}"
