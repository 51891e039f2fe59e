from typing import Any

import pytest

from syncer.core.errors import Denied, Missing, QuotaExceeded, Refused
from syncer.core.model import Health
from syncer.core.plan import Deregister, Register, SetHealth, Update
from syncer.core.ports import Ending
from syncer.systems.elb.target import ElbTarget
from tests.emulator.elb_server import WithTargetGroups
from tests.support.wait import eventually
from tests.systems.elb.steps import (
    OWNER,
    MakeGroup,
    MakeTarget,
    carry_out,
    do,
    instances,
    register,
    wanted,
)
from tests.systems.route53.steps import Ends

ELB = "elasticloadbalancing"


def there(aws: WithTargetGroups, group: str) -> set[tuple[str, int]]:
    """Return the registered targets."""
    return set(aws.target_groups.registered(group))


@pytest.mark.parametrize("given", [{}, {"tags": ("blue",), "health": Health.WARNING}, {"ipv6": "fd00::1"}])
def test_what_is_registered_is_read_back_as_its_stored_form(
    target: ElbTarget, group: str, given: dict[str, Any]
) -> None:
    item = wanted(group, **given)
    register(target, item)
    (read,) = instances(target, group)
    assert (read.mark, read.id, read.addresses, read.port) == (
        (expected := target.stored(item)).mark,
        expected.id,
        expected.addresses,
        expected.port,
    )


