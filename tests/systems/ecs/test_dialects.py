"""The tags that users have set for other tools name tasks here as they did there; a view takes what it is told to."""

import time

import pytest

from syncer.core.model import Complete, Listed, Unlisted, Unreadable
from syncer.systems.ecs.dialects import HostedZoneTags, Plain, Ports, PublicDiscovery, TargetGroups
from syncer.systems.ecs.mapping import Carry
from syncer.systems.ecs.source import ViewOptions
from syncer.systems.ecs.views import Selection
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.systems.ecs.steps import MakeSource, instances, known_as, plain, snapshot

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef"
ONE, TWO = GROUP.format("one"), GROUP.format("two")


def test_hosted_zone_tags_name_tasks_in_their_zone_with_public_addresses(
    world: EcsWorld, make_source: MakeSource
) -> None:
    tags = {"PUBLICHOSTEDZONE": "example.com", "HOSTEDZONEID": "Z1"}
    world.start_task("prod", service="web", public_ip="54.1.1.1", ipv6="2600:1f18::7", tags=tags)
    world.start_task(
        "prod", service="dotted", public_ip=True, tags={**tags, "PUBLICHOSTEDZONE": "example.com."}
    )
    world.start_task(
        "prod", service="prefixed", public_ip=True, tags={**tags, "HOSTEDZONEID": "/hostedzone/Z1"}
    )
    world.start_task("prod", service="elsewhere", public_ip=True, tags={**tags, "HOSTEDZONEID": "Z2"})
    world.start_task("prod", service="half", public_ip=True, tags={"PUBLICHOSTEDZONE": "example.com"})
    world.start_task("prod", service="untagged", public_ip=True)
    view = make_source((ViewOptions("zone", HostedZoneTags("Z1")),)).views["zone"]
    assert view.id == "ecs/prod/zone"
    found = snapshot(view)
    assert found.keys() == {"web.example.com", "dotted.example.com", "prefixed.example.com"}
    (web,) = found["web.example.com"]
    assert (web.ipv4, web.public_ipv4, web.ipv6) == ("54.1.1.1", "54.1.1.1", "2600:1f18::7")


