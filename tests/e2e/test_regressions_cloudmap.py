"""What consul-aws does wrong on the side of Cloud Map, and what happens here instead."""

import pytest

from tests.e2e.scenes import IMPORTED, assert_all_there, assert_nothing_withdrawn, in_step, populate
from tests.e2e.world import Imported, World, never
from tests.support.wait import eventually


@pytest.mark.parametrize("count", [1, None], ids=["once", "for-a-while"])
def test_a_failed_discovery_of_one_service_withdraws_nothing(world: World, count: int | None) -> None:
    """C1: DiscoverInstances fails for one service; consul-aws deregisters all that service's instances in Consul."""
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        fault = world.aws.fault(
            "error", operation="DiscoverInstances", service="orders", code="InternalFailure", count=count
        )
        for _ in range(3):
            running.reread()
            never(world.proxy.removed, 0.3)
        eventually(lambda: fault.hits >= 1)
        assert_all_there(world)
        world.aws.faults.remove()
        world.cloud.register("orders", "orders-4", "10.1.1.4")
        eventually(lambda: world.in_consul("orders") == [*IMPORTED["orders"], "10.1.1.4"])
        assert_nothing_withdrawn(world)


def test_a_service_of_250_instances_is_imported_whole_and_stays(world: World) -> None:
    """C2: consul-aws imports the first 100 instances; the rest never come, or flap."""
    world.aws.seed.bulk("corp.internal", 1, 250, prefix="big-")
    with world.syncing(proxied=True) as running:
        running.settled()
        assert len(world.imported("big-0")) == 250
        world.proxy.forget()
        for _ in range(3):
            running.settled()
        assert world.proxy.calls("PUT") == []


def test_an_instance_that_turns_unhealthy_turns_critical_and_stays(world: World) -> None:
    """C3: in consul-aws an UNHEALTHY instance disappears from Consul instead of turning critical."""
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        world.cloud.health("orders", "orders-2", "UNHEALTHY")
        running.reread()
        critical = Imported("10.1.1.2", 8080, "critical")
        eventually(lambda: world.imported("orders")["orders-2"] == critical)
        assert world.answers("orders.service.consul") == ["10.1.1.1", "10.1.1.3"]
        world.cloud.health("orders", "orders-2", "HEALTHY")
        running.reread()
        eventually(lambda: world.answers("orders.service.consul") == IMPORTED["orders"])
        assert_nothing_withdrawn(world)


def test_unknown_health_passes_and_is_written_once(world: World) -> None:
    """C4: consul-aws stores UNKNOWN as critical, and rewrites it at every poll."""
    world.cloud.service("plain", custom_health=False)
    world.cloud.put("plain", "plain-1", "10.1.3.1")
    with world.syncing(proxied=True) as running:
        running.settled()
        assert world.cloud.only("plain").health == "UNKNOWN"
        assert world.imported("plain") == {"plain-1": Imported("10.1.3.1", 8080, "passing")}
        world.proxy.forget()
        for _ in range(3):
            running.settled()
        assert world.proxy.calls("PUT") == []


def test_a_throttled_creation_is_tried_again(world: World) -> None:
    """C8: consul-aws logs a throttled CreateService as "already exists", and goes on without the service."""
    fault = world.aws.fault("error", operation="CreateService", code="ThrottlingException", count=6)
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    with world.syncing() as running:
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])
        assert fault.hits == 6
        failed = [change.outcome.error for change in running.reports.changes if change.outcome.error]
        assert failed
        assert all("ThrottlingException" in str(error) for error in failed)


def test_a_denied_creation_is_reported_as_denied(world: World) -> None:
    """C8: consul-aws logs a denied CreateService as "already exists"."""
    world.aws.fault("error", operation="CreateService", code="AccessDeniedException")
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    with world.syncing() as running:
        eventually(lambda: any(c.outcome.error for c in running.reports.changes))
        error = next(c.outcome.error for c in running.reports.changes if c.outcome.error)
        assert error.code == "AccessDeniedException"
        assert world.cloud.state() == {}
        world.aws.faults.remove()
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])


