"""``syncer names``: what a service is called everywhere, and whether all names answer alike."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from syncer.app.naming import Called, Family, families
from syncer.app.places import links, places
from syncer.app.resolving import Answer, agree, ask
from syncer.cli.options import config_option, settings_or_exit

_EPILOG = """\b
Examples:
  syncer names web
  syncer names web.corp.internal
  syncer names _web._tcp.service.consul --resolve
"""


@click.command(epilog=_EPILOG)
@click.argument("name")
@config_option
@click.option("--resolve", is_flag=True, help="Ask the DNS servers of all sides, and compare their answers.")
def names(name: str, path: Path, *, resolve: bool) -> None:
    """Show every name of a service on all sides, both ways.

    NAME is a service's plain name or any DNS form of it. With --resolve the exit code is 1 if the sides disagree.
    """
    settings = settings_or_exit(path)
    found = tuple(families(name, places(settings), links(settings)))
    if not found:
        click.echo(f"{name} is in no form that Consul or the configured namespaces know", err=True)
        sys.exit(1)
    same = True
    for family in found:
        click.echo(f"{family.origin.service} in {family.origin.place.title}")
        answers = []
        for called in (family.origin, *family.others):
            answers.append(_answers(called) if resolve else ())
            for line in _lines(called, answers[-1], origin=called is family.origin):
                click.echo(line)
        if resolve:
            asked = tuple(group for group in answers if group)
            same &= agree(asked)
            click.echo(f"  {_verdict(family, asked)}")
    sys.exit(0 if same else 1)


def _answers(called: Called) -> tuple[Answer, ...]:
    """Ask for the plain name: the one that people type."""
    plain = next((form for form in called.forms if form.record in {"A", "CNAME"}), None)
    return ask(plain.name, plain.record, called.place.resolver) if plain else ()


def _lines(called: Called, answers: tuple[Answer, ...], *, origin: bool) -> Iterator[str]:
    if not origin:
        yield f"  in {called.place.title}: {called.service or called.note}"
    for form in called.forms:
        note = f"  ({form.note})" if form.note else ""
        yield f"    {form.record:<5} {form.name}{note}"
    for answer in answers:
        said = ", ".join(answer.values) or answer.problem
        ttl = f", TTL {answer.ttl} s" if answer.ttl is not None else ""
        yield f"      → {answer.record} {said}  ({answer.milliseconds:.0f} ms{ttl})"


def _verdict(family: Family, answers: tuple[tuple[Answer, ...], ...]) -> str:
    if len(answers) < 2:
        return "only one side could be asked"
    if agree(answers):
        return "all sides answer alike"
    return f"the sides differ on {family.origin.service}"
