"""How log lines look and where they go: for people on a terminal, JSON elsewhere; without secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import Processor

Form = Literal["auto", "human", "json"]

LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_LIBRARIES: Final = ("boto3", "botocore", "s3transfer", "urllib3", "waitress")
_BLANK: Final = "[hidden]"
_SECRET_KEY: Final = re.compile(
    r"token|secret|passw|credential|authorization|api_?key|private_?key", re.IGNORECASE
)
_SHORTEST_SECRET: Final = 4
"""Characters; shorter values would blank out half of every line."""

_Event = MutableMapping[str, Any]


def configure_logging(
    *, level: str = "info", form: Form = "auto", stream: TextIO | None = None, secrets: Iterable[str] = ()
) -> None:
    """Send all log lines, those of libraries included, to *stream* (standard error) from *level* on.

    Values in *secrets* and fields whose names speak of secrets are blanked out. What libraries say below ``info``
    never shows at all: they write headers there, with signatures. Colours only where a terminal reads. May be called
    again: the last call counts.

    Raises:
        ValueError: *level* or *form* is none of those there are.
    """
    if level not in LEVELS:
        raise ValueError(f"no log level {level!r}: write one of {', '.join(LEVELS)}")
    if form not in {"auto", "human", "json"}:
        raise ValueError(f"no log format {form!r}: write auto, human or json")
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    human = form == "human" or (form == "auto" and terminal)
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if human else "iso", utc=not human),
        _hide_fields,
    ]
    _route_library_logs(out, LEVELS[level], _formatter(before, human, terminal, Blank(secrets)))
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: logging.getLogger("syncer"),
        cache_logger_on_first_use=False,
    )


class Blank:
    """Blanks secret values out of finished lines."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know *secrets* as they are, and as JSON writes them."""
        known = {secret.strip() for secret in secrets}
        forms = {
            form
            for secret in known
            if len(secret) >= _SHORTEST_SECRET
            for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1])
        }
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, line: str) -> str:
        """Return *line* without them."""
        return line if self._pattern is None else self._pattern.sub(_BLANK, line)


def _formatter(
    before: list[Processor], human: bool, terminal: bool, blank: Blank
) -> structlog.stdlib.ProcessorFormatter:
    last: list[Processor]
    if human:
        renderer = structlog.dev.ConsoleRenderer(
            colors=terminal,
            force_colors=terminal,
            pad_event_to=0,
            sort_keys=False,
            exception_formatter=structlog.dev.plain_traceback,  # the pretty one shows variables: secrets
        )
        last = [_readable, renderer]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *last,
            lambda _, __, line: blank(str(line)),
        ],
        foreign_pre_chain=before,
    )


def _route_library_logs(out: TextIO, level: int, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("syncer").setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.INFO if level == logging.DEBUG else logging.WARNING)


def _hide_fields(_: object, __: str, event: _Event) -> _Event:
    for key in event:
        if _SECRET_KEY.search(key):
            event[key] = _BLANK
    return event


def _readable(_: object, __: str, event: _Event) -> _Event:
    """Keep what comes from a registry from moving the cursor or beginning a line."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = "".join(map(_picture, value))
    return event


def _picture(character: str) -> str:
    """Return the picture of a control character, and others as they are."""
    if character.isprintable():
        return character
    return chr(0x2400 + ord(character)) if character < " " else "\N{REPLACEMENT CHARACTER}"
