"""Scenes that several tests begin with."""

from tests.e2e.world import Running, World

EXPORTED = {"web": ["10.0.1.1", "10.0.1.2", "10.0.1.3"], "api": ["10.0.2.1", "10.0.2.2", "10.0.2.3"]}
"""Services of Consul, with the addresses of their instances."""
IMPORTED = {"orders": ["10.1.1.1", "10.1.1.2", "10.1.1.3"], "users": ["10.1.2.1", "10.1.2.2", "10.1.2.3"]}
"""Services of Cloud Map, with the addresses of their instances."""


def populate(world: World) -> None:
    """Put two services with three instances each into either registry."""
    for name, addresses in EXPORTED.items():
        for number, address in enumerate(addresses, 1):
            world.consul.register(name, f"{name}-{number}", address, 8080)
    for name, addresses in IMPORTED.items():
        for number, address in enumerate(addresses, 1):
            world.cloud.put(name, f"{name}-{number}", address)


def in_step(world: World, running: Running) -> None:
    """Wait until both sides hold what :func:`populate` put there, then forget all calls that led there."""
    running.settled()
    assert_all_there(world)
    world.aws.calls.reset()
    world.proxy.forget()


def assert_all_there(world: World) -> None:
    """Assert that both sides hold everything that :func:`populate` put into the other."""
    for name, addresses in EXPORTED.items():
        assert world.cloud.addresses(name)[:3] == addresses
    for name, addresses in IMPORTED.items():
        assert world.in_consul(name)[:3] == addresses


def assert_nothing_withdrawn(world: World) -> None:
    """Assert that no removal was asked for, on either side, since :func:`in_step`; needs the proxy."""
    assert world.cloud.withdrawn() == []
    assert world.aws.calls.count("DeleteService") == 0
    assert world.proxy.removed() == []
