"""The reference of all settings: ``python -m syncer.settings.reference > docs/configuration.md``."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from syncer.settings.base import Model
from syncer.settings.environment import variables
from syncer.settings.fields import (
    choices,
    default,
    description,
    flow,
    holds,
    is_list,
    is_mapping,
    is_secret,
    section_of,
)
from syncer.settings.root import Settings
from syncer.settings.types import Portion, Span

_HEAD = """\
<!-- Made by `python -m syncer.settings.reference` from the settings; change it there. -->
# Configuration

One YAML file holds all settings. Only an owner and one namespace must be written (or an ECS source and a route):

```yaml
owner: vpc-prod
namespaces:
  - name: corp.internal
```

`config/` has a minimal example, one with several accounts, one for ECS tasks, and one with every key. `config/schema.json` gives
completion and explanations in an editor that knows JSON schemas; the first line of each example says so to it.
`syncer validate FILE` names every fault at once, with its line and what to write instead.

## How values are written

- **Durations**: `15s`, `500ms`, `5m`, `1m30s`, `2h`, or a number of seconds.
- **Shares**: `30%` or `0.3`.
- **Globs** match the whole text and heed case: `*` any text, `?` one character, `[ab]` one of these.
- **On and off**: a section with a key `enabled` may be written as `true` or `false`: `http: false`.
- **Nothing**: a key without a value counts as not written.
- **Files**: a relative path starts at the settings file's folder.
- **Text**: a value is taken as it stands there, so a service may be called `no`, and needs no quotes.
- A key that is not known, or that stands there twice, is a fault.

## Values from the environment

- `${NAME}` in a value is replaced by the environment variable; that it is not set is a fault. `${NAME:-default}` takes
  the default where it is not set or empty. `$${` stands for `${`. Inside `[ ]` and `{ }` quotes are needed:
  `["${NAME}"]`.
- `SYNCER_` and the path of a key, in capitals, with `__` between its parts, comes before what the file says:
  `SYNCER_OWNER`, `SYNCER_CONSUL__ADDRESS`, `SYNCER_LOG__LEVEL`. This goes for single values that are not inside a
  list; [all of them](#all-variables) are listed below. An empty one counts as not set; one that names no setting is a
  fault. `SYNCER_CONFIG` names the settings file.
- `CONSUL_HTTP_ADDR`, `CONSUL_HTTP_TOKEN_FILE` and `CONSUL_HTTP_TOKEN` count where the file and `SYNCER_` say nothing
  of Consul's address or token (`CONSUL_HTTP_SSL=true` makes an address without a scheme `https://`). No other variable
  of Consul's counts.
- `AWS_REGION`, `AWS_PROFILE`, `AWS_ACCESS_KEY_ID` and all others that the AWS SDK knows count in its own order, where
  `aws` says nothing.

## Secrets

Give the token by a file (`token_file`) or by the environment (`token: ${CONSUL_TOKEN}`). It is shown in no log, page or
message. The file is read when the settings are.

## What namespaces inherit

The directions in `defaults` are what those of every namespace begin with. What a namespace says itself comes first, key
by key: mappings are joined, lists and single values are replaced.

```yaml
defaults:
  consul_to_cloudmap:
    exclude: ["*-test"]
    attributes: {datacenter: dc1}
namespaces:
  - name: corp.internal
    consul_to_cloudmap:
      attributes: {team: web}   # beside datacenter; exclude stays
  - name: service.consul
    cloudmap_to_consul: false   # one direction only
```
"""


def text() -> str:
    """Return the reference as it stands in ``docs/configuration.md``."""
    return "\n".join([_HEAD, *_sections(Settings, ""), *_variables()])


def _sections(model: type[Model], path: str) -> Iterator[str]:
    """Yield the section of *model* at *path*, then those inside it; directions are explained under ``defaults``."""
    yield f"## {'Top level' if not path else f'`{path}`'}"
    yield ""
    if path:
        yield " ".join((inspect.getdoc(model) or "").split())
        yield ""
    yield "| Key | Value | Default | What it is for |"
    yield "|---|---|---|---|"
    inner: list[tuple[type[Model], str]] = []
    for name, info in model.model_fields.items():
        section = section_of(info.annotation)
        below = f"{path}.{name}".lstrip(".") + _suffix(info)
        if section is not None and path == "namespaces[]" and "_to_" in name:
            below = f"defaults.{name}"
        elif section is not None:
            inner.append((section, below))
        yield _row(name, info, below if section else None)
    yield ""
    for section, below in inner:
        yield from _sections(section, below)


def _suffix(info: FieldInfo) -> str:
    if is_list(info.annotation):
        return "[]"
    return ".*" if is_mapping(info.annotation) else ""


def _row(name: str, info: FieldInfo, below: str | None) -> str:
    value = _kind(info)
    if below:
        value = f"[{value}](#{_slug(below)})"
    written = default(info)
    if info.is_required():
        shown = "must be written"
    elif written is None or (below and not is_mapping(info.annotation)):
        shown = ""
    else:
        shown = f"`{flow(written)}`"
    cells = (f"`{name}`", value, shown, description(info).replace("|", "\\|"))
    return "| " + " | ".join(cells) + " |"


def _slug(heading: str) -> str:
    return "".join(letter for letter in heading.lower() if letter.isalnum() or letter in "_-")


def _kind(info: FieldInfo) -> str:
    """Return what kind of value *info* takes, in a word or two."""
    section = section_of(info.annotation)
    words = choices(info.annotation)
    kinds = {
        "list of sections": section is not None and is_list(info.annotation),
        "mapping": is_mapping(info.annotation),
        "section": section is not None,
        "list": is_list(info.annotation),
        ", ".join(f"`{word}`" for word in words): bool(words),
        "duration": any(isinstance(part, Span) for part in info.metadata),
        "share": Portion in info.metadata,
        "secret": is_secret(info),
        "file": holds(info.annotation, Path),
        "`true`, `false`": info.annotation is bool,
        "whole number": info.annotation is int,
        "number": info.annotation is float,
    }
    return next((kind for kind, fits in kinds.items() if fits), "text")


def _variables() -> Iterator[str]:
    yield "## All variables"
    yield ""
    yield "| Variable | Key |"
    yield "|---|---|"
    for name, path in variables().items():
        yield f"| `{name}` | `{'.'.join(path)}` |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(text())
