"""What consul-aws does wrong on the side of Consul, and what happens here instead."""

from collections.abc import Callable

import pytest

from tests.e2e.scenes import EXPORTED, assert_all_there, assert_nothing_withdrawn, in_step, populate
from tests.e2e.world import World, never
from tests.support.wait import eventually

MARK = {"namespaces": [{"name": "corp.internal", "consul_to_cloudmap": {"unhealthy": "mark"}}]}


@pytest.mark.parametrize("status", [500, 429, 403])
def test_a_failed_read_of_one_service_withdraws_nothing(world: World, status: int) -> None:
    """C5: /catalog/service/foo answers 500 or 429; consul-aws deregisters all of foo and deletes the service."""
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        with (
            world.proxy.failing("status", "health/service/web", status=status) as fault,
            world.proxy.failing("status", "catalog/service/web", status=status),
        ):
            for _ in range(3):
                running.reread()
                never(world.cloud.withdrawn, 0.3)
            eventually(lambda: fault.hits >= 1)
        assert_all_there(world)
        world.consul.register("web", "web-4", "10.0.1.4", 8080)
        eventually(lambda: world.cloud.addresses("web") == [*EXPORTED["web"], "10.0.1.4"])
        assert_nothing_withdrawn(world)


def test_an_instance_without_meta_is_carried(world: World) -> None:
    """C10: consul-aws panics at a service that has no meta."""
    service = {
        "ID": "bare-1",
        "Service": "bare",
        "Address": "10.0.3.1",
        "Port": 80,
        "Meta": None,
        "Tags": None,
    }
    world.consul.call(
        "PUT", "/v1/catalog/register", {"Node": "outside", "Address": "192.0.2.1", "Service": service}
    )
    with world.syncing():
        eventually(lambda: world.cloud.addresses("bare") == ["10.0.3.1"])


def test_health_in_consul_reaches_cloud_map(world: World) -> None:
    """C12: consul-aws never managed to carry health from Consul to Cloud Map."""
    populate(world)
    with world.syncing(MARK, proxied=True) as running:
        in_step(world, running)
        world.consul.set_check("web-2", "critical")
        eventually(lambda: _healths(world, "web")["10.0.1.2"] == "UNHEALTHY")
        eventually(lambda: world.answers("web.corp.internal") == ["10.0.1.1", "10.0.1.3"])
        world.consul.set_check("web-2", "passing")
        eventually(lambda: _healths(world, "web")["10.0.1.2"] == "HEALTHY")
        assert_nothing_withdrawn(world)
        assert world.aws.calls.count("RegisterInstance") == 0


@pytest.mark.parametrize("first", ["passing", "critical"])
def test_the_worst_of_all_checks_decides_whatever_their_order(world: World, first: str) -> None:
    """C13: in consul-aws the check that comes last wins."""
    second = {"passing": "critical", "critical": "passing"}[first]
    checks = [
        {"CheckID": f"c-{key}", "Name": key, "ServiceID": "web-2", "Status": status}
        for key, status in (("a", first), ("b", second))
    ]
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    world.consul.register("web", "web-2", "10.0.1.2", 8080, checks=checks)
    with world.syncing(MARK):
        eventually(lambda: _healths(world, "web") == {"10.0.1.1": "HEALTHY", "10.0.1.2": "UNHEALTHY"})


def test_the_checks_of_a_node_count_for_everything_on_it(world: World) -> None:
    """C13: consul-aws ignores node checks."""
    world.consul.register("web", "web-1", "10.0.1.1", 8080, node="one")
    world.consul.register("web", "web-2", "10.0.1.2", 8080, node="two")
    with world.syncing(MARK):
        eventually(lambda: len(world.cloud.instances("web")) == 2)
        check = {"Node": "two", "CheckID": "host", "Name": "host", "Status": "critical"}
        world.consul.call(
            "PUT",
            "/v1/catalog/register",
            {"Node": "two", "Address": "192.0.2.1", "SkipNodeUpdate": True, "Check": check},
        )
        eventually(lambda: _healths(world, "web") == {"10.0.1.1": "HEALTHY", "10.0.1.2": "UNHEALTHY"})


def test_a_consul_that_does_not_answer_for_a_while_costs_nothing(world: World) -> None:
    """C14: after eleven failed queries in a row, about 6 s, consul-aws exits, having withdrawn everything."""
    populate(world)
    with world.syncing({"consul": {"timeout": 0.5}}, proxied=True) as running:
        in_step(world, running)
        world.consul.pause()
        try:
            never(_removals(world), 7.0)
        finally:
            world.consul.resume()
        world.consul.register("web", "web-4", "10.0.1.4", 8080)
        eventually(lambda: world.cloud.addresses("web") == [*EXPORTED["web"], "10.0.1.4"])
        assert world.cloud.withdrawn() == []
        assert world.in_consul("orders") == ["10.1.1.1", "10.1.1.2", "10.1.1.3"]


def test_a_consul_without_a_leader_costs_nothing(world: World) -> None:
    """C14: 25 s without a leader withdraw everything in consul-aws, and end it."""
    populate(world)
    with world.syncing(proxied=True) as running:
        in_step(world, running)
        with world.proxy.failing("status", status=500, body="No cluster leader"):
            for _ in range(10):
                running.reread()
                never(_removals(world), 0.2)
        with world.proxy.failing("header", body="X-Consul-KnownLeader: false"):
            for _ in range(5):
                running.reread()
                never(_removals(world), 0.2)
        running.settled()
        assert_all_there(world)
        assert_nothing_withdrawn(world)


def test_a_calm_costs_few_queries_however_many_services_there_are(world: World) -> None:
    """C14: each wake-up of consul-aws, also when nothing changed, costs two queries a service."""
    for number in range(45):
        world.consul.register(f"svc-{number}", f"i-{number}", f"10.0.9.{number}", 8080)
    with world.syncing(proxied=True) as running:
        running.settled()
        world.proxy.forget()
        world.consul.register("svc-1", "another", "10.0.8.1", 8080)
        eventually(lambda: len(world.cloud.instances("svc-1")) == 2)
        never(lambda: len(world.proxy.calls()) > 20, 3.0, "more than 20 queries were made")


def test_an_empty_address_is_not_taken_for_one(world: World) -> None:
    """C16: what has no address that the records can answer with is left out with the reason, not registered."""
    world.consul.register("six", "six-1", "2001:db8::1", 8080)
    world.consul.register("named", "named-1", "db.example.com", 8080)
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    with world.syncing() as running:
        running.settled()
        assert world.cloud.state().keys() == {"web"}
        reports = [report for report in running.reports.passes if report.route == "consul->corp.internal"]
        plans = {plan.source: plan for report in reports for plan in report.plans}
        assert [skip.reason for skip in plans["six"].skipped] == [
            "it has no IPv4 address, and the service has A records"
        ]
        assert "only a CNAME record" in plans["named"].skipped[0].reason


def _healths(world: World, service: str) -> dict[str, str]:
    return {item.address: item.health for item in world.cloud.instances(service).values()}


def _removals(world: World) -> Callable[[], list[str]]:
    return lambda: world.cloud.withdrawn() + world.proxy.removed()
