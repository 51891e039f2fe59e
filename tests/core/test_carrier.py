"""What a registry can carry goes through, the rest is dropped and named."""

import re
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from syncer.core.carrier import AttributeLimits, fit
from syncer.core.model import Instance
from tests.core.values import native

KEY: Final = re.compile(r"[!-~]+")
VALUE: Final = re.compile(r"[ -~]*")
LIMITS: Final = st.builds(
    AttributeLimits,
    count=st.integers(0, 4),
    key=st.just(KEY),
    key_length=st.integers(1, 6),
    value=st.just(VALUE),
    value_length=st.integers(0, 8),
    total=st.none() | st.integers(0, 60),
    reserved=st.sampled_from([(), ("a",), ("a", "B")]),
    tags_length=st.none() | st.integers(0, 20),
)
TEXTS: Final = st.text("aAbB ,é", max_size=9)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    tags = tuple(sorted(draw(st.sets(TEXTS, max_size=5))))
    return native("a", 1, tags=tags, attributes=draw(st.dictionaries(TEXTS, TEXTS, max_size=6)))


@given(instances(), LIMITS)
def test_fitting_twice_changes_nothing(instance: Instance, limits: AttributeLimits) -> None:
    once, _ = fit(instance, limits)
    assert fit(once, limits) == (once, ())


@given(instances(), LIMITS)
def test_what_goes_through_is_within_the_limits(instance: Instance, limits: AttributeLimits) -> None:
    fitted, _ = fit(instance, limits)
    carried = dict(fitted.attributes)
    for key, value in carried.items():
        assert KEY.fullmatch(key)
        assert VALUE.fullmatch(value)
        assert len(key) <= limits.key_length
        assert len(value) <= limits.value_length
        assert not key.startswith(limits.reserved)
    if limits.tags_length is not None and fitted.tags:
        joined = ",".join(fitted.tags)
        assert len(joined) <= limits.tags_length
        assert tuple(joined.split(",")) == fitted.tags
        carried["k" * 16] = joined
    assert len(carried) <= limits.count
    assert limits.total is None or sum(map(len, carried)) + sum(map(len, carried.values())) <= limits.total


@given(instances(), LIMITS)
def test_the_order_of_the_attributes_plays_no_part(instance: Instance, limits: AttributeLimits) -> None:
    backwards = dict(reversed(list(instance.attributes.items())))
    assert fit(native("a", 1, tags=instance.tags, attributes=backwards), limits) == fit(instance, limits)


@given(instances(), LIMITS)
def test_everything_goes_through_or_is_named(instance: Instance, limits: AttributeLimits) -> None:
    fitted, dropped = fit(instance, limits)
    assert fitted.attributes.items() <= instance.attributes.items()
    lost = len(instance.attributes) - len(fitted.attributes) + len(instance.tags) - len(fitted.tags)
    assert len(dropped) == lost
    assert {(skip.service, skip.instance) for skip in dropped} <= {("web", "a")}


def reasons(instance: Instance, limits: AttributeLimits) -> list[str]:
    return [skip.reason for skip in fit(instance, limits)[1]]


SMALL: Final = AttributeLimits(2, KEY, 5, VALUE, 6, total=40, reserved=("sync-", "AWS_"), tags_length=10)


def test_every_attribute_that_is_dropped_has_its_reason() -> None:
    attributes = {
        "AWS_X": "1",
        "a b": "1",
        "long-key": "1",
        "c": "seven..",
        "d": "é",
        "e": "1",
        "f": "1",
        "g": "1",
    }
    assert reasons(native("a", 1, attributes=attributes), SMALL) == [
        "attribute 'AWS_X' is not carried: the key is reserved",
        "attribute 'a b' is not carried: the key is not allowed there",
        "attribute 'c' is not carried: the value is longer than 6 characters",
        "attribute 'd' is not carried: the value has characters that are not allowed there",
        "attribute 'g' is not carried: an instance may have 2 attributes there",
        "attribute 'long-key' is not carried: the key is not allowed there",
    ]


def test_tags_take_one_attribute_and_their_part_of_the_room() -> None:
    instance = native("a", 1, tags=("four", "five5"), attributes={"k": "123", "l": "1"})
    fitted, dropped = fit(instance, SMALL)
    assert fitted.tags == ("four", "five5")
    assert fitted.attributes == {"k": "123"}
    assert [skip.reason for skip in dropped] == [
        "attribute 'l' is not carried: an instance may have 2 attributes there"
    ]


def test_attributes_share_the_room_that_there_is_for_all() -> None:
    limits = AttributeLimits(9, KEY, 5, VALUE, 6, total=8)
    instance = native("a", 1, attributes={"a": "12345", "b": "12", "c": "1"})
    fitted, dropped = fit(instance, limits)
    assert fitted.attributes == {"a": "12345", "c": "1"}
    assert [skip.reason for skip in dropped] == [
        "attribute 'b' is not carried: all attributes together may have 8 characters there"
    ]


def test_every_tag_that_is_dropped_has_its_reason() -> None:
    assert reasons(native("a", 1, tags=("", "a,b", "long-enough", "ok", "é")), SMALL) == [
        "tag '' is not carried: it has characters that are not allowed there",
        "tag 'a,b' is not carried: it has characters that are not allowed there",
        "tag 'long-enough' is not carried: all tags together may have 10 characters there",
        "tag 'é' is not carried: it has characters that are not allowed there",
    ]


def test_tags_that_are_first_class_are_not_limited() -> None:
    limits = AttributeLimits(0, KEY, 5, VALUE, 6)
    tags = ("", "a,b", "é", "x" * 100)
    assert fit(native("a", 1, tags=tags), limits) == (native("a", 1, tags=tags), ())
