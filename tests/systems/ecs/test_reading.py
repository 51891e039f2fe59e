"""A read of tasks is whole, or says why it is not."""

import time
from typing import Any

import pytest

from syncer.core.model import Complete, Health, Listed, Unlisted, Unreadable
from syncer.systems.ecs.dialects import Plain
from syncer.systems.ecs.source import EcsSource, ViewOptions
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld
from tests.systems.ecs.steps import MakeSource, ids, instances, known_as, snapshot


@pytest.fixture
def source(make_source: MakeSource) -> EcsSource:
    return make_source()


def test_a_fargate_task_is_offered_with_both_its_addresses(world: EcsWorld, source: EcsSource) -> None:
    task = world.start_task(
        "prod", service="web", public_ip="54.1.2.3", ipv6="2600:1f18::7", ports={"app": (8080,)}
    )
    (found,) = instances(source.views[""], "web")
    assert task.interface is not None
    assert found.id == known_as(task)
    assert (found.ipv4, found.public_ipv4) == (task.interface.ipv4, "54.1.2.3")
    assert (found.ipv6, found.public_ipv6) == ("2600:1f18::7", "2600:1f18::7")
    assert (found.port, found.health) == (8080, Health.PASSING)
    assert dict(found.attributes) == {
        "ecs-cluster": "prod",
        "ecs-service": "web",
        "ecs-family": "web",
        "ecs-revision": "1",
        "ecs-launch-type": "FARGATE",
        "ecs-availability-zone": task.zone,
        "ecs-region": "us-east-1",
    }


def test_a_task_without_a_public_address_has_none(world: EcsWorld, source: EcsSource) -> None:
    world.start_task("prod", service="web")
    (found,) = instances(source.views[""], "web")
    assert found.ipv4 is not None
    assert (found.public_ipv4, found.public_ipv6) == (None, None)


def test_an_ipv6_address_for_inside_use_is_not_public(world: EcsWorld, source: EcsSource) -> None:
    world.start_task("prod", service="web", ipv6="fd00::7")
    (found,) = instances(source.views[""], "web")
    assert (found.ipv6, found.public_ipv6) == ("fd00::7", None)


def test_a_standalone_task_is_named_by_its_family(world: EcsWorld, source: EcsSource) -> None:
    world.start_task("prod", family="import")
    (found,) = instances(source.views[""], "import")
    assert "ecs-service" not in found.attributes


@pytest.mark.parametrize("upto", ["PROVISIONING", "PENDING", "ACTIVATING"])
def test_a_task_that_does_not_run_yet_is_not_offered(world: EcsWorld, source: EcsSource, upto: str) -> None:
    world.start_task("prod", service="web", upto=upto)
    assert snapshot(source.views[""]) == {}


def test_a_task_that_is_told_to_stop_is_not_offered_although_it_still_runs(
    world: EcsWorld, source: EcsSource
) -> None:
    going = world.start_task("prod", service="web")
    staying = world.start_task("prod", service="web")
    world.stop_task(going, upto="RUNNING")
    assert ids(source.views[""], "web") == {known_as(staying)}


def test_an_unhealthy_task_is_critical_and_unknown_health_is_passing(
    world: EcsWorld, source: EcsSource
) -> None:
    for health in ("HEALTHY", "UNHEALTHY", "UNKNOWN"):
        world.set_health(world.start_task("prod", service=health.lower()), health)
    found = {name: items[0].health for name, items in snapshot(source.views[""]).items()}
    assert found == {"healthy": Health.PASSING, "unhealthy": Health.CRITICAL, "unknown": Health.PASSING}


def test_a_service_that_does_not_exist_is_complete_and_empty(source: EcsSource) -> None:
    assert source.views[""].read("nothing") == Complete("nothing", ())
    assert source.views[""].services() == Listed(frozenset())


def test_a_cluster_that_does_not_exist_is_unreadable_not_empty(make_source: MakeSource) -> None:
    view = make_source(clusters=("elsewhere",)).views[""]
    listing, read = view.services(), view.read("web")
    assert isinstance(listing, Unlisted)
    assert listing.code == "ClusterNotFoundException"
    assert isinstance(read, Unreadable)
    assert read.code == "ClusterNotFoundException"