def test_a_task_without_a_public_address_shows_no_private_one_in_a_public_view(
    world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web", tags={"public-discovery:name": "www"})
    view = make_source((ViewOptions("disco", PublicDiscovery("example.com")),)).views["disco"]
    (found,) = instances(view, "www.example.com")
    assert found.addresses == ()


@pytest.mark.parametrize("where", ["tags", "interface_tags"])
def test_public_discovery_tags_name_tasks_wherever_they_stand(
    world: EcsWorld, make_source: MakeSource, where: str
) -> None:
    tags = {"public-discovery:name": "www", "public-discovery:ttl": "30"}
    options = {where: tags}
    task = world.start_task("prod", service="web", public_ip="54.1.1.1", **options)  # type: ignore[arg-type]  # by name
    view = make_source((ViewOptions("disco", PublicDiscovery("example.com.")),)).views["disco"]
    (found,) = snapshot(view)["www.example.com"]
    assert (found.id, found.ipv4, found.attributes["ttl"]) == (known_as(task), "54.1.1.1", "30")


@pytest.mark.parametrize("ttl", ["", "soon", "-1", "1.5", "99999999999", "³"])
def test_a_lifetime_that_is_none_is_left_out(world: EcsWorld, make_source: MakeSource, ttl: str) -> None:
    tags = {"public-discovery:name": "www", "public-discovery:ttl": ttl}
    world.start_task("prod", service="web", public_ip=True, tags=tags)
    view = make_source((ViewOptions("disco", PublicDiscovery("example.com")),)).views["disco"]
    (found,) = snapshot(view)["www.example.com"]
    assert "ttl" not in found.attributes


def test_the_tags_of_the_service_give_each_container_its_target_group(
    world: EcsWorld, make_source: MakeSource
) -> None:
    host = world.host("prod", "192.168.7.5", anywhere=True)
    world.service("prod", "edge", {"ecs-a.lbName": f"{ONE}  {TWO}"})
    task = world.start_task(
        "prod",
        service="edge",
        launch_type="EXTERNAL",
        host=host,
        ports={"web": (80, 443), "api": (9000,), "zzz": (1,)},
    )
    world.start_task("prod", service="untagged", launch_type="EXTERNAL", host=host)
    world.start_task("prod", family="alone", launch_type="EXTERNAL", host=host)
    view = make_source((ViewOptions("alb", TargetGroups()),)).views["alb"]
    found = snapshot(view)
    assert found.keys() == {ONE, TWO}
    assert {(item.ipv4, item.port, item.attributes["ecs-container"]) for item in found[ONE]} == {
        ("192.168.7.5", 32770, "api")
    }
    assert {(item.ipv4, item.port) for item in found[TWO]} == {("192.168.7.5", 32768), ("192.168.7.5", 32769)}
    assert found[ONE][0].id == f"{known_as(task)}/api/32770"


def test_services_are_asked_for_their_tags_in_tens_and_only_where_a_view_needs_them(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    for number in range(25):
        world.service("prod", f"s{number}", {"ecs-a.lbName": ONE})
        world.start_task("prod", service=f"s{number}")
    snapshot(make_source().views[""])
    assert aws.ecs_endpoint.calls.count("DescribeServices") == 0
    assert len(snapshot(make_source((ViewOptions("alb", TargetGroups()),)).views["alb"])[ONE]) == 25
    assert aws.ecs_endpoint.calls.count("DescribeServices") == 3


def test_without_the_tags_of_a_service_no_target_group_is_known_and_other_views_go_on(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    world.service("prod", "edge", {"ecs-a.lbName": ONE})
    world.start_task("prod", service="edge")
    aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeServices", code="AccessDeniedException"))
    source = make_source((ViewOptions(), ViewOptions("alb", TargetGroups())))
    assert isinstance(source.views["alb"].services(), Unlisted)
    assert isinstance(source.views["alb"].read(ONE), Unreadable)
    assert isinstance(source.views[""].read("edge"), Complete)


def test_tags_of_services_count_only_in_a_view_that_asks_for_them(
    world: EcsWorld, make_source: MakeSource
) -> None:
    world.service("prod", "web", {"team": "a"})
    world.start_task("prod", service="web")
    carry = Carry(attributes=("team",))
    source = make_source(
        (
            ViewOptions("with", Plain(carry=carry, service_tags=True)),
            ViewOptions("without", Plain(carry=carry)),
        )
    )
    assert instances(source.views["with"], "web")[0].attributes["team"] == "a"
    assert "team" not in instances(source.views["without"], "web")[0].attributes


def test_a_name_that_may_stand_on_an_unread_interface_makes_the_view_unreadable(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web", tags={"public-discovery:name": "www"})
    source = make_source((ViewOptions("disco", PublicDiscovery("example.com")),))
    aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeNetworkInterfaces", code="UnauthorizedOperation"))
    view = source.views["disco"]
    assert view.services() == Listed(frozenset({"www.example.com"}))
    assert isinstance(view.read("www.example.com"), Unreadable)
    assert isinstance(view.read("other.example.com"), Complete)
    world.start_task("prod", service="api")  # its interface may carry a name
    time.sleep(1.1)
    assert isinstance(view.services(), Unlisted)
    assert isinstance(view.read("other.example.com"), Unreadable)


def test_the_first_port_is_that_of_the_first_container_that_has_one(
    world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web", ports={"sidecar": (), "app": (9090, 8080)})
    world.start_task("prod", service="none", ports={"app": ()})
    found = snapshot(make_source().views[""])
    assert found["web"][0].port == 9090
    assert found["none"][0].port is None


def test_each_port_can_be_a_service_beside_the_plain_one(world: EcsWorld, make_source: MakeSource) -> None:
    own = world.start_task("prod", service="web", ports={"app": (8080, 9090), "admin": (7000,)})
    host = world.host("prod", "10.9.0.1")
    shared = world.start_task("prod", service="api", launch_type="EC2", host=host, ports={"app": (80,)})
    found = snapshot(make_source(plain(ports=Ports.EACH)).views[""])
    assert found.keys() == {"web", "web-8080", "web-9090", "web-7000", "api", "api-80"}
    assert (found["web"][0].id, found["web"][0].port) == (known_as(own), 8080)
    assert (found["web-7000"][0].id, found["web-7000"][0].port) == (f"{known_as(own)}/admin/7000", 7000)
    assert (found["api-80"][0].id, found["api-80"][0].port) == (f"{known_as(shared)}/app/32768", 32768)


def test_with_each_port_a_name_of_an_unreadable_cluster_may_end_in_a_port(
    world: EcsWorld, make_source: MakeSource
) -> None:
    dialect = Plain("{cluster}-{service}", ports=Ports.EACH)
    view = make_source((ViewOptions(dialect=dialect),), clusters=("gone",)).views[""]
    assert isinstance(view.read("gone-web-8080"), Unreadable)
    assert isinstance(view.read("here-web-8080"), Complete)


def test_without_its_definition_a_tasks_ports_and_so_its_names_are_not_known(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web")
    aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeTaskDefinition", code="AccessDeniedException"))
    view = make_source(plain(ports=Ports.EACH)).views[""]
    assert isinstance(view.services(), Unlisted)


def test_tags_become_attributes_and_tags_by_globs(world: EcsWorld, make_source: MakeSource) -> None:
    world.start_task(
        "prod",
        service="web",
        tags={
            "team": "core",
            "app:tier": "front",
            "secret": "x",
            "release": "v1",
            "canary": "",
            "ecs-cluster": "no",
        },
        interface_tags={"team": "other", "rack": "7"},
    )
    carry = Carry(attributes=("team", "app:*", "rack", "canary", "ecs-*"), tags=("release", "canary"))
    (found,) = snapshot(make_source(plain(carry=carry)).views[""])["web"]
    assert found.tags == ("canary", "release=v1")
    own = {key: value for key, value in found.attributes.items() if not key.startswith("ecs-")}
    assert own == {"team": "core", "app-tier": "front", "rack": "7"}
    assert found.attributes["ecs-cluster"] == "prod"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), {"web", "web-test", "api", "job"}),
        (Selection(include=("web*",)), {"web", "web-test"}),
        (Selection(include=("web*",), exclude=("*-test",)), {"web"}),
        (Selection(clusters=("edge-*",)), {"api"}),
        (Selection(launch_types=("EC2",)), {"web-test"}),
        (Selection(standalone=False), {"web", "web-test", "api"}),
        (Selection(include_tags={"env": "prod*"}), {"web"}),
        (Selection(exclude_tags={"env": "prod*"}), {"web-test", "api", "job"}),
        (Selection(include_tags={"env": "*"}, exclude_tags={"sync": "no"}), {"web"}),
    ],
)
def test_a_view_takes_what_its_selection_says(
    world: EcsWorld, make_source: MakeSource, selection: Selection, expected: set[str]
) -> None:
    host = world.host("prod", "10.9.0.1")
    world.start_task("prod", service="web", tags={"env": "prod-1"})
    world.start_task(
        "prod", service="web-test", launch_type="EC2", host=host, tags={"env": "test", "sync": "no"}
    )
    world.start_task("edge-1", service="api")
    world.start_task("prod", family="job")
    source = make_source((ViewOptions(selection=selection),), clusters=("prod", "edge-1"))
    assert snapshot(source.views[""]).keys() == expected