def test_a_registration_is_followed_to_its_end(world: World) -> None:
    """C9: consul-aws never looks at the operation that RegisterInstance began: what failed there is lost."""
    fault = world.aws.fault("fail_operation", operation="RegisterInstance", code="INTERNAL_FAILURE", count=2)
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    with world.syncing() as running:
        eventually(lambda: world.cloud.addresses("web") == ["10.0.1.1"])
        assert fault.hits == 2
        endings = [c.outcome for c in running.reports.changes if c.outcome.change.service == "web"]
        assert [item.error.code for item in endings if item.error] == ["INTERNAL_FAILURE"] * 2


def test_many_registrations_keep_within_the_rates(world: World) -> None:
    """C9: consul-aws registers everything at once, however much there is."""
    for number in range(150):
        world.consul.register("web", f"web-{number}", f"10.0.1.{number}", 8080)
    with world.syncing() as running:
        running.settled()
        assert len(world.cloud.instances("web")) == 150
        throttled = world.aws.calls.throttled()
        # A machine that stalls sends two calls at once now and then; all 150 at once would be refused by the dozen.
        assert throttled <= world.aws.calls.count() // 50
        assert world.aws.calls.count("RegisterInstance") <= 150 + throttled


def test_an_ipv6_instance_keeps_its_address_and_an_alias_its_name(world: World) -> None:
    """C16: consul-aws registers IPv6-only, CNAME and alias instances with an empty address: the node's answers."""
    world.cloud.service("six", records={"AAAA": 15})
    world.cloud.put("six", "six-1", "2001:db8::1")
    world.cloud.service("named", records={"CNAME": 15}, routing="WEIGHTED")
    world.cloud.put("named", "named-1", "", port=None, AWS_INSTANCE_CNAME="db.example.com")
    world.cloud.service("alias", routing="WEIGHTED")
    world.cloud.put("alias", "alias-1", "", port=None, AWS_ALIAS_DNS_NAME="lb.elb.amazonaws.com")
    with world.syncing() as running:
        running.settled()
        assert world.in_consul("six") == ["2001:db8::1"]
        assert world.in_consul("named") == ["db.example.com"]
        assert world.in_consul("alias") == ["lb.elb.amazonaws.com"]
        assert world.consul.dns("six.service.consul", "AAAA") == ["2001:db8::1"]
        assert world.consul.dns("six.service.consul") == []
        assert world.consul.dns("named.service.consul", "CNAME") == ["db.example.com."]


def test_a_namespace_without_a_name_for_http_is_imported(world: World) -> None:
    """C21: from a namespace without HttpProperties consul-aws imports nothing."""
    populate(world)
    with world.aws.state.lock:
        registry = next(iter(world.aws.state.registries.values()))
        registry.namespaces[world.namespace_id].http_name = ""
    with world.syncing() as running:
        running.settled()
        assert_all_there(world)


def test_a_new_instance_that_is_unhealthy_never_passes(world: World) -> None:
    """C23: consul-aws registers a new instance as passing, and corrects it at the next poll."""
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        world.cloud.register("orders", "orders-9", "10.1.1.9", AWS_INIT_HEALTH_STATUS="UNHEALTHY")
        eventually(lambda: "orders-9" in world.imported("orders"))
        never(lambda: world.imported("orders")["orders-9"].health != "critical", 0.5)
        puts = world.proxy.calls("PUT", "catalog/register")
        statuses = {item.body["check"]["Status"] for item in puts}
        assert statuses == {"critical"}


def test_a_new_critical_instance_is_never_registered_as_healthy(world: World) -> None:
    """C23: the same towards Cloud Map, where an instance is HEALTHY unless its registration says otherwise."""
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    world.consul.register("web", "web-2", "10.0.1.2", 8080, status="critical")
    with world.syncing(
        {"namespaces": [{"name": "corp.internal", "consul_to_cloudmap": {"unhealthy": "mark"}}]}
    ):
        eventually(lambda: len(world.cloud.instances("web")) == 2)
        shown = {item.address: item.health for item in world.cloud.instances("web").values()}
        assert shown == {"10.0.1.1": "HEALTHY", "10.0.1.2": "UNHEALTHY"}
        assert world.aws.calls.count("UpdateInstanceCustomHealthStatus") == 0
