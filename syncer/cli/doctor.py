"""``syncer doctor``: does everything work that the settings rely on?"""

import json
import threading
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from syncer.app.doctor.acl import hcl, rights
from syncer.app.doctor.examination import examine
from syncer.app.doctor.findings import Finding, levels
from syncer.app.doctor.policies import iam_policies
from syncer.app.signals import stop_on_signals
from syncer.cli.leaving import LOOKING, run_until_stopped
from syncer.cli.options import config_option, settings_or_exit, start_logging
from syncer.settings import Settings

_EPILOG = """\b
Examples:
  syncer doctor -c syncer.yaml
  syncer doctor --json | jq '.findings[] | select(.level != "ok")'
  syncer doctor --print-policies
  syncer doctor --print-policies --json | jq -r .consul | consul acl policy create -name syncer -rules -
"""


@click.command(epilog=_EPILOG)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.option(
    "--print-policies",
    is_flag=True,
    help="Print the least IAM and Consul policies for these settings, and ask nobody anything.",
)
def doctor(path: Path, *, as_json: bool, print_policies: bool) -> None:
    """Look at everything that the settings rely on, and change nothing.

    One line for each finding: ok, warning or fault, and what to do behind an arrow. Rights to write are tried by calls
    that cannot change anything. The exit code is 1 if there is a fault.
    """
    settings = settings_or_exit(path)
    if print_policies:
        click.echo(_policies_json(settings) if as_json else _policies_text(settings), nl=as_json)
        return
    start_logging(settings, level="error")
    stop = stop_on_signals()
    run_until_stopped(partial(_examined, settings, stop, as_json=as_json), stop, LOOKING)


def _examined(settings: Settings, stop: threading.Event, *, as_json: bool) -> int:
    found = []
    for finding in examine(settings, stop):
        found.append(finding)
        if not as_json:
            click.echo(line(finding))
    counted = levels(found)
    if as_json:
        click.echo(json.dumps(findings_json(found), indent=2))
    else:
        click.echo(f"{counted['fault']} faults, {counted['warning']} warnings, {counted['ok']} ok")
    return 1 if counted["fault"] else 0


def line(finding: Finding) -> str:
    """Return *finding* as one line."""
    advice = f" → {finding.advice}" if finding.advice else ""
    return " ".join(f"{finding.level.value:<8}{finding.about}: {finding.what}{advice}".splitlines())


def findings_json(found: Iterable[Finding]) -> dict[str, Any]:
    """Return *found* as plain values, with how many there are of each level."""
    listed = list(found)
    return {
        "findings": [
            {"level": item.level.value, "about": item.about, "what": item.what, "advice": item.advice}
            for item in listed
        ],
        "summary": levels(listed),
    }


def _policies_text(settings: Settings) -> str:
    parts = [
        f"# IAM: {identity}\n{json.dumps(policy, indent=2)}\n"
        for identity, policy in iam_policies(settings).items()
    ]
    return "\n".join([*parts, f"# Consul: the token's policy\n{hcl(rights(settings))}"])


def _policies_json(settings: Settings) -> str:
    return json.dumps({"iam": iam_policies(settings), "consul": hcl(rights(settings))}, indent=2)
