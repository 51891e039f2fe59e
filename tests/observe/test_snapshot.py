"""The status as plain data: documented keys, and only what was asked for."""

import json
from dataclasses import replace

import pytest

from syncer.core.model import Complete, Health, Instance, ServiceInfo, Unreadable
from syncer.core.plan import Register
from syncer.observe import snapshot as documented
from syncer.observe.query import Query
from syncer.observe.rows import HIDDEN
from tests.observe.busy import Site, busy_site, large_site
from tests.observe.scene import BACK, OUT, Scene, ended, ours, passed


@pytest.fixture(scope="module")
def busy() -> Site:
    return busy_site()


def test_every_key_is_documented(busy: Site) -> None:
    text = documented.__doc__ or ""
    data = busy.status.snapshot(Query())
    for key, value in data.items():
        assert f"    {key}" in text, key
        items = (
            value.get("items", []) if isinstance(value, dict) else value if isinstance(value, list) else []
        )
        for inner in items[0] if items else value if isinstance(value, dict) else ():
            assert str(inner) in text, f"{key}.{inner}"


def test_it_can_be_written_as_json(busy: Site) -> None:
    assert json.loads(json.dumps(busy.status.snapshot(Query())))["version"] == 1


def test_a_row_has_both_names_and_what_they_lead_to(busy: Site) -> None:
    (row,) = busy.status.snapshot(Query(service="web"))["services"]["items"]
    assert row["source"] == {
        "registry": "Consul dc1",
        "service": "web",
        "dns": "web.service.consul",
        "note": "",
    }
    assert row["target"] == {
        "registry": "corp.internal",
        "service": "web",
        "dns": "web.corp.internal",
        "note": "",
    }
    assert (row["owner"], row["route"], row["health"]) == ("prod", OUT, "passing")
    (instance,) = row["instances"]
    assert instance["address"] == "10.0.0.10:8080"
    assert instance["since"].endswith("Z")
    assert instance["tags"] == ["blue", "v0"]


def test_the_other_direction_has_its_names_the_other_way_round(busy: Site) -> None:
    (row,) = busy.status.snapshot(Query(service="orders"))["services"]["items"]
    assert (row["source"]["dns"], row["target"]["dns"]) == ("orders.corp.internal", "orders.service.consul")


def test_values_whose_names_speak_of_secrets_are_hidden(busy: Site) -> None:
    text = json.dumps(busy.status.snapshot(Query()))
    assert "s3cr3t-value" not in text
    assert HIDDEN in text


def test_what_was_there_before_the_start_has_no_date(busy: Site) -> None:
    (row,) = busy.status.snapshot(Query(service="queue"))["services"]["items"]
    assert row["instances"][0]["since"] is None


def test_a_renamed_service_is_found_by_either_name() -> None:
    site = Site(Scene(prefix="aws-"))
    item = ours("aws-web", "i-1")
    site.scene.carry("web", item)
    site.store.changed(ended(Register(item), source="web"))
    for name in ("web", "aws-web"):
        data = site.status.snapshot(Query(service=name))
        (row,) = data["services"]["items"]
        assert (row["source"]["dns"], row["target"]["dns"]) == ("web.service.consul", "aws-web.corp.internal")
        assert [entry["instance"] for entry in data["changes"]["items"]] == ["i-1"]


@pytest.mark.parametrize(
    ("records", "dns", "note"),
    [
        (frozenset({"A"}), "web.corp.internal", ""),
        (frozenset({"SRV"}), "web.corp.internal", "SRV records only: the plain name has no address"),
        (frozenset({"CNAME"}), "web.corp.internal", ""),
        (frozenset(), "", "found by the API only"),
    ],
)
def test_a_name_that_dns_does_not_answer_is_not_offered(records: frozenset[str], dns: str, note: str) -> None:
    site = Site(Scene())
    site.scene.carry("web", ours("web", "i-1"), info=ServiceInfo("s", "prod", records))
    (row,) = site.status.snapshot(Query())["services"]["items"]
    assert (row["target"]["dns"], row["target"]["note"]) == (dns, note)


def test_a_registry_without_dns_has_no_names() -> None:
    site = Site(Scene())
    site.scene.sides["cloudmap/ns-1"] = replace(site.scene.sides["cloudmap/ns-1"], dns="")
    site.scene.carry("web", ours("web", "i-1"))
    (row,) = site.status.snapshot(Query())["services"]["items"]
    assert row["target"]["dns"] == ""


