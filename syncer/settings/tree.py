"""A settings file as a tree in which everything knows its place, and what is done with such a tree."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from syncer.settings.errors import Path, Place


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as text: its type is known only where it is used (so ``no`` can be a name, and 1.10 a version)."""

    place: Place
    text: str | None
    """None where nothing, or null, was written."""
    shown: str = field(kw_only=True)
    """What messages may show of it: what was written, not what a variable put in its place."""
    quoted: bool = False
    """Whether it stood in quotes or as a block: then an empty text is a text."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; each node in it knows where its key stands."""

    place: Place
    nodes: dict[str, "Node"]


@dataclass(frozen=True, slots=True)
class Broken:
    """Something whose fault is reported already: nothing more is said of it."""

    place: Place


Node = Scalar | Items | Table | Broken
UNUSABLE = object()
"""What stands for a broken node among plain values; no type of a setting takes it."""


def plain(node: Node) -> Any:
    """Return *node* as dicts, lists, texts and None."""
    match node:
        case Scalar():
            return node.text
        case Items():
            return [
                "" if isinstance(item, Scalar) and item.text is None else plain(item) for item in node.nodes
            ]
        case Table():
            return {key: plain(value) for key, value in node.nodes.items()}
        case _:
            return UNUSABLE


def find(node: Node, path: Iterable[str | int]) -> tuple[Node, Path]:
    """Return the node that *path* leads to, or the last one on the way there, and what is left of *path* behind it."""
    left = tuple(path)
    while left:
        match node, left[0]:
            case Table(nodes=nodes), str(key) if key in nodes:
                node = nodes[key]
            case Items(nodes=items), int(index) if index < len(items):
                node = items[index]
            case _:
                break
        left = left[1:]
    return node, left


def with_node(table: Table, path: tuple[str, ...], node: Node | None) -> Table:
    """Return *table* with *node* at *path*, or without what stands there.

    Where a list or a value stands in the way, *table* is returned as it is: that is a fault of its own.
    """
    key, rest = path[0], path[1:]
    if not rest:
        others = {name: value for name, value in table.nodes.items() if name != key}
        return replace(table, nodes=others if node is None else {**others, key: node})
    inner = table.nodes.get(key)
    if inner is None or (isinstance(inner, Scalar) and inner.text is None):
        inner = Table(replace(table.place, path=(*table.place.path, key)), {})
    if not isinstance(inner, Table):
        return table
    return replace(table, nodes={**table.nodes, key: with_node(inner, rest, node)})
