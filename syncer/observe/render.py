"""The status page: the snapshot as HTML. Everything is escaped; no script is needed to read it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from syncer.core.model import Health
from syncer.observe.query import Query

_TYPES: Final = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
_UNITS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    content_type: str
    body: bytes
    version: str
    """Changes with the content."""


@cache
def assets() -> Mapping[str, Asset]:
    """Return the page's own files, by name."""
    folder = files("syncer.observe") / "page"
    found: dict[str, Asset] = {}
    for name, content_type in _TYPES.items():
        body = (folder / name).read_bytes()
        version = hashlib.sha256(body).hexdigest()[:12]
        found[name] = Asset(f"{content_type}; charset=utf-8", body, version)
    return found


def page(snapshot: Mapping[str, Any], query: Query) -> str:
    """Return the page that shows *snapshot*, the answer to *query*."""
    now = datetime.fromisoformat(snapshot["now"])
    return (
        _environment()
        .get_template("page.html")
        .render(
            s=snapshot,
            query=query,
            healths=[health.value for health in Health],
            state=_state(snapshot),
            versions={name: asset.version for name, asset in assets().items()},
            ago=lambda text: duration(max(1, round((now - datetime.fromisoformat(text)).total_seconds()))),
        )
    )


def duration(seconds: float) -> str:
    """Return *seconds* as a person says it, in its largest unit: ``12 ms``, ``4 s``, ``3 min``, ``2 d``."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{int(seconds)} s"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("syncer.observe", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    environment.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    environment.filters["words"] = lambda text: str(text).replace("_", " ")
    return environment


def _state(snapshot: Mapping[str, Any]) -> tuple[str, str]:
    """Return how things are: a class for the eye, and the words."""
    summary = snapshot["summary"]
    if not snapshot["ready"]["ok"]:
        return "bad", "Not ready"
    if summary["held"] or summary["unreadable"] or summary["failing"]:
        return "warn", "Needs attention"
    if summary["conflicts"]:
        return "warn", "In step, with conflicts"
    return "good", "In step"
