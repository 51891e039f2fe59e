"""From YAML text to a tree with places: safe, strict about what YAML leaves open, without types."""

from dataclasses import dataclass, field, replace

import yaml

from syncer.settings.errors import Fault, Place
from syncer.settings.tree import Broken, Items, Node, Scalar, Table

_CORE = "tag:yaml.org,2002:"
_SCALARS = frozenset(
    _CORE + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MOST_NODES = 50_000
_MOST_DEPTH = 40


def parse(text: str, source: str) -> tuple[Node | None, tuple[Fault, ...]]:
    """Return the tree of *text*, or None where it is no YAML, and what is wrong with it as YAML.

    Only the plain part of YAML is taken: one document, no tags beside the core's, no key twice. Aliases and merge
    keys (``<<``) are. Never raises.
    """
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as e:
        return None, (_syntax(e, text, source),)
    except yaml.reader.ReaderError as e:
        line = text.count("\n", 0, e.position) + 1
        return None, (Fault(Place(source, line), "has a character that YAML does not allow", "remove it"),)
    except (ValueError, OverflowError, RecursionError):
        return None, (Fault(Place(source), "is no YAML that can be read", "write plain keys and values"),)
    reader = _Reader()
    tree = reader.node(documents[0], Place(source, 1), 0) if documents else Table(Place(source, 1), {})
    if len(documents) > 1:
        place = Place(source, documents[1].start_mark.line + 1)
        reader.faults.append(Fault(place, "a second document begins here", "keep one, without --- between"))
    return tree, tuple(reader.faults)


@dataclass(slots=True)
class _Reader:
    faults: list[Fault] = field(default_factory=list)
    seen: int = 0
    open: set[int] = field(default_factory=set)
    """The nodes that the one at hand lies in: an alias to one of them would have no end."""

    def node(self, node: yaml.Node, place: Place, depth: int) -> Node:
        """Return *node* as part of our tree; *place* is where its key stands."""
        self.seen += 1
        if id(node) in self.open or depth > _MOST_DEPTH or self.seen > _MOST_NODES:
            if self.seen <= _MOST_NODES + 1:
                self.faults.append(
                    Fault(place, "is nested too deep, or has too many aliases", "write it flat")
                )
            return Broken(place)
        self.open.add(id(node))
        try:
            return self._opened(node, place, depth)
        finally:
            self.open.discard(id(node))

    def _opened(self, node: yaml.Node, place: Place, depth: int) -> Node:
        match node:
            case yaml.ScalarNode() if node.tag in _SCALARS:
                quoted = node.style is not None
                text = None if not quoted and node.value in _NULLS else node.value
                return Scalar(place, text, quoted=quoted, shown=node.value)
            case yaml.SequenceNode() if node.tag == _CORE + "seq":
                return self._items(node, place, depth)
            case yaml.MappingNode() if node.tag == _CORE + "map":
                return self._table(node, place, depth)
        self.faults.append(Fault(place, "has a YAML tag (!) that means nothing here", "leave it out"))
        return Broken(place)

    def _items(self, node: yaml.SequenceNode, place: Place, depth: int) -> Items:
        below = (
            self.node(item, Place(place.source, item.start_mark.line + 1, (*place.path, i)), depth + 1)
            for i, item in enumerate(node.value)
        )
        return Items(place, tuple(below))

    def _table(self, node: yaml.MappingNode, place: Place, depth: int) -> Table:
        nodes: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            here = replace(place, line=key.start_mark.line + 1)
            if not isinstance(key, yaml.ScalarNode):
                self.faults.append(
                    Fault(here, "a key is no text", "write a plain key, and quotes around ${...}")
                )
            elif key.tag == _CORE + "merge":
                merged = {**self._merged(value, here, depth), **merged}
            elif key.value in nodes:
                here = replace(here, path=(*place.path, key.value))
                first = nodes[key.value].place.line
                self.faults.append(Fault(here, f"stands here twice, first in line {first}", "keep one"))
            else:
                here = replace(here, path=(*place.path, key.value))
                nodes[key.value] = self.node(value, here, depth + 1)
        return Table(place, {**merged, **nodes})

    def _merged(self, value: yaml.Node, place: Place, depth: int) -> dict[str, Node]:
        """Return what a merge key brings; of several mappings the first one counts."""
        parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
        found: dict[str, Node] = {}
        for part in parts:
            table = self.node(part, place, depth + 1)
            if isinstance(table, Table):
                found = {**table.nodes, **found}
            else:
                self.faults.append(
                    Fault(place, "<< merges something that is no mapping", "write << with an alias (*)")
                )
        return found


_SYNTAX = (
    (
        "mapping values",
        "a colon does not belong here",
        "indent keys alike, and put texts with a colon in quotes",
    ),
    ("sequence entries", "a list begins behind its key", "write its first - on a line of its own"),
    ("'\\t'", "a tab stands here", "indent with blanks"),
    ("cannot start any token", "a value begins with a character of YAML's own", "put it in quotes"),
    ("end of stream", "a quote that begins here is not closed", "close it"),
    (
        "expected ',' or",
        "a [ or { that begins here is not closed, or lacks a comma",
        "write one entry a line, with -",
    ),
    (
        "undefined alias",
        "an alias (*) names no anchor (&) above it",
        "write the text in quotes if no alias is meant",
    ),
    ("duplicate anchor", "an anchor (&) is there twice", "give one another name"),
    ("incompatible YAML", "is another version of YAML", "leave out the %YAML line"),
    ("could not find expected ':'", "a key has no colon", "write key: value, with a blank behind the colon"),
    ("", "is no YAML from here on", "indent keys of one section alike, and put unusual texts in quotes"),
)
"""What PyYAML says (a part of it), what is wrong, what to write. Its own text is never shown: it may hold a value."""


def _syntax(error: yaml.MarkedYAMLError, text: str, source: str) -> Fault:
    said = f"{error.context} {error.problem}"
    problem, remedy = next((problem, remedy) for part, problem, remedy in _SYNTAX if part in said)
    mark = error.problem_mark
    line = "".join(text.splitlines()[mark.line : mark.line + 1]) if mark else ""
    if "expected ',' or" in said and "${" in line:
        problem, remedy = "${...} stands bare inside [ ] or { }", 'put it in quotes: "${NAME}"'
    elif "begins here" in problem:
        mark = error.context_mark
    return Fault(Place(source, mark.line + 1 if mark else None), problem, remedy)
