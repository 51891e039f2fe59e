"""``syncer names``: what a service is called everywhere, and whether all names answer alike."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from syncer.app.comparing import Side, compare
from syncer.app.naming import Called, Family, families
from syncer.app.places import links, places
from syncer.app.resolving import Answer, ask, ask_service
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

    NAME is a service's plain name or any DNS form of it. With --resolve the exit code is 1 if the sides disagree, if
    one could not be asked, or if nobody answers; public addresses are compared among themselves, and what one side
    imported need not be on the others.
    """
    if not name.strip(". "):
        raise click.BadParameter("it is empty: write a service's name", param_hint="NAME")
    settings = settings_or_exit(path)
    listed, same = links(settings), True
    for family in families(name, places(settings), listed):
        sides = tuple(_sides(family, resolve=resolve))
        for side in sides:
            for line in _lines(side, family):
                click.echo(line)
        if resolve:
            outcome = compare(str(family.origin.service), sides, listed)
            same &= outcome.alike
            click.echo(f"  {outcome.verdict}")
    sys.exit(0 if same else 1)


def _sides(family: Family, *, resolve: bool) -> Iterator[Side]:
    """Yield the sides of *family*; what only bears upon the comparison where that is wanted."""
    for called in (family.origin, *family.others, *(family.beside if resolve else ())):
        yield Side(called, _answers(called) if resolve else ())


def _answers(called: Called) -> tuple[Answer, ...]:
    """Ask for the plain name, the one that people type; where it has no addresses, for those behind its SRV records."""
    forms = [form for form in called.forms if "<" not in form.name]
    plain = next((form for form in forms if form.record in {"A", "CNAME"}), None)
    if plain is not None:
        return ask(plain.name, plain.record, called.place.resolver)
    return ask_service(forms[0].name, called.place.resolver) if forms else ()


def _lines(side: Side, family: Family) -> Iterator[str]:
    called = side.called
    note = f"  ({called.note})" if called.service and called.note else ""
    if called is family.origin:
        yield f"{called.service} in {called.place.title}{note}"
    else:
        where = "also from" if called in family.beside else "in"
        yield f"  {where} {called.place.title}: {called.service or called.note}{note}"
    for form in called.forms:
        note = f"  ({form.note})" if form.note else ""
        yield f"    {form.record:<5} {form.name}{note}"
    for answer in side.answers:
        said = ", ".join(answer.values) or answer.problem
        ttl = f", TTL {answer.ttl} s" if answer.ttl is not None else ""
        target = f"{answer.name} " if answer.name not in {form.name for form in called.forms} else ""
        yield f"      → {answer.record} {target}{said}  ({answer.milliseconds:.0f} ms{ttl})"
