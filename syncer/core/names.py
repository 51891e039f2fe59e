"""Service names between two registries: carried unchanged, or by prefix, suffix and rename table; reversible.

``forward`` and ``back`` are inverse to each other wherever both give a name. A name for which that would not hold
is not translated at all: two services never meet under one name by accident.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from syncer.core.carrier import Carrier
from syncer.core.model import Conflict, Skip, nothing


@dataclass(frozen=True, slots=True)
class Naming:
    """How names change from source to target: the only transformations there are."""

    prefix: str = ""
    suffix: str = ""
    renames: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Source name to target name; takes the place of prefix and suffix for the names it holds."""
    _inverse: Mapping[str, tuple[str, str]] = field(init=False, repr=False, compare=False, hash=False)
    """Target name, folded, to the rename that takes it. Where several would, the first source name has it."""

    def __post_init__(self) -> None:
        inverse: dict[str, tuple[str, str]] = {}
        for source, target in sorted(self.renames.items()):
            inverse.setdefault(target.casefold(), (source, target))
        object.__setattr__(self, "renames", MappingProxyType(dict(self.renames)))
        object.__setattr__(self, "_inverse", MappingProxyType(inverse))

    def _plain(self, name: str) -> str:
        return f"{self.prefix}{name}{self.suffix}"

    def forward(self, name: str) -> str | None:
        """Return the target's name for the source's *name*; None where a rename has taken that name."""
        renamed = self.renames.get(name)
        target = self._plain(name) if renamed is None else renamed
        return target if self.back(target) == name else None

    def back(self, name: str) -> str | None:
        """Return the source's name for the target's *name*; None where no source name leads there."""
        renamed = self._inverse.get(name.casefold())
        if renamed is not None:
            return renamed[0] if renamed[1] == name else None
        if not (name.startswith(self.prefix) and name.endswith(self.suffix)):
            return None
        source = name[len(self.prefix) : len(name) - len(self.suffix)]
        return source if source and self._plain(source) == name and source not in self.renames else None

    def problems(self) -> tuple[str, ...]:
        """Return what makes the rename table ambiguous: two names that lead to one."""
        seen: dict[str, str] = {}
        found = []
        for source, target in sorted(self.renames.items()):
            other = seen.setdefault(target.casefold(), source)
            if other != source:
                found.append(f"{other!r} and {source!r} are both renamed to {target!r}")
        return tuple(found)


def translate(name: str, naming: Naming, carrier: Carrier) -> str | Skip | Conflict:
    """Return the target's name of the source's service *name*, or why it has none, with what to do about it."""
    target = naming.forward(name)
    if target is None:
        wanted = naming.prefix + name + naming.suffix
        return Conflict(name, None, f"another service is renamed to {wanted!r}: rename this one too")
    problem = carrier.name_problem(target)
    if problem is not None:
        entry = f"{{{_written(name)}: {_written(suggest(name))}}}"
        return Skip(name, None, f"{target!r} cannot be carried: {problem}", f"write rename: {entry}")
    return target


def meeting(names: Iterable[str], naming: Naming) -> dict[str, Conflict]:
    """Return the conflicts among the source's *names*, by name: those whose targets differ by case at most."""
    groups: dict[str, list[str]] = {}
    for name in names:
        target = naming.forward(name)
        if target is not None:
            groups.setdefault(target.casefold(), []).append(name)
    return {
        name: Conflict(
            name, None, f"{' and '.join(map(repr, sorted(group)))} would meet under one name: rename one"
        )
        for group in groups.values()
        if len(group) > 1
        for name in group
    }


def _written(text: str) -> str:
    """Return *text* as YAML takes it, in quotes. Source: YAML 1.2, sections 7.3.1 and 7.3.2."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)


def suggest(name: str) -> str:
    """Return a name near *name* that every registry and every resolver takes."""
    label = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:63].strip("-")
    return label or "service"
