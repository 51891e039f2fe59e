"""The words of the AWS command line, turned into calls: as much of it as the walk-through uses.

Operations, parameters and their types are those of the SDK's own models, so a word that AWS does not know fails here.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it has no types; the SDK brings it
from botocore import xform_name
from botocore.model import Shape, StructureShape
from botocore.session import Session

GLOBAL = ("--query", "--output")


class Mistyped(Exception):
    """Words that the command line would refuse."""


def call(words: Sequence[str], folder: Path, client: Callable[[str], Any]) -> str:
    """Carry out ``SERVICE OPERATION --option ...``; return what would be printed."""
    service, name, *rest = words
    options, asked = split(rest)
    model = Session().get_service_model(service)
    names = {xform_name(one, "-"): one for one in model.operation_names}
    if name not in names:
        raise Mistyped(f"{service} has no {name}")
    shape = model.operation_model(names[name]).input_shape
    given = arguments(shape, options, folder) if shape else {}
    answer = getattr(client(service), xform_name(names[name]))(**given)
    return shown({key: value for key, value in answer.items() if key != "ResponseMetadata"}, asked)


def wait(words: Sequence[str], client: Callable[[str], Any]) -> None:
    """Carry out ``SERVICE wait CONDITION --option ...``."""
    service, _, condition, *rest = words
    options, _ = split(rest)
    given = {"".join(map(str.title, key.split("-"))): value for key, (value,) in options.items()}
    client(service).get_waiter(condition.replace("-", "_")).wait(**given, WaiterConfig={"Delay": 1})


def split(words: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the options with their values, and those that every command has."""
    options: dict[str, list[str]] = {}
    last: list[str] | None = None
    for word in words:
        if word.startswith("--"):
            last = options.setdefault(word.removeprefix("--"), [])
        elif last is None:
            raise Mistyped(f"nobody takes {word}")
        else:
            last.append(word)
    return options, {key: " ".join(options.pop(key[2:])) for key in GLOBAL if key[2:] in options}


def arguments(shape: StructureShape, options: dict[str, list[str]], folder: Path) -> dict[str, Any]:
    """Return *options* as the parameters of an operation; fail where it has no such one, or needs more."""
    members = {xform_name(name, "-"): name for name in shape.members}
    if unknown := set(options) - set(members):
        raise Mistyped(f"{shape.name} has no {', '.join(sorted(unknown))}")
    given = {
        members[key]: value(shape.members[members[key]], words, folder) for key, words in options.items()
    }
    if missing := set(shape.required_members) - set(given):
        raise Mistyped(f"{shape.name} needs {', '.join(sorted(missing))}")
    return given


def value(shape: Shape, words: list[str], folder: Path) -> Any:
    """Return what *words* say for a parameter of *shape*."""
    if isinstance(shape, StructureShape) and [*shape.members] == ["Value"] and not words:
        return {"Value": True}
    if shape.type_name == "boolean" and not words:
        return True
    if shape.type_name == "list":
        return [typed(shape.member, parsed(word)) for word in words]  # type: ignore[attr-defined]  # a list's
    (word,) = words
    if word.startswith("file://"):
        word = (folder / word.removeprefix("file://")).read_text()
    return typed(shape, parsed(word) if shape.type_name in {"structure", "map"} else word)


def typed(shape: Shape, given: Any) -> Any:
    """Return *given* with its texts as numbers where *shape* has them; fail on a key that it has not."""
    if isinstance(shape, StructureShape):
        if unknown := set(given) - set(shape.members):
            raise Mistyped(f"{shape.name} has no {', '.join(sorted(unknown))}")
        return {key: typed(shape.members[key], one) for key, one in given.items()}
    if shape.type_name == "list":
        return [typed(shape.member, one) for one in given]  # type: ignore[attr-defined]  # a list's
    return int(given) if shape.type_name in {"integer", "long"} else given


def parsed(text: str) -> Any:
    """Return what the short form says: ``A=1,B=[{C=2}]`` is ``{"A": "1", "B": [{"C": "2"}]}``."""
    if text.startswith(("[", "{")):
        return json.loads(text)
    if "=" not in text:
        return text
    found, rest = _pairs(text)
    if rest:
        raise Mistyped(f"{rest} is left over")
    return found


def _pairs(text: str) -> tuple[dict[str, Any], str]:
    found: dict[str, Any] = {}
    while text and text[0] != "}":
        key, _, text = text.removeprefix(",").partition("=")
        found[key], text = _one(text)
    return found, text


def _one(text: str) -> tuple[Any, str]:
    if text.startswith("{"):
        inner, text = _pairs(text[1:])
        return inner, text.removeprefix("}")
    if text.startswith("["):
        entries = []
        text = text[1:]
        while not text.startswith("]"):
            entry, text = _one(text.removeprefix(","))
            entries.append(entry)
        return entries, text[1:]
    end = min((text.index(mark) for mark in ",]}" if mark in text), default=len(text))
    return text[:end], text[end:]


def shown(answer: Any, asked: dict[str, str]) -> str:
    """Return *answer* as ``--query`` and ``--output`` ask for it."""
    if query := asked.get("--query"):
        answer = jmespath.search(query, answer)
    if asked.get("--output") != "text":
        return json.dumps(answer, default=str) if answer else ""
    return "\t".join(map(str, answer)) if isinstance(answer, list) else str(answer)