def test_two_ports_of_one_address_come_and_go_apart(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    register(target, wanted(group, port=80), wanted(group, port=81))
    assert there(aws, group) == {("10.0.0.1", 80), ("10.0.0.1", 81)}
    do(target, Deregister(target.stored(wanted(group, port=80))))
    assert there(aws, group) == {("10.0.0.1", 81)}


def test_deregistering_twice_is_done_twice(aws: WithTargetGroups, target: ElbTarget, group: str) -> None:
    register(target, wanted(group))
    for _ in range(2):
        do(target, Deregister(target.stored(wanted(group))))
    assert there(aws, group) == set()


def test_an_update_registers_before_it_deregisters(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    register(target, wanted(group))
    do(target, Update(target.stored(wanted(group)), wanted(group, "10.0.0.2")))
    assert there(aws, group) == {("10.0.0.2", 8080)}
    entries = [one.operation for one in aws.calls.entries() if one.operation.endswith("Targets")]
    assert entries == [
        f"{ELB}:{name}" for name in ("RegisterTargets", "RegisterTargets", "DeregisterTargets")
    ]


def test_an_update_that_cannot_register_leaves_what_is_there(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    register(target, wanted(group))
    (outcome,) = carry_out(target, Update(target.stored(wanted(group)), wanted(group, "203.0.113.1")))
    assert outcome.ending is Ending.FAILED
    assert there(aws, group) == {("10.0.0.1", 8080)}


def test_what_is_outside_the_vpc_is_registered_in_all_zones(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    register(target, wanted(group), wanted(group, "10.1.0.1"), wanted(group, "192.168.7.7"))
    zones = {address: zone for (address, _), zone in aws.target_groups.registered(group).items()}
    assert zones == {"10.0.0.1": None, "10.1.0.1": None, "192.168.7.7": "all"}
    do(target, Deregister(wanted(group, "192.168.7.7")))
    assert ("192.168.7.7", 8080) not in there(aws, group)


def test_the_samples_tag_says_what_is_inside_instead(
    aws: WithTargetGroups, target: ElbTarget, make_group: MakeGroup
) -> None:
    group = make_group(**{"sync-owner": OWNER, "ecs-a.lbVpcCidr": "10.0.0.0/16"})
    register(target, wanted(group), wanted(group, "10.1.0.1"))
    zones = {address: zone for (address, _), zone in aws.target_groups.registered(group).items()}
    assert zones == {"10.0.0.1": None, "10.1.0.1": "all"}
    assert aws.calls.count("ec2:DescribeVpcs") == 0


def test_a_tag_that_is_no_block_is_refused_by_its_name(target: ElbTarget, make_group: MakeGroup) -> None:
    group = make_group(**{"sync-owner": OWNER, "ecs-a.lbVpcCidr": "everything"})
    (outcome,) = carry_out(target, Register(wanted(group)))
    assert isinstance(outcome.error, Refused)
    assert "ecs-a.lbVpcCidr" in str(outcome.error)


def test_without_the_right_to_see_the_vpc_the_way_out_is_told(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    aws.fault("error", operation="ec2:DescribeVpcs", code="UnauthorizedOperation", status=403)
    (outcome,) = carry_out(target, Register(wanted(group)))
    assert isinstance(outcome.error, Denied)
    assert "ecs-a.lbVpcCidr" in str(outcome.error)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"team": "a"}, "sync-owner=prod"),
        ({"sync-owner": "test"}, "sync-owner=test"),
        ({"sync-owner": "prod", "sync-origin": "ecs/other"}, "ecs/other"),
    ],
)
@pytest.mark.parametrize("change", [Register, Deregister])
def test_a_group_that_is_not_ours_to_write_is_refused_with_advice(
    aws: WithTargetGroups,
    target: ElbTarget,
    client: Any,
    make_group: MakeGroup,
    tags: dict[str, str],
    words: str,
    change: type[Register | Deregister],
) -> None:
    group = make_group(**tags)
    client.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1", "Port": 8080}])
    (outcome,) = carry_out(target, change(wanted(group)))
    assert isinstance(outcome.error, Refused)
    assert words in str(outcome.error)
    assert there(aws, group) == {("10.0.0.1", 8080)}


def test_a_group_becomes_ours_with_the_tag(
    aws: WithTargetGroups, target: ElbTarget, client: Any, make_group: MakeGroup
) -> None:
    group = make_group(team="a")
    assert carry_out(target, Register(wanted(group)))[0].ending is Ending.FAILED
    client.add_tags(ResourceArns=[group], Tags=[{"Key": "sync-owner", "Value": OWNER}])
    register(target, wanted(group))
    assert there(aws, group) == {("10.0.0.1", 8080)}


def test_a_group_of_instances_is_refused(target: ElbTarget, make_group: MakeGroup) -> None:
    (outcome,) = carry_out(target, Register(wanted(make_group(kind="instance"))))
    assert isinstance(outcome.error, Refused)
    assert "type ip" in str(outcome.error)


def test_a_group_that_is_gone_fails_what_comes_and_not_what_goes(
    target: ElbTarget, client: Any, group: str
) -> None:
    client.delete_target_group(TargetGroupArn=group)
    outcomes = carry_out(target, Register(wanted(group)), Deregister(wanted(group, "10.0.0.2")))
    assert isinstance(outcomes[0].error, Missing)
    assert outcomes[1].ending is Ending.DONE


def test_one_bad_target_stops_no_other(aws: WithTargetGroups, target: ElbTarget, group: str) -> None:
    good = [wanted(group, f"10.0.0.{number}") for number in range(1, 31)]
    bad = [
        wanted(group, "203.0.113.1"),
        wanted(group, "no-address"),
        wanted(group, None),
        wanted(group, port=None),
    ]
    outcomes = carry_out(target, *map(Register, map(target.stored, (*good[:15], *bad, *good[15:]))))
    assert [outcome.ending is Ending.DONE for outcome in outcomes] == [True] * 15 + [False] * 4 + [True] * 15
    assert all(isinstance(outcome.error, Refused) for outcome in outcomes if outcome.error)
    assert there(aws, group) == {(str(item.ipv4), 8080) for item in good}


def test_many_targets_go_in_few_requests(aws: WithTargetGroups, make_target: MakeTarget, group: str) -> None:
    target = make_target(debounce=0.3)
    register(target, *(wanted(group, f"10.0.{n // 200}.{n % 200 + 1}") for n in range(250)))
    assert aws.calls.count(f"{ELB}:RegisterTargets") == 3
    assert len(there(aws, group)) == 250


def test_a_full_group_takes_what_it_can_and_the_quota_is_told(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    aws.target_groups.limit = 5
    outcomes = carry_out(
        target, *(Register(target.stored(wanted(group, f"10.0.0.{n}"))) for n in range(1, 9))
    )
    assert sum(outcome.ending is Ending.DONE for outcome in outcomes) == 5
    errors = [outcome.error for outcome in outcomes if outcome.error]
    assert len(errors) == 3
    assert all(isinstance(error, QuotaExceeded) for error in errors)


def test_a_failure_of_one_group_stops_no_other(
    aws: WithTargetGroups, target: ElbTarget, make_group: MakeGroup
) -> None:
    ours, theirs = make_group("ours"), make_group("theirs", team="a")
    outcomes = carry_out(target, Register(wanted(theirs)), Register(wanted(ours)))
    assert [outcome.ending for outcome in outcomes] == [Ending.FAILED, Ending.DONE]


def test_throttled_and_lost_requests_are_made_again(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    aws.fault("error", operation=f"{ELB}:RegisterTargets", code="Throttling", status=400, count=1)
    aws.fault("lost_answer", operation=f"{ELB}:RegisterTargets", count=1, skip=1)
    register(target, wanted(group))
    assert there(aws, group) == {("10.0.0.1", 8080)}


def test_the_latest_wish_wins_and_each_ends_once(
    aws: WithTargetGroups, target: ElbTarget, group: str
) -> None:
    item = target.stored(wanted(group))
    ends = Ends()
    for number in range(20):
        target.writer.submit([Deregister(item) if number % 2 else Register(item)], ends)
    outcomes = ends.wait(20)
    assert {outcome.ending for outcome in outcomes} == {Ending.DONE, Ending.SUPERSEDED}
    assert there(aws, group) == set()


def test_the_health_of_a_target_cannot_be_set(target: ElbTarget, group: str) -> None:
    (outcome,) = carry_out(target, SetHealth(Health.PASSING, wanted(group)))
    assert isinstance(outcome.error, Refused)


def test_a_closing_writer_ends_everything_once(
    aws: WithTargetGroups, make_target: MakeTarget, group: str
) -> None:
    target = make_target()
    slow = aws.fault("delay", operation=f"{ELB}:RegisterTargets", seconds=0.5, count=1)
    ends = Ends()
    target.writer.submit([Register(target.stored(wanted(group)))], ends)
    eventually(lambda: slow.hits, message="the request is under way")
    target.writer.submit([Register(target.stored(wanted(group, "10.0.0.2")))], ends)
    target.close(10.0)
    outcomes = {outcome.change.service: outcome for outcome in ends.wait(2)}
    assert outcomes
    assert sorted(outcome.ending.value for outcome in ends.outcomes) == ["abandoned", "done"]
    assert there(aws, group) == {("10.0.0.1", 8080)}
