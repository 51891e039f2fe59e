"""One planning pass over everything: what cannot be carried, what others hold, what is held or cannot be read."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from syncer.app.doctor.findings import Finding, fault, ok, some, warning
from syncer.app.installation import Installation
from syncer.core.model import Complete, Conflict, Read, Skip
from syncer.core.report import Observers, PassReport
from syncer.settings import Settings

_LISTED: Final = 20
"""Findings of one kind that are listed one by one."""


def planned(settings: Settings, stop: threading.Event, *, known: Iterable[str] = ()) -> Iterator[Finding]:
    """Attach everything, plan once and write nothing; *known* are labels whose trouble is reported already."""
    installation = Installation(settings, stop, Observers(), looks=True)
    try:
        for problem in installation.bring_up():
            label = problem.partition(": ")[0]
            if label not in set(known):
                yield fault(label, f"it cannot be opened: {problem.partition(': ')[2]}")
        for report in installation.once(write=False):
            yield from pass_findings(report)
        for mirror in installation.engine.mirrors.values():
            label = installation.registries[mirror.id].title
            yield from other_marks(label, mirror.peek(), settings.owner)
    finally:
        installation.engine.close()


def pass_findings(report: PassReport) -> Iterator[Finding]:
    """Yield what *report*, of a pass that only planned, gives reason to say."""
    about = report.route
    for error in report.errors:
        yield fault(about, f"not everything could be listed: {error}")
    if not report.errors:
        changes = sum(len(plan.changes) for plan in report.plans)
        yield ok(
            about,
            f"{len(report.plans)} services looked at, {report.owned} instances of ours, {changes} changes to do",
        )
    unreadable = [
        fault(about, f"{plan.service}: {reason}") for plan in report.plans for reason in plan.unreadable
    ]
    held = [
        warning(
            about, f"{plan.service}: {len(plan.held)} removals would be held: {plan.hold}", _approve(about)
        )
        for plan in report.plans
        if plan.held
    ]
    names = [_nameless(about, item) for item in report.untranslated]
    conflicts = [
        warning(about, f"{item.service}: {item.reason}", "rename one of them, or exclude it")
        for plan in report.plans
        for item in plan.conflicts
    ]
    for group in (unreadable, held, names, conflicts):
        yield from _limited(about, group)


def other_marks(label: str, reads: Mapping[str, Read], owner: str) -> Iterator[Finding]:
    """Yield which other owners have marked instances among *reads*."""
    services: dict[str, set[str]] = {}
    counts: dict[str, int] = {}
    for service, read in reads.items():
        for instance in read.instances if isinstance(read, Complete) else ():
            if instance.mark is not None and instance.mark.owner != owner:
                services.setdefault(instance.mark.owner, set()).add(service)
                counts[instance.mark.owner] = counts.get(instance.mark.owner, 0) + 1
    for other, names in sorted(services.items()):
        yield warning(
            label,
            f"{counts[other]} instances carry the mark of another owner, {other!r}: {some(sorted(names))}",
            "they are left alone; if that syncer is gone, withdraw what it wrote with its own settings",
        )


def _nameless(about: str, item: Skip | Conflict) -> Finding:
    advice = item.advice if isinstance(item, Skip) and item.advice else "rename it, or exclude it"
    return warning(about, f"{item.service}: {item.reason}", advice)


def _limited(about: str, group: list[Finding]) -> Iterator[Finding]:
    yield from group[:_LISTED]
    more = len(group) - _LISTED
    if more > 0:
        yield Finding(
            group[0].level, about, f"{more} more of this kind", "`syncer plan --verbose` lists them all"
        )


def _approve(route: str) -> str:
    return f"if that is meant: syncer approve '{route}'"
