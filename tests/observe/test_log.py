"""Log lines: for people on a terminal, JSON elsewhere, and never a secret."""

import io
import json
import logging
import os
import pty

import pytest
import structlog
from typing_extensions import override

from syncer.observe.log import configure_logging


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _fail(message: str, *_: str) -> None:
    raise RuntimeError(message)


def test_where_no_terminal_reads_each_line_is_a_json_object(log: io.StringIO) -> None:
    configure_logging(stream=log)
    structlog.get_logger().info("changed", route="a->b", ms=1.5, address=None)
    (line,) = _lines(log)
    assert line.pop("timestamp")
    assert line == {"event": "changed", "level": "info", "route": "a->b", "ms": 1.5, "address": None}


def test_on_a_terminal_lines_are_for_people_and_in_colour(log: io.StringIO) -> None:
    del log
    stream = Terminal()
    configure_logging(stream=stream)
    structlog.get_logger().info("changed", route="a->b")
    assert "\x1b[" in stream.getvalue()
    assert "changed" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_lines_for_people_have_no_colour_where_no_terminal_reads(log: io.StringIO) -> None:
    configure_logging(stream=log, form="human")
    structlog.get_logger().info("changed", route="a->b", reason="it is critical")
    assert "\x1b" not in log.getvalue()
    assert "route=a->b reason='it is critical'" in log.getvalue()


def test_json_can_be_asked_for_on_a_terminal(log: io.StringIO) -> None:
    del log
    stream = Terminal()
    configure_logging(stream=stream, form="json")
    structlog.get_logger().info("changed")
    assert json.loads(stream.getvalue())["event"] == "changed"


def test_a_real_terminal_is_known_as_one(log: io.StringIO) -> None:
    del log
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        configure_logging(stream=stream)
        structlog.get_logger().info("changed")
        stream.flush()
        assert b"\x1b[" in os.read(reader, 4096)
    os.close(reader)


def test_what_comes_from_a_registry_cannot_move_the_cursor_or_begin_a_line(log: io.StringIO) -> None:
    configure_logging(stream=log, form="human")
    structlog.get_logger().info("changed", service="web\x1b[2J\nFAKE line", instance="\x07")
    assert "\x1b" not in log.getvalue()
    assert len(log.getvalue().splitlines()) == 1
    assert "web\N{SYMBOL FOR ESCAPE}[2J\N{SYMBOL FOR LINE FEED}FAKE line" in log.getvalue()


def test_lines_below_the_level_do_not_show(log: io.StringIO) -> None:
    configure_logging(stream=log, level="warning")
    structlog.get_logger().info("changed")
    logging.getLogger("syncer.x").info("changed")
    structlog.get_logger().warning("held")
    assert [line["event"] for line in _lines(log)] == ["held"]


def test_lines_of_libraries_look_the_same(log: io.StringIO) -> None:
    configure_logging(stream=log)
    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", "/v1/health")
    (line,) = _lines(log)
    assert line["event"] == "Retrying /v1/health"
    assert line["level"] == "warning"


def test_debug_lines_of_libraries_which_show_headers_never_show(log: io.StringIO) -> None:
    configure_logging(stream=log, level="debug")
    logging.getLogger("botocore.auth").debug("Authorization: AWS4-HMAC-SHA256 Credential=...")
    logging.getLogger("urllib3.connectionpool").debug("X-Consul-Token: abc")
    assert log.getvalue() == ""


@pytest.mark.parametrize("form", ["human", "json"])
def test_known_secrets_are_blanked_out_of_every_line(log: io.StringIO, form: str) -> None:
    secret = 'pa"ss\\word-1234'
    configure_logging(stream=log, form=form, secrets=[secret, "", "tok-42-42"])  # type: ignore[arg-type] # parametrized
    structlog.get_logger().error("failed", error=f"denied for {secret} and tok-42-42")
    logging.getLogger("urllib3").error("url /?token=tok-42-42")
    try:
        _fail(f"with {secret}")
    except RuntimeError:
        structlog.get_logger().exception("defect")
    text = log.getvalue()
    assert "tok-42-42" not in text
    assert "word-1234" not in text
    assert text.count("[hidden]") >= 4


@pytest.mark.parametrize("key", ["token", "consul_token", "secret_access_key", "password", "Authorization"])
def test_fields_that_are_named_like_secrets_are_blanked_out(log: io.StringIO, key: str) -> None:
    configure_logging(stream=log)
    structlog.get_logger().info("started", **{key: "abc"})
    assert _lines(log)[0][key] == "[hidden]"


def test_a_traceback_shows_no_variables(log: io.StringIO) -> None:
    configure_logging(stream=log, form="human")
    hidden = "value-of-a-variable"
    try:
        _fail("broken", hidden)
    except RuntimeError:
        structlog.get_logger().exception("pass_failed")
    assert "RuntimeError: broken" in log.getvalue()
    assert hidden not in log.getvalue()


def test_it_may_be_configured_again_and_the_last_word_counts(log: io.StringIO) -> None:
    configure_logging(stream=io.StringIO())
    configure_logging(stream=log)
    structlog.get_logger().info("changed")
    logging.getLogger("boto3").warning("x")
    assert len(log.getvalue().splitlines()) == 2


@pytest.mark.parametrize("wrong", [{"level": "loud"}, {"form": "xml"}])
def test_an_unknown_level_or_format_is_refused_with_those_there_are(
    log: io.StringIO, wrong: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="write"):
        configure_logging(stream=log, **wrong)  # type: ignore[arg-type] # what a caller may not write
