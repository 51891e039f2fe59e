"""The JSON schema of a settings file, for editors: ``python -m syncer.settings.schema > config/schema.json``."""

import json
import sys
from typing import Any

from syncer.settings.base import Model
from syncer.settings.fields import default, description, section_of
from syncer.settings.root import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = {"$ref": "#/$defs/Variable"}
_BOUNDS = frozenset({"pattern", "enum", "const", "format", "minLength", "maxLength"})


def schema() -> dict[str, Any]:
    """Return the schema: each key with description, default and examples, and ``${NAME}`` wherever a value stands."""
    made = Settings.model_json_schema()
    sections = made.pop("$defs")
    for name, model in _models(Settings).items():
        described = made if model is Settings else sections[name]
        _describe(described, model)
    for key in ("properties", "$defs"):
        part = sections if key == "$defs" else made[key]
        for name in part:
            part[name] = _opened(part[name])
    sections["Variable"] = {
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}",
        "description": "A value with ${NAME} or ${NAME:-default} in it, from the environment.",
    }
    return {"$schema": _DIALECT, **made, "$defs": dict(sorted(sections.items()))}


def _models(model: type[Model]) -> dict[str, type[Model]]:
    found = {model.__name__: model}
    for info in model.model_fields.values():
        inner = section_of(info.annotation)
        if inner is not None:
            found.update(_models(inner))
    return found


def _describe(made: dict[str, Any], model: type[Model]) -> None:
    """Give *made*, the schema of *model*, its texts on one line and its defaults as a file writes them."""
    made["description"] = " ".join(made["description"].split())
    long = next((part for part in made.get("anyOf", []) if "properties" in part), made)
    for name, info in model.model_fields.items():
        field = long["properties"][name]
        field.pop("title", None)
        field.pop("default", None)
        field["description"] = description(info)
        written = default(info)
        if written is not None and section_of(info.annotation) is None:
            field["default"] = written


def _opened(node: Any) -> Any:
    """Return *node* so that each value whose form is bounded may also come from a variable."""
    if not isinstance(node, dict):
        return node
    if "anyOf" in node:
        inner = [_opened_inside(part) for part in node["anyOf"]]
        return {**node, "anyOf": [*inner, _VARIABLE] if any(map(_bounded, node["anyOf"])) else inner}
    if _bounded(node):
        about = {key: node[key] for key in ("description", "default", "examples") if key in node}
        rest = {key: value for key, value in node.items() if key not in about}
        return {**about, "anyOf": [rest, _VARIABLE]}
    return _opened_inside(node)


def _opened_inside(node: dict[str, Any]) -> dict[str, Any]:
    """Return *node*, itself unchanged, with what it holds opened."""
    opened = dict(node)
    if "properties" in node:
        opened["properties"] = {key: _opened(value) for key, value in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            opened[key] = _opened(node[key])
    return opened


def _bounded(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    return kind in {"integer", "number", "boolean"} or (kind == "string" and bool(_BOUNDS & node.keys()))


def text() -> str:
    """Return the schema as it stands in ``config/schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
