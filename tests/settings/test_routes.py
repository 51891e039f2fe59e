"""From routes, ECS sources and their views to the core's values."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.rules import Address, RouteRules, SameName, Unhealthy
from syncer.settings import Settings
from syncer.settings.aws import Account, Aws
from syncer.settings.routes import Route
from tests.settings.support import faults, loaded

CARRIER = Carrier(
    name_problem=lambda _name: None,
    attributes=AttributeLimits(30, re.compile(r".*"), 255, re.compile(r".*"), 1024),
)
ROLE, OTHER = "arn:aws:iam::111111111111:role/r", "arn:aws:iam::222222222222:role/r"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"


def route(target: str, **written: Any) -> Route:
    """Return a route from ``ecs/prod`` to *target*."""
    return Route.model_validate({"source": "ecs/prod", "target": target, **written})


def tree(*routes: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """Return settings with the ECS source ``prod`` and *routes* from it."""
    return {"owner": "a", "ecs": [{"name": "prod"}], "routes": list(routes), **others}


def to(target: str, **written: Any) -> dict[str, Any]:
    """Return a route to *target* as a file has it."""
    return {"source": "ecs/prod", "target": target, **written}


def settings(folder: Path, *routes: Mapping[str, Any], **others: Any) -> Settings:
    """Return the settings of :func:`tree`, from a file in *folder*."""
    return loaded(folder, yaml.safe_dump(tree(*routes, **others)))


@pytest.mark.parametrize(
    ("target", "kind", "place"),
    [
        ("consul", "consul", "consul"),
        ("corp.internal", "namespace", "corp.internal"),
        ("ns-0123456789abcdef", "namespace", "ns-0123456789abcdef"),
        ("team/web", "namespace", "team/web"),
        ("route53", "namespace", "route53"),
        ("elb/", "namespace", "elb/"),
        ("route53/Example.com.", "route53", "example.com"),
        ("route53/internal", "route53", "internal"),
        ("route53/Z0123456789ABC", "route53", "Z0123456789ABC"),
        ("elb/eu-west-1", "elb", "eu-west-1"),
    ],
)
def test_a_target_is_of_the_kind_that_its_first_part_says(target: str, kind: str, place: str) -> None:
    assert (route(target).kind, route(target).place) == (kind, place)


def test_only_a_zone_that_is_called_by_name_has_a_name() -> None:
    targets = ("route53/Example.com", "route53/Z0123456789ABC", "corp.internal", "elb/eu-west-1", "consul")
    assert [route(target).zone_name for target in targets] == ["example.com", "", "", "", ""]


def test_a_name_may_be_kept_longer_in_a_hosted_zone_than_in_a_namespace() -> None:
    assert route("route53/example.com").ttl_seconds == 60
    assert route("corp.internal").ttl_seconds == 15
    assert route("corp.internal", ttl="5s").ttl_seconds == 5
    assert route("route53/example.com", ttl=0).ttl_seconds == 0


def test_a_zone_is_written_in_the_region_of_all_and_groups_in_their_own() -> None:
    aws = Aws.model_validate(
        {"region": "eu-central-1", "profile": "p", "role_arn": ROLE, "external_id": "all"}
    )
    assert route("route53/example.com").account(aws) == Account("eu-central-1", "p", ROLE, "all")
    assert route("elb/eu-west-1").account(aws) == Account("eu-west-1", "p", ROLE, "all")
    own = route("elb/eu-west-1", role_arn=OTHER, external_id="own")
    assert own.account(aws) == Account("eu-west-1", "p", OTHER, "own")


def test_a_source_is_read_with_its_own_rights_before_those_of_all(tmp_path: Path) -> None:
    sources = [
        {"name": "prod"},
        {"name": "own", "region": "us-east-1", "role_arn": OTHER, "external_id": "own"},
    ]
    routes = [{"source": f"ecs/{item['name']}", "target": "consul"} for item in sources]
    aws = {"region": "eu-central-1", "profile": "p", "role_arn": ROLE, "external_id": "all"}
    given = settings(tmp_path, *routes, ecs=sources, aws=aws)
    assert [item.account(given.aws) for item in given.ecs] == [
        Account("eu-central-1", "p", ROLE, "all"),
        Account("us-east-1", "p", OTHER, "own"),
    ]


def test_the_rules_of_a_route_hold_everything_that_is_written() -> None:
    written = route(
        "corp.internal",
        include=["web-*"],
        exclude=["web-test"],
        prefix="a-",
        suffix="-z",
        rename={"one": "two"},
        tags=["extra"],
        attributes={"from": "sync"},
        keep_last=False,
        same_name="skip",
        unhealthy="mark",
        address="public",
        records=["A", "SRV"],
        ttl="1m",
    )
    assert written.rules("r", "o", "ecs/prod", "cloudmap/ns-1", CARRIER) == RouteRules(
        id="r",
        owner="o",
        source="ecs/prod",
        target="cloudmap/ns-1",
        carrier=CARRIER,
        naming=written.naming(),
        filter=written.filter(),
        extra_tags=("extra",),
        extra_attributes={"from": "sync"},
        unhealthy=Unhealthy.MARK,
        keep_last=False,
        same_name=SameName.SKIP,
        address=Address.PUBLIC,
        records=frozenset({"A", "SRV"}),
        ttl=60,
    )


@pytest.mark.parametrize(
    ("target", "unhealthy", "records", "ttl"),
    [
        ("consul", Unhealthy.MARK, set(), 15),
        ("corp.internal", Unhealthy.WITHDRAW, {"A"}, 15),
        ("route53/example.com", Unhealthy.WITHDRAW, set(), 60),
        ("elb/eu-west-1", Unhealthy.WITHDRAW, set(), 15),
    ],
)
def test_what_is_not_written_follows_from_the_kind_of_target(
    target: str, unhealthy: Unhealthy, records: set[str], ttl: int
) -> None:
    rules = route(target).rules("r", "o", "s", "t", CARRIER)
    assert (rules.unhealthy, set(rules.records), rules.ttl) == (unhealthy, records, ttl)
    assert rules.address is Address.PRIVATE


def test_no_records_at_all_can_be_asked_for() -> None:
    assert route("tasks", records=[]).rules("r", "o", "s", "t", CARRIER).records == frozenset()


def test_routes_are_called_by_their_ends_and_a_namespace_by_its_label(tmp_path: Path) -> None:
    namespaces = [
        {"name": "corp.internal"},
        {"name": "split", "type": "private"},
        {"name": "split", "type": "public"},
        {"id": "ns-0123456789abcdef"},
        {"id": "arn:aws:servicediscovery:eu-west-1:333333333333:namespace/ns-fedcba9876543210"},
    ]
    arn = namespaces[-1]["id"]
    targets = ("consul", "Corp.Internal", "split@public", "ns-0123456789ABCDEF", arn)
    others = (to("route53/Example.com."), to("elb/eu-west-1", rename={"web": GROUP}))
    given = settings(tmp_path, *map(to, targets), *others, namespaces=namespaces)
    assert [item.id for item in given.resolved_routes()] == [
        "ecs/prod->consul",
        "ecs/prod->corp.internal",
        "ecs/prod->split@public",
        "ecs/prod->ns-0123456789abcdef",
        "ecs/prod->ns-fedcba9876543210",
        "ecs/prod->route53/example.com",
        "ecs/prod->elb/eu-west-1",
    ]


def test_a_label_is_meant_before_a_name_that_two_namespaces_share(tmp_path: Path) -> None:
    namespaces = [{"name": "split"}, {"name": "split", "region": "eu-west-1"}]
    given = settings(tmp_path, to("split"), namespaces=namespaces)
    assert given.labels() == ("split", "split@eu-west-1")
    assert [item.target for item in given.resolved_routes()] == ["split"]


def test_a_namespace_called_consul_is_told_apart_from_consul(tmp_path: Path) -> None:
    given = settings(
        tmp_path,
        to("consul"),
        to("consul@cloudmap"),
        to("other"),
        namespaces=[{"name": "consul"}, {"name": "other"}],
    )
    assert given.labels() == ("consul@cloudmap", "other")
    assert [(item.id, item.route.kind) for item in given.resolved_routes()] == [
        ("ecs/prod->consul", "consul"),
        ("ecs/prod->consul@cloudmap", "namespace"),
        ("ecs/prod->other", "namespace"),
    ]


def test_namespaces_called_consul_go_by_what_tells_them_apart(tmp_path: Path) -> None:
    namespaces = [{"name": "consul", "type": "private"}, {"name": "consul", "type": "public"}]
    given = settings(tmp_path, to("consul"), to("consul@public"), namespaces=namespaces)
    assert [item.id for item in given.resolved_routes()] == ["ecs/prod->consul", "ecs/prod->consul@public"]


def test_the_longest_arn_of_a_target_group_fits(tmp_path: Path) -> None:
    name = "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:123456789012:targetgroup/" + "w" * 32
    given = settings(tmp_path, to("elb/us-gov-west-1", rename={"web": f"{name}/0123456789abcdef"}))
    assert given.routes[0].naming().renames["web"].startswith(name)


def test_a_route_whose_target_is_unknown_is_left_out() -> None:
    given = Settings.model_validate(tree(to("nowhere"), to("consul")))
    assert [item.target for item in given.resolved_routes()] == ["consul"]


def test_consul_is_needed_for_a_direction_a_route_or_leases(tmp_path: Path) -> None:
    silent = [{"name": "n", "consul_to_cloudmap": False, "cloudmap_to_consul": False}]
    zone = to("route53/example.com")
    assert not settings(tmp_path, zone).uses_consul
    assert not settings(tmp_path, zone, to("consul", enabled=False)).uses_consul
    assert not settings(tmp_path, zone, namespaces=silent).uses_consul
    assert settings(tmp_path, zone, to("consul")).uses_consul
    assert settings(tmp_path, zone, namespaces=[{**silent[0], "consul_to_cloudmap": True}]).uses_consul
    assert settings(tmp_path, zone, lease={"enabled": True}).uses_consul


def test_only_views_in_plain_words_have_plain_names(tmp_path: Path) -> None:
    views = {"plain": {"name": "{family}"}, "names": {"dialect": "public-discovery", "zone": "example.com"}}
    zone = [{"source": f"ecs/prod{view}", "target": "route53/example.com"} for view in ("", "/names")]
    given = settings(tmp_path, *zone, ecs=[{"name": "prod", "views": views}])
    asked = ("ecs/prod", "ecs/prod/names", "ecs/prod/other", "consul")
    assert [given.has_plain_names(name) for name in asked] == [True, False, False, False]
    assert settings(tmp_path, to("consul")).has_plain_names("ecs/prod")


def test_a_stopping_task_stays_only_where_that_is_wanted(tmp_path: Path) -> None:
    views = {"plain": {}, "late": {"drain": "unhealthy", "drain_for": "2m"}}
    given = settings(
        tmp_path, to("consul"), to("consul", source="ecs/prod/late"), ecs=[{"name": "prod", "views": views}]
    )
    assert {name: view.drain_seconds for name, view in given.ecs[0].views.items()} == {
        "plain": 0,
        "late": 120,
    }


@pytest.mark.parametrize("zone", ["route53/example.com", "route53/eu.example.com", "route53/EXAMPLE.com."])
def test_names_of_a_view_may_lie_in_a_zone_above_or_below_the_written_one(tmp_path: Path, zone: str) -> None:
    view = {"dialect": "public-discovery", "zone": "Example.com."}
    ecs = [{"name": "prod", "views": {"plain": view}}]
    assert settings(tmp_path, to(zone), ecs=ecs).resolved_routes()
    other = faults(tmp_path, yaml.safe_dump(tree(to("route53/ample.com"), ecs=ecs)))
    assert ["is another zone than the view's, example.com" in fault for fault in other] == [True]


def test_a_zone_that_is_written_by_its_id_or_its_name_fits_the_views_id(tmp_path: Path) -> None:
    ecs = [{"name": "prod", "views": {"plain": {"dialect": "hosted-zone-tags", "zone_id": "Z0123456789ABC"}}}]
    for zone in ("route53/Z0123456789ABC", "route53/example.com"):
        assert settings(tmp_path, to(zone), ecs=ecs).resolved_routes()


def test_what_is_written_as_it_is_by_default_is_no_fault(tmp_path: Path) -> None:
    given = settings(tmp_path, to("consul", take_over=False))
    assert not given.routes[0].take_over
