"""What is wrong with the settings: faults, each with its place, and the error that carries all of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from typing_extensions import override

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written."""

    source: str
    """The file's name as it was given, or the name of an environment variable."""
    line: int | None = None
    """From 1; None where a source has no lines."""
    path: Path = ()
    """The keys and list positions that lead there."""

    @property
    def where(self) -> str:
        """The source and the line, as compilers write it."""
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and what to write instead. Holds no value of a secret."""

    place: Place
    problem: str
    remedy: str

    @property
    def key(self) -> str:
        """The dotted path, such as ``namespaces[0].create.vpc``; empty for the file as a whole."""
        return dotted(self.place.path)

    @override
    def __str__(self) -> str:
        parts = [self.place.where, *([self.key] if self.place.path else []), f"{self.problem}; {self.remedy}"]
        return ": ".join(parts)


class SettingsError(Exception):
    """The settings cannot be used. Its text is one line for each fault."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        """Every fault that was found, in the order of the file; never empty."""
        super().__init__("\n".join(map(str, self.faults)))


def dotted(path: Path) -> str:
    """Return *path* as a user would write it."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if re.fullmatch(r"[\w.*-]{1,127}", part) else repr(part)
            text += f".{shown}" if text else shown
    return text
