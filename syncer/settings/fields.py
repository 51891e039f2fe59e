"""What the models hold, by path: for overrides, secrets, faults, the schema and the reference."""

import inspect
import re
from collections.abc import Iterator
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from syncer.settings.base import Model
from syncer.settings.errors import Path


def section_of(annotation: Any) -> type[Model] | None:
    """Return the model inside *annotation*: itself, optional, or the items of a list or mapping; else None."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_of(part))), None)


def is_list(annotation: Any) -> bool:
    """Whether *annotation* is a list."""
    return get_origin(annotation) is tuple


def is_mapping(annotation: Any) -> bool:
    """Whether *annotation* is a mapping with keys of the user's."""
    return get_origin(annotation) is dict


def is_secret(info: FieldInfo) -> bool:
    """Whether the value must never be shown."""
    return holds(info.annotation, SecretStr)


def holds(annotation: Any, kind: type) -> bool:
    """Whether *kind* is *annotation* or a part of it."""
    return annotation is kind or any(holds(part, kind) for part in get_args(annotation))


def choices(annotation: Any) -> tuple[str, ...]:
    """Return the words that *annotation* takes, or nothing where it takes any."""
    if get_origin(annotation) is Literal:
        return tuple(map(str, get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(annotation)
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(word for part in get_args(annotation) for word in choices(part))
    return ()


def walk(model: type[Model], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """Yield every key that can be written at a fixed path, sections before what is in them."""
    for name, info in model.model_fields.items():
        yield (*path, name), info
        inner = section_of(info.annotation)
        if inner and not is_list(info.annotation) and not is_mapping(info.annotation):
            yield from walk(inner, (*path, name))


def model_at(model: type[Model], path: Path) -> tuple[type[Model] | None, FieldInfo | None]:
    """Return the model that *path* leads to, and the field that it leads to or into.

    The model is None where *path* leads to a plain value; the field is None for the root and for unknown keys.
    """
    here: type[Model] | None = model
    info: FieldInfo | None = None
    keyed = False
    for part in path:
        if keyed or here is None or isinstance(part, int):
            keyed = False
            continue
        info = here.model_fields.get(part)
        here = section_of(info.annotation) if info else None
        keyed = info is not None and is_mapping(info.annotation)
    return here, info


def description(info: FieldInfo) -> str:
    """Return what the field's docstring says, or else its section's, on one line."""
    section = section_of(info.annotation)
    text = info.description or (inspect.getdoc(section) if section else None) or ""
    return " ".join(text.split())


def default(info: FieldInfo) -> Any:
    """Return the default as a settings file may write it; None where there is none."""
    if info.is_required() or info.default is None:
        return None
    kind: Any = Annotated[info.annotation, info]
    return TypeAdapter(kind).dump_python(info.default, mode="json")


_PLAIN = re.compile(r"(?!(?:no|yes|on|off|true|false|null)$)[\w$./{][\w${}./:%@=+*-]*(?<!:)")


def flow(value: Any) -> str:
    """Return *value* as YAML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(flow, value)) + "]"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"{value:g}"
        case str() if not _PLAIN.fullmatch(value):
            return f'"{value}"'
        case _:
            return str(value)
