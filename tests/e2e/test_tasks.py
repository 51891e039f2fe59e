"""A task that starts is found under every name that the settings give it, and leaves them all when it stops."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.cloud import Cloud
from tests.e2e.tasks import TaskWorld
from tests.support.wait import eventually

LONG = 60.0
PORTS = {"app": (8080,)}


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskWorld]:
    with TaskWorld(tmp_path_factory.mktemp("tasks")) as world:
        yield world


def start(world: TaskWorld, service: str = "web", **options: Any) -> Any:
    return world.ecs.start_task("prod", service=service, **{"public_ip": True, "ports": PORTS, **options})


def test_a_task_is_in_consul_with_its_private_address_and_the_public_one_beside(world: TaskWorld) -> None:
    settings = world.with_tasks({}, {"source": "ecs/prod", "target": "consul"})
    with world.syncing(settings):
        task = start(world, public_ip="54.1.2.3")
        eventually(lambda: world.consul.dns("web.service.consul") == [task.interface.ipv4], LONG)
        (entry,) = world.consul.health("web")
        addresses = {key: value["Address"] for key, value in entry["Service"]["TaggedAddresses"].items()}
        assert addresses["lan_ipv4"] == task.interface.ipv4
        assert addresses["wan_ipv4"] == "54.1.2.3"
        assert entry["Service"]["Port"] == 8080
        world.ecs.set_health(task, "UNHEALTHY")
        eventually(lambda: world.consul.dns("web.service.consul") == [], LONG)
        world.ecs.set_health(task, "HEALTHY")
        eventually(lambda: world.consul.dns("web.service.consul") != [], LONG)
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.consul.health("web") == [], LONG)


def test_the_public_address_is_found_in_consul_under_a_name_and_a_tag_of_its_own(world: TaskWorld) -> None:
    settings = world.with_tasks(
        {"plain": {}, "public": {}, "tagged": {}},
        {"source": "ecs/prod", "target": "consul"},
        {"source": "ecs/prod/public", "target": "consul", "suffix": "-public", "address": "public"},
        {"source": "ecs/prod/tagged", "target": "consul", "tags": ["public"], "address": "public"},
    )
    with world.syncing(settings):
        task = start(world, public_ip="54.1.2.3", ipv6="2600::5")
        eventually(lambda: world.consul.dns("web-public.service.consul") == ["54.1.2.3"], LONG)
        eventually(lambda: world.consul.dns("public.web.service.consul") == ["54.1.2.3"], LONG)
        both = sorted([task.interface.ipv4, "54.1.2.3"])
        eventually(lambda: sorted(world.consul.dns("web.service.consul")) == both, LONG)
        world.ecs.stop_task(task)
        names = ("web-public.service.consul", "public.web.service.consul", "web.service.consul")
        eventually(lambda: not any(world.consul.dns(name) for name in names), LONG)


def test_private_addresses_go_into_a_private_namespace_and_public_ones_into_a_public_one(
    world: TaskWorld,
) -> None:
    world.aws.seed.namespace("example.net", "DNS_PUBLIC")
    world.aws.seed.namespace("tasks", "HTTP")
    settings = world.with_tasks(
        {},
        {"source": "ecs/prod", "target": "corp.internal", "ttl": 5},
        {"source": "ecs/prod", "target": "example.net"},
        {"source": "ecs/prod", "target": "tasks"},
    )
    more = [
        {"name": name, "consul_to_cloudmap": False, "cloudmap_to_consul": False}
        for name in ("example.net", "tasks")
    ]
    with world.syncing({"namespaces": [world.tree()["namespaces"][0], *more]}, settings):
        task = start(world, public_ip="54.1.2.3")
        eventually(lambda: world.ask("web.corp.internal") == [task.interface.ipv4], LONG)
        eventually(lambda: world.ask("web.example.net") == ["54.1.2.3"], LONG)
        http = Cloud(world.aws, "tasks")
        eventually(lambda: http.addresses("web") == ["54.1.2.3"], LONG)
        assert world.consul.dns("web.service.consul") == []
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.ask("web.corp.internal") == [] == world.ask("web.example.net"), LONG)
        eventually(lambda: http.addresses("web") == [], LONG)


def test_what_ecs_has_registered_itself_is_not_touched_and_not_registered_again(world: TaskWorld) -> None:
    settings = world.with_tasks({}, {"source": "ecs/prod", "target": "corp.internal"})
    with world.syncing(settings) as running:
        mine, other = start(world, service="web"), start(world, service="api")
        attributes = {"ECS_SERVICE_NAME": "web", "ECS_CLUSTER_NAME": "prod", "AWS_INSTANCE_PORT": "8080"}
        world.cloud.seed.instance(
            world.cloud.service("web"), mine.id, {"AWS_INSTANCE_IPV4": mine.interface.ipv4, **attributes}
        )
        eventually(lambda: world.cloud.addresses("api") == [other.interface.ipv4], LONG)
        running.settled(LONG)
        assert list(world.cloud.instances("web")) == [mine.id]
        world.ecs.stop_task(mine)
        world.ecs.stop_task(other)
        eventually(lambda: world.cloud.addresses("api") == [], LONG)
        running.settled(LONG)
        assert list(world.cloud.instances("web")) == [mine.id]


def test_a_plain_name_becomes_one_of_the_hosted_zone(world: TaskWorld) -> None:
    zone = world.zone
    settings = world.with_tasks({}, {"source": "ecs/prod", "target": "route53/example.com"})
    with world.syncing(settings):
        tasks = [start(world, public_ip=f"54.1.2.{number}") for number in (1, 2, 3)]
        eventually(lambda: world.ask("web.example.com") == ["54.1.2.1", "54.1.2.2", "54.1.2.3"], LONG)
        assert {item["TTL"] for item in world.records()} == {60}
        assert all("tests" in item["SetIdentifier"] for item in world.records())
        for task in tasks:
            world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.ask("web.example.com") == [], LONG)
        assert world.zone == zone


def test_the_tags_of_the_step_functions_prototype_name_the_record_and_its_zone(world: TaskWorld) -> None:
    view = {"dialect": "hosted-zone-tags", "zone_id": world.zone}
    settings = world.with_tasks(
        {"zone": view}, {"source": "ecs/prod/zone", "target": f"route53/{world.zone}"}
    )
    tags = {"PUBLICHOSTEDZONE": "Example.com", "HOSTEDZONEID": world.zone}
    with world.syncing(settings):
        task = start(world, service="shop", public_ip="54.1.2.3", tags=tags)
        start(world, service="plain")
        start(world, service="far", tags={**tags, "HOSTEDZONEID": "Z0000000000000"})
        eventually(lambda: world.ask("shop.example.com") == ["54.1.2.3"], LONG)
        assert len(world.records()) == 1
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.records() == [], LONG)


def test_the_tags_of_public_discovery_name_the_record_and_its_lifetime(world: TaskWorld) -> None:
    view = {"dialect": "public-discovery", "zone": "example.com"}
    settings = world.with_tasks(
        {"names": view}, {"source": "ecs/prod/names", "target": f"route53/{world.zone}"}
    )
    with world.syncing(settings):
        one = start(
            world, public_ip="54.1.2.1", tags={"public-discovery:name": "www", "public-discovery:ttl": "30"}
        )
        two = start(world, public_ip="54.1.2.2", interface_tags={"public-discovery:name": "www"})
        eventually(lambda: world.ask("www.example.com") == ["54.1.2.1", "54.1.2.2"], LONG)
        ttls = {item["ResourceRecords"][0]["Value"]: item["TTL"] for item in world.records()}
        assert ttls == {"54.1.2.1": 30, "54.1.2.2": 60}
        world.ecs.stop_task(one, upto="RUNNING")
        eventually(lambda: world.ask("www.example.com") == ["54.1.2.2"], LONG)
        world.ecs.stop_task(two, upto="RUNNING")
        eventually(lambda: world.records() == [], LONG)


def test_the_tag_of_the_ecs_anywhere_sample_names_the_target_groups_of_each_container(
    world: TaskWorld,
) -> None:
    first, second = world.group("first", **{"ecs-a.lbVpcCidr": "10.0.0.0/8"}), world.group("second")
    view = {"dialect": "target-group-tags"}
    settings = world.with_tasks(
        {"groups": view}, {"source": "ecs/prod/groups", "target": f"elb/{world.aws.region}"}
    )
    host = world.ecs.host("prod", "192.168.7.5", anywhere=True)
    world.ecs.service("prod", "edge", {"ecs-a.lbName": f"{first}  {second}"})
    with world.syncing(settings):
        ports = {"a": (80,), "b": (81, 82)}
        task = start(world, service="edge", launch_type="EXTERNAL", host=host, ports=ports, public_ip=False)
        bound = {name: [("192.168.7.5", port) for _, port in found] for name, found in task.bindings.items()}
        eventually(lambda: world.targets(first) == bound["a"], LONG)
        eventually(lambda: world.targets(second) == sorted(bound["b"]), LONG)
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.targets(first) == [] == world.targets(second), LONG)


def test_a_group_that_is_not_ours_is_left_alone(world: TaskWorld) -> None:
    ours, theirs = world.group("ours"), world.group("theirs", **{"sync-owner": "others"})
    rename = {"web": ours, "api": theirs}
    settings = world.with_tasks(
        {}, {"source": "ecs/prod", "target": f"elb/{world.aws.region}", "rename": rename}
    )
    with world.syncing(settings):
        task = start(world, service="web")
        start(world, service="api")
        eventually(lambda: world.targets(ours) == [(task.interface.ipv4, 8080)], LONG)
        assert world.targets(theirs) == []


def test_a_stopping_task_is_unhealthy_for_its_time_before_it_leaves_if_that_is_wanted(
    world: TaskWorld,
) -> None:
    view = {"drain": "unhealthy", "drain_for": "3s"}
    settings = world.with_tasks({"plain": view}, {"source": "ecs/prod", "target": "consul"})
    with world.syncing(settings):
        task = start(world)
        eventually(lambda: world.consul.dns("web.service.consul") != [], LONG)
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: [item.health for item in world.imported("web").values()] == ["critical"], LONG)
        assert world.consul.dns("web.service.consul") == []
        eventually(lambda: world.imported("web") == {}, LONG)


def test_without_a_queue_the_clusters_are_polled(world: TaskWorld) -> None:
    route = {"source": "ecs/prod", "target": "consul"}
    world.ecs.cluster("prod")
    with world.syncing({"ecs": [{"name": "prod", "clusters": ["prod"], "poll": "1s"}], "routes": [route]}):
        task = start(world)
        eventually(lambda: world.consul.dns("web.service.consul") == [task.interface.ipv4], LONG)
        world.ecs.stop_task(task)
        eventually(lambda: world.consul.health("web") == [], LONG)


def all_routes(world: TaskWorld) -> dict[str, Any]:
    """Return settings with every kind of target, and both directions between Consul and Cloud Map."""
    return world.with_tasks(
        {"plain": {"exclude": ["shop"]}},
        {"source": "ecs/prod", "target": "consul"},
        {"source": "ecs/prod", "target": "corp.internal"},
        {"source": "ecs/prod", "target": f"route53/{world.zone}"},
    )


def test_with_all_routes_on_a_task_is_in_each_registry_once(world: TaskWorld) -> None:
    with world.syncing(all_routes(world)) as running:
        task = start(world, public_ip="54.1.2.3")
        own = start(world, service="api")
        # ECS registers the second itself, without a port, and an agent in the task registers it in Consul.
        attributes = {"AWS_INSTANCE_IPV4": own.interface.ipv4, "ECS_SERVICE_NAME": "api"}
        world.cloud.seed.instance(world.cloud.service("api"), own.id, attributes)
        eventually(lambda: world.ask("web.example.com") == ["54.1.2.3"], LONG)
        running.settled(LONG)
        for name, expected in (("web", task.interface.ipv4), ("api", own.interface.ipv4)):
            assert world.in_consul(name) == [expected]
            assert world.cloud.addresses(name) == [expected]
            assert (
                world.answers(f"{name}.service.consul")
                == world.answers(f"{name}.corp.internal")
                == [expected]
            )
        assert len(world.records()) == 2
        world.ecs.stop_task(task, upto="RUNNING")
        eventually(lambda: world.in_consul("web") == [] == world.cloud.addresses("web"), LONG)


def test_lost_doubled_and_shuffled_events_end_in_the_same_state(world: TaskWorld) -> None:
    queue = world.whole.ecs_queue()
    source = {"name": "prod", "clusters": ["prod"], "queue": queue}
    stream = world.whole.ecs_events(queue, lose_every=2, double_every=10, shuffle=12, seed=7)
    routes = all_routes(world)["routes"]
    with world.syncing({"ecs": [source], "routes": routes}) as running:
        eventually(lambda: not running.installation.waiting(), LONG)
        started = [start(world, service=f"s{number % 4}") for number in range(24)]
        for task in started[::3]:
            world.ecs.stop_task(task)
        stream.flush()
        running.settled(LONG)
        for number in range(4):
            running_tasks = [
                task
                for task in started
                if task.group == f"service:s{number}" and task.desired_status == "RUNNING"
            ]
            private = sorted(task.interface.ipv4 for task in running_tasks)
            public = sorted(task.interface.public_ipv4 for task in running_tasks)
            assert world.in_consul(f"s{number}") == private == world.cloud.addresses(f"s{number}")
            assert world.ask(f"s{number}.example.com") == public


def test_a_zone_that_is_named_twice_is_told_and_its_other_name_works(world: TaskWorld) -> None:
    settings = world.with_tasks(
        {"plain": {}, "more": {}},
        {"source": "ecs/prod", "target": f"route53/{world.zone}"},
        {"source": "ecs/prod/more", "target": "route53/example.com"},
    )
    with world.syncing(settings) as running:
        eventually(
            lambda: any("it is the same as route53/" in text for text in running.installation.waiting()), LONG
        )
        start(world, public_ip="54.1.2.3")
        eventually(lambda: world.ask("web.example.com") == ["54.1.2.3"], LONG)
