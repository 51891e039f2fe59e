"""Clocks that disagree are noticed; those that sign requests must agree better."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from syncer.app.doctor.clocks import clock
from syncer.app.doctor.findings import Finding, Level

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)


def compared(ahead: float, *, signed: bool = True) -> Finding:
    """Return the finding where this host is *ahead* seconds ahead."""
    theirs = format_datetime(NOW - timedelta(seconds=ahead), usegmt=True)
    (finding,) = clock("AWS", theirs, signed=signed, now=NOW)
    return finding


@pytest.mark.parametrize(
    ("ahead", "signed", "level"),
    [
        pytest.param(0, True, Level.OK, id="equal"),
        pytest.param(-4, True, Level.OK, id="a-few-seconds"),
        pytest.param(30, True, Level.WARNING, id="half-a-minute"),
        pytest.param(-400, True, Level.FAULT, id="signatures-are-refused"),
        pytest.param(400, False, Level.WARNING, id="nothing-is-signed"),
    ],
)
def test_how_bad_a_difference_is_depends_on_whether_requests_are_signed(
    ahead: float, signed: bool, level: Level
) -> None:
    assert compared(ahead, signed=signed).level is level


def test_the_direction_of_the_difference_is_told() -> None:
    assert "30 s ahead of" in compared(30).what
    assert "30 s behind" in compared(-30).what


def test_an_answer_without_a_date_gives_no_finding_and_an_odd_date_a_warning() -> None:
    assert list(clock("Consul", None, signed=False)) == []
    (finding,) = clock("Consul", "yesterday", signed=False)
    assert finding.level is Level.WARNING
    assert "yesterday" in finding.what


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    (finding,) = clock("Consul", "Sat, 21 Nov 2026 12:00:01", signed=True, now=NOW)
    assert finding.level is Level.OK