def test_only_what_is_ours_is_listed_and_the_rest_is_counted() -> None:
    site = Site(Scene())
    site.scene.carry("web", ours("web", "i-1"), Instance("web", "native"), ours("web", "x", owner="staging"))
    site.scene.cloudmap.reads["theirs"] = Complete("theirs", (ours("theirs", "x", owner="staging"),))
    site.scene.cloudmap.reads["broken"] = Unreadable("broken", "down")
    data = site.status.snapshot(Query())
    (row,) = data["services"]["items"]
    assert [item["id"] for item in row["instances"]] == ["i-1"]
    assert row["beside"] == 2
    assert data["summary"]["services"] == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (Query(text="WEB"), ["web"]),
        (Query(text="10.1.0."), ["orders"]),
        (Query(text="task-1-origin"), ["orders"]),
        (Query(text="service.consul orders"), ["orders"]),
        (Query(text="v3"), ["search"]),
        (Query(route=BACK), ["orders", "queue"]),
        (Query(health="critical"), ["search"]),
        (Query(health="warning", route=OUT), []),
        (Query(text="nothing-like-it"), []),
        (Query(limit=2), ["api", "auth"]),
        (Query(limit=2, page=2), ["billing", "ledger"]),
        (Query(limit=5, page=99), ["queue", "rpc", "search", "web"]),
    ],
)
def test_services_are_found_by_what_is_asked(busy: Site, query: Query, names: list[str]) -> None:
    found = busy.status.snapshot(query)["services"]["items"]
    assert [row["source"]["service"] for row in found] == names


def test_the_summary_is_of_everything_whatever_is_asked(busy: Site) -> None:
    whole = busy.status.snapshot(Query())["summary"]
    assert busy.status.snapshot(Query(text="web"))["summary"] == whole
    assert whole == {
        "services": 9,
        "instances": 25,
        "held": 14,
        "failing": 2,
        "conflicts": 1,
        "unreadable": 1,
        "skipped": 3,
    }


def test_what_is_held_says_why_and_what_to_do(busy: Site) -> None:
    (held,) = busy.status.snapshot(Query())["held"]["items"]
    assert held["removals"] == 14
    assert "14 of 14 would be removed; 10 may be at once" in held["reason"]
    assert held["advice"] == "syncer approve 'consul->corp.internal'"
    assert held["since"]


def test_the_lists_are_narrowed_by_what_is_asked(busy: Site) -> None:
    data = busy.status.snapshot(Query(text="AccessDenied"))
    assert [item["service"] for item in data["failing"]["items"]] == ["audit"]
    assert data["held"]["count"] == data["conflicts"]["count"] == 0
    assert busy.status.snapshot(Query(route=BACK))["skipped"]["count"] == 0
    assert busy.status.snapshot(Query(service="cache"))["conflicts"]["count"] == 1


def test_a_route_says_how_late_it_is_and_what_it_did(busy: Site) -> None:
    out, back = busy.status.snapshot(Query())["routes"]
    assert (out["id"], back["id"]) == (OUT, BACK)
    assert out["lag"]["of"] > 10
    assert out["lag"]["median"] <= out["lag"]["p99"]
    assert out["changes"]["register"]["failed"] == 1
    assert out["held"] == 14
    assert out["source"] == {
        "registry": "consul/dc1",
        "label": "Consul dc1",
        "dns": "service.consul",
        "read": True,
    }


def test_what_cannot_be_listed_is_unreadable() -> None:
    site = Site(Scene())
    site.store.passed(passed(errors=("consul/dc1: 500",)))
    data = site.status.snapshot(Query())
    assert data["summary"]["unreadable"] == 1
    assert data["unreadable"]["items"][0]["reasons"] == ["consul/dc1: 500"]


def test_four_thousand_services_come_page_by_page() -> None:
    data = large_site(2000).status.snapshot(Query())
    assert (data["services"]["total"], data["services"]["pages"]) == (4000, 80)
    assert len(data["services"]["items"]) == 50
    assert data["summary"]["instances"] == 20_000


def test_health_is_the_worst_of_the_instances() -> None:
    site = Site(Scene())
    site.scene.carry("web", ours("web", "a"), ours("web", "b", health=Health.WARNING))
    assert site.status.snapshot(Query())["services"]["items"][0]["health"] == "warning"
