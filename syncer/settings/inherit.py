"""What namespaces take from ``defaults``, and the short forms of sections, before anything is checked."""

from dataclasses import replace

from syncer.settings.base import Model, Switch
from syncer.settings.fields import section_of
from syncer.settings.tree import Items, Node, Scalar, Table

_DIRECTIONS = ("consul_to_cloudmap", "cloudmap_to_consul")


def lengthen(node: Node, model: type[Model]) -> Node:
    """Return *node* with each section that is written as one value (``http: false``) in its long form."""
    match node:
        case Items():
            return replace(node, nodes=tuple(lengthen(item, model) for item in node.nodes))
        case Scalar(text=str()) if issubclass(model, Switch):
            return Table(node.place, {"enabled": node})
        case Table():
            inner = {key: section_of(info.annotation) for key, info in model.model_fields.items()}
            nodes = {
                key: lengthen(value, section) if (section := inner.get(key)) else value
                for key, value in node.nodes.items()
            }
            return replace(node, nodes=nodes)
        case _:
            return node


def inherit(tree: Table) -> Table:
    """Return *tree*, in long form, with the directions of each namespace completed from ``defaults``."""
    defaults, namespaces = tree.nodes.get("defaults"), tree.nodes.get("namespaces")
    if not isinstance(defaults, Table) or not isinstance(namespaces, Items):
        return tree
    items = tuple(_namespace(item, defaults) for item in namespaces.nodes)
    return replace(tree, nodes={**tree.nodes, "namespaces": replace(namespaces, nodes=items)})


def _namespace(node: Node, defaults: Table) -> Node:
    if not isinstance(node, Table):
        return node
    given = {key: value for key in _DIRECTIONS if (value := defaults.nodes.get(key)) is not None}
    return replace(
        node, nodes={**node.nodes, **{key: _joined(node.nodes.get(key), given[key]) for key in given}}
    )


def _joined(own: Node | None, default: Node) -> Node:
    """Return *own* over *default*: mappings key by key, everything else whole; null counts as not written."""
    if own is None or (isinstance(own, Scalar) and own.text is None):
        return default
    if not isinstance(own, Table) or not isinstance(default, Table):
        return own
    keys = {**default.nodes, **own.nodes}
    nodes = {
        key: _joined(own.nodes.get(key), default.nodes[key]) if key in default.nodes else own.nodes[key]
        for key in keys
    }
    return replace(own, nodes=nodes)
