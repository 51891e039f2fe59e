"""From what pydantic finds to faults in our own words. No value of a secret gets into them."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from syncer.settings.errors import Fault, Path, Place, dotted
from syncer.settings.fields import flow, is_secret, model_at, walk
from syncer.settings.root import Settings
from syncer.settings.tree import Broken, Items, Node, Scalar, Table, find

BAD_KEY = "[key]"
"""What pydantic puts behind the path where the key, not the value, is wrong."""
_LONGEST = 60


def faults_of(errors: Iterable[ErrorDetails], tree: Table) -> Iterator[Fault]:
    """Yield a fault for each of *errors*, with its place in *tree*; none for what is known to be broken."""
    for error in errors:
        path = error["loc"]
        node, left = find(tree, path)
        if error["type"] == "extra_forbidden":
            yield _unknown(node.place, path)
        elif error["type"] == "missing":
            _, info = model_at(Settings, path)
            yield Fault(place(tree, path), "is missing", f"write {path[-1]}: {_example(info)}")
        elif left == (BAD_KEY,):
            yield _wrong_key(error, place(tree, path[:-1]))
        elif not isinstance(node, Broken):
            yield _wrong(error, node, path)


def place(tree: Table, path: Path) -> Place:
    """Return where *path* stands in *tree*; for what is not there, the section that it would stand in."""
    node, left = find(tree, path)
    return replace(node.place, path=(*node.place.path, *left))


def _unknown(place: Place, path: Path) -> Fault:
    key = str(path[-1])
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", key):
        remedy = "write key: value, with a blank behind the colon"
        return Fault(replace(place, path=place.path[:-1]), "has something that is no key", remedy)
    section, _ = model_at(Settings, path[:-1])
    known = tuple(section.model_fields) if section else ()
    near = difflib.get_close_matches(key.replace("-", "_").lower(), known, n=1, cutoff=0.6)
    elsewhere = [dotted(other) for other, _ in walk(Settings) if other[-1] == key]
    if near:
        remedy = f"did you mean {near[0]}?"
    elif len(elsewhere) == 1:
        remedy = f"did you mean {elsewhere[0]}?"
    else:
        remedy = f"known here: {', '.join(known)}"
    return Fault(place, "is not a known key", remedy)


def _wrong_key(error: ErrorDetails, place: Place) -> Fault:
    context = error.get("ctx", {})
    if "remedy" in context:
        return Fault(place, f"the key {context['problem']}", context["remedy"])
    key = str(place.path[-1])
    words = re.findall(r"'([^']*)'", str(context.get("expected", "")))
    near = difflib.get_close_matches(key, words, n=1, cutoff=0.6)
    if near:
        return Fault(place, "is not a known key", f"did you mean {near[0]}?")
    return Fault(place, "is not a known key", f"known here: {', '.join(words)}" if words else "write a text")


def _wrong(error: ErrorDetails, node: Node, path: Path) -> Fault:
    section, info = model_at(Settings, path)
    context = error.get("ctx", {})
    problem, remedy = _WORDS.get(error["type"], _unforeseen)(context, info)
    secret = context.get("hidden", False) or (section is None and info is not None and is_secret(info))
    return Fault(node.place, f"{_shown(node, secret=secret)} {problem}", remedy)


def _shown(node: Node, *, secret: bool) -> str:
    match node:
        case Items():
            return "a list"
        case Table():
            return "a mapping"
        case Scalar(text=None):
            return "nothing"
        case Scalar(shown=shown) if not secret:
            return repr(shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "...")
        case _:
            return "the value"


def _example(info: FieldInfo | None) -> str:
    """Return a value for *info* as a settings file may write it on one line."""
    examples = (info.examples or [info.default]) if info else ["a value"]
    return flow(examples[0])


Words = Callable[[dict[str, Any], FieldInfo | None], tuple[str, str]]


def _bound(problem: str, key: str, words: str) -> Words:
    return lambda context, _: (problem, f"write {words.format(context[key])}")


def _like(problem: str, remedy: str) -> Words:
    return lambda _, info: (problem, remedy.format(_example(info)))


def _expected(context: dict[str, Any], _: FieldInfo | None) -> tuple[str, str]:
    return "is none of the words it can be", "write " + str(context["expected"]).replace("'", "")


def _own(context: dict[str, Any], _: FieldInfo | None) -> tuple[str, str]:
    return context["problem"], context["remedy"]


_BOOLEAN = _like("is neither true nor false", "write true or false")
_INTEGER = _like("is no whole number", "write one such as {}")
_NUMBER = _like("is no number", "write one such as {}")
_MAPPING = _like("is no mapping", "write keys with values below it")
_unforeseen = _like("does not fit here", "write a value such as {}")
_WORDS: dict[str, Words] = {
    "wrong": _own,
    "bool_parsing": _BOOLEAN,
    "bool_type": _BOOLEAN,
    "int_parsing": _INTEGER,
    "int_parsing_size": _INTEGER,
    "int_from_float": _INTEGER,
    "int_type": _INTEGER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "finite_number": _NUMBER,
    "string_type": _like("is no text", "write one value"),
    "path_type": _like("is no path", "write the path of a file"),
    "tuple_type": _like("is no list", "write a list such as {}"),
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "literal_error": _expected,
    "enum": _expected,
    "greater_than": _bound("is too small", "gt", "more than {:g}"),
    "greater_than_equal": _bound("is too small", "ge", "{:g} or more"),
    "less_than_equal": _bound("is too large", "le", "{:g} or less"),
    "string_too_short": _like("is empty", "write a text, or leave the key out"),
    "too_short": _like("is empty", "write a list such as {}"),
    "string_too_long": _bound("is too long", "max_length", "at most {} characters"),
}
"""Pydantic's type of an error to what is wrong, behind the value, and what to write instead."""
