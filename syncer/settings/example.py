"""The example with every key: ``python -m syncer.settings.example > config/full.yaml``."""

import re
import sys
import textwrap
from collections.abc import Iterator

from pydantic.fields import FieldInfo

from syncer.settings.base import Model
from syncer.settings.directions import Direction
from syncer.settings.fields import default, description, flow, is_list, is_mapping, section_of
from syncer.settings.root import Settings

_HEAD = """\
# yaml-language-server: $schema=schema.json
#
# Every setting there is, with its default, so that nothing changes if a line is left out; only `owner` and
# `namespaces` (or `ecs` and `routes`) must be written. Settings without a default have an example behind a bare #.
# Made from the settings by `python -m syncer.settings.example`.
"""
_WIDTH = 100


def text() -> str:
    """Return the example as it stands in ``config/full.yaml``."""
    return _HEAD + "\n".join(_section(Settings, "", live=True)) + "\n"


def _section(model: type[Model], indent: str, *, live: bool) -> Iterator[str]:
    for name, info in model.model_fields.items():
        if not indent:
            yield ""
        yield from _comment(description(info), indent)
        inner = section_of(info.annotation)
        if inner is None or is_mapping(info.annotation):
            yield f"{indent}{_line(name, info, live=live)}"
        elif is_list(info.annotation):
            shown = live and name == "namespaces"
            yield f"{indent}{'' if shown else '#'}{name}:"
            yield from _item(inner, indent + "  ", live=shown)
        elif issubclass(inner, Direction) and indent != "  ":
            yield f"{indent}{name}: true  # or the keys of defaults.{name}"
        else:
            shown = live and info.default is not None
            yield f"{indent}{'' if shown else '#'}{name}:"
            yield from _section(inner, indent + "  ", live=shown)


def _item(model: type[Model], indent: str, *, live: bool) -> Iterator[str]:
    """Yield the lines of a list's one item: its first key, which is an example, begins it."""
    lines = list(_section(model, indent + "  ", live=live))
    first = next(i for i, line in enumerate(lines) if re.match(r" *#?\w", line))
    yield from (line.removeprefix("  ") for line in lines[:first])
    yield f"{indent}{'' if live else '#'}- {lines[first].strip().removeprefix('#')}"
    yield from lines[first + 1 :]


def _line(name: str, info: FieldInfo, *, live: bool) -> str:
    written = default(info)
    example = flow(info.examples[0]) if info.examples else ""
    if written is None or not live:
        value = example or flow(written)
        return f"{'' if live and info.is_required() else '#'}{name}: {value}"
    behind = f"  # such as {example}" if example and not written and written is not False else ""
    return f"{name}: {flow(written)}{behind}"


def _comment(words: str, indent: str) -> Iterator[str]:
    begin = f"{indent}# "
    yield from textwrap.wrap(
        words,
        _WIDTH,
        initial_indent=begin,
        subsequent_indent=begin,
        break_long_words=False,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    sys.stdout.write(text())
