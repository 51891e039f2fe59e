"""Why a service is carried, or is not: each rule that can leave it out is named, on real registries."""

import threading
from typing import Any

from syncer.app.explaining import Explanation, Verdict, explain
from syncer.cli.explain import explanation_text
from syncer.core.model import Complete, Conflict, Skip
from syncer.core.plan import Register
from tests.e2e.cloud import WRITES
from tests.e2e.world import NAMESPACE, World

OUT, BACK = f"consul->{NAMESPACE}", f"{NAMESPACE}->consul"


def explained(world: World, name: str, **directions: Any) -> Explanation:
    """Return the explanation of *name* where the namespace has *directions*."""
    settings = world.settings({"namespaces": [{"name": NAMESPACE, **directions}]})
    return explain(settings, name, threading.Event())


def verdict(found: Explanation, route: str) -> Verdict:
    """Return the one verdict of *route*."""
    (one,) = [item for item in found.verdicts if item.route == route]
    return one


def text(found: Explanation) -> str:
    """Return the explanation as text."""
    return "\n".join(explanation_text(found))


def test_a_service_that_is_carried_has_its_changes_and_both_names(world: World) -> None:
    world.consul.register("plain", "p1", "10.0.0.1", 80)
    world.aws.calls.reset()
    found = explained(world, "plain", consul_to_cloudmap={"prefix": "c-"})
    one = verdict(found, OUT)
    assert (one.source, one.target, one.left) == ("plain", "c-plain", None)
    assert one.plan is not None
    assert any(isinstance(change, Register) for change in one.plan.changes)
    assert [(item.service, item.dns, item.there) for item in found.standings] == [
        ("plain", "plain.service.consul", True),
        ("c-plain", f"c-plain.{NAMESPACE}", False),
    ]
    assert f"{NAMESPACE}: c-plain, in DNS c-plain.{NAMESPACE}: not there" in text(found)
    assert not any(world.aws.calls.count(operation) for operation in WRITES)


def test_every_form_of_its_name_leads_to_the_same_service(world: World) -> None:
    world.consul.register("forms", "f1", "10.0.0.2", 80)
    options = {"consul_to_cloudmap": {"prefix": "c-"}, "cloudmap_to_consul": False}
    expected = explained(world, "forms.service.consul", **options)
    assert expected.found
    for name in ("_forms._tcp.service.consul", f"c-forms.{NAMESPACE}", "forms.service.dc1.consul."):
        assert explained(world, name, **options).verdicts == expected.verdicts, name


def test_the_filter_that_leaves_a_service_out_is_named(world: World) -> None:
    world.consul.register("db-main", "d1", "10.0.0.3", 80)
    found = explained(world, "db-main", consul_to_cloudmap={"exclude": ["db-*"]})
    left = verdict(found, OUT).left
    assert isinstance(left, Skip)
    assert left.reason == "excluded by 'db-*'"
    assert text(found).count("excluded by") == 1
    missing = explained(world, "db-main", consul_to_cloudmap={"include": ["web"]})
    assert "left out: no include pattern matches → add 'db-main' to include" in text(missing)


def test_what_the_filter_leaves_out_but_is_there_is_to_be_removed(world: World) -> None:
    world.consul.register("was-carried", "w1", "10.0.0.4", 80)
    with world.syncing() as running:
        running.settled()
    found = explained(world, "was-carried", consul_to_cloudmap={"exclude": ["was-*"]})
    assert "to do: - was-carried/" in text(found)
    assert "written by 'tests' for was-carried/outside/w1 in consul/dc1" in text(found)


def test_a_name_that_cannot_be_carried_comes_with_the_rename(world: World) -> None:
    world.consul.register("old name", "o1", "10.0.0.5", 80)
    found = explained(world, "old name")
    one = verdict(found, OUT)
    assert one.target is None
    assert isinstance(one.left, Skip)
    assert one.left.advice == "write rename: {'old name': 'old-name'}"
    assert f"{OUT}: old name → no name" in text(found)
    assert [item.service for item in found.standings] == ["old name"]


def test_names_that_would_meet_are_a_conflict(world: World) -> None:
    world.consul.register("Meet", "m1", "10.0.0.6", 80)
    world.consul.register("meet", "m2", "10.0.0.7", 80)
    found = explained(world, "meet")
    assert isinstance(verdict(found, OUT).left, Conflict)
    assert text(found).count("would meet under one name") == 1
    world.consul.deregister("m1")
    world.consul.deregister("m2")


