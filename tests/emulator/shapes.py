"""Checks a request against the service's own model: required members, types, lengths, patterns, enums.

The model is the one that botocore carries; botocore's client checks only a part of it.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from .errors import invalid

Check = Callable[[Any, str], None]

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "timestamp": (int, float),
}


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("servicediscovery", "service-2"))


@cache
def operations() -> frozenset[str]:
    """Return the names of all operations."""
    return frozenset(_model().operation_names)


@cache
def checker(operation: str) -> Check:
    """Return a function that raises InvalidInput for parameters that *operation* cannot take."""
    shape = _model().operation_model(operation).input_shape
    return _check(shape) if shape else lambda _value, _path: None


def _check(shape: Shape) -> Check:
    if isinstance(shape, StructureShape):
        return _structure(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    return _string(shape) if isinstance(shape, StringShape) else _number(shape)


def _expect(value: Any, kind: type | tuple[type, ...], path: str) -> None:
    if not isinstance(value, kind):
        raise invalid(f"{path} has the wrong type.")


def _structure(shape: StructureShape) -> Check:
    members = {name: _check(member) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def check(value: Any, path: str) -> None:
        _expect(value, dict, path)
        for name in required:
            if value.get(name) is None:
                raise invalid(f"{path}.{name} is required.")
        for name, item in value.items():
            if name in members and item is not None:
                members[name](item, f"{path}.{name}")

    return check


def _bounds(shape: Shape) -> tuple[float, float]:
    return shape.metadata.get("min", float("-inf")), shape.metadata.get("max", float("inf"))


def _within(size: float, low: float, high: float, path: str) -> None:
    if not low <= size <= high:
        raise invalid(f"{path} is out of its bounds: {size} is not from {low} to {high}.")


def _list(shape: ListShape) -> Check:
    member, (low, high) = _check(shape.member), _bounds(shape)

    def check(value: Any, path: str) -> None:
        _expect(value, list, path)
        _within(len(value), low, high, path)
        for number, item in enumerate(value):
            member(item, f"{path}[{number}]")

    return check


def _map(shape: MapShape) -> Check:
    key_check, value_check, (low, high) = _check(shape.key), _check(shape.value), _bounds(shape)

    def check(value: Any, path: str) -> None:
        _expect(value, dict, path)
        _within(len(value), low, high, path)
        for key, item in value.items():
            key_check(key, f"{path} (a key)")
            value_check(item, f"{path}.{key}")

    return check


def _string(shape: StringShape) -> Check:
    low, high = _bounds(shape)
    pattern = re.compile(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
    allowed = frozenset(shape.enum)

    def check(value: Any, path: str) -> None:
        _expect(value, str, path)
        _within(len(value), low, high, path)
        if pattern and not pattern.fullmatch(value):
            raise invalid(f"{path} does not match the pattern: {value!r}")
        if allowed and value not in allowed:
            raise invalid(f"{path} is none of {', '.join(sorted(allowed))}: {value!r}")

    return check


def _number(shape: Shape) -> Check:
    kind, (low, high) = _PYTHON_TYPES[shape.type_name], _bounds(shape)

    def check(value: Any, path: str) -> None:
        _expect(value, kind, path)
        _within(value, low, high, path)

    return check
