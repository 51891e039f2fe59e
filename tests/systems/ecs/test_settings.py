"""What may be written under `ecs`, and what is said about the rest."""

from typing import Any

import pytest
from pydantic import ValidationError

from syncer.settings.aws import Account, Aws
from syncer.settings.ecs import EcsSource, EcsView


def test_a_name_is_enough() -> None:
    source = EcsSource.model_validate({"name": "prod"})
    assert source.clusters == ("default",)
    assert (source.queue, source.poll, source.views) == (None, 30.0, {})


def test_everything_can_be_written() -> None:
    source = EcsSource.model_validate(
        {
            "name": "prod",
            "clusters": ["prod", "edge-*", "arn:aws:ecs:eu-west-1:123456789012:cluster/far"],
            "region": "eu-west-1",
            "role_arn": "arn:aws:iam::210987654321:role/reader",
            "external_id": "vpc-prod",
            "queue": "https://sqs.eu-west-1.amazonaws.com/123456789012/ecs-events",
            "poll": "1m",
            "views": {
                "plain": {"name": "{cluster}-{service}", "ports": "each", "include_tags": {"env": "prod*"}},
                "zone": {"dialect": "hosted-zone-tags", "zone_id": "Z0123456789ABC", "drain": "unhealthy"},
                "disco": {"dialect": "public-discovery", "zone": "example.com", "drain_for": "2m"},
                "alb": {"dialect": "target-group-tags", "launch_types": ["EXTERNAL"]},
            },
        }
    )
    assert source.poll == 60.0
    assert source.views["zone"].drain_seconds == 60.0
    assert source.views["disco"].drain_seconds == 0.0
    assert not [problem for view in source.views.values() for problem in view.problems()]
    assert not list(source.problems())


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"name": "a/b"},
        {"name": "prod", "clusters": []},
        {"name": "prod", "clusters": ["not a cluster"]},
        {"name": "prod", "queue": "ecs-events"},
        {"name": "prod", "poll": 0},
        {"name": "prod", "unknown": 1},
        {"name": "prod", "views": {"a b": {}}},
        {"name": "prod", "views": {"x": {"dialect": "esperanto"}}},
        {"name": "prod", "views": {"x": {"name": "web"}}},
        {"name": "prod", "views": {"x": {"name": "{service}-{color}"}}},
        {"name": "prod", "views": {"x": {"name": "{service.__class__}"}}},
        {"name": "prod", "views": {"x": {"launch_types": ["MOON"]}}},
        {"name": "prod", "views": {"x": {"zone_id": "example.com"}}},
        {"name": "prod", "views": {"x": {"zone": "example"}}},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EcsSource.model_validate(wrong)


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        ({"dialect": "hosted-zone-tags"}, {"zone_id"}),
        ({"dialect": "public-discovery"}, {"zone"}),
        ({"zone": "example.com", "zone_id": "Z0123456789ABC"}, {"zone", "zone_id"}),
        ({"dialect": "public-discovery", "zone": "example.com", "zone_id": "Z0123456789ABC"}, {"zone_id"}),
    ],
)
def test_each_dialect_has_its_own_keys(view: dict[str, Any], keys: set[str]) -> None:
    assert {problem.path[0] for problem in EcsView.model_validate(view).problems()} == keys


def test_an_external_id_belongs_to_a_role() -> None:
    source = EcsSource.model_validate({"name": "prod", "external_id": "vpc-prod"})
    assert [problem.path for problem in source.problems()] == [("external_id",)]


def test_what_the_source_does_not_say_aws_says() -> None:
    aws = Aws.model_validate({"region": "eu-central-1", "role_arn": "arn:aws:iam::210987654321:role/all"})
    assert EcsSource.model_validate({"name": "prod"}).account(aws) == Account(
        "eu-central-1", None, "arn:aws:iam::210987654321:role/all", None
    )
    own = EcsSource.model_validate({"name": "prod", "region": "eu-west-1"})
    assert own.account(aws).region == "eu-west-1"
