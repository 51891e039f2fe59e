"""Consul and the syncer go down and come back, at the worst of times: nothing alive is withdrawn."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.scenes import EXPORTED, assert_all_there, assert_nothing_withdrawn, in_step, populate
from tests.e2e.world import World, never
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually


@pytest.fixture
def lasting(folder: Path) -> Iterator[World]:
    """A Consul whose state outlives it."""
    with World(folder, consul=ConsulAgent(persist=True)) as world:
        yield world


def test_a_consul_that_is_killed_and_started_again_costs_nothing(lasting: World) -> None:
    populate(lasting)
    with lasting.syncing({"consul": {"timeout": 1}}, proxied=True) as running:
        in_step(lasting, running)
        lasting.consul.kill()
        running.reread()
        never(lambda: lasting.cloud.withdrawn() + lasting.proxy.removed(), 1.5)
        lasting.consul.start()
        lasting.consul.register("web", "web-4", "10.0.1.4", 8080)
        eventually(lambda: lasting.cloud.addresses("web") == [*EXPORTED["web"], "10.0.1.4"])
        running.settled()
        assert_all_there(lasting)
        assert_nothing_withdrawn(lasting)


def test_a_consul_that_comes_back_empty_empties_nothing(world: World) -> None:
    populate(world)
    with world.syncing({"consul": {"timeout": 1}}, proxied=True) as running:
        in_step(world, running)
        world.consul.restart()
        for _ in range(6):
            running.reread()
            never(world.cloud.withdrawn, 0.5)
        eventually(lambda: world.in_consul("orders") == ["10.1.1.1", "10.1.1.2", "10.1.1.3"])


def test_a_start_while_cloud_maps_lists_are_empty_withdraws_nothing(world: World) -> None:
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
    for operation in ("List*", "DiscoverInstances", "*"):
        fault = world.aws.fault("empty", operation=operation)
        with world.syncing(proxied=True) as running:
            for _ in range(4):
                running.reread()
                never(lambda: world.cloud.withdrawn() + world.proxy.removed(), 0.3)
            world.aws.faults.remove(fault.id)
            running.settled()
        assert_all_there(world)
    assert_nothing_withdrawn(world)


def test_a_start_while_the_namespace_is_gone_withdraws_nothing(world: World) -> None:
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
    world.aws.fault("namespace_gone")
    with world.syncing(proxied=True) as running:
        eventually(lambda: any("corp.internal" in text for text in running.installation.waiting()))
        never(lambda: world.cloud.withdrawn() + world.proxy.removed(), 1.0)
        world.aws.faults.remove()
        running.settled()
    assert_all_there(world)
    assert_nothing_withdrawn(world)


def test_a_start_while_consul_shows_an_empty_catalogue_withdraws_nothing(world: World) -> None:
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
    with world.proxy.failing("empty"), world.syncing(proxied=True) as running:
        for _ in range(4):
            running.reread()
            never(lambda: world.cloud.withdrawn() + world.proxy.removed(), 0.3)
    assert_all_there(world)


def test_an_empty_source_against_a_full_target_is_held_until_it_is_back(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        in_step(world, running)
    for name in EXPORTED:
        for number in (1, 2, 3):
            world.consul.deregister(f"{name}-{number}")
    with world.syncing() as running:
        eventually(lambda: any(report.held == 6 for report in running.reports.passes if report.full))
        never(world.cloud.withdrawn, 0.5)
        for number in (1, 2, 3):
            world.consul.register("web", f"web-{number}", f"10.0.1.{number}", 8080)
        never(world.cloud.withdrawn, 2.0, "what may still return is withdrawn")
        for number in (1, 2):
            world.consul.register("api", f"api-{number}", f"10.0.2.{number}", 8080)
        most = ["10.0.2.1", "10.0.2.2"]
        eventually(lambda: world.cloud.addresses("api") == most, 60, "most are back, and the rest may go")
