import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from syncer.settings.texts import Glob, Server, Url, split_address
from syncer.settings.types import DAY, Share, Span, format_duration, format_share


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("500ms", 0.5),
        ("5m", 300),
        ("2h", 7200),
        ("1d", DAY),
        ("1m30s", 90),
        ("1.5s", 1.5),
        ("7", 7),
        (0.25, 0.25),
    ],
)
def test_a_duration_is_a_number_with_a_unit_or_of_seconds(text: object, seconds: float) -> None:
    assert Span().parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "5 s", "5S", "-1s", "1e3", "\u0661s", "5m m", "nan", True, None, [5], "5" * 40]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        Span().parse(text)


@given(st.integers(0, int(30 * DAY * 1000)))
def test_a_duration_written_out_and_read_is_itself(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    read = Span().parse(format_duration(seconds))
    assert read is not None
    assert math.isclose(read, seconds, rel_tol=1e-9)


def test_a_duration_may_be_never_where_that_means_something() -> None:
    assert Span(never=True).parse("never") is None
    assert format_duration(None) == "never"
    with pytest.raises(ValueError, match="is no duration"):
        Span().parse("never")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.05, "50ms"), (90, "90s"), (600, "10m"), (DAY, "1d"), (0.0005, "0.5ms")],
)
def test_a_duration_is_written_in_the_largest_unit_without_a_fraction(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "share"),
    [("30%", 0.3), ("0.3", 0.3), (0.3, 0.3), (1, 1), ("100%", 1), ("0", 0), ("0.5%", 0.005)],
)
def test_a_share_is_in_percent_or_a_part_of_one(text: object, share: float) -> None:
    found = TypeAdapter(Share).validate_python(text)
    assert math.isclose(found, share)
    assert TypeAdapter(Share).validate_python(format_share(found)) == pytest.approx(found)


@pytest.mark.parametrize("text", ["", "%", "30 %", "-1%", "101%", "30", True, None, "x"])
def test_what_is_no_share_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Share).validate_python(text)


@pytest.mark.parametrize(
    "text", ["*", "web", "web-*", "web.*", "w?b", "[ab]c", "[!a]*", "[]]", "[[]x", "a]", "a$b", "Ä*"]
)
def test_a_glob_is_taken(text: str) -> None:
    assert TypeAdapter(Glob).validate_python(text) == text


@pytest.mark.parametrize("text", ["", " ", "a ", "^a", "a$", ".*", ".+", "[", "a[b", "[!]", "[]"])
def test_what_is_no_glob_or_looks_like_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Glob).validate_python(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.2", ("10.0.0.2", 53)),
        ("10.0.0.2:8600", ("10.0.0.2", 8600)),
        ("dns.example.com:5353", ("dns.example.com", 5353)),
        ("[::1]:8600", ("::1", 8600)),
        ("[fd00::2]", ("fd00::2", 53)),
        ("fd00::2", ("fd00::2", 53)),
    ],
)
def test_a_servers_address_has_a_host_and_maybe_a_port(text: str, address: tuple[str, int]) -> None:
    assert split_address(text, 53) == address
    assert TypeAdapter(Server).validate_python(text) == text


@pytest.mark.parametrize("text", ["", ":53", "a:", "a:0", "a:65536", "a:b", "a b", "[::1", "::x", "http://a"])
def test_what_is_no_servers_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Server).validate_python(text)


@pytest.mark.parametrize("text", ["http://a", "https://a:1", "http://[::1]:8500", "http://a/"])
def test_an_address_has_a_scheme_a_host_and_maybe_a_port(text: str) -> None:
    assert TypeAdapter(Url).validate_python(text) == text.rstrip("/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a:1",
        "ftp://a",
        "http://",
        "http://a:0",
        "http://a:b",
        "http://a/b",
        "http://a?b",
        "http://[a",
        "http://a b",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Url).validate_python(text)
