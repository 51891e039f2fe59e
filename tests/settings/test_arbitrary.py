"""Whatever a file holds, loading it gives settings or a SettingsError."""

import contextlib
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from syncer.settings import SettingsError
from syncer.settings.fields import walk
from syncer.settings.loading import read
from syncer.settings.root import Settings

KEYS = sorted(
    {path[-1] for path, _ in walk(Settings)} | {"name", "id", "create", "vpc", "type", "rate", "x", "<<"}
)
WORDS = [
    "a",
    "true",
    "5",
    "5m",
    "30%",
    "never",
    "",
    "~",
    "${A}",
    "${B:-c}",
    "${",
    "web-*",
    "vpc-0123456789abcdef0",
    "private",
]
TREES = st.recursive(
    st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
MARKS = [
    "owner",
    ":",
    " ",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "&a",
    "*a",
    "<<",
    "!x",
    "!!set",
    "|",
    ">",
    "#",
]
ODDS = [
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "? ",
    "\t",
    "${A}",
    "\\",
    "\x00",
    "\x85",
    "\ud83d",
    "\U0001f600",
    "~",
    "namespaces",
]


def settle(text: str) -> None:
    """Load *text*; a SettingsError must hold at least one fault, and each takes one line."""
    found: SettingsError | None = None
    try:
        assert read(text, "syncer.yaml", Path("/nowhere"), {"A": "b"}).namespaces
    except SettingsError as e:
        found = e
    if found is not None:
        assert found.faults
        assert str(found).count("\n") == len(found.faults) - 1
        assert all(fault.problem and fault.remedy and fault.place.source for fault in found.faults)


@given(st.text())
def test_any_text(text: str) -> None:
    settle(text)


@given(st.lists(st.sampled_from(MARKS + ODDS), max_size=25).map("".join))
def test_any_pieces_of_yaml(text: str) -> None:
    settle(text)


@given(st.dictionaries(st.sampled_from(list(Settings.model_fields)), TREES))
def test_any_tree_with_known_keys(data: dict[str, object]) -> None:
    settle(yaml.safe_dump(data, allow_unicode=True))


@given(TREES, st.sampled_from([path for path, _ in walk(Settings)]))
def test_any_value_at_any_key(value: object, path: tuple[str, ...]) -> None:
    for part in reversed(path[1:]):
        value = {part: value}
    data = {"owner": "a", "namespaces": [{"name": "b"}], path[0]: value}
    settle(yaml.safe_dump(data))


@given(TREES)
def test_any_value_in_a_namespace(value: object) -> None:
    settle(
        yaml.safe_dump({"owner": "a", "namespaces": [value, {"name": "b", "create": value}, {"id": value}]})
    )


@given(
    st.dictionaries(
        st.sampled_from(["SYNCER_OWNER", "SYNCER_HTTP__PORT", "SYNCER_X", "CONSUL_HTTP_ADDR"]), st.text()
    )
)
def test_any_environment(environ: dict[str, str]) -> None:
    with contextlib.suppress(SettingsError):
        read("owner: a\nnamespaces: [{name: b}]\n", "syncer.yaml", Path(), environ)
