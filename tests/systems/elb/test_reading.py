import threading
from typing import Any

import pytest

from syncer.core.model import Complete, Health, Listed, Mark, Unlisted, Unreadable
from syncer.systems.elb.target import ElbTarget
from tests.emulator.elb_server import WithTargetGroups
from tests.systems.elb.steps import ORIGIN, OWNER, MakeGroup, MakeTarget, instances, register, wanted

ELB = "elasticloadbalancing"


def test_the_groups_with_our_tag_are_the_services(target: ElbTarget, make_group: MakeGroup) -> None:
    ours = {make_group(f"ours-{number}") for number in range(45)}  # tags come 20 groups at a time
    make_group("theirs", **{"sync-owner": "production"})
    make_group("nobodys", team="a")
    assert target.registry.services() == Listed(frozenset(ours))


def test_only_the_groups_that_are_named_count(make_target: MakeTarget, make_group: MakeGroup) -> None:
    one = make_group("one")
    make_group("two")
    assert make_target(groups=(one,)).registry.services() == Listed(frozenset({one}))


def test_every_target_of_our_group_is_ours(target: ElbTarget, client: Any, group: str) -> None:
    client.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.9", "Port": 9}, {"Id": "10.0.0.9"}])
    found = instances(target, group)
    assert {(item.ipv4, item.port) for item in found} == {("10.0.0.9", 9), ("10.0.0.9", 80)}
    assert {item.mark for item in found} == {Mark(OWNER, ORIGIN, "", f"10.0.0.9:{port}") for port in (9, 80)}


def test_the_targets_of_other_groups_are_not(target: ElbTarget, client: Any, make_group: MakeGroup) -> None:
    theirs, nobodys = make_group("theirs", **{"sync-owner": "test"}), make_group("nobodys", team="a")
    for arn in (theirs, nobodys):
        client.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.9", "Port": 9}])
    (other,), (native,) = instances(target, theirs), instances(target, nobodys)
    assert other.mark is not None
    assert other.mark.owner == "test"
    assert native.mark is None


def test_targets_on_their_way_out_do_not_count(
    aws: WithTargetGroups, target: ElbTarget, client: Any, group: str
) -> None:
    aws.target_groups.draining = 3600.0
    targets = [{"Id": "10.0.0.1", "Port": 80}, {"Id": "10.0.0.2", "Port": 80}]
    client.register_targets(TargetGroupArn=group, Targets=targets)
    client.deregister_targets(TargetGroupArn=group, Targets=targets[:1])
    assert len(client.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]) == 2
    assert [item.ipv4 for item in instances(target, group)] == ["10.0.0.2"]


def test_health_is_what_the_load_balancer_says(aws: WithTargetGroups, target: ElbTarget, group: str) -> None:
    register(target, wanted(group))
    assert [item.health for item in instances(target, group)] == [Health.UNKNOWN]
    aws.target_groups.set_health(group, ("10.0.0.1", 8080), "unhealthy", "Target.Timeout")
    assert [item.health for item in instances(target, group)] == [Health.CRITICAL]


def test_a_group_that_does_not_exist_is_complete_and_empty(target: ElbTarget, group: str) -> None:
    gone = group[:-4] + "0000"
    assert target.registry.read(gone, fresh=True) == Complete(gone, ())


def test_a_group_says_which_source_it_belongs_to(
    make_target: MakeTarget, make_group: MakeGroup, client: Any
) -> None:
    target = make_target(origins=("ecs/a", "ecs/b"))
    told = make_group("told", **{"sync-owner": OWNER, "sync-origin": "ecs/b"})
    untold = make_group("untold")
    client.register_targets(TargetGroupArn=told, Targets=[{"Id": "10.0.0.9", "Port": 9}])
    assert [item.mark.origin for item in instances(target, told) if item.mark] == ["ecs/b"]
    read = target.registry.read(untold)
    assert isinstance(read, Unreadable)
    assert "sync-origin" in read.reason


@pytest.mark.parametrize("operation", ["DescribeTargetHealth", "DescribeTags", "DescribeTargetGroups"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [("error", {"code": "AccessDenied", "status": 403}), ("http500", {}), ("reset", {})],
)
def test_a_failed_read_is_unreadable(
    aws: WithTargetGroups,
    target: ElbTarget,
    stop: threading.Event,
    group: str,
    operation: str,
    kind: Any,
    options: dict[str, Any],
) -> None:
    aws.fault(kind, operation=f"{ELB}:{operation}", **options)
    threading.Timer(0.2, stop.set).start()  # retries end then
    assert isinstance(target.registry.read(group, fresh=True), Unreadable)
    listing = target.registry.services()
    assert isinstance(listing, Listed if operation == "DescribeTargetHealth" else Unlisted)


def test_the_engine_gets_all_that_it_needs(target: ElbTarget, group: str) -> None:
    end = target.end()
    assert end.registry.id == target.id == "elb/us-east-1"
    assert end.registry.parallel > 0
    assert end.writer is target.writer
    assert target.carrier.name_problem(group) is None
    assert target.carrier.name_problem("web") is not None
    assert not target.carrier.healths


def test_the_tags_of_a_group_are_read_again_with_each_listing(
    target: ElbTarget, client: Any, group: str
) -> None:
    assert target.registry.services() == Listed(frozenset({group}))
    client.remove_tags(ResourceArns=[group], TagKeys=["sync-owner"])
    assert target.registry.services() == Listed(frozenset())
