"""``syncer names``: what a service is called everywhere, and whether all names answer alike."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from syncer.app.naming import Called, Family, families
from syncer.app.places import links, places
from syncer.app.resolving import Answer, agree, ask, ask_service
from syncer.cli.options import config_option, settings_or_exit

_EPILOG = """\b
Examples:
  syncer names web
  syncer names web.corp.internal
  syncer names _web._tcp.service.consul --resolve
"""

Answers = tuple[Answer, ...]


@click.command(epilog=_EPILOG)
@click.argument("name")
@config_option
@click.option("--resolve", is_flag=True, help="Ask the DNS servers of all sides, and compare their answers.")
def names(name: str, path: Path, *, resolve: bool) -> None:
    """Show every name of a service on all sides, both ways.

    NAME is a service's plain name or any DNS form of it. With --resolve the exit code is 1 if the sides disagree, if
    one could not be asked, or if nobody answers; names with public addresses are compared among themselves.
    """
    settings = settings_or_exit(path)
    same = True
    for family in families(name, places(settings), links(settings)):
        answers = []
        for called in (family.origin, *family.others):
            answers.append(_answers(called) if resolve else ())
            for line in _lines(called, answers[-1], origin=called is family.origin):
                click.echo(line)
        if resolve:
            called_so = (family.origin, *family.others)
            alike = [_asked(called_so, answers, public=public) for public in (False, True)]
            same &= all(map(agree, alike)) and (_found(answers) or not any(answers))
            click.echo(f"  {_verdict(family, alike)}")
    sys.exit(0 if same else 1)


def _answers(called: Called) -> Answers:
    """Ask for the plain name, the one that people type; where it has no addresses, for those behind its SRV records."""
    forms = [form for form in called.forms if "<" not in form.name]
    plain = next((form for form in forms if form.record in {"A", "CNAME"}), None)
    if plain is not None:
        return ask(plain.name, plain.record, called.place.resolver)
    return ask_service(forms[0].name, called.place.resolver) if forms else ()


def _lines(called: Called, answers: Answers, *, origin: bool) -> Iterator[str]:
    note = f"  ({called.note})" if called.service and called.note else ""
    if origin:
        yield f"{called.service} in {called.place.title}{note}"
    else:
        yield f"  in {called.place.title}: {called.service or called.note}{note}"
    for form in called.forms:
        note = f"  ({form.note})" if form.note else ""
        yield f"    {form.record:<5} {form.name}{note}"
    for answer in answers:
        said = ", ".join(answer.values) or answer.problem
        ttl = f", TTL {answer.ttl} s" if answer.ttl is not None else ""
        target = f"{answer.name} " if answer.name not in {form.name for form in called.forms} else ""
        yield f"      → {answer.record} {target}{said}  ({answer.milliseconds:.0f} ms{ttl})"


def _asked(called: Iterable[Called], answers: Iterable[Answers], *, public: bool) -> tuple[Answers, ...]:
    """Return the answers that must be alike: those with public addresses, or the others."""
    both = zip(called, answers, strict=True)
    return tuple(found for item, found in both if found and item.public is public)


def _found(answers: Iterable[Answers]) -> bool:
    """Whether anybody gave anything."""
    return any(answer.values for found in answers for answer in found)


def _verdict(family: Family, answers: list[tuple[Answers, ...]]) -> str:
    if not any(answers):
        return "no DNS could be asked"
    both = [found for alike in answers for found in alike]
    if any(answer.failed for found in both for answer in found):
        return "not all sides answered"
    if not _found(both):
        return f"nobody answers for {family.origin.service}"
    if not all(map(agree, answers)):
        return f"the sides differ on {family.origin.service}"
    if not any(len(alike) > 1 for alike in answers):
        return "only one side could be asked" if sum(map(len, answers)) == 1 else "no two sides compare"
    apart = ", public addresses and others each among themselves" if all(answers) else ""
    return f"all sides answer alike{apart}"
