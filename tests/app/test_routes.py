"""Which routes the settings describe, and which places share a lease."""

from typing import Any

from syncer.app.routes import Group, active, groups, planned, route_names, source_of
from syncer.settings import Settings

SILENT = {"consul_to_cloudmap": False, "cloudmap_to_consul": False}
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"


def settings(*ends: tuple[str, str], **others: Any) -> Settings:
    """Return settings with two namespaces, and a route for each of *ends*."""
    sources = sorted({source.split("/")[1] for source, _ in ends})
    views: dict[str, Any] = {"plain": {}, "public": {}}
    routes = [
        {"source": source, "target": target, **({"rename": {"web": GROUP}} if "elb/" in target else {})}
        for source, target in ends
    ]
    tree = {
        "owner": "a",
        "namespaces": [{"name": "one"}, {"name": "two", **SILENT}],
        "ecs": [{"name": name, "views": views} for name in sources],
        "routes": routes,
    }
    return Settings.model_validate(tree | others)


def members(*ends: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the members of each place's group."""
    return {key: group.members for key, group in groups(settings(*ends)).items()}


def test_both_directions_of_each_namespace_come_before_the_routes() -> None:
    given = settings(("ecs/prod", "consul"), ("ecs/prod/public", "one"), ("ecs/prod", "route53/Example.com"))
    assert [(route.id, route.source, route.target) for route in planned(given)] == [
        ("consul->one", "consul", "cloudmap/one"),
        ("one->consul", "cloudmap/one", "consul"),
        ("consul->two", "consul", "cloudmap/two"),
        ("two->consul", "cloudmap/two", "consul"),
        ("ecs/prod->consul", "ecs/prod", "consul"),
        ("ecs/prod/public->one", "ecs/prod/public", "cloudmap/one"),
        ("ecs/prod->route53/example.com", "ecs/prod", "route53/example.com"),
    ]
    assert active(given) == tuple(route for route in planned(given) if "two" not in route.id)
    assert route_names(given, disabled=True) == tuple(route.id for route in planned(given))
    assert "consul->two" not in route_names(given)


def test_only_a_route_without_an_address_leaves_it_to_the_kind_of_target() -> None:
    routes = [{"source": "ecs/prod", "target": "consul"}, {"source": "ecs/prod", "target": "one"}]
    given = settings(("ecs/prod", "consul"), routes=[routes[0], {**routes[1], "address": "public"}])
    assert [route.id for route in planned(given) if route.undecided] == ["ecs/prod->consul"]


def test_a_view_belongs_to_its_source() -> None:
    keys = ("ecs/prod/public", "ecs/prod", "route53/a.b", "cloudmap/ecs/x/y")
    assert list(map(source_of, keys)) == ["ecs/prod", "ecs/prod", "route53/a.b", "cloudmap/ecs/x/y"]


def test_namespaces_have_a_lease_each() -> None:
    assert members() == {"cloudmap/one": ("cloudmap/one",), "cloudmap/two": ("cloudmap/two",)}


def test_a_source_that_leads_into_consul_alone_has_a_lease_of_its_own() -> None:
    found = members(("ecs/prod", "consul"), ("ecs/prod/public", "consul"))
    assert found["ecs/prod"] == ("ecs/prod",)
    assert found["cloudmap/one"] == ("cloudmap/one",)


def test_what_is_written_from_one_source_shares_its_lease_whatever_view_it_comes_from() -> None:
    found = members(("ecs/prod", "one"), ("ecs/prod/public", "route53/a.b"), ("ecs/edge", "elb/eu-west-1"))
    together = ("cloudmap/one", "ecs/prod", "route53/a.b")
    assert {key: value for key, value in found.items() if key in together} == dict.fromkeys(
        together, together
    )
    assert found["ecs/edge"] == found["elb/eu-west-1"] == ("ecs/edge", "elb/eu-west-1")
    assert found["cloudmap/two"] == ("cloudmap/two",)


def test_two_sources_with_one_target_share_a_lease_and_all_that_either_writes() -> None:
    found = members(
        ("ecs/prod", "one"), ("ecs/edge", "two"), ("ecs/edge", "route53/a.b"), ("ecs/prod", "route53/a.b")
    )
    together = ("cloudmap/one", "cloudmap/two", "ecs/edge", "ecs/prod", "route53/a.b")
    assert found == dict.fromkeys(together, together)


def test_a_group_is_called_by_its_members_and_a_namespace_by_its_label() -> None:
    assert Group(("cloudmap/one",)).label == "one"
    group = Group(("cloudmap/one", "ecs/prod", "route53/a.b"))
    assert (group.label, group.sources) == ("one + ecs/prod + route53/a.b", ("ecs/prod",))
