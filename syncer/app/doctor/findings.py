"""What a probe finds: how bad it is, what it is, and what to do about it."""

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


class Level(enum.StrEnum):
    """How bad a finding is."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """It works, but not as one may expect, or not for long."""
    FAULT = "fault"
    """Something that the settings ask for does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a doctor's report."""

    level: Level
    about: str
    """What was looked at, such as ``Consul`` or a namespace's label."""
    what: str
    advice: str = ""
    """What to do; empty where nothing is to be done."""


def ok(about: str, what: str) -> Finding:
    """Return that *what* is as it should be."""
    return Finding(Level.OK, about, what)


def warning(about: str, what: str, advice: str = "") -> Finding:
    """Return that *what* deserves a look."""
    return Finding(Level.WARNING, about, what, advice)


def fault(about: str, what: str, advice: str = "") -> Finding:
    """Return that *what* does not work."""
    return Finding(Level.FAULT, about, what, advice)


def levels(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how many of *findings* there are of each level."""
    counted = Counter(finding.level for finding in findings)
    return {level.value: counted[level] for level in Level}


def some(names: Iterable[str], most: int = 5) -> str:
    """Return *names* for a sentence: the first *most*, and how many more there are."""
    listed = list(names)
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")
