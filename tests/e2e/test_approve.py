"""``syncer approve``: what the guard holds passes when somebody says so, and nothing else does."""

import json
import time

import pytest

from tests.e2e.test_withdraw import command
from tests.e2e.world import Running, World, never
from tests.support.wait import eventually

OUT = "consul->corp.internal"


def registered(world: World, service: str) -> None:
    """Register 20 instances: 16 on one node, 4 on another."""
    net = sum(service.encode()) % 200
    for number in range(20):
        node = f"{service}-{'many' if number < 16 else 'few'}"
        world.consul.register(service, f"{service}-{number}", f"10.0.{net}.{number + 1}", 8080, node=node)


def removed(world: World, service: str) -> None:
    """Remove 16 of them at once, with their node."""
    world.consul.call("PUT", "/v1/catalog/deregister", {"Node": f"{service}-many"})


def held(running: Running) -> int:
    """Return how many removals the route out holds at present."""
    route = next(route for route in running.installation.engine.routes if route.id == OUT)
    return sum(hold.count for hold in route.holds.held.values())


def test_a_held_mass_removal_passes_once_it_is_approved(world: World) -> None:
    registered(world, "web")
    registered(world, "api")
    with world.syncing() as running:
        running.settled()
        removed(world, "web")
        eventually(lambda: held(running) == 16, 60, "the guard holds")
        never(world.cloud.withdrawn, 0.5)
        done = command(world.file(world.tree()), "approve", OUT)
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"{OUT}: what was held passes now\n"
        eventually(lambda: len(world.cloud.instances("web")) == 4, 60, "they are removed")
        assert len(world.cloud.instances("api")) == 20
        # It is used up: the next mass removal is held again.
        removed(world, "api")
        eventually(lambda: held(running) == 16, 60, "the guard holds the next")
        never(lambda: len(world.cloud.withdrawn()) > 16, 1.0)


def test_without_a_route_it_shows_what_is_held(world: World) -> None:
    registered(world, "web")
    file = world.file(world.tree())
    with world.syncing() as running:
        running.settled()
    nothing = command(file, "approve")
    assert (nothing.returncode, nothing.stdout) == (0, "nothing is held\n")
    removed(world, "web")
    shown = command(file, "approve")
    assert shown.returncode == 1
    assert f"{OUT}: web: 16 removals held: route: 16 of 20 would be removed" in shown.stdout
    assert f"syncer approve '{OUT}'" in shown.stdout


def test_an_unknown_route_is_refused_with_the_names_there_are(world: World) -> None:
    done = command(world.file(world.tree()), "approve", "consul->elsewhere")
    assert done.returncode == 2
    assert f"'{OUT}'" in done.stderr
    assert "'corp.internal->consul'" in done.stderr


@pytest.mark.parametrize("age", [400, -400])
def test_an_old_approval_is_thrown_away(world: World, age: float) -> None:
    registered(world, "web")
    with world.syncing() as running:
        running.settled()
        removed(world, "web")
        eventually(lambda: held(running) == 16, 60, "the guard holds")
        key = f"/v1/kv/cloudmap-sync/tests/approve/{OUT.replace('>', '%3E')}"
        world.consul.call("PUT", key, {"by": "somebody", "at": time.time() - age})
        eventually(lambda: not _keys(world), 60, "the approval is thrown away")
        never(world.cloud.withdrawn, 1.0)


def test_garbage_in_place_of_an_approval_approves_nothing(world: World) -> None:
    registered(world, "web")
    with world.syncing() as running:
        running.settled()
        removed(world, "web")
        eventually(lambda: held(running) == 16, 60, "the guard holds")
        world.consul.call("PUT", f"/v1/kv/cloudmap-sync/tests/approve/{OUT.replace('>', '%3E')}", b"\xff{")
        eventually(lambda: not _keys(world), 60, "it is thrown away")
        never(world.cloud.withdrawn, 1.0)


def test_it_says_so_where_no_syncer_runs(world: World) -> None:
    done = command(world.file(world.tree()), "approve", OUT)
    assert done.returncode == 1
    assert "no running syncer of owner 'tests' took it up" in done.stderr


def _keys(world: World) -> list[str]:
    """Return the approvals that wait; a key beside them keeps Consul from answering that there is nothing."""
    world.consul.call("PUT", "/v1/kv/another", json.dumps({}))
    return [key for key in world.consul.call("GET", "/v1/kv/", params={"keys": ""}) if "/approve/" in key]
