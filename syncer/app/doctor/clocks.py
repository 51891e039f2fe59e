"""How far this host's clock is from those that it must agree with."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from syncer.app.doctor.findings import Finding, fault, ok, warning

_NOTICED: Final = 5.0
"""Seconds; a Date header is exact to a second, and is read a moment after it was written."""
_REFUSED: Final = 240.0
"""Seconds: AWS refuses requests that were signed five minutes ago or more (IAM user guide, Signature Version 4)."""


def clock(about: str, date: str | None, *, signed: bool, now: datetime | None = None) -> Iterator[Finding]:
    """Compare this host's clock with *date*, a header of an answer that has just come.

    Where requests are *signed* a large difference is a fault, since they are refused then. No finding where there is
    no date to compare with.
    """
    if not date:
        return
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        yield warning(about, f"the Date of its answers is no date: {date[:40]!r}")
        return
    ours = now or datetime.now(UTC)
    ahead = (ours - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()
    if abs(ahead) <= _NOTICED:
        yield ok(about, f"the clocks agree within {_NOTICED:g} s")
        return
    what = f"this host's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} its clock"
    advice = "let both hosts take their time from one source (chrony, ntpd)"
    if signed and abs(ahead) > _REFUSED:
        yield fault(about, f"{what}; signed requests are refused from 300 s on", advice)
    else:
        yield warning(about, what, advice)
