"""What is carried and under which name: filters, prefixes, renames, and a name that both sides have."""

from tests.e2e.scenes import populate
from tests.e2e.world import Tree, World, never
from tests.support.wait import eventually


def both(out: Tree | bool, back: Tree | bool = True) -> Tree:
    return {"namespaces": [{"name": "corp.internal", "consul_to_cloudmap": out, "cloudmap_to_consul": back}]}


def test_only_what_the_filters_let_through_is_carried(world: World) -> None:
    populate(world)
    world.consul.register("shop", "shop-1", "10.0.5.1", 80, tags=["public"], meta={"env": "prod"})
    world.consul.register("shop", "shop-2", "10.0.5.2", 80, tags=["public", "canary"], meta={"env": "prod"})
    world.consul.register("shop", "shop-3", "10.0.5.3", 80, tags=["public"], meta={"env": "test"})
    world.cloud.put("orders", "orders-9", "10.1.1.9", sync="no")
    out = {
        "exclude": ["api"],
        "include": ["shop", "a*"],
        "include_tags": ["public"],
        "exclude_tags": ["canary"],
        "include_attributes": {"env": "prod*"},
    }
    with world.syncing(both(out, {"include": ["o*"], "exclude_attributes": {"sync": "no"}})) as running:
        running.settled()
        assert world.cloud.state().keys() == {"shop", "orders", "users"}
        assert world.cloud.addresses("shop") == ["10.0.5.1"]
        assert sorted(world.imported("orders")) == ["orders-1", "orders-2", "orders-3"]
        assert "users" not in world.consul.services()
        world.consul.register(
            "shop", "shop-1", "10.0.5.1", 80, tags=["public", "canary"], meta={"env": "prod"}
        )
        world.consul.register("shop", "shop-3", "10.0.5.3", 80, tags=["public"], meta={"env": "prod"})
        eventually(lambda: world.cloud.addresses("shop") == ["10.0.5.3"])


def test_prefix_suffix_and_renames_work_both_ways(world: World) -> None:
    populate(world)
    out = {"prefix": "c-", "suffix": "-x", "rename": {"api": "gateway"}}
    back = {"prefix": "aws-", "rename": {"users": "people"}}
    with world.syncing(both(out, back)) as running:
        running.settled()
        assert world.cloud.state().keys() == {"c-web-x", "gateway", "orders", "users"}
        assert world.consul.services().keys() == {"consul", "web", "api", "aws-orders", "people"}
        assert world.answers("gateway.corp.internal") == world.answers("api.service.consul")
        assert world.answers("people.service.consul") == world.answers("users.corp.internal")


def test_a_service_that_gets_another_name_moves_without_a_gap(world: World) -> None:
    populate(world)
    with world.syncing(both({"prefix": "c-"}, {"prefix": "aws-"})) as running:
        running.settled()
        before = world.in_consul("aws-orders"), world.cloud.addresses("c-web")
    world.aws.calls.reset()
    with world.syncing(both(True), proxied=True) as running:
        running.settled()
        # What came under the new name was not taken away by what left the old one.
        eventually(lambda: not world.in_consul("aws-orders") and not world.cloud.addresses("c-web"))
        assert (world.in_consul("orders"), world.cloud.addresses("web")) == before
        assert world.proxy.removed()
        assert not set(world.proxy.added()) & set(world.proxy.removed())


def test_extra_tags_and_attributes_are_put_on_what_is_carried(world: World) -> None:
    populate(world)
    out = {"tags": ["synced"], "attributes": {"datacenter": "dc1"}}
    with world.syncing(both(out, {"tags": ["from-aws"]})) as running:
        running.settled()
        attributes = next(iter(world.cloud.instances("web").values())).attributes
        assert (attributes["sync-tags"], attributes["datacenter"]) == ("synced", "dc1")
        assert world.consul.services()["orders"] == ["from-aws"]


def test_the_same_name_on_both_sides_is_one_service_with_merge(world: World) -> None:
    populate(world)
    world.cloud.put("web", "native", "10.1.9.1")
    with world.syncing() as running:
        running.settled()
        everything = ["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.1.9.1"]
        assert world.in_consul("web") == world.answers("web.corp.internal") == everything
        assert set(world.answers("web.service.consul")) < set(everything)  # Consul's DNS gives three over UDP


def test_the_same_name_on_both_sides_is_left_alone_with_skip(world: World) -> None:
    populate(world)
    world.cloud.put("web", "native", "10.1.9.1")
    with world.syncing(both({"same_name": "skip"}, {"same_name": "skip"})) as running:
        running.settled()
        assert world.cloud.addresses("web") == ["10.1.9.1"]
        assert world.in_consul("web") == ["10.0.1.1", "10.0.1.2", "10.0.1.3"]
        assert world.cloud.addresses("api") == world.in_consul("api")


def test_a_direction_that_is_off_carries_nothing(world: World) -> None:
    populate(world)
    with world.syncing(both(False)) as running:
        running.settled()
        assert "web" not in world.cloud.state()
        assert world.imported("orders")
        never(world.cloud.writes, 0.3)


def test_several_record_types_are_created_and_answered(world: World) -> None:
    populate(world)
    with world.syncing(both({"records": ["A", "SRV"], "ttl": 30})) as running:
        running.settled()
        assert world.cloud.records("web") == {"A": 30, "SRV": 30}
        assert len(world.cloud.resolve("web.corp.internal", "SRV")) == 3
    with world.syncing(both({"records": ["A", "SRV"], "ttl": 60})) as running:
        running.settled()
        assert world.cloud.records("web") == {"A": 60, "SRV": 60}
