"""The doctor looks at what routes from ECS rely on: clusters, queues, hosted zones, target groups."""

import json
import threading
from collections.abc import Iterator

import pytest

from syncer.app.doctor.consul import leased
from syncer.app.doctor.examination import examine
from syncer.app.doctor.findings import Finding, Level
from syncer.settings import Settings
from tests.doctor.ground import Ground
from tests.doctor.test_examination import about, bad
from tests.e2e.tasks import CLUSTER
from tests.e2e.world import NAMESPACE, OWNER, Tree
from tests.emulator.ecs_faults import EcsFault

ALONE = [{"name": NAMESPACE, "consul_to_cloudmap": False, "cloudmap_to_consul": False}]
INTO_NAMESPACE = {"source": "ecs/prod", "target": NAMESPACE}
INTO_CONSUL = {"source": "ecs/prod", "target": "consul"}
INTO_ZONE = {"source": "ecs/prod", "target": "route53/example.com"}
NO_CONSUL = {"consul": {"address": "http://127.0.0.1:1"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A world with a cluster, a queue and a hosted zone, shared by the tests of the module."""
    with Ground(tmp_path_factory.mktemp("tasks")) as world:
        assert world.queue
        assert world.zone
        yield world


@pytest.fixture
def world(whole: Ground) -> Iterator[Ground]:
    """The shared world; afterwards without faults and tasks."""
    yield whole
    whole.aws.faults.remove()
    whole.whole.ecs_endpoint.faults.clear()
    whole.remove_groups()
    for task in list(whole.ecs.tasks.values()):
        whole.ecs.forget(task)


def examined(world: Ground, settings: Tree, *changes: Tree) -> list[Finding]:
    """Return everything that is found under *settings*; its namespace is no source and no target but for routes."""
    at_once = {"aws": {"rates": {"ListNamespaces": {"rate": 100, "burst": 100}}}}
    given = world.settings({"namespaces": ALONE}, at_once, settings, *changes)
    return list(examine(given, threading.Event()))


def denied(world: Ground, operation: str) -> None:
    """Have an operation of Route 53, SQS or load balancing refused for lack of rights."""
    world.aws.fault("error", operation=operation, code="AccessDenied", status=403, message="not authorized")


def denied_by_ecs(world: Ground, operation: str, code: str = "AccessDeniedException") -> None:
    """Have an operation about tasks refused for lack of rights."""
    world.whole.ecs_endpoint.faults.add(EcsFault(operation=operation, kind="error", code=code))


def test_where_all_is_well_there_is_no_fault_and_nothing_is_changed(world: Ground) -> None:
    arn = world.group("well")
    groups = {"dialect": "target-group-tags"}
    settings = world.with_tasks(
        {"plain": {}, "groups": groups, "names": {"dialect": "public-discovery", "zone": "example.com"}},
        INTO_CONSUL,
        INTO_NAMESPACE,
        {"source": "ecs/prod/names", "target": "route53/example.com"},
        {"source": "ecs/prod/groups", "target": f"elb/{world.aws.region}"},
    )
    tags = {"public-discovery:name": "www"}
    world.ecs.start_task(CLUSTER, service="web", public_ip=True, ports={"app": (8080,)}, tags=tags)
    world.stream.flush()
    waiting = world.waiting()
    findings = examined(world, settings)
    assert bad(findings) == []
    assert "cluster prod: 1 tasks" in about(findings, "ecs/prod", "cluster").what
    assert "DescribeServices" in about(findings, "ecs/prod: may read").what
    assert "ReceiveMessage" in about(findings, "queue ecs-events", "may write").what
    assert f"{waiting} events wait" in about(findings, "queue ecs-events", "wait").what
    assert world.zone in about(findings, "route53/example.com: it is").what
    assert "ChangeResourceRecordSets" in about(findings, "route53/example.com: may write").what
    assert "well (0)" in about(findings, "target groups are ours").what
    assert "RegisterTargets" in about(findings, f"elb/{world.aws.region}: may write").what
    assert "1 changes to do" in about(findings, "ecs/prod->consul:").what
    assert world.records() == []
    assert world.targets(arn) == []
    assert world.cloud.state() == {}
    assert world.consul.health("web") == []
    assert world.waiting() == waiting > 0
    assert world.received() == 0


def test_a_cluster_that_is_not_there_is_a_fault_and_one_that_no_glob_finds_a_warning(
    world: Ground,
) -> None:
    settings = world.with_tasks({}, INTO_NAMESPACE, clusters=["nowhere", "batch-*", "pro?"])
    findings = examined(world, settings)
    assert about(findings, "there is no cluster nowhere").level is Level.FAULT
    assert about(findings, "no cluster is called batch-*").level is Level.WARNING
    assert about(findings, "cluster prod: 0 tasks").level is Level.OK
    assert not any("pro?" in finding.what for finding in findings)


@pytest.mark.parametrize(
    "operation", ["DescribeTasks", "DescribeTaskDefinition", "DescribeNetworkInterfaces"]
)
def test_a_right_that_every_task_needs_is_a_fault_where_it_is_missing(world: Ground, operation: str) -> None:
    ec2 = operation == "DescribeNetworkInterfaces"
    denied_by_ecs(world, operation, "UnauthorizedOperation" if ec2 else "AccessDeniedException")
    finding = about(examined(world, world.with_tasks({}, INTO_NAMESPACE)), f"may not call {operation}")
    assert finding.level is Level.FAULT
    assert finding.advice == f"allow {'ec2' if ec2 else 'ecs'}:{operation}"


def test_a_right_that_only_some_tasks_need_is_a_warning_where_it_is_missing(world: Ground) -> None:
    denied_by_ecs(world, "DescribeInstanceInformation")
    finding = about(examined(world, world.with_tasks({}, INTO_NAMESPACE)), "may not call DescribeInstance")
    assert finding.level is Level.WARNING
    assert (
        finding.advice == "allow ssm:DescribeInstanceInformation, needed for tasks on hosts of ECS Anywhere"
    )


def test_tasks_that_cannot_be_listed_for_another_reason_are_a_fault_without_a_right_to_add(
    world: Ground,
) -> None:
    denied_by_ecs(world, "ListTasks", "InvalidParameterException")
    finding = about(examined(world, world.with_tasks({}, INTO_NAMESPACE)), "its tasks cannot be listed")
    assert (finding.level, finding.advice) == (Level.FAULT, "")


def test_the_tags_of_services_are_looked_at_only_where_they_count(world: Ground) -> None:
    denied_by_ecs(world, "DescribeServices")
    assert bad(examined(world, world.with_tasks({}, INTO_NAMESPACE))) == []
    tagged = world.with_tasks({"plain": {"service_tags": True}}, INTO_NAMESPACE)
    assert about(examined(world, tagged), "may not call DescribeServices").level is Level.FAULT


def test_tasks_and_clusters_that_may_not_be_listed_are_faults(world: Ground) -> None:
    denied_by_ecs(world, "ListTasks")
    denied_by_ecs(world, "ListClusters")
    settings = world.with_tasks({}, INTO_NAMESPACE, clusters=["prod", "batch-*"])
    findings = examined(world, settings)
    assert about(findings, "cluster prod: its tasks cannot be listed").advice == "allow ecs:ListTasks"
    assert about(findings, "the clusters cannot be listed").advice == "allow ecs:ListClusters"
    assert not any("no cluster is called" in finding.what for finding in findings)
    assert about(findings, "plan").level is Level.FAULT


def test_an_ecs_that_does_not_answer_is_a_fault_and_the_other_probes_go_on(world: Ground) -> None:
    away = {"aws": {"endpoint_urls": {"ecs": "http://127.0.0.1:1"}}}
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE, INTO_ZONE), away)
    assert "VPC endpoints ecs" in about(findings, "ECS does not answer").advice
    assert about(findings, "route53/example.com: it is").level is Level.OK
    assert "at least one end" in about(findings, "plan").what


def test_a_queue_that_is_not_there_is_a_fault(world: Ground) -> None:
    queue = world.queue.replace("ecs-events", "nowhere")
    finding = about(examined(world, world.with_tasks({}, INTO_NAMESPACE, queue=queue)), "queue nowhere")
    assert finding.level is Level.FAULT
    assert "it is not there" in finding.what


def test_a_queue_that_cannot_be_reached_is_a_fault(world: Ground) -> None:
    away = {"aws": {"endpoint_urls": {"sqs": "http://127.0.0.1:1"}}}
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE), away)
    assert about(findings, "SQS does not answer").level is Level.FAULT


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("ReceiveMessage", "ReceiveMessage"),
        ("DeleteMessageBatch", "DeleteMessage"),
        ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ],
)
def test_each_right_on_the_queue_is_tried(world: Ground, operation: str, action: str) -> None:
    denied(world, f"sqs:{operation}")
    finding = about(examined(world, world.with_tasks({}, INTO_NAMESPACE)), f"may not call {action}:")
    assert (finding.level, finding.advice) == (Level.FAULT, f"allow sqs:{action}")


def test_the_right_to_see_how_many_events_wait_may_be_missing(world: Ground) -> None:
    denied(world, "sqs:GetQueueAttributes")
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE))
    assert about(findings, "how many events wait is not shown").level is Level.OK
    world.aws.faults.remove()
    world.aws.fault("error", operation="sqs:GetQueueAttributes", code="ServiceUnavailable", status=503)
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE))
    assert about(findings, "it does not say how many").level is Level.WARNING


def test_a_queue_that_nobody_empties_and_one_without_dead_letters_are_warnings(world: Ground) -> None:
    queue = world.whole.ecs_queue("heap")
    world.fill(queue, 1_000)
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE, queue=queue))
    assert about(findings, "queue heap", "1000 events wait").level is Level.WARNING
    assert about(findings, "queue heap", "no dead-letter queue").level is Level.WARNING


def test_a_queue_like_that_of_the_template_is_in_order_and_without_one_none_is_looked_at(
    world: Ground,
) -> None:
    dead = "arn:aws:sqs:us-east-1:123456789012:ecs-events"
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
    queue = world.whole.ecs_queue("careful", RedrivePolicy=redrive)
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE, queue=queue))
    assert {item.level for item in findings if "queue careful" in item.about} == {Level.OK}
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE, queue=None))
    assert not any("queue" in finding.about for finding in findings)


def test_a_zone_by_its_id_is_looked_at_too(world: Ground) -> None:
    by_id = {"source": "ecs/prod", "target": f"route53/{world.zone}"}
    assert about(examined(world, world.with_tasks({}, by_id)), "it is example.com").level is Level.OK


def test_a_zone_that_is_not_there_is_a_fault_that_is_told_once(world: Ground) -> None:
    elsewhere = {"source": "ecs/prod", "target": "route53/nowhere.example"}
    findings = examined(world, world.with_tasks({}, elsewhere, INTO_NAMESPACE))
    finding = about(findings, "route53/nowhere.example")
    assert finding.level is Level.FAULT
    assert "there is no hosted zone nowhere.example" in finding.what
    assert about(findings, "ecs/prod->corp.internal").level is Level.OK


def test_resolvers_that_remember_for_long_that_a_name_is_not_there_are_a_warning(world: Ground) -> None:
    findings = examined(world, world.with_tasks({}, INTO_ZONE))
    assert about(findings, "route53/example.com: resolvers remember for 900 s").level is Level.WARNING
    world.remember(30)
    findings = examined(world, world.with_tasks({}, INTO_ZONE))
    assert about(findings, "route53/example.com: its records can be read").level is Level.OK
    world.remember(900)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ("ListHostedZonesByName", "cannot be looked up"),
        ("ListResourceRecordSets", "its records cannot be read"),
        ("ChangeResourceRecordSets", "may not call ChangeResourceRecordSets"),
    ],
)
def test_each_right_on_a_zone_is_tried(world: Ground, operation: str, words: str) -> None:
    denied(world, f"route53:{operation}")
    finding = about(examined(world, world.with_tasks({}, INTO_ZONE)), "route53/example.com:", words)
    assert (finding.level, finding.advice) == (Level.FAULT, f"allow route53:{operation}")


def test_a_route_53_that_does_not_answer_is_a_fault(world: Ground) -> None:
    away = {"aws": {"endpoint_urls": {"route53": "http://127.0.0.1:1"}}}
    finding = about(examined(world, world.with_tasks({}, INTO_ZONE), away), "Route 53 does not answer")
    assert finding.level is Level.FAULT
    assert "no VPC endpoint" in finding.advice


def into_groups(world: Ground, region: str | None = None) -> Tree:
    """Return settings with a route into the target groups of *region*."""
    target = f"elb/{region or world.aws.region}"
    views = {"groups": {"dialect": "target-group-tags"}}
    return world.with_tasks(views, {"source": "ecs/prod/groups", "target": target})


def test_a_region_without_a_group_of_ours_is_a_fault_that_says_how_to_grant_one(world: Ground) -> None:
    finding = about(examined(world, into_groups(world, "eu-north-1")), "no target group carries the tag")
    assert finding.level is Level.FAULT
    assert finding.advice.endswith(f"--tags Key=sync-owner,Value={OWNER}")


def test_targets_are_counted_and_rights_are_tried(world: Ground) -> None:
    arn = world.group("counted")
    world.register(arn, "10.0.0.5", 80)
    denied(world, "elasticloadbalancing:RegisterTargets")
    findings = examined(world, into_groups(world))
    assert "counted (1)" in about(findings, "target groups are ours").what
    assert (
        about(findings, "may not call RegisterTargets").advice == "allow elasticloadbalancing:RegisterTargets"
    )
    assert world.targets(arn) == [("10.0.0.5", 80)]


def test_a_group_that_cannot_be_written_is_a_fault(world: Ground) -> None:
    world.group("torn", **{"ecs-a.lbVpcCidr": "no block"})
    finding = about(examined(world, into_groups(world)), "it cannot be written")
    assert finding.level is Level.FAULT
    assert "ecs-a.lbVpcCidr" in finding.what


def test_groups_that_may_not_be_read_are_a_fault(world: Ground) -> None:
    world.group("unread")
    denied(world, "elasticloadbalancing:DescribeTags")
    finding = about(examined(world, into_groups(world)), "the target groups cannot be read")
    assert finding.advice == "allow elasticloadbalancing:DescribeTags"


def test_load_balancing_that_does_not_answer_is_a_fault(world: Ground) -> None:
    away = {"aws": {"endpoint_urls": {"elbv2": "http://127.0.0.1:1"}}}
    findings = examined(world, into_groups(world), away)
    assert about(findings, "Elastic Load Balancing does not answer").level is Level.FAULT


def test_consul_is_not_asked_where_no_route_needs_it(world: Ground) -> None:
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE), NO_CONSUL)
    assert bad(findings) == []
    assert not any(finding.about == "Consul" for finding in findings)
    assert about(findings, "ecs/prod->corp.internal").level is Level.OK


def test_without_consul_the_routes_that_do_not_need_it_are_planned(world: Ground) -> None:
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE, INTO_CONSUL), NO_CONSUL)
    assert about(findings, "Consul", "does not answer").level is Level.FAULT
    assert about(findings, "ecs/prod->corp.internal").level is Level.OK
    assert not any(finding.about in {"plan", "ecs/prod->consul"} for finding in findings)


def test_leases_alone_need_a_consul_but_nothing_of_its_catalogue(world: Ground) -> None:
    findings = examined(world, world.with_tasks({}, INTO_NAMESPACE), {"lease": True})
    assert bad(findings) == []
    assert about(findings, "Consul", "the leader is").level is Level.OK
    assert not any("datacenter" in finding.what for finding in findings)


def test_a_namespace_that_no_route_touches_is_not_asked_for(world: Ground) -> None:
    world.aws.calls.reset()
    findings = examined(world, world.with_tasks({}, INTO_ZONE))
    assert "no route that is on" in about(findings, NAMESPACE).what
    assert world.aws.calls.count("ListNamespaces") == 0


def test_where_every_route_is_off_there_is_nothing_to_plan(world: Ground) -> None:
    findings = examined(world, world.with_tasks({}, {**INTO_NAMESPACE, "enabled": False}))
    assert about(findings, "plan", "no route is on").level is Level.WARNING


def test_connections_of_leases_are_counted_by_what_one_replica_works_on(world: Ground) -> None:
    def labels(*routes: Tree) -> set[str]:
        given: Settings = world.settings(
            {"namespaces": [*ALONE, {"name": "b.internal"}]}, world.with_tasks({}, *routes), {"lease": True}
        )
        return {group.label for group in leased(given)}

    assert labels(INTO_CONSUL) == {"b.internal", "ecs/prod"}
    assert labels(INTO_NAMESPACE, INTO_ZONE) == {
        "b.internal",
        f"{NAMESPACE} + ecs/prod + route53/example.com",
    }
    assert labels({**INTO_NAMESPACE, "enabled": False}) == {"b.internal"}
