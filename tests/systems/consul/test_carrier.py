import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.model import Mark
from syncer.systems.consul.carrier import CONSUL_CARRIER, name_problem
from syncer.systems.consul.marks import MARK_PAIRS, PAIRS, VALUE_BYTES, from_meta, to_meta
from tests.systems.consul.instances import marks


@pytest.mark.parametrize("name", ["web", "Web", "a", "7", "my-web-2", "a" * 63])
def test_a_dns_label_can_be_carried(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("consul", "Consul's own"),
        ("a" * 64, "at most 63"),
        ("web.api", "without a dot"),
        ("-web", "letters, digits and inner hyphens"),
        ("web-", "letters, digits and inner hyphens"),
        ("my_web", "letters, digits and inner hyphens"),
        ("wéb", "letters, digits and inner hyphens"),
        ("", "letters, digits and inner hyphens"),
    ],
)
def test_what_is_no_dns_label_cannot_and_the_reason_says_why(name: str, reason: str) -> None:
    assert reason in (name_problem(name) or "")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_a_value_that_is_let_through_fits_in_bytes(value: str) -> None:
    limits = CONSUL_CARRIER.attributes
    if len(value) <= limits.value_length and limits.value.fullmatch(value):
        assert len(value.encode()) <= VALUE_BYTES


@pytest.mark.parametrize("value", ["x" * 512, "é" * 256, "語" * 170, "😀" * 128, "two\nlines", ""])
def test_values_up_to_the_limit_are_let_through(value: str) -> None:
    assert CONSUL_CARRIER.attributes.value.fullmatch(value)


@given(marks())
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    meta = to_meta(mark)
    assert len(meta) <= MARK_PAIRS
    assert all(len(value.encode()) <= VALUE_BYTES for value in meta.values())
    assert from_meta({**meta, "team": "x"}, "web") == (mark, {"team": "x"})


def test_mark_and_attributes_fit_together() -> None:
    assert CONSUL_CARRIER.attributes.count + MARK_PAIRS == PAIRS


def test_every_key_of_a_mark_is_reserved() -> None:
    mark = Mark("o", "cloudmap/ns", "s" * 600, "i" * 600, ("a", "b"))
    assert all(key.startswith(CONSUL_CARRIER.attributes.reserved) for key in to_meta(mark))
