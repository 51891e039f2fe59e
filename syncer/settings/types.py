"""The types of numbers in a settings file: durations and shares; and the shape of a text."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

DAY = 86_400.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": DAY}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,12})?(?:ms|s|m|h|d))+|[0-9]{1,12}(?:\.[0-9]{1,12})?")
_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")


def wrong(problem: str, remedy: str, *, hidden: bool = False) -> PydanticCustomError:
    """Return the error that a validator raises: *problem* continues a sentence that begins with the value.

    *hidden* keeps the value itself out of the sentence.
    """
    words = {"problem": problem, "remedy": remedy, "hidden": hidden}
    return PydanticCustomError("wrong", "{problem}; {remedy}", words)


def format_duration(seconds: float | None) -> str:
    """Return *seconds* as a settings file writes it, in the largest unit that needs no fraction."""
    if seconds is None:
        return "never"
    for unit in ("d", "h", "m", "s"):
        if seconds and math.isclose(seconds % _UNITS[unit], 0, abs_tol=1e-12):
            return f"{round(seconds / _UNITS[unit])}{unit}"
    return f"{seconds * 1000:.12g}ms" if seconds else "0s"


@dataclass(frozen=True, slots=True)
class Span:
    """A duration: ``15s``, ``500ms``, ``1m30s``, or a number of seconds; its value is in seconds."""

    least: float = 0.0
    most: float = 30 * DAY
    whole: bool = False
    """Whether only whole seconds are taken."""
    never: bool = False
    """Whether the word ``never`` is taken, which gives None."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Parse, and write durations as text when settings are written as JSON."""
        ser = core_schema.plain_serializer_function_ser_schema(format_duration, when_used="json")
        return core_schema.no_info_plain_validator_function(self.parse, serialization=ser)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of both ways of writing it."""
        pattern = "^(?:(?:[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h|d))+" + ("|never" if self.never else "") + ")$"
        number = {"type": "number", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [{"type": "string", "pattern": pattern}, number]}

    def parse(self, value: object) -> float | int | None:
        """Return the seconds that *value* says."""
        if self.never and value == "never":
            return None
        seconds = _seconds(value)
        if seconds is None:
            raise wrong("is no duration", "write 15s, 500ms, 5m or 2h" + (", or never" if self.never else ""))
        if not self.least <= seconds <= self.most:
            raise wrong(
                "is out of range", f"write {format_duration(self.least)} to {format_duration(self.most)}"
            )
        if self.whole:
            if seconds != round(seconds):
                raise wrong("has a fraction of a second", "write whole seconds, such as 15s")
            return round(seconds)
        return seconds


def _seconds(value: object) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return None
    parts = _PART.findall(value)
    return math.fsum(float(number) * _UNITS[unit] for number, unit in parts) if parts else float(value)


Duration = Annotated[float, Span()]
"""Zero or more; 30 days at most."""
Period = Annotated[float, Span(least=0.001)]
"""A duration that cannot be zero."""


class Portion:
    """A part of the whole: ``30%`` or ``0.3``; its value is 0 to 1."""

    @staticmethod
    def parse(value: object) -> float:
        """Return the part of 1 that *value* says."""
        share = math.nan
        if isinstance(value, int | float) and not isinstance(value, bool):
            share = float(value)
        elif isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?%?", value):
            share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        if math.isnan(share):
            raise wrong("is no share", "write 30% or 0.3")
        if not 0 <= share <= 1:
            raise wrong("is not between nothing and the whole", "write 0% to 100%, such as 30% or 0.3")
        return share

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        ser = core_schema.plain_serializer_function_ser_schema(format_share, when_used="json")
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=ser)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        percent = {"type": "string", "pattern": "^[0-9]+(?:\\.[0-9]+)?%$"}
        return {"anyOf": [percent, {"type": "number", "minimum": 0, "maximum": 1}]}


def format_share(share: float) -> str:
    """Return *share* in percent, as a settings file writes it."""
    return f"{share * 100:g}%"


Share = Annotated[float, Portion]


@dataclass(frozen=True, slots=True)
class Shape:
    """A text that matches *pattern* as a whole."""

    pattern: str
    problem: str
    remedy: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after it is known to be a text."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the pattern."""
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def check(self, value: str) -> str:
        """Return *value* if it has this shape."""
        if not re.fullmatch(self.pattern, value):
            raise wrong(self.problem, self.remedy)
        return value