def test_echo_is_no_source_and_says_whose_it_is(world: World) -> None:
    world.cloud.put("echoed", "e1", "10.1.0.1")
    with world.syncing() as running:
        running.settled()
    found = explained(world, "echoed")
    assert len(verdict(found, OUT).echo) == 1
    assert "no source: what a syncer wrote, 1 in number, by 'tests'" in text(found)
    assert "in step: ours are 1 of 1" in text(found)
    with_transit = explained(world, "echoed", consul_to_cloudmap={"transit": True})
    assert verdict(with_transit, OUT).echo == ()


def test_a_native_duplicate_and_what_is_critical_are_left_out_with_the_reason(world: World) -> None:
    world.consul.register("twice", "t1", "10.0.0.8", 80)
    world.consul.register("twice", "t2", "10.0.0.9", 80, status="critical")
    world.cloud.put("twice", "native", "10.0.0.8", port=80)
    shown = text(explained(world, "twice"))
    assert "left out: outside/t1: 10.0.0.8 is registered there already, not by a syncer" in shown
    assert "left out: outside/t2: it is critical" in shown


def test_same_name_skip_is_named(world: World) -> None:
    world.consul.register("claimed", "c1", "10.0.0.10", 80)
    world.cloud.put("claimed", "native", "10.1.0.10")
    found = explained(world, "claimed", consul_to_cloudmap={"same_name": "skip"})
    assert "same_name is skip" in text(found)


def test_an_instance_without_the_records_of_the_service_is_left_out(world: World) -> None:
    world.consul.register("portless", "n1", "10.0.0.11", 0)
    found = explained(world, "portless", consul_to_cloudmap={"records": ["A", "SRV"]})
    assert "it has no port, and the service has SRV records" in text(found)


def test_what_cannot_be_read_is_not_planned(world: World) -> None:
    world.cloud.put("unread", "u1", "10.1.0.12")
    fault = world.aws.fault(
        "error", operation="DiscoverInstances", service="unread", code="InternalFailure", status=500
    )
    found = explained(world, "unread")
    world.aws.faults.remove(fault.id)
    assert any(not isinstance(item.read, Complete) for item in found.standings)
    assert "cannot be read: DiscoverInstances: InternalFailure" in text(found)
    assert "not planned: source: DiscoverInstances: InternalFailure" in text(found)


def test_what_ecs_manages_is_told(world: World) -> None:
    service = world.cloud.service("managed")
    world.aws.seed.ecs_instance(service, "0123abcd", "10.0.1.7", 8080, ecs_service="managed", cluster="prod")
    assert "managed by ecs" in text(explained(world, "managed"))


def test_what_has_lost_its_name_in_the_source_is_told(world: World) -> None:
    world.consul.register("named", "n1", "10.0.0.13", 80)
    with world.syncing(
        {"namespaces": [{"name": NAMESPACE, "consul_to_cloudmap": {"include": ["named"]}}]}
    ) as running:
        running.settled()
    found = explained(world, f"named.{NAMESPACE}", consul_to_cloudmap={"prefix": "new-"})
    assert "no service of the source leads to this name any more" in text(found)
    assert f"{OUT}: nothing → named" in text(found)


def test_an_empty_service_and_one_without_records_are_described(world: World) -> None:
    world.cloud.service("empty", records={})
    shown = text(explained(world, "empty"))
    assert "(found by the API only)" in shown
    assert "  no instances" in shown


def test_what_is_nowhere_is_not_found(world: World) -> None:
    found = explained(world, "nobody")
    assert not found.found
    assert found.verdicts == ()
    assert found.problems == ()


def test_a_namespace_that_is_not_there_is_a_problem(world: World) -> None:
    found = explain(world.settings({"namespaces": [{"name": "absent.internal"}]}), "web", threading.Event())
    assert any("no namespace called absent.internal" in problem for problem in found.problems)


def test_a_namespace_that_is_to_be_created_is_taken_for_an_empty_one_and_is_not_created(world: World) -> None:
    section = {"name": "absent.internal", "create": {"type": "http"}}
    found = explain(world.settings({"namespaces": [section]}), "web", threading.Event())
    assert (found.problems, found.awaited) == ((), ("absent.internal",))
    assert world.aws.calls.count("CreateHttpNamespace") == 0
