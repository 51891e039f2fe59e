"""The templates as data, and what must be known of moto to deploy them there."""

from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "cloudformation"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))

MISSING_IN_MOTO = (
    "AWS::SQS::QueuePolicy",
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::ServiceDiscovery::Service",
)
"""Types that moto's CloudFormation does not know; their properties are carried out by calls instead."""


def template(name: str) -> dict[str, Any]:
    """Return the template *name* with its functions written out (``Ref``, ``Fn::If`` ...)."""
    found: dict[str, Any] = plain(cfn_yaml.load(str(FOLDER / f"{name}.yaml")))
    return found


def plain(node: Any) -> Any:
    """Return *node* as dicts, lists and simple values, without the linter's line numbers."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def without(template: dict[str, Any], types: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split *template*: what is left of it without resources of *types*, and these resources by name."""
    gone = {name: one for name, one in template["Resources"].items() if one["Type"] in types}
    left = template | {
        "Resources": {name: one for name, one in template["Resources"].items() if name not in gone},
        "Outputs": {
            name: one for name, one in template.get("Outputs", {}).items() if not names_in(one) & set(gone)
        },
    }
    return left, gone


def names_in(node: Any) -> set[str]:
    """Return the names of everything that *node* refers to."""
    if isinstance(node, list):
        return set().union(*map(names_in, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(names_in, node.values()))
    if "Ref" in node:
        found.add(node["Ref"])
    if "Fn::GetAtt" in node:
        target = node["Fn::GetAtt"]
        found.add(target.split(".")[0] if isinstance(target, str) else target[0])
    return found


def filled(node: Any, values: dict[str, Any]) -> Any:
    """Return *node* with each ``Ref X`` and ``GetAtt X.Y`` in place of which *values* has ``X`` or ``X.Y``."""
    if isinstance(node, list):
        return [filled(value, values) for value in node]
    if not isinstance(node, dict):
        return node
    if "Ref" in node:
        return values.get(node["Ref"], node)
    if "Fn::GetAtt" in node:
        target = node["Fn::GetAtt"]
        return values.get(target if isinstance(target, str) else ".".join(target), node)
    return {key: filled(value, values) for key, value in node.items()}


def decided(template: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return *template* with every condition decided for *parameters*, as CloudFormation does before it begins.

    moto leaves a nothing in a list where CloudFormation leaves the entry out.
    """
    decision = _Decision(template, parameters)
    left = {key: value for key, value in template.items() if key != "Conditions"}
    return left | {section: decision.kept(template.get(section, {})) for section in ("Resources", "Outputs")}


_GONE = object()


class _Decision:
    def __init__(self, template: dict[str, Any], parameters: dict[str, Any]) -> None:
        defaults = {key: one.get("Default", "") for key, one in template["Parameters"].items()}
        self._values = {key: str(value) for key, value in (defaults | parameters).items()}
        self._conditions = template.get("Conditions", {})

    def kept(self, section: dict[str, Any]) -> dict[str, Any]:
        """Return the entries of *section* whose condition holds, settled."""
        return {
            name: self._settled({key: value for key, value in one.items() if key != "Condition"})
            for name, one in section.items()
            if "Condition" not in one or self._holds({"Condition": one["Condition"]})
        }

    def _holds(self, node: Any) -> bool:
        ((function, rest),) = node.items()
        if function == "Condition":
            return self._holds(self._conditions[rest])
        if function == "Fn::Not":
            return not self._holds(rest[0])
        if function == "Fn::Or":
            return any(map(self._holds, rest))
        if function == "Fn::And":
            return all(map(self._holds, rest))
        assert function == "Fn::Equals"
        return self._text(rest[0]) == self._text(rest[1])

    def _text(self, node: Any) -> str:
        if not isinstance(node, dict):
            return str(node)
        if "Ref" in node:
            return self._values[node["Ref"]]
        delimiter, joined = node["Fn::Join"]
        return self._text(joined).replace(",", delimiter)

    def _settled(self, node: Any) -> Any:
        if isinstance(node, list):
            return [one for one in map(self._settled, node) if one is not _GONE]
        if not isinstance(node, dict):
            return node
        if node == {"Ref": "AWS::NoValue"}:
            return _GONE
        if "Fn::If" in node:
            condition, yes, no = node["Fn::If"]
            return self._settled(yes if self._holds({"Condition": condition}) else no)
        settled = {key: self._settled(value) for key, value in node.items()}
        return {key: value for key, value in settled.items() if value is not _GONE}
