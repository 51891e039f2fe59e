"""The values that the project speaks in."""

from dataclasses import FrozenInstanceError
from itertools import permutations

import pytest

from syncer.core.model import Health, nothing
from tests.core.values import copy, native


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([], Health.PASSING),
        ([Health.PASSING], Health.PASSING),
        ([Health.PASSING, Health.UNKNOWN], Health.UNKNOWN),
        ([Health.UNKNOWN, Health.WARNING], Health.WARNING),
        ([Health.PASSING, Health.CRITICAL, Health.WARNING], Health.CRITICAL),
    ],
)
def test_the_worst_state_counts_wherever_it_stands(states: list[Health], worst: Health) -> None:
    assert {Health.worst(list(order)) for order in permutations(states)} == {worst}


def test_only_the_critical_do_not_serve() -> None:
    assert [health for health in Health if not health.serves] == [Health.CRITICAL]


def test_an_instance_is_known_by_its_service_and_id() -> None:
    assert native("a", 1).key == ("web", "a")


def test_an_instance_that_a_syncer_wrote_is_known_by_its_id_in_the_origin_too() -> None:
    assert native("a", 1).origin_id == "a"
    assert copy(native("a", 1)).origin_id == "a"


def test_addresses_are_those_that_are_there_the_private_ones_first() -> None:
    instance = native("a", ipv4="10.0.0.1", ipv6="2001:db8::1", hostname="h", public_ipv4="198.51.100.1")
    assert instance.addresses == ("10.0.0.1", "2001:db8::1", "h")
    assert native("a", hostname="h").addresses == ("h",)


def test_values_are_frozen_and_may_stand_in_sets() -> None:
    instance = native("a", 1, attributes={"k": "v"})
    assert len({instance, native("a", 1, attributes={"k": "v"})}) == 1
    with pytest.raises(FrozenInstanceError):
        instance.port = 1  # type: ignore[misc]  # that it cannot be set is what is tested


def test_values_without_attributes_share_one_mapping_that_nobody_can_write() -> None:
    assert native("a").attributes is nothing()
    with pytest.raises(TypeError):
        nothing()["k"] = "v"  # type: ignore[index]  # that it cannot be written is what is tested