def test_tasks_of_many_pages_are_all_there(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    expected = {known_as(world.start_task("prod", service="web", public_ip=True)) for _ in range(230)}
    assert ids(source.views[""], "web") == expected
    calls = aws.ecs_endpoint.calls
    assert calls.count("ListTasks") == 3
    assert calls.count("DescribeTasks") == 3
    assert calls.count("DescribeNetworkInterfaces") == 2


def test_a_thousand_tasks_take_25_calls(aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource) -> None:
    for number in range(1000):
        world.start_task("prod", service=f"service-{number % 20}", public_ip=True)
    view = source.views[""]
    assert isinstance(view.services(), Listed)
    calls = aws.ecs_endpoint.calls
    assert calls.count("DescribeTaskDefinition") == 20
    assert calls.count() - 20 <= 25
    calls.reset()
    assert sum(map(len, snapshot(view).values())) == 1000
    time.sleep(1.1)  # until the list is old
    snapshot(view)
    assert 0 < calls.count() <= 25


def test_a_definition_is_read_once_and_a_new_revision_again(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    world.start_task("prod", service="web", ports={"app": (8080,)})
    snapshot(source.views[""])
    world.start_task("prod", service="web", ports={"app": (9090,)})
    time.sleep(1.1)
    found = snapshot(source.views[""])["web"]
    assert [item.port for item in found] == [8080, 9090]
    assert aws.ecs_endpoint.calls.count("DescribeTaskDefinition") == 2


def test_a_task_that_vanishes_between_list_and_describe_is_gone(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    staying = world.start_task("prod", service="web")
    going = world.start_task("prod", service="web")

    def vanish(_when: float, operation: str, _params: dict[str, Any]) -> None:
        if operation == "ListTasks":
            world.forget(going)

    aws.ecs_endpoint.calls.watch(vanish)
    assert ids(source.views[""], "web") == {known_as(staying)}
    assert going.arn not in world.tasks


def test_an_interface_that_ec2_does_not_know_yet_leaves_the_private_address(
    world: EcsWorld, source: EcsSource
) -> None:
    task = world.start_task("prod", service="web", public_ip=True)
    assert task.interface is not None
    task.interface.visible = False
    (found,) = instances(source.views[""], "web")
    assert (found.ipv4, found.public_ipv4) == (task.interface.ipv4, None)


def test_tasks_on_shared_hosts_have_the_hosts_address_and_ports(world: EcsWorld, source: EcsSource) -> None:
    host = world.host("prod", "10.9.0.1", public_ipv4="54.9.0.1", ipv6="2600:1f18::1")
    for _ in range(2):
        world.start_task("prod", service="api", launch_type="EC2", host=host, ports={"app": (80, 443)})
    found = instances(source.views[""], "api")
    assert {item.ipv4 for item in found} == {"10.9.0.1"}
    assert {item.public_ipv4 for item in found} == {"54.9.0.1"}
    assert {item.ipv6 for item in found} == {"2600:1f18::1"}
    assert [item.port for item in found] == [32768, 32770]
    assert {item.attributes["ecs-launch-type"] for item in found} == {"EC2"}


def test_tasks_of_ecs_anywhere_have_the_address_that_ssm_knows(world: EcsWorld, source: EcsSource) -> None:
    v4 = world.host("prod", "192.168.7.5", anywhere=True)
    v6 = world.host("prod", "2600:1f18::5", anywhere=True)
    world.start_task("prod", service="edge", launch_type="EXTERNAL", host=v4)
    world.start_task("prod", service="edge6", launch_type="EXTERNAL", host=v6)
    (edge,) = instances(source.views[""], "edge")
    (edge6,) = instances(source.views[""], "edge6")
    assert (edge.ipv4, edge.port) == ("192.168.7.5", 32768)
    assert (edge6.ipv4, edge6.ipv6) == (None, "2600:1f18::5")


def test_sixty_hosts_of_ecs_anywhere_are_asked_for_in_batches_of_fifty(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    for number in range(60):
        host = world.host("prod", f"192.168.0.{number + 1}", anywhere=True)
        world.start_task("prod", service="edge", launch_type="EXTERNAL", host=host)
    assert len({item.ipv4 for item in instances(source.views[""], "edge")}) == 60
    assert aws.ecs_endpoint.calls.count("DescribeInstanceInformation") == 2


def test_a_host_that_nobody_knows_makes_its_services_unreadable(world: EcsWorld, source: EcsSource) -> None:
    host = world.host("prod", "10.9.0.1")
    world.start_task("prod", service="api", launch_type="EC2", host=host)
    world.start_task("prod", service="web")
    del world.hosts[host.arn]
    view = source.views[""]
    assert isinstance(view.read("api"), Unreadable)
    assert isinstance(view.read("web"), Complete)


@pytest.mark.parametrize("kind", ["error", "http500", "reset", "garbled"])
@pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks"])
def test_without_the_list_or_the_tasks_nothing_of_the_cluster_is_known(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource, operation: str, kind: str
) -> None:
    world.start_task("prod", service="web")
    aws.ecs_endpoint.faults.add(EcsFault(operation=operation, kind=kind, code="AccessDeniedException"))  # type: ignore[arg-type]  # the parameter's text
    view = source.views[""]
    assert isinstance(view.services(), Unlisted)
    assert isinstance(view.read("web"), Unreadable)
    assert isinstance(view.read("unheard-of"), Unreadable)


def test_a_failed_second_page_is_no_shorter_list(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    for _ in range(150):
        world.start_task("prod", service="web")
    aws.ecs_endpoint.faults.add(
        EcsFault(operation="ListTasks", code="AccessDeniedException", holding="nextToken")
    )
    assert isinstance(source.views[""].read("web"), Unreadable)
    aws.ecs_endpoint.faults.clear()
    time.sleep(0.6)
    assert len(instances(source.views[""], "web")) == 150


def test_a_list_that_does_not_end_is_no_list(world: EcsWorld, source: EcsSource) -> None:
    world.start_task("prod", service="web")
    world.on_answer.append(lambda body: body.update(nextToken="0") if "taskArns" in body else None)
    assert isinstance(source.views[""].services(), Unlisted)


def test_a_batch_of_interfaces_that_fails_concerns_the_services_that_have_them(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    host = world.host("prod", "10.9.0.1")
    world.start_task("prod", service="web")
    world.start_task("prod", service="api", launch_type="EC2", host=host)
    aws.ecs_endpoint.faults.add(EcsFault(operation="DescribeNetworkInterfaces", code="UnauthorizedOperation"))
    view = source.views[""]
    assert view.services() == Listed(frozenset({"web", "api"}))
    read = view.read("web")
    assert isinstance(read, Unreadable)
    assert read.code == "UnauthorizedOperation"
    assert isinstance(view.read("api"), Complete)


def test_a_definition_that_fails_concerns_the_services_that_use_it(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    world.start_task("prod", service="web")
    world.start_task("prod", service="api")
    aws.ecs_endpoint.faults.add(
        EcsFault(operation="DescribeTaskDefinition", code="AccessDeniedException", holding="/api:")
    )
    view = source.views[""]
    assert isinstance(view.read("api"), Unreadable)
    assert isinstance(view.read("web"), Complete)


def test_tasks_that_were_known_and_cannot_be_described_are_taken_to_go_on_as_they_were(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    for number in range(150):
        world.start_task("prod", service="first" if number < 100 else "second")
    view = source.views[""]
    assert len(snapshot(view)) == 2
    second = next(task for task in world.running("prod") if task.group == "service:second")
    aws.ecs_endpoint.faults.add(
        EcsFault(operation="DescribeTasks", code="AccessDeniedException", holding=second.arn)
    )
    time.sleep(1.1)
    assert isinstance(view.services(), Listed)
    assert len(instances(view, "second")) == 50
    assert len(instances(view, "first")) == 100


def test_throttling_that_passes_is_not_even_noticed(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    task = world.start_task("prod", service="web")
    for operation in ("ListTasks", "DescribeTasks", "DescribeNetworkInterfaces", "DescribeTaskDefinition"):
        aws.ecs_endpoint.faults.add(EcsFault(operation=operation, code="ThrottlingException", count=1))
    assert ids(source.views[""], "web") == {known_as(task)}


def test_what_was_unreadable_is_read_again_once_it_can_be(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    world.start_task("prod", service="web")
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListTasks", code="AccessDeniedException"))
    view = source.views[""]
    assert isinstance(view.read("web"), Unreadable)
    aws.ecs_endpoint.faults.clear()
    time.sleep(0.6)
    assert isinstance(view.read("web"), Complete)


def test_a_cluster_that_keeps_failing_is_asked_ever_more_seldom(
    aws: EmulatedAwsWithEcs, world: EcsWorld, source: EcsSource
) -> None:
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListTasks", code="AccessDeniedException"))
    for number in range(200):
        assert isinstance(source.views[""].read(f"service-{number}", fresh=True), Unreadable)
    assert aws.ecs_endpoint.calls.count("ListTasks") < 5


def test_services_of_one_name_in_two_clusters_are_one_unless_the_name_tells_them_apart(
    world: EcsWorld, make_source: MakeSource
) -> None:
    one = world.start_task("prod", service="web")
    two = world.start_task("edge-1", service="web")
    both = make_source(clusters=("prod", "edge-*"))
    assert ids(both.views[""], "web") == {known_as(one), known_as(two, "edge-1")}
    apart = make_source(
        (ViewOptions(dialect=Plain("{cluster}-{service}")),),
        clusters=("prod", "arn:aws:ecs:us-east-1:123456789012:cluster/edge-1"),
    )
    assert snapshot(apart.views[""]).keys() == {"prod-web", "edge-1-web"}


def test_an_arn_of_elsewhere_does_not_find_a_cluster_of_the_same_name(
    world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web")
    view = make_source(clusters=("arn:aws:ecs:eu-west-1:123456789012:cluster/prod",)).views[""]
    assert isinstance(view.services(), Unlisted)


def test_a_task_with_nothing_but_an_unseen_interface_is_not_offered(
    world: EcsWorld, source: EcsSource
) -> None:
    task = world.start_task("prod", service="web", ipv6="2600:1f18::7")
    assert task.interface is not None
    task.interface.visible, task.interface.ipv4 = False, ""
    assert snapshot(source.views[""]) == {}


@pytest.mark.parametrize("member", ["containers", "attachments", "clusterArn"])
def test_a_task_that_is_not_of_the_expected_form_makes_the_cluster_unreadable(
    world: EcsWorld, source: EcsSource, member: str
) -> None:
    world.start_task("prod", service="odd")
    world.on_answer.append(lambda body: [item.pop(member, None) for item in body.get("tasks", ())])
    expected = Unreadable if member == "clusterArn" else Complete
    assert isinstance(source.views[""].read("web"), expected)


def test_a_task_that_has_lost_its_interface_in_an_answer_is_not_withdrawn(
    world: EcsWorld, source: EcsSource
) -> None:
    world.start_task("prod", service="web")
    view = source.views[""]
    assert len(instances(view, "web")) == 1
    world.on_answer.append(lambda body: [item.update(attachments=[]) for item in body.get("tasks", ())])
    time.sleep(1.1)
    assert view.services() == Listed(frozenset({"web"}))
    assert len(instances(view, "web")) == 1


def test_a_task_whose_own_interface_is_still_to_come_has_not_its_hosts_address(
    world: EcsWorld, source: EcsSource
) -> None:
    host = world.host("prod", "10.0.9.1")
    world.start_task("prod", service="web", launch_type="EC2", host=host)
    coming = {"type": "ElasticNetworkInterface", "status": "PRECREATED", "details": []}
    world.on_answer.append(lambda body: [item.update(attachments=[coming]) for item in body.get("tasks", ())])
    assert instances(source.views[""], "web") == ()


def test_an_unreadable_cluster_concerns_only_the_names_that_it_could_have(
    world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("prod", service="web")
    view = make_source((ViewOptions(dialect=Plain("{cluster}-{service}")),), clusters=("prod", "gone")).views[
        ""
    ]
    assert isinstance(view.services(), Unlisted)
    assert isinstance(view.read("prod-web"), Complete)
    assert isinstance(view.read("gone-web"), Unreadable)


def test_clusters_that_a_glob_takes_come_and_go(world: EcsWorld, make_source: MakeSource) -> None:
    world.start_task("edge-1", service="web")
    view = make_source(clusters=("edge-*",)).views[""]
    assert snapshot(view).keys() == {"web"}
    world.start_task("edge-2", service="api")
    time.sleep(1.1)
    assert snapshot(view).keys() == {"web", "api"}
    world.delete_cluster("edge-1")
    time.sleep(1.1)
    assert snapshot(view).keys() == {"api"}
    assert instances(view, "web") == ()


def test_if_the_clusters_cannot_be_listed_nothing_is_known(
    aws: EmulatedAwsWithEcs, world: EcsWorld, make_source: MakeSource
) -> None:
    world.start_task("edge-1", service="web")
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListClusters", code="AccessDeniedException"))
    view = make_source(clusters=("edge-*",)).views[""]
    assert isinstance(view.services(), Unlisted)
    assert isinstance(view.read("web"), Unreadable)
