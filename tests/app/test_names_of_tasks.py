"""What the services of ECS tasks are called where routes lead to, from the settings alone."""

from typing import Any

import pytest

from syncer.app.naming import Family, families
from syncer.app.places import links, places
from syncer.settings import Settings

ZONE = "route53/example.com"


def settings(*routes: dict[str, Any], views: dict[str, Any] | None = None, **others: Any) -> Settings:
    """Return settings with an ECS source, *routes* from it, and the namespace corp.internal."""
    ecs = [{"name": "prod", "views": views or {}}]
    tree = {"owner": "a", "ecs": ecs, "namespaces": [{"name": "corp.internal"}], "routes": list(routes)}
    return Settings.model_validate(tree | others)


def to(target: str, view: str = "", **written: Any) -> dict[str, Any]:
    """Return a route from a view, the plain one unless said otherwise, to *target*."""
    return {"source": f"ecs/prod{view}", "target": target, **written}


def called(name: str, given: Settings) -> list[Family]:
    """Return the families of *name*."""
    return list(families(name, places(given), links(given)))


def names(family: Family) -> list[tuple[str, str | None]]:
    """Return what the service of *family* is called in the other places, by their titles."""
    return [(item.place.title, item.service) for item in family.others]


def test_a_service_of_ecs_is_called_the_same_in_consul_and_the_namespace_and_wholly_in_the_zone() -> None:
    given = settings(to("consul"), to("corp.internal"), to(ZONE))
    (family,) = [item for item in called("web", given) if item.origin.place.title == "ECS prod"]
    assert names(family) == [
        ("Consul dc1", "web"),
        ("Cloud Map corp.internal", "web"),
        ("Route 53 example.com", "web.example.com"),
    ]
    assert family.origin.forms == ()
    assert [form.name for form in family.others[2].forms] == ["web.example.com"]


def test_from_a_name_in_consul_the_public_one_is_found_through_ecs() -> None:
    given = settings(to("consul"), to(ZONE, prefix="p-"))
    (family,) = called("web.service.consul", given)
    assert family.origin.place.title == "Consul dc1"
    assert names(family) == [
        ("Cloud Map corp.internal", "web"),
        ("ECS prod", "web"),
        ("Route 53 example.com", "p-web.example.com"),
    ]


def test_from_a_public_name_those_in_consul_and_the_namespace_are_found() -> None:
    given = settings(to("consul", suffix="-ecs"), to("corp.internal"), to(ZONE))
    (family,) = called("Web.Example.com.", given)
    assert (family.origin.place.title, family.origin.service) == ("Route 53 example.com", "web.example.com")
    assert names(family) == [
        ("ECS prod", "web"),
        ("Consul dc1", "web-ecs"),
        ("Cloud Map corp.internal", "web"),
    ]


def test_a_name_of_the_zone_that_a_prefix_excludes_comes_from_nowhere() -> None:
    (family,) = called("web.example.com", settings(to(ZONE, prefix="p-")))
    assert names(family) == []


def test_a_rename_to_a_whole_name_of_the_zone_stays_as_it_is() -> None:
    given = settings(to(ZONE, rename={"web": "www.example.com", "api": "v1"}))
    found = {item.origin.service: names(item) for name in ("web", "api") for item in called(name, given)[2:3]}
    assert found == {
        "web": [("Route 53 example.com", "www.example.com")],
        "api": [("Route 53 example.com", "v1.example.com")],
    }


def test_the_names_of_a_view_that_makes_whole_ones_are_carried_unchanged() -> None:
    view = {"names": {"dialect": "public-discovery", "zone": "example.com"}}
    (family,) = called("www.example.com", settings(to(ZONE, "/names"), views=view))
    assert names(family) == [("ECS prod/names", "www.example.com")]


def test_the_views_of_a_source_are_places_of_their_own() -> None:
    given = settings(
        to("consul"), to("consul", "/public", suffix="-public"), views={"plain": {}, "public": {}}
    )
    assert [place.title for place in places(given)[2:]] == ["ECS prod", "ECS prod/public"]
    (family,) = called("web-public.service.consul", given)
    assert names(family)[-2:] == [("ECS prod", "web-public"), ("ECS prod/public", "web")]


@pytest.mark.parametrize("target", ["route53/Z0123456789ABC", "elb/eu-west-1"])
def test_a_zone_by_its_id_and_target_groups_have_no_names(target: str) -> None:
    group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
    given = settings(to("consul"), to(target, rename={"web": group} if target.startswith("elb") else {}))
    (place,) = [item for item in places(given) if item.id == target]
    assert place.forms("web") == ()
    assert place.service("web.example.com") is None
    (family,) = called("web.service.consul", given)
    assert all(not item.forms for item in family.others if item.place is place)


def test_a_zone_is_one_place_however_its_name_is_written() -> None:
    given = settings(to("route53/Example.com."), to(ZONE, "/more"), views={"plain": {}, "more": {}})
    assert [place.id for place in places(given) if place.id.startswith("route53")] == [ZONE]
    assert [place.title for place in places(given) if place.id == ZONE] == ["Route 53 example.com"]


def test_the_name_of_a_zone_itself_is_one_of_its_names_and_a_like_ending_is_not() -> None:
    (zone,) = [place for place in places(settings(to(ZONE))) if place.id == ZONE]
    assert zone.service("Example.com.") == "example.com"
    assert zone.service("web.badexample.com") is None


def test_without_a_route_that_is_on_consul_is_no_place() -> None:
    given = settings(to("consul", enabled=False), to(ZONE), namespaces=None)
    assert [place.title for place in places(given)] == ["ECS prod", "Route 53 example.com"]
    (family,) = called("web.example.com", given)
    assert names(family) == [("ECS prod", "web")]


def test_a_view_that_no_route_leads_from_is_not_shown() -> None:
    views: dict[str, Any] = {"plain": {}, "more": {}}
    given = settings(to(ZONE), to(ZONE, "/more", enabled=False), views=views, namespaces=None)
    assert [family.origin.place.title for family in called("web", given)] == ["ECS prod"]


def test_what_no_target_can_hold_comes_with_the_reason() -> None:
    given = settings(
        to("route53/Z0123456789ABC"),
        to(ZONE, "/names"),
        views={"plain": {}, "names": {"dialect": "public-discovery", "zone": "example.com"}},
        namespaces=None,
    )
    notes = [[item.note for item in family.others] for family in called("web", given)]
    assert notes == [
        ["names there end in the zone's, and the settings give its id alone"],
        ["names there end in .example.com"],
    ]


def test_the_dns_server_of_a_zone_can_be_written() -> None:
    given = settings(to(ZONE, dns_resolver="10.0.0.2:5300"), to("consul"))
    resolvers = {place.id: place.resolver for place in places(given)}
    assert resolvers[ZONE] == ("10.0.0.2", 5300)
    (plain,) = [place for place in places(settings(to(ZONE))) if place.id == ZONE]
    assert plain.resolver is None
