"""The printed ACL policy is enough for a whole sync at a Consul that denies by default, and no rule can be left out."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syncer.app.doctor.acl import hcl, rights
from syncer.app.doctor.examination import examine
from syncer.app.doctor.findings import Finding, Level
from tests.doctor.ground import Ground
from tests.e2e.tasks import CLUSTER
from tests.e2e.world import FAST, NAMESPACE, World
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

Tree = Mapping[str, Any]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both registries; Consul denies what no policy allows."""
    folder, agent = tmp_path_factory.mktemp("guarded"), ConsulAgent(acl=True)
    with World(folder, emulated=replace(FAST, throttle=None), consul=agent) as world:
        for service in ("web", "web-2", "api"):
            world.consul.register(service, f"{service}-1", f"10.0.0.{len(service)}", 8080)
        for service in ("orders", "users"):
            world.cloud.put(service, f"{service}-1", f"10.1.0.{len(service)}")
        yield world


def printed(world: World, tree: Tree) -> str:
    """Return the policy for the settings *tree*."""
    return hcl(rights(world.settings(tree)))


def examined(world: World, tree: Tree, token: str | None) -> list[Finding]:
    """Return what is found about Consul with *token*."""
    with_token = {"consul": {"token": token}} if token else {}
    settings = world.settings({"aws": {"endpoint_url": "http://127.0.0.1:1", "timeout": 1}}, tree, with_token)
    return [item for item in examine(settings, threading.Event()) if item.about == "Consul"]


def section(**directions: Any) -> Tree:
    """Return settings of one namespace."""
    return {"namespaces": [{"name": NAMESPACE, **directions}]}


BOTH = section()
PREFIXED = section(consul_to_cloudmap={"include": ["web*"]}, cloudmap_to_consul={"prefix": "aws-"})
LEASED = {**PREFIXED, "lease": True}
EXPORT = section(cloudmap_to_consul=False, consul_to_cloudmap={"include": ["web"]})


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(EXPORT, id="export-one-service"),
        pytest.param(PREFIXED, id="imported-names-with-a-prefix"),
        pytest.param(LEASED, id="replicas"),
        pytest.param(BOTH, id="both-ways"),
    ],
)
def test_a_whole_sync_works_with_exactly_the_printed_policy(guarded: World, tree: Tree) -> None:
    token = guarded.consul.create_token(printed(guarded, tree))
    with guarded.syncing(tree, {"consul": {"token": token}}) as running:
        running.settled()
        assert all(not report.unreadable and not report.errors for report in running.reports.passes[-2:])
        assert "web" in guarded.cloud.state()
        if tree is not EXPORT:
            name = "orders" if tree is BOTH else "aws-orders"
            assert guarded.in_consul(name) == ["10.1.0.6"]


def test_a_route_from_ecs_works_with_exactly_the_printed_policy(tmp_path: Path) -> None:
    with Ground(tmp_path, ConsulAgent(acl=True)) as world:
        route = {"source": "ecs/prod", "target": "consul", "prefix": "ecs-"}
        alone = {"name": NAMESPACE, "consul_to_cloudmap": False, "cloudmap_to_consul": False}
        tree = {"namespaces": [alone], **world.with_tasks({"plain": {"include": ["web"]}}, route)}
        token = world.consul.create_token(printed(world, tree))
        task = world.ecs.start_task(CLUSTER, service="web", public_ip=True, ports={"app": (8080,)})
        assert task.interface is not None
        address = task.interface.ipv4
        with world.syncing(tree, {"consul": {"token": token}}) as running:
            eventually(lambda: world.in_consul("ecs-web") == [address])
            running.settled()
            world.ecs.stop_task(task)
            eventually(lambda: world.in_consul("ecs-web") == [])


@pytest.mark.parametrize("tree", [pytest.param(LEASED, id="replicas"), pytest.param(EXPORT, id="export")])
def test_with_the_printed_policy_all_rights_are_found(guarded: World, tree: Tree) -> None:
    findings = examined(guarded, tree, guarded.consul.create_token(printed(guarded, tree)))
    assert [item for item in findings if item.level is Level.FAULT] == []
    assert any(item.what.startswith("the token has the rights that are needed") for item in findings)
    assert any(item.what.startswith("the token is known") for item in findings)


def test_each_rule_that_is_left_out_is_asked_for(guarded: World) -> None:
    needed = rights(guarded.settings(LEASED))
    for left in needed:
        token = guarded.consul.create_token(hcl(right for right in needed if right != left))
        lacking = [item for item in examined(guarded, LEASED, token) if item.advice == f"add: {left.rule}"]
        assert lacking, f"nothing was found without {left.rule}"
        assert Level.FAULT in {item.level for item in lacking} or left.name.endswith("/approve/")


def test_without_the_right_to_approve_everything_else_works(guarded: World) -> None:
    token = guarded.consul.create_token(
        hcl(item for item in rights(guarded.settings(BOTH)) if item.resource != "key")
    )
    findings = examined(guarded, BOTH, token)
    assert [item for item in findings if item.level is Level.FAULT] == []
    assert any("`syncer approve` does not work" in item.what for item in findings)


def test_a_token_that_consul_does_not_know_is_a_fault(guarded: World) -> None:
    findings = examined(guarded, BOTH, "00000000-0000-0000-0000-0000000000aa")
    assert any("does not know this token" in item.what for item in findings if item.level is Level.FAULT)


def test_without_a_token_the_missing_rights_are_named(guarded: World) -> None:
    findings = examined(guarded, BOTH, None)
    assert any("lacks" in item.what or "no token is configured" in item.what for item in findings)


def test_a_token_that_ends_is_a_warning(guarded: World) -> None:
    agent = guarded.consul
    agent.call("PUT", "/v1/acl/policy", {"Name": "for-a-while", "Rules": printed(guarded, BOTH)})
    asked = {"Policies": [{"Name": "for-a-while"}], "ExpirationTTL": "1h", "Description": "short-lived"}
    token = agent.call("PUT", "/v1/acl/token", asked)["SecretID"]
    (finding,) = [item for item in examined(guarded, BOTH, token) if "expires at" in item.what]
    assert finding.level is Level.WARNING
    assert "short-lived" in finding.what


def test_where_consul_cannot_say_the_rights_are_tried(guarded: World) -> None:
    token = guarded.consul.create_token(printed(guarded, LEASED))
    poor = guarded.consul.create_token('service_prefix "" { policy = "read" }')
    url = {"consul": {"address": guarded.proxy.url}}
    with guarded.proxy.failing("status", "internal/acl/authorize", status=400):
        rich_findings = examined(guarded, {**LEASED, **url}, token)
        poor_findings = examined(guarded, {**LEASED, **url}, poor)
    assert [item for item in rich_findings if item.level is Level.FAULT] == []
    assert sum("as a try shows" in item.what for item in rich_findings) >= 3
    assert any("cannot tell whether the token has session:write" in item.what for item in rich_findings)
    lacking = {item.what for item in poor_findings if item.level is Level.FAULT}
    assert any("node:read" in what for what in lacking)
    assert any("node:write" in what for what in lacking)
    assert "doctor-probe" not in str(guarded.consul.call("GET", "/v1/catalog/nodes"))
