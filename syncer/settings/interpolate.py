"""``${NAME}`` and ``${NAME:-default}`` in the values of a settings file."""

import re
from collections.abc import Mapping
from dataclasses import replace

from syncer.settings.errors import Fault
from syncer.settings.tree import Broken, Items, Node, Scalar, Table

_REFERENCE = re.compile(
    r"(?P<literal>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|\$\{"
)


def interpolate(node: Node, environ: Mapping[str, str]) -> tuple[Node, tuple[Fault, ...]]:
    """Return *node* with the variables of *environ* in place of their names, and what could not be replaced.

    A default counts where the variable is not set or empty. ``$${`` gives ``${``. A value is not looked at again.
    An unquoted value that becomes empty counts as not written.
    """
    faults: list[Fault] = []
    return _node(node, environ, faults), tuple(faults)


def _node(node: Node, environ: Mapping[str, str], faults: list[Fault]) -> Node:
    match node:
        case Items():
            return replace(node, nodes=tuple(_node(item, environ, faults) for item in node.nodes))
        case Table():
            return replace(
                node, nodes={key: _node(item, environ, faults) for key, item in node.nodes.items()}
            )
        case Scalar(text=str(text)) if "${" in text:
            return _scalar(node, text, environ, faults)
        case _:
            return node


def _scalar(node: Scalar, text: str, environ: Mapping[str, str], faults: list[Fault]) -> Node:
    found: list[Fault] = []

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match["literal"]:
            return "${"
        if name is None:
            remedy = "write ${NAME}, ${NAME:-default}, or $${ for the characters themselves"
            found.append(Fault(node.place, "has a ${ that names no variable", remedy))
        elif default is not None:
            return environ.get(name) or default
        elif name not in environ:
            problem = f"the environment variable {name} is not set"
            found.append(Fault(node.place, problem, f"set it, or write ${{{name}:-a default}}"))
        return environ.get(name or "", "")

    result = _REFERENCE.sub(value, text)
    if found:
        faults.extend(found)
        return Broken(node.place)
    return replace(node, text=result if result or node.quoted else None)
