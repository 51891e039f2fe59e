"""What a service is called everywhere follows from the settings alone."""

from typing import Any

import pytest

from syncer.app.naming import Family, families
from syncer.app.places import links, places
from syncer.settings import Settings


def settings(*namespaces: dict[str, Any], **others: Any) -> Settings:
    """Return settings with *namespaces*."""
    return Settings.model_validate({"owner": "a", "namespaces": list(namespaces), **others})


def called(name: str, *namespaces: dict[str, Any]) -> list[Family]:
    """Return the families of *name*."""
    given = settings(*(namespaces or ({"name": "corp.internal"},)))
    return list(families(name, places(given), links(given)))


def names(family: Family) -> dict[str, str | None]:
    """Return what the service of *family* is called, by the place's title."""
    return {item.place.title: item.service for item in (family.origin, *family.others)}


def test_a_plain_name_is_looked_at_from_every_side() -> None:
    families_ = called("web")
    assert [family.origin.place.title for family in families_] == ["Consul dc1", "Cloud Map corp.internal"]
    assert all(set(names(family).values()) == {"web"} for family in families_)


def test_a_dns_name_means_one_side_in_any_case_and_with_a_final_dot() -> None:
    (family,) = called("Web.Corp.Internal.")
    assert names(family) == {"Cloud Map corp.internal": "web", "Consul dc1": "web"}


def test_prefixes_count_in_their_own_direction() -> None:
    section = {
        "name": "corp.internal",
        "consul_to_cloudmap": {"prefix": "c-"},
        "cloudmap_to_consul": {"prefix": "aws-"},
    }
    (family,) = called("web.service.consul", section)
    assert [item.service for item in family.others] == ["c-web"]
    (back,) = called("aws-web.service.consul", section)
    assert [item.service for item in back.others] == ["c-aws-web", "web"]


def test_a_direction_that_is_off_gives_no_name() -> None:
    off = {"name": "corp.internal", "consul_to_cloudmap": False, "cloudmap_to_consul": {"prefix": "aws-"}}
    (family,) = called("web.service.consul", off)
    assert family.others == ()
    given = settings({"name": "corp.internal", "consul_to_cloudmap": False, "cloudmap_to_consul": False})
    assert links(given) == ()


def test_a_name_that_a_rename_has_taken_comes_with_a_note() -> None:
    (family,) = called("web.service.consul", {"name": "n", "consul_to_cloudmap": {"rename": {"a": "web"}}})
    assert any(item.service is None and "renamed" in item.note for item in family.others)


def test_the_records_decide_which_forms_answer() -> None:
    section = {"name": "corp.internal", "consul_to_cloudmap": {"records": ["SRV"]}}
    (family,) = called("web.corp.internal", section)
    assert [form.record for form in family.origin.forms] == ["SRV", "A"]


def test_each_namespace_and_the_datacenter_is_a_place_with_its_resolver() -> None:
    given = settings(
        {"name": "corp.internal", "dns_resolver": "10.0.0.2"},
        {"id": "ns-0123456789abcdef"},
        consul={"domain": "mesh", "dns_address": "10.0.0.3:53"},
    )
    consul, first, second = places(given, "dc7")
    assert (consul.title, consul.resolver) == ("Consul dc7", ("10.0.0.3", 53))
    assert consul.forms("web")[0].name == "web.service.mesh"
    assert (first.id, first.resolver) == ("cloudmap/corp.internal", ("10.0.0.2", 53))
    assert (second.title, second.resolver) == ("Cloud Map ns-0123456789abcdef", None)
    assert places(settings({"name": "n"}, consul={"datacenter": "dc2"}), "")[0].title == "Consul dc2"


@pytest.mark.parametrize(
    "known",
    ["ns-0123456789abcdef", "arn:aws:servicediscovery:eu-west-1:123456789012:namespace/ns-0123456789abcdef"],
)
def test_a_namespace_known_by_its_id_alone_has_no_dns_names_and_it_is_said_why(known: str) -> None:
    (family,) = called("web.service.consul", {"id": known})
    (other,) = family.others
    assert (other.place.title, other.service, other.forms) == ("Cloud Map ns-0123456789abcdef", "web", ())
    assert "write name in place of id" in other.note


@pytest.mark.parametrize("written", [{"type": "http"}, {"create": {"type": "http"}}])
def test_an_http_namespace_has_names_but_no_dns(written: dict[str, Any]) -> None:
    (family,) = called("web.service.consul", {"name": "shop", **written})
    assert [(item.service, item.forms, item.note) for item in family.others] == [
        ("web", (), "found by the API only")
    ]
    assert called("web.shop", {"name": "shop", **written})[0].origin.service == "web"


def test_a_name_that_consul_cannot_answer_for_is_not_carried_there_and_it_is_said_what_to_write() -> None:
    (family,) = called("under_score.corp.internal")
    into = [item for item in family.others if item.service is None]
    assert [item.place.title for item in into] == ["Consul dc1"]
    assert into[0].note == (
        "Consul's DNS answers only letters, digits and inner hyphens; "
        "write rename: {'under_score': 'under-score'}"
    )
    assert [form.name for form in family.origin.forms] == ["under_score.corp.internal"]


def test_a_service_in_consul_may_have_a_name_that_its_dns_does_not_answer() -> None:
    here, _ = called("under_score")
    assert (here.origin.place.title, here.origin.forms) == ("Consul dc1", ())
    assert here.origin.note == "Consul's DNS answers only letters, digits and inner hyphens"
    assert [(item.place.title, item.service) for item in here.others] == [
        ("Cloud Map corp.internal", "under_score")
    ]


@pytest.mark.parametrize(
    ("name", "why", "instead"),
    [
        ("x" * 70, "a part between dots has at most 63 characters", "x" * 63),
        ("a..b", "a part between dots has letters", "a-b"),
    ],
)
@pytest.mark.parametrize(
    "known", [{"name": "n"}, {"name": "n", "type": "http"}, {"id": "ns-0123456789abcdef"}]
)
def test_a_name_that_no_namespace_takes_is_shown_as_not_carried(
    name: str, why: str, instead: str, known: dict[str, str]
) -> None:
    (family,) = called(name, known)
    assert family.origin.place.title == "Consul dc1"
    (other,) = family.others
    assert (other.service, other.forms) == (None, ())
    assert other.note.startswith(why)
    assert other.note.endswith(f"write rename: {{{name!r}: {instead!r}}}")


def test_the_name_of_consuls_own_servers_is_answered_there_and_not_written() -> None:
    family = called("consul.service.consul")[0]
    assert family.origin.forms[0].name == "consul.service.consul"
    into = called("consul.corp.internal")[0].others
    assert [(item.service, item.note) for item in into if item.service is None] == [
        (None, "'consul' is the name of Consul's own servers there")
    ]
