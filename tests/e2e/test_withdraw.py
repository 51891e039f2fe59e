"""``syncer withdraw``: what we have written goes, what others have written stays."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.scenes import EXPORTED, IMPORTED, in_step, populate
from tests.e2e.world import World

BOTH = ("corp.internal->consul", "consul->corp.internal")


def command(file: Path, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "syncer", *words, "-c", str(file)],
        input=text,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=dict(os.environ),
    )


def carried(world: World, *changes: Any) -> Path:
    """Bring both sides in step, stop, and return the settings' file."""
    populate(world)
    with world.syncing(*changes) as running:
        in_step(world, running)
    return world.file(world.tree(*changes), "syncer.yaml")


def nodes(world: World) -> list[str]:
    return [node["Node"] for node in world.consul.call("GET", "/v1/catalog/nodes")]


def keys(world: World) -> list[str]:
    return list(world.consul.call("GET", "/v1/kv/", params={"keys": ""}))


def assert_no_trace(world: World) -> None:
    assert world.cloud.state().keys() == IMPORTED.keys()
    assert set(world.consul.services()) == {"consul", *EXPORTED}
    assert not [node for node in nodes(world) if node.startswith("cloudmap-sync")]
    for name, addresses in IMPORTED.items():
        assert world.cloud.addresses(name) == addresses
    for name, addresses in EXPORTED.items():
        assert world.in_consul(name) == addresses


def test_it_leaves_no_trace_and_touches_nothing_of_others(world: World) -> None:
    file = carried(world, {"lease": {"enabled": True, "ttl": 10}})
    world.consul.call("PUT", "/v1/kv/cloudmap-sync/another/lease/x", "theirs")
    done = command(file, "withdraw", "--yes")
    assert done.returncode == 0, done.stderr
    assert "Plan: 12 instances to remove" in done.stdout
    assert done.stdout.endswith("nothing of ours is left\n")
    assert_no_trace(world)
    assert keys(world) == ["cloudmap-sync/another/lease/x"]
    again = command(file, "withdraw", "--yes")
    assert again.returncode == 0, again.stderr
    assert "Plan: 0 instances" in again.stdout


def test_without_a_yes_it_shows_the_plan_and_changes_nothing(world: World) -> None:
    file = carried(world)
    before = world.cloud.state()
    asked = command(file, "withdraw")
    assert asked.returncode == 2
    assert "- web/web-1" in asked.stdout
    assert "--yes" in asked.stderr
    assert world.cloud.state() == before
    assert world.aws.calls.count("DeregisterInstance", "DeleteService") == 0


def test_one_route_alone_can_be_withdrawn(world: World) -> None:
    file = carried(world)
    assert command(file, "withdraw", "--route", BOTH[0], "--yes").returncode == 0
    assert set(world.consul.services()) == {"consul", *EXPORTED}
    assert world.cloud.addresses("web") == EXPORTED["web"]
    assert command(file, "withdraw", "--route", "elsewhere", "--yes").returncode == 2


def test_what_a_direction_wrote_before_it_was_turned_off_goes_too(world: World) -> None:
    carried(world)
    off = {"namespaces": [{"name": "corp.internal", "consul_to_cloudmap": False}]}
    done = command(world.file(world.tree(off)), "withdraw", "--yes")
    assert done.returncode == 0, done.stderr
    assert_no_trace(world)


def test_services_of_ours_that_others_use_too_stay_with_what_others_put_there(world: World) -> None:
    file = carried(world)
    world.cloud.put("web", "a-users-own", "10.9.9.9")
    done = command(file, "withdraw", "--yes")
    assert done.returncode == 0, done.stderr
    assert world.cloud.addresses("web") == ["10.9.9.9"]
    assert "api" not in world.cloud.state()


def test_while_a_replica_holds_the_lease_nothing_is_withdrawn(world: World) -> None:
    leased = {"lease": {"enabled": True, "ttl": 10}}
    populate(world)
    with world.syncing(leased) as running:
        in_step(world, running)
        done = command(world.file(world.tree(leased), "same.yaml"), "withdraw", "--yes")
        assert done.returncode == 1
        assert "stop that syncer first" in done.stderr
        assert world.cloud.withdrawn() == []
        assert world.in_consul("orders") == IMPORTED["orders"]


def test_what_cannot_be_read_is_no_success(world: World) -> None:
    file = carried(world)
    world.aws.fault("error", operation="ListServices", code="InternalFailure", status=500)
    done = command(file, "withdraw", "--yes")
    assert done.returncode == 1
    assert world.cloud.withdrawn() == []
