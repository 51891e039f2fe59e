"""What all models of settings have in common."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from syncer.settings.errors import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault that lies in how several keys fit together."""

    path: Path
    """Where to report it, from the model on."""
    problem: str
    remedy: str
    about: tuple[Path, ...] = ()
    """The other keys that it rests on, from the model on: where one of them is faulty, this may not be true."""


class Model(BaseModel):
    """A section of the settings: frozen, with no unknown keys, its fields described by their docstrings.

    A key whose value is null counts as not written, so that a section may stand there with nothing below it.
    Scalars may come as text, as they stand in the file.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _unwritten(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None or key not in cls.model_fields}

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong between the keys of this section; those of each key are found before."""
        yield from ()


class Switch(Model):
    """A section that may also be written as ``true`` or ``false``, short for its key ``enabled``."""

    enabled: bool = True

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"enabled": data} if isinstance(data, bool) else data

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Let the schema take the short form, too."""
        written = handler.resolve_ref_schema(handler(schema))
        long = dict(written)
        written.clear()
        written.update({"title": long.pop("title"), "description": long.pop("description")})
        written["anyOf"] = [long, {"type": "boolean"}]
        return written
