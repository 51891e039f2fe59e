"""Namespaces of every kind, several at once, and what becomes of one that is not there."""

from tests.e2e.cloud import Cloud
from tests.e2e.scenes import EXPORTED, assert_all_there, populate
from tests.e2e.world import World
from tests.support.wait import eventually

ROLE = "arn:aws:iam::210987654321:role/cloudmap-sync"


def test_an_http_namespace_is_synced_without_dns_records(world: World) -> None:
    world.aws.seed.namespace("api.only", "HTTP")
    cloud = Cloud(world.aws, "api.only")
    cloud.put("orders", "orders-1", "10.1.1.1")
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    with world.syncing({"namespaces": [{"name": "api.only"}]}) as running:
        running.settled()
        assert cloud.addresses("web") == ["10.0.1.1"]
        assert cloud.records("web") == {}
        assert world.answers("orders.service.consul") == ["10.1.1.1"]


def test_a_public_namespace_answers_with_the_public_addresses(world: World) -> None:
    world.aws.seed.namespace("example.com", "DNS_PUBLIC")
    cloud = Cloud(world.aws, "example.com")
    tagged = {"TaggedAddresses": {"wan": {"Address": "203.0.113.7", "Port": 80}}}
    world.consul.agent_register("web", "web-1", "10.0.1.1", 8080, config=tagged)
    world.consul.register("inner", "inner-1", "10.0.1.2", 8080)
    section = {"name": "example.com", "consul_to_cloudmap": {"address": "public"}}
    with world.syncing({"namespaces": [section]}):
        eventually(lambda: world.answers("web.example.com") == ["203.0.113.7"])
        assert not cloud.instances("inner")


def test_a_namespace_called_service_consul_answers_consuls_own_names(world: World) -> None:
    world.aws.seed.namespace("service.consul")
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    section = {"name": "service.consul", "cloudmap_to_consul": False}
    with world.syncing({"namespaces": [section]}):
        eventually(lambda: world.cloud.resolve("web.service.consul") == ["10.0.1.1"])
        assert world.consul.dns("web.service.consul") == ["10.0.1.1"]


def test_namespaces_of_two_accounts_and_regions_are_synced_in_one_process(world: World) -> None:
    populate(world)
    there = Cloud(world.aws, "far.internal", account="210987654321", region="eu-west-1")
    there.seed.namespace("far.internal")
    there.put("mail", "mail-1", "10.4.0.1")
    far = {"name": "far.internal", "region": "eu-west-1", "role_arn": ROLE, "external_id": "tests"}
    with world.syncing({"namespaces": [{"name": "corp.internal"}, far]}) as running:
        running.settled()
        assert_all_there(world)
        assert there.addresses("web") == EXPORTED["web"]
        assert world.in_consul("mail") == ["10.4.0.1"]
        accounts = {entry.account for entry in world.aws.calls.entries("RegisterInstance")}
        assert accounts == {"123456789012", "210987654321"}


def test_a_namespace_that_appears_later_is_attached_then(world: World) -> None:
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    sections = [{"name": "corp.internal"}, {"name": "late.internal"}]
    with world.syncing({"namespaces": sections}) as running:
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])
        waiting = running.installation.waiting()
        assert len(waiting) == 1
        assert "there is no namespace called late.internal" in waiting[0]
        world.aws.seed.namespace("late.internal")
        late = Cloud(world.aws, "late.internal")
        eventually(lambda: late.addresses("web") == ["10.0.1.1"])
        assert running.installation.waiting() == ()


def test_a_namespace_is_created_where_the_settings_say_so(world: World) -> None:
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    create = {"type": "private", "vpc": "vpc-12345678", "description": "made by tests"}
    with world.syncing({"namespaces": [{"name": "new.internal", "create": create}]}):
        eventually(lambda: "new.internal" in _names(world))
        eventually(lambda: world.cloud.resolve("web.new.internal") == ["10.0.1.1"])
    with world.syncing({"namespaces": [{"name": "new.internal", "create": create}]}) as running:
        running.settled()
        assert _names(world).count("new.internal") == 1


def test_a_namespace_is_found_by_its_id(world: World) -> None:
    populate(world)
    with world.syncing({"namespaces": [{"id": world.namespace_id}]}) as running:
        running.settled()
        assert_all_there(world)


def test_one_namespace_that_fails_leaves_the_other_working(world: World) -> None:
    world.aws.seed.namespace("bad.internal")
    populate(world)
    sections = [{"name": "corp.internal"}, {"name": "bad.internal"}]
    with world.syncing({"namespaces": sections}) as running:
        running.settled()
        world.aws.fault("error", namespace="bad.internal", code="InternalFailure", status=500)
        world.consul.register("cart", "cart-1", "10.0.5.1", 8080)
        world.cloud.register("mail", "mail-1", "10.1.5.1")
        eventually(lambda: world.cloud.addresses("cart") == ["10.0.5.1"])
        eventually(lambda: world.in_consul("mail") == ["10.1.5.1"])
        world.aws.faults.remove()
        eventually(lambda: Cloud(world.aws, "bad.internal").addresses("cart") == ["10.0.5.1"])


def _names(world: World) -> list[str]:
    with world.aws.state.lock:
        registries = tuple(world.aws.state.registries.values())
        return [item.name for registry in registries for item in registry.namespaces.values()]
