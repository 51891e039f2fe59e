"""Ids on the target side are stable, safe and different."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.identity import dns_label, short_digest, target_id

LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Surrogates included: JSON can carry them.
PARTS: Final = st.text(st.characters(codec=None), max_size=80)


@given(PARTS, PARTS, PARTS, st.integers(0, 3))
def test_an_id_is_one_lower_case_dns_label(origin: str, service: str, instance: str, attempt: int) -> None:
    assert LABEL.fullmatch(target_id(origin, service, instance, attempt))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("consul/dc1", "web", "node-1/web-8080"), "web-8080-3417806a56"),
        (("consul/dc1", "web", "node-1/web-8080", 1), "web-8080-ca78d4cc0b"),
        (
            ("cloudmap/ns-1", "web", "0123456789abcdef0123456789abcdef"),
            "0123456789abcdef0123456789abcdef-5c10d8caa1",
        ),
        (("consul/dc1", "web", "Ünïcode_Name!"), "n-code-name-ba274c61e7"),
        (("consul/dc1", "web", "***"), "i-497e73fc9d"),
        (("consul/dc1", "web", "x" * 100), "x" * 52 + "-5d5cbc8f3e"),
    ],
)
def test_ids_stay_what_they_are_from_one_version_to_the_next(
    arguments: tuple[str, str, str], expected: str
) -> None:
    """Registries are full of them: another id for the same instance would be an outage."""
    assert target_id(*arguments) == expected


@given(st.lists(st.tuples(PARTS, PARTS, PARTS, st.integers(0, 2)), unique=True, max_size=20))
def test_different_origins_have_different_ids(arguments: list[tuple[str, str, str, int]]) -> None:
    assert len({target_id(*each) for each in arguments}) == len(arguments)


def test_under_another_name_an_instance_has_another_id_and_under_its_own_the_same() -> None:
    arguments = ("cloudmap/ns-1", "orders", "i-1")
    names = ("orders", "aws-orders", "orders-x")
    assert len({target_id(*arguments, name=name) for name in names}) == len(names)
    assert target_id(*arguments, name="orders") == target_id(*arguments)


def test_a_boundary_between_two_parts_counts() -> None:
    digests = [
        short_digest(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("ab", "c", ""), ("ab\0c",))
    ]
    assert len(set(digests)) == len(digests)


@given(PARTS, st.integers(1, 63))
def test_a_label_is_no_longer_than_asked(text: str, length: int) -> None:
    label = dns_label(text, length)
    assert len(label) <= length
    assert label == "" or LABEL.fullmatch(label)
