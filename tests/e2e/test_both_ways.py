"""The main job: a service of either registry is found in the other, under a name that DNS answers on both sides."""

from tests.e2e.scenes import EXPORTED, IMPORTED, assert_all_there, in_step, populate
from tests.e2e.world import World, never
from tests.support.wait import eventually


def test_both_names_answer_with_the_same_addresses_on_both_sides(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        running.settled()
        for name, addresses in {**EXPORTED, **IMPORTED}.items():
            assert world.answers(f"{name}.service.consul") == addresses
            assert world.answers(f"{name}.corp.internal") == addresses


def test_a_birth_a_move_and_a_death_in_consul_reach_cloud_map(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        running.settled()
        world.consul.register("cart", "cart-1", "10.0.5.1", 8080)
        eventually(lambda: world.answers("cart.corp.internal") == ["10.0.5.1"])
        world.consul.register("cart", "cart-1", "10.0.5.2", 9090)
        eventually(lambda: world.answers("cart.corp.internal") == ["10.0.5.2"])
        assert world.cloud.only("cart").attributes["AWS_INSTANCE_PORT"] == "9090"
        assert world.cloud.withdrawn() == []
        world.consul.deregister("cart-1")
        eventually(lambda: world.answers("cart.corp.internal") == [])


def test_a_birth_a_move_and_a_death_in_cloud_map_reach_consul(world: World) -> None:
    populate(world)
    with world.syncing(proxied=True) as running:
        running.settled()
        world.cloud.register("mail", "mail-1", "10.1.5.1")
        eventually(lambda: world.answers("mail.service.consul") == ["10.1.5.1"])
        world.cloud.register("mail", "mail-1", "10.1.5.2", port=9090)
        eventually(lambda: world.answers("mail.service.consul") == ["10.1.5.2"])
        assert world.consul.dns("_mail._tcp.service.consul", "SRV")[0].split()[2] == "9090"
        assert world.proxy.removed() == []
        world.cloud.deregister("mail", "mail-1")
        eventually(lambda: world.answers("mail.service.consul") == [])


def test_a_critical_instance_leaves_cloud_map_and_comes_back(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        running.settled()
        world.consul.set_check("web-2", "critical")
        eventually(lambda: world.answers("web.corp.internal") == ["10.0.1.1", "10.0.1.3"])
        world.consul.set_check("web-2", "passing")
        eventually(lambda: world.answers("web.corp.internal") == EXPORTED["web"])


def test_the_last_instances_are_not_withdrawn_for_their_health_alone(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        in_step(world, running)
        for number in (1, 2, 3):
            world.consul.set_check(f"web-{number}", "critical")
        never(lambda: not world.cloud.addresses("web"), 1.0)


def test_a_service_of_ours_is_deleted_once_it_was_empty_long_enough(world: World) -> None:
    populate(world)
    world.consul.register("cart", "cart-1", "10.0.5.1", 8080)
    with world.syncing({"intervals": {"forget_empty": 1}}) as running:
        running.settled()
        world.consul.deregister("cart-1")
        eventually(lambda: not world.cloud.instances("cart"))
        assert "cart" in world.cloud.state()
        eventually(lambda: "cart" not in world.cloud.state())
        world.consul.register("cart", "cart-2", "10.0.5.2", 8080)
        eventually(lambda: world.answers("cart.corp.internal") == ["10.0.5.2"])


def test_a_users_service_is_adopted_and_stays_when_it_is_empty(world: World) -> None:
    populate(world)
    world.cloud.service("cart", Description="by hand")
    world.consul.register("cart", "cart-1", "10.0.5.1", 8080)
    with world.syncing({"intervals": {"forget_empty": 0.2}}) as running:
        eventually(lambda: world.cloud.addresses("cart") == ["10.0.5.1"])
        running.settled()
        world.consul.deregister("cart-1")
        eventually(lambda: not world.cloud.instances("cart"))
        never(lambda: "cart" not in world.cloud.state(), 1.2)
        assert world.aws.calls.count("CreateService", "DeleteService") == 2  # those of web and api


def test_what_ecs_registered_is_imported_and_never_written(world: World) -> None:
    populate(world)
    service = world.cloud.service("tasks")
    world.aws.seed.ecs_instance(service, "0123456789abcdef", "10.1.6.1", 8080)
    world.consul.register("tasks", "t-1", "10.0.6.1", 8080)
    with world.syncing() as running:
        running.settled()
        assert world.in_consul("tasks") == ["10.0.6.1", "10.1.6.1"]
        assert world.cloud.addresses("tasks") == ["10.0.6.1", "10.1.6.1"]
        world.consul.deregister("t-1")
        eventually(lambda: world.cloud.addresses("tasks") == ["10.1.6.1"])
        touched = {entry.params["InstanceId"] for entry in world.aws.calls.entries("DeregisterInstance")}
        assert "0123456789abcdef" not in touched


def test_a_restart_loses_nothing_and_writes_nothing(world: World) -> None:
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
    assert_all_there(world)
    with world.syncing(proxied=True) as running:
        running.settled()
        assert world.cloud.writes() == 0
        assert world.proxy.calls("PUT") == []


def test_what_changed_while_nobody_ran_is_put_right_at_the_start(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        running.settled()
    world.consul.deregister("web-1")
    world.cloud.deregister("orders", "orders-1")
    world.consul.register("api", "api-4", "10.0.2.4", 8080)
    with world.syncing() as running:
        running.settled()
        assert world.cloud.addresses("web") == ["10.0.1.2", "10.0.1.3"]
        assert world.cloud.addresses("api") == [*EXPORTED["api"], "10.0.2.4"]
        assert world.in_consul("orders") == ["10.1.1.2", "10.1.1.3"]
