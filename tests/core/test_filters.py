"""What a route takes, and the reason where it does not."""

from types import MappingProxyType

import pytest

from syncer.core.filters import Filter
from syncer.core.model import Skip
from tests.core.values import native


def test_without_patterns_everything_is_taken() -> None:
    assert Filter().service("web") is None
    assert Filter().instance(native("a", 1, tags=("x",), attributes={"k": "v"})) is None


@pytest.mark.parametrize(
    ("filter_", "name", "skip"),
    [
        (Filter(include=("web*",)), "web-1", None),
        (
            Filter(include=("api", "web*")),
            "db",
            Skip("db", None, "no include pattern matches", "add 'db' to include"),
        ),
        (Filter(exclude=("web*",)), "web-1", Skip("web-1", None, "excluded by 'web*'")),
        (Filter(include=("*",), exclude=("consul",)), "consul", Skip("consul", None, "excluded by 'consul'")),
        (Filter(exclude=("Web",)), "web", None),
    ],
)
def test_services(filter_: Filter, name: str, skip: Skip | None) -> None:
    assert filter_.service(name) == skip


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [
        (Filter(include_tags=("bl*",)), None),
        (Filter(include_tags=("red",)), "none of its tags is included"),
        (Filter(include_tags=("blue",), exclude_tags=("bl*",)), "its tag 'blue' is excluded by 'bl*'"),
        (Filter(include_attributes={"env": "pr*"}), None),
        (Filter(include_attributes={"env": "test"}), "its attribute 'env' does not match 'test'"),
        (Filter(include_attributes={"env": "*", "team": "*"}), "its attribute 'team' does not match '*'"),
        (Filter(exclude_attributes={"env": "test"}), None),
        (Filter(exclude_attributes={"team": "*"}), None),
        (
            Filter(include_attributes={"env": "*"}, exclude_attributes={"env": "prod"}),
            "its attribute 'env' is excluded by 'prod'",
        ),
        (Filter(include_tags=("red",), exclude_attributes={"env": "prod"}), "none of its tags is included"),
    ],
)
def test_instances(filter_: Filter, reason: str | None) -> None:
    instance = native("a", 1, tags=("blue", "new"), attributes=MappingProxyType({"env": "prod"}))
    assert filter_.instance(instance) == (None if reason is None else Skip("web", "a", reason))


def test_an_instance_without_tags_is_not_taken_where_one_is_asked_for() -> None:
    skip = Filter(include_tags=("*",)).instance(native("a", 1))
    assert skip == Skip("web", "a", "none of its tags is included")
