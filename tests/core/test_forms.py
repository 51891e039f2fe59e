"""Every form of a service's name in DNS, and back."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.core.forms import ConsulDomain, Form, Parsed, cloudmap_forms, consul_forms, parse, parse_consul

HERE: Final = ConsulDomain()
NAMESPACES: Final = ("corp.internal", "sub.corp.internal", "service.consul")
LABELS: Final = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda label: label not in {"service", HERE.datacenter, HERE.domain, "tcp"}
)


def test_the_forms_in_consul() -> None:
    assert list(consul_forms("web", ("v1",), HERE)) == [
        Form("web.service.consul", "A"),
        Form("web.service.dc1.consul", "A", "from another datacenter"),
        Form("_web._tcp.service.consul", "SRV", "RFC 2782"),
        Form("v1.web.service.consul", "A", "only instances with the tag v1"),
        Form("_web._v1.service.consul", "SRV", "only instances with the tag v1"),
    ]


def test_the_tag_tcp_has_no_srv_form_of_its_own() -> None:
    names = [form.name for form in consul_forms("web", ("tcp",), HERE)]
    assert names.count("_web._tcp.service.consul") == 1
    assert "tcp.web.service.consul" in names


@pytest.mark.parametrize(
    ("records", "forms"),
    [
        ({"A"}, [("web.corp.internal", "A")]),
        ({"AAAA"}, [("web.corp.internal", "A")]),
        ({"CNAME"}, [("web.corp.internal", "CNAME")]),
        (
            {"A", "SRV"},
            [("web.corp.internal", "A"), ("web.corp.internal", "SRV"), ("<instance>.web.corp.internal", "A")],
        ),
        ({"SRV"}, [("web.corp.internal", "SRV"), ("<instance>.web.corp.internal", "A")]),
        (set(), []),
    ],
)
def test_the_forms_in_a_namespace_depend_on_the_records(
    records: set[str], forms: list[tuple[str, str]]
) -> None:
    found = cloudmap_forms("web", "corp.internal", frozenset(records))
    assert [(form.name, form.record) for form in found] == forms


def test_without_an_a_record_it_is_said_that_the_plain_name_has_no_address() -> None:
    (srv, _) = cloudmap_forms("web", "corp.internal", frozenset({"SRV"}))
    assert srv.note == "no A record: the plain name has no address"


@given(LABELS, st.lists(LABELS, max_size=3), st.booleans(), st.booleans())
def test_every_form_in_consul_is_read_back(service: str, tags: list[str], upper: bool, dot: bool) -> None:
    for form in consul_forms(service, tuple(tags), HERE):
        name = (form.name.upper() if upper else form.name) + ("." if dot else "")
        parsed = parse(name, HERE, ("corp.internal",))
        assert parsed is not None
        assert (parsed.service, parsed.side) == (service, "consul")
        assert parsed.namespace == (HERE.datacenter if "another datacenter" in form.note else "")
        assert (parsed.tag is None) == ("only instances" not in form.note)
        assert parsed.tag is None or parsed.tag in tags


@given(LABELS, st.sampled_from(NAMESPACES), st.booleans())
def test_every_form_in_a_namespace_is_read_back(service: str, namespace: str, upper: bool) -> None:
    for form in cloudmap_forms(service, namespace, frozenset({"A", "SRV"})):
        parsed = parse(form.name.upper() if upper else form.name, HERE, NAMESPACES)
        instance = "<instance>." if form.note.startswith("the SRV") else ""
        assert parsed == Parsed(instance + service, "cloudmap", namespace)


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        pytest.param("v1.2.web.service.consul", Parsed("web", "consul", "", "v1.2"), id="a-tag-with-a-dot"),
        pytest.param("_web._udp.service.dc2.consul", Parsed("web", "consul", "dc2", "udp"), id="a-protocol"),
        pytest.param(
            "_web._tcp.corp.internal", Parsed("_web._tcp", "cloudmap", "corp.internal"), id="its-own-name"
        ),
        pytest.param("a.b.corp.internal", Parsed("a.b", "cloudmap", "corp.internal"), id="a-dotted-service"),
        pytest.param("web.node.consul", None, id="a-node"),
        pytest.param("service.consul", None, id="no-service"),
        pytest.param("web.service.dc1.more.consul", None, id="too-many-labels"),
        pytest.param("web.example.org", None, id="neither"),
        pytest.param(".corp.internal", None, id="nothing-before-the-namespace"),
    ],
)
def test_particular_names(name: str, parsed: Parsed | None) -> None:
    assert parse(name, HERE, ("corp.internal",)) == parsed


def test_the_longest_namespace_wins() -> None:
    assert parse("web.sub.corp.internal", HERE, NAMESPACES) == Parsed("web", "cloudmap", "sub.corp.internal")


def test_a_namespace_named_like_consuls_domain_wins_and_the_other_reading_is_there_for_who_asks() -> None:
    assert parse("Web.service.consul.", HERE, NAMESPACES) == Parsed("web", "cloudmap", "service.consul")
    assert parse_consul("Web.service.consul.", HERE) == Parsed("web", "consul", "")


ENTERPRISE: Final = (
    ConsulDomain(namespace="team-a", partition="edge"),
    ConsulDomain(namespace="Service"),
    ConsulDomain("mesh.example", "dc", "ns", "dc"),
    ConsulDomain(partition="ap"),
)


def test_the_forms_in_a_namespace_of_consul_enterprise() -> None:
    assert [form.name for form in consul_forms("web", ("v1",), ENTERPRISE[0])] == [
        "web.service.team-a.ns.edge.ap.consul",
        "web.service.team-a.ns.edge.ap.dc1.dc.consul",
        "_web._tcp.service.team-a.ns.edge.ap.consul",
        "v1.web.service.team-a.ns.edge.ap.consul",
        "_web._v1.service.team-a.ns.edge.ap.consul",
    ]
    assert next(consul_forms("web", (), ENTERPRISE[1])).name == "web.service.Service.ns.consul"
    assert next(consul_forms("web", (), ENTERPRISE[3])).name == "web.service.ap.ap.consul"


@given(LABELS, st.lists(LABELS, max_size=3), st.sampled_from(ENTERPRISE), st.booleans())
def test_every_form_in_consul_enterprise_is_read_back(
    service: str, tags: list[str], where: ConsulDomain, upper: bool
) -> None:
    for form in consul_forms(service, tuple(tags), where):
        parsed = parse(form.name.upper() if upper else form.name, where, ("corp.internal",))
        assert parsed is not None
        assert (parsed.service, parsed.side) == (service, "consul")
        assert parsed.namespace == (where.datacenter if "another datacenter" in form.note else "")
        assert (parsed.tag is None) == ("only instances" not in form.note)
        assert parsed.tag is None or parsed.tag in tags


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        pytest.param("web.service.consul", Parsed("web", "consul", ""), id="says-none"),
        pytest.param("web.service.dc2.consul", Parsed("web", "consul", "dc2"), id="says-the-datacenter"),
        pytest.param("web.service.edge.ap.consul", Parsed("web", "consul", ""), id="says-the-partition"),
        pytest.param("web.service.team-b.ns.edge.ap.consul", None, id="another-namespace"),
        pytest.param("web.service.team-a.ns.default.ap.consul", None, id="another-partition"),
        pytest.param("web.service.edge.ap.team-a.ns.consul", None, id="in-another-order"),
        pytest.param("service.team-a.ns.consul", None, id="no-service"),
        pytest.param("web.node.team-a.ns.consul", None, id="a-node"),
    ],
)
def test_particular_names_in_consul_enterprise(name: str, parsed: Parsed | None) -> None:
    assert parse(name, ENTERPRISE[0], ()) == parsed


def test_a_namespace_without_a_partition_is_in_the_default_one() -> None:
    where = ConsulDomain(namespace="team-a")
    assert parse("web.service.team-a.ns.default.ap.consul", where, ()) == Parsed("web", "consul", "")
    assert parse("web.service.team-a.ns.edge.ap.consul", where, ()) is None


def test_another_domain_is_honoured() -> None:
    where = ConsulDomain("Example.Org", "east")
    assert parse("web.service.east.example.org", where, ()) == Parsed("web", "consul", "east")
    assert parse("web.service.consul", where, ()) is None
