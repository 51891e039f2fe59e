"""What is made from the settings is as they are: the schema, the example with every key, the reference."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import botocore.session
import jsonschema
import pytest
import yaml
from pydantic import TypeAdapter

from syncer.settings import load, reference
from syncer.settings.aws import Operation
from syncer.settings.base import Model
from syncer.settings.environment import variables
from syncer.settings.fields import is_list, is_mapping, section_of
from syncer.settings.root import Settings
from tests.settings.support import CONFIG, ROOT

EXAMPLES = sorted(CONFIG.glob("*.yaml"))
SCHEMA = json.loads((CONFIG / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("module", "path"),
    [
        ("schema", "config/schema.json"),
        ("example", "config/full.yaml"),
        ("reference", "docs/configuration.md"),
    ],
)
def test_a_file_made_from_the_settings_is_up_to_date(module: str, path: str) -> None:
    command = [sys.executable, "-m", f"syncer.settings.{module}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60, encoding="utf-8")
    assert (ROOT / path).read_text(encoding="utf-8") == made.stdout, (
        f"write it anew: {' '.join(command)} > {path}"
    )


def test_there_are_the_examples_that_the_reference_names() -> None:
    assert [file.stem for file in EXAMPLES] == ["ecs", "full", "minimal", "several-accounts"]


@pytest.mark.parametrize("file", EXAMPLES, ids=[file.stem for file in EXAMPLES])
def test_an_example_loads_fits_the_schema_and_names_it_for_editors(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    assert load(file, {}).namespaces
    jsonschema.validate(yaml.safe_load(text), SCHEMA, jsonschema.Draft202012Validator)
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_full_example_holds_nothing_but_defaults() -> None:
    assert load(CONFIG / "full.yaml", {}) == load(CONFIG / "minimal.yaml", {})


def test_the_full_example_names_every_key_and_what_it_leaves_out_fits_the_schema() -> None:
    text = (CONFIG / "full.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(re.sub(r"(?m)^( *)#([\w-])", r"\1\2", text))
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)
    assert list(_missing(Settings, data, "")) == [
        "namespaces.consul_to_cloudmap",
        "namespaces.cloudmap_to_consul",
    ]
    assert "such as {RegisterInstance: {rate: 50, burst: 100}}" in text


def _missing(model: type[Model], data: Any, path: str) -> Iterator[str]:
    """Yield the keys of *model* that *data* does not hold, and the sections that it does not open."""
    if not isinstance(data, dict):
        yield path
        return
    for key, info in model.model_fields.items():
        inner = section_of(info.annotation)
        here = f"{path}.{key}".lstrip(".")
        if key not in data:
            yield here
        elif inner is not None and not is_mapping(info.annotation):
            yield from _missing(inner, data[key][0] if is_list(info.annotation) else data[key], here)


def test_every_key_says_what_it_is_for() -> None:
    for model in _models(Settings):
        for key, info in model.model_fields.items():
            described = info.description or (section_of(info.annotation) or Model).__doc__
            assert described, f"{model.__name__}.{key}"
            needed = info.is_required() or (is_list(info.annotation) and section_of(info.annotation))
            assert info.examples or not needed, f"{model.__name__}.{key}"
            for written in info.examples or []:
                if "_file" not in key:
                    TypeAdapter(info.rebuild_annotation()).validate_python(written)


def _models(model: type[Model]) -> Iterator[type[Model]]:
    yield model
    for info in model.model_fields.values():
        inner = section_of(info.annotation)
        if inner is not None:
            yield from _models(inner)


def test_the_reference_names_every_key_and_every_variable() -> None:
    text = reference.text()
    for model in _models(Settings):
        assert not [key for key in model.model_fields if f"| `{key}` |" not in text]
    assert not [name for name in variables() if f"| `{name}` |" not in text]


def test_the_references_links_lead_to_its_headings() -> None:
    text = reference.text()
    headings = {
        re.sub(r"[^\w-]", "", head.lower().replace(" ", "-")) for head in re.findall(r"(?m)^## (.*)$", text)
    }
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links
    assert links <= headings


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ownr: a", []),
        ("http: {port: 99999}", ["http"]),
        ("http: maybe", ["http"]),
        ("intervals: {full: soon}", ["intervals", "full"]),
        ("guard: {share: 30}", ["guard", "share"]),
        ("aws: {rates: {Sing: {rate: 1, burst: 1}}}", ["aws", "rates"]),
        ("log: {level: loud}", ["log", "level"]),
        ("namespaces: []", ["namespaces"]),
        ("consul: {tls: {verify: perhaps}}", ["consul", "tls", "verify"]),
    ],
)
def test_the_schema_finds_what_an_editor_should_mark(text: str, path: list[str]) -> None:
    data = {"owner": "a", "namespaces": [{"name": "b"}], **yaml.safe_load(text)}
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(data))
    assert [list(error.absolute_path) for error in errors] == [path]


@pytest.mark.parametrize(
    "text",
    [
        "owner: ${OWNER}",
        "http: {port: ${PORT}, enabled: ${ON}}",
        "http: false",
        "intervals: {full: ${FULL:-5m}, forget_empty: never, retry_first: 0.5}",
        "guard: {share: ${SHARE}}",
        "log: {level: ${LEVEL}}",
        "namespaces: [{name: a, create: false, cloudmap_to_consul: false, type: ${TYPE}}]",
    ],
)
def test_the_schema_lets_variables_and_short_forms_pass(text: str) -> None:
    written = re.sub(r"(\$\{[^}]*\})", r'"\1"', text)
    data = {"owner": "a", "namespaces": [{"name": "b"}], **yaml.safe_load(written)}
    jsonschema.validate(data, SCHEMA, jsonschema.Draft202012Validator)


def test_the_schema_is_one_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_operation_that_a_rate_can_be_given_for_is_one_of_cloud_maps() -> None:
    known = botocore.session.get_session().get_service_model("servicediscovery").operation_names
    names = TypeAdapter(Operation).json_schema()["enum"]
    assert set(names) <= set(known)
