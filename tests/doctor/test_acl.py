"""The least rights in Consul follow the settings: what is carried, under which names, by how many replicas."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncer.app.doctor.acl import Right, hcl, rights
from syncer.settings import Settings


def settings(*namespaces: Mapping[str, Any], **others: Any) -> Settings:
    """Return settings with *namespaces*, of which only the keys that matter are given."""
    sections = [{"name": f"ns{number}.internal", **section} for number, section in enumerate(namespaces)]
    some = {"namespaces": sections} if sections else {}
    return Settings.model_validate({"owner": "vpc-a", **some, **others})


def rules(*namespaces: Mapping[str, Any], **others: Any) -> list[str]:
    """Return the rules for *namespaces*, without those that every configuration needs."""
    always = {
        'node_prefix "" { policy = "read" }',
        'key_prefix "cloudmap-sync/vpc-a/approve/" { policy = "write" }',
    }
    return [right.rule for right in rights(settings(*namespaces, **others)) if right.rule not in always]


OFF = {"enabled": False}


def test_both_directions_without_a_prefix_write_any_service() -> None:
    assert rules({}) == [
        'node_prefix "cloudmap-sync-" { policy = "write" }',
        'service_prefix "" { policy = "write" }',
    ]


def test_what_is_only_exported_needs_nothing_to_write() -> None:
    assert rules({"cloudmap_to_consul": OFF}) == ['service_prefix "" { policy = "read" }']


def test_a_prefix_narrows_what_may_be_written() -> None:
    back = {"prefix": "aws-"}
    assert rules({"consul_to_cloudmap": OFF, "cloudmap_to_consul": back}) == [
        'node_prefix "cloudmap-sync-" { policy = "write" }',
        'service "consul" { policy = "read" }',
        'service_prefix "aws-" { policy = "write" }',
    ]


def test_includes_and_renames_narrow_it_further() -> None:
    back = {"include": ["db", "web-*", "old"], "rename": {"old": "new", "else": "never"}, "suffix": "-aws"}
    out = {"include": ["api", "front-[ab]"]}
    assert rules({"consul_to_cloudmap": out, "cloudmap_to_consul": back}) == [
        'node_prefix "cloudmap-sync-" { policy = "write" }',
        'service "api" { policy = "read" }',
        'service "consul" { policy = "read" }',
        'service "db-aws" { policy = "write" }',
        'service "new" { policy = "write" }',
        'service_prefix "front-" { policy = "read" }',
        'service_prefix "web-" { policy = "write" }',
    ]


def test_several_namespaces_add_up_and_another_node_prefix_counts() -> None:
    one = {"consul_to_cloudmap": OFF, "cloudmap_to_consul": {"prefix": "a-"}}
    two = {"consul_to_cloudmap": OFF, "cloudmap_to_consul": {"prefix": "b-"}}
    assert rules(one, two, consul={"node_prefix": "sync"}) == [
        'node_prefix "sync-" { policy = "write" }',
        'service "consul" { policy = "read" }',
        'service_prefix "a-" { policy = "write" }',
        'service_prefix "b-" { policy = "write" }',
    ]


def test_sessions_and_their_keys_are_needed_with_leases_alone() -> None:
    asked = set(rules({}, lease=True)) - set(rules({}))
    assert asked == {
        'key_prefix "cloudmap-sync/vpc-a/lease/" { policy = "write" }',
        'session_prefix "" { policy = "write" }',
    }


ROUTED = {"ecs": [{"name": "prod"}], "routes": [{"source": "ecs/prod", "target": "consul"}]}


def routed(view: Mapping[str, Any] | None = None, **route: Any) -> list[str]:
    """Return the rules for services that a route from ECS writes into Consul."""
    ecs = {"name": "prod", "views": {"plain": view or {}}}
    ends = {"source": "ecs/prod", "target": "consul"}
    return [item for item in rules(ecs=[ecs], routes=[{**ends, **route}]) if item.startswith("service")]


def test_what_comes_from_ecs_is_written_on_nodes_of_its_own() -> None:
    assert rules(**ROUTED) == [
        'node_prefix "cloudmap-sync-" { policy = "write" }',
        'service_prefix "" { policy = "write" }',
    ]


def test_a_route_from_ecs_may_write_the_names_that_it_gives() -> None:
    narrow = routed(include=["web", "api-*"], rename={"old": "new"}, prefix="ecs-")
    assert narrow == [
        'service "consul" { policy = "read" }',
        'service "ecs-web" { policy = "write" }',
        'service_prefix "ecs-api-" { policy = "write" }',
    ]
    assert 'service "new" { policy = "write" }' in routed(include=["old"], rename={"old": "new"})


def test_what_a_view_takes_bounds_the_names_as_long_as_it_does_not_change_them() -> None:
    assert routed({"include": ["web-*"]})[-1] == 'service_prefix "web-" { policy = "write" }'
    anything = ['service_prefix "" { policy = "write" }']
    assert routed({"include": ["web-*"], "name": "{cluster}-{service}"}) == anything
    assert routed({"include": ["web"], "ports": "each"}) == anything


def test_where_consul_is_not_used_no_right_is_needed_and_the_policy_says_so() -> None:
    away = {"consul_to_cloudmap": OFF, "cloudmap_to_consul": OFF}
    routes = [{"source": "ecs/prod", "target": "ns0.internal"}]
    needed = rights(settings(away, ecs=[{"name": "prod"}], routes=routes))
    assert needed == ()
    assert hcl(needed) == "# None: Consul is not used.\n"


def test_leases_alone_need_neither_nodes_nor_services() -> None:
    away = {"consul_to_cloudmap": OFF, "cloudmap_to_consul": OFF}
    routes = [{"source": "ecs/prod", "target": "ns0.internal"}]
    needed = rights(settings(away, ecs=[{"name": "prod"}], routes=routes, lease=True))
    assert {right.resource for right in needed} == {"key", "session"}


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        pytest.param(
            Right("service", "", "write"), Right("service", "a", "read", prefix=False), True, id="all"
        ),
        pytest.param(Right("service", "a", "read"), Right("service", "a", "write"), False, id="read-is-less"),
        pytest.param(Right("node", "", "write"), Right("service", "a", "read"), False, id="another-resource"),
        pytest.param(
            Right("service", "a", "read", prefix=False), Right("service", "a", "read"), False, id="one-name"
        ),
        pytest.param(
            Right("service", "a", "write", prefix=False),
            Right("service", "a", "read", prefix=False),
            True,
            id="same",
        ),
    ],
)
def test_a_right_contains_another_only_where_consul_would_say_so(
    wide: Right, narrow: Right, covers: bool
) -> None:
    assert wide.covers(narrow) is covers


def test_the_policy_says_what_each_rule_is_for_in_aligned_columns() -> None:
    lines = hcl(rights(settings({}))).splitlines()
    assert len({line.index("#") for line in lines}) == 1
    assert all(line.partition("#")[2].strip() for line in lines)
    assert hcl([Right("agent", "", "read")]) == 'agent_prefix "" { policy = "read" }\n'


def test_the_ready_made_policy_covers_what_is_printed_for_everything_at_once() -> None:
    text = (Path(__file__).parents[2] / "deploy" / "consul" / "policy.hcl").read_text()
    found = re.findall(r'^(\w+?)(_prefix)? "([^"]*)" \{\s*policy = "(\w+)"', text, re.MULTILINE)
    ready = [Right(resource, name, access, prefix=bool(prefix)) for resource, prefix, name, access in found]
    lacking = [
        right for right in rights(settings({}, lease=True)) if not any(item.covers(right) for item in ready)
    ]
    assert lacking == []
