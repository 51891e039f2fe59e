"""Names in a hosted zone: whole domain names, in lower case, without a final dot."""

import re
from dataclasses import replace
from typing import Final

from syncer.core.names import Naming

_LONGEST: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")


def plain(name: str) -> str:
    r"""Return *name* as this project writes it; Route 53 gives ``\052.Example.com.`` for ``*.example.com``.

    Source: Route 53 developer guide, DNS domain name format.
    """
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), name).rstrip(".").lower()


def name_problem(name: str, zone: str) -> str | None:
    """Return why no record called *name* can be written into *zone*; None if it can."""
    if name != zone and not name.endswith(f".{zone}"):
        return f"the hosted zone holds names that end in .{zone}"
    if name != name.lower():
        return "Route 53 keeps names in lower case"
    if len(name) > _LONGEST:
        return f"a domain name has at most {_LONGEST} characters, this one has {len(name)}"
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return "a label has 1 to 63 letters, digits, underscores and inner hyphens"
    return None


def within(naming: Naming, zone: str) -> Naming:
    """Return *naming* with ``.zone`` behind every name, for a source whose names are plain: ``web``.

    A rename to a name that ends in the zone's stays as it is.
    """
    ending = f".{plain(zone)}"
    renames = {
        source: target if target == ending[1:] or target.endswith(ending) else target + ending
        for source, target in naming.renames.items()
    }
    return replace(naming, suffix=naming.suffix + ending, renames=renames)
