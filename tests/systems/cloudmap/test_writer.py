"""Writing: upserts in place, one at a time for each instance, each followed to its end."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from syncer.core.errors import Denied, Missing, QuotaExceeded, Refused, SyncError
from syncer.core.model import Health
from syncer.core.plan import (
    DeleteService,
    Deregister,
    Register,
    SetHealth,
    Update,
    UpdateService,
    instance_id,
)
from syncer.core.ports import Ending
from syncer.systems.cloudmap.feed import OperationFeed
from syncer.systems.cloudmap.quotas import RATES
from tests.emulator import EmulatedAws
from tests.emulator.faults import Kind
from tests.support.wait import eventually
from tests.systems.cloudmap.world import (
    FAST,
    LONG,
    NAMESPACE,
    ORIGIN,
    OWNER,
    Heard,
    Told,
    World,
    client,
    made,
    ours,
)

Open = Callable[..., World]


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """One process of ours, whose feed tells the ends of operations at once."""
    feed = OperationFeed(world.api, world.namespace, world.directory, world.operations, interval=0.05)
    with Heard(feed.run):
        yield world


def raw_service(emulator: EmulatedAws, world: World, name: str = "web") -> dict[str, Any]:
    """Return a service as the SDK's own client sees it."""
    entry = world.directory.lookup(name)
    assert entry is not None
    found: dict[str, Any] = client(emulator).get_service(Id=entry.info.id)["Service"]
    return found


def test_a_service_and_its_instances_are_there_when_they_are_reported_done(world: World) -> None:
    world.done(made(), Register(ours(1)), Register(ours(2)))
    assert world.read(fresh=True).instances == (ours(1), ours(2))


def test_what_is_done_is_done_and_not_only_accepted(emulator: EmulatedAws, world: World) -> None:
    world.done(made())
    emulator.settings = replace(FAST, operation_delay=0.6)
    began = time.monotonic()
    world.done(Register(ours(1)))
    assert time.monotonic() - began >= 0.5
    assert world.ids(fresh=True) == ["i1"]


@pytest.mark.parametrize(
    ("records", "routing"), [(("A",), "MULTIVALUE"), (("A", "SRV"), "MULTIVALUE"), (("CNAME",), "WEIGHTED")]
)
def test_a_service_has_its_records_its_health_check_its_description_and_its_tags(
    emulator: EmulatedAws, world: World, records: tuple[str, ...], routing: str
) -> None:
    world.done(made(records=records, ttl=42))
    raw = raw_service(emulator, world)
    assert {(one["Type"], one["TTL"]) for one in raw["DnsConfig"]["DnsRecords"]} == {
        (record, 42) for record in records
    }
    assert raw["DnsConfig"]["RoutingPolicy"] == routing
    assert raw["HealthCheckCustomConfig"] is not None
    tags = client(emulator).list_tags_for_resource(ResourceARN=raw["Arn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"sync-owner": OWNER, "sync-origin": ORIGIN}
    info = world.read().info
    assert info is not None
    assert (info.owner, info.ttl, info.records) == (OWNER, 42, frozenset(records))


@pytest.mark.parametrize(
    ("name", "kind"), [("a.internal", "DNS_PRIVATE"), ("b.com", "DNS_PUBLIC"), ("c", "HTTP")]
)
def test_services_without_records_can_be_in_every_type_of_namespace(
    emulator: EmulatedAws, open_world: Open, name: str, kind: str
) -> None:
    emulator.seed.namespace(name, kind)
    world = open_world(name=name)
    world.done(made(records=()), Register(ours(1)))
    assert world.read(fresh=True).instances == (ours(1),)
    world.done(Deregister(ours(1)))
    info = world.read(fresh=True).info
    assert info is not None
    world.done(DeleteService("web", info))
    assert world.read().info is None


def test_an_update_replaces_everything_in_place(emulator: EmulatedAws, world: World) -> None:
    before = ours(1, attributes=MappingProxyType({"old": "x"}), tags=("a", "b"))
    world.done(made(), Register(before))
    emulator.calls.reset()
    after = ours(1, ipv4="10.9.9.9", attributes=MappingProxyType({"new": "y"}))
    world.done(Update(before, after))
    assert world.read(fresh=True).instances == (after,)
    assert emulator.calls.count("DeregisterInstance") == 0


def test_a_critical_instance_is_born_critical(world: World) -> None:
    sick = ours(1, health=Health.CRITICAL)
    world.done(made(), Register(sick))
    assert world.read(fresh=True).instances == (sick,)


def test_health_alone_is_set_without_registering_again(emulator: EmulatedAws, world: World) -> None:
    world.done(made(), Register(ours(1)))
    emulator.calls.reset()
    world.done(SetHealth(Health.PASSING, ours(1, health=Health.CRITICAL)))
    assert emulator.calls.count("RegisterInstance") == 0
    eventually(
        lambda: world.read().instances[0].health is Health.CRITICAL, LONG, "the instance turns critical"
    )


def test_health_that_cannot_be_set_is_an_error(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web", custom_health=False)
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    world.read()
    (outcome,) = world.do(SetHealth(Health.PASSING, ours(1, health=Health.CRITICAL)))
    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None
    assert outcome.error.code == "CustomHealthNotFound"


def test_what_is_gone_already_is_deregistered(world: World) -> None:
    world.done(made(), Register(ours(1)))
    world.done(Deregister(ours(1)))
    world.done(Deregister(ours(1)))
    assert world.ids(fresh=True) == []


def test_instances_wait_for_their_service_and_fail_with_it(emulator: EmulatedAws, world: World) -> None:
    emulator.fault("delay", operation="CreateService", seconds=0.3, count=1)
    world.done(made(), *(Register(ours(number)) for number in range(1, 6)))
    assert len(world.ids(fresh=True)) == 5
    emulator.fault("error", operation="CreateService", code="AccessDeniedException")
    outcomes = world.do(made("other"), Register(ours(1, "other")), Register(ours(2, "other")))
    assert [outcome.ending for outcome in outcomes] == [Ending.FAILED] * 3
    assert emulator.calls.count("CreateService") == 2
    assert isinstance(outcomes[0].error, Denied)


def test_a_service_that_exists_is_adopted(emulator: EmulatedAws, world: World) -> None:
    world.reader.services()
    existing = emulator.seed.service(NAMESPACE, "web", records={"A": 30})
    world.done(made(), Register(ours(1)))
    found = world.read(fresh=True)
    assert found.info is not None
    assert (found.info.id, found.info.owner, found.instances) == (existing, None, (ours(1),))


def test_a_service_whose_name_differs_by_case_is_not_adopted(emulator: EmulatedAws, world: World) -> None:
    world.reader.services()
    emulator.seed.service(NAMESPACE, "WEB")
    (outcome,) = world.do(made())
    assert isinstance(outcome.error, Refused)
    assert "WEB" in str(outcome.error)


def test_a_creation_whose_answer_was_lost_is_ours(emulator: EmulatedAws, world: World) -> None:
    emulator.fault("lost_answer", operation="CreateService", count=1)
    world.done(made(), Register(ours(1)))
    info = world.read(fresh=True).info
    assert info is not None
    assert info.owner == OWNER


@pytest.mark.parametrize("operation", ["RegisterInstance", "DeregisterInstance"])
def test_an_answer_that_was_lost_does_no_harm(emulator: EmulatedAws, world: World, operation: str) -> None:
    world.done(made())
    emulator.fault("lost_answer", operation=operation, count=1)
    world.done(Register(ours(1)))
    assert world.ids(fresh=True) == ["i1"]
    world.done(Deregister(ours(1)))
    assert world.ids(fresh=True) == []


def test_nothing_is_written_into_what_ecs_manages(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.service(NAMESPACE, "web", Tags=[{"Key": "AmazonECSManaged", "Value": "true"}])
    world.read()
    (outcome,) = world.do(Register(ours(1)))
    assert isinstance(outcome.error, Refused)
    assert "ECS" in str(outcome.error)
    assert emulator.calls.count("RegisterInstance") == 0


def test_a_foreign_service_is_asked_for_its_tags_once(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.service(NAMESPACE, "web")
    world.read()
    world.done(*(Register(ours(number)) for number in range(1, 4)))
    world.done(*(Deregister(ours(number)) for number in range(1, 4)))
    world.done(Register(ours(1)))
    assert 1 <= emulator.calls.count("ListTagsForResource") <= 3


def test_our_own_service_is_not_asked_for_its_tags(emulator: EmulatedAws, world: World) -> None:
    world.done(made(), Register(ours(1)))
    assert emulator.calls.count("ListTagsForResource") == 0


# --- Others' operations, ends, and errors ------------------------------------------------------------


def test_another_s_operation_on_the_instance_is_waited_for(emulator: EmulatedAws, world: World) -> None:
    world.done(made())
    emulator.settings = replace(FAST, operation_delay=0.5)
    entry = world.directory.lookup("web")
    assert entry is not None
    client(emulator).register_instance(
        ServiceId=entry.info.id, InstanceId="i1", Attributes={"AWS_INSTANCE_IPV4": "10.7.7.7"}
    )
    world.done(Register(ours(1)))
    assert emulator.calls.report()["errors"] == {"RegisterInstance": 1}
    assert world.read(fresh=True).instances == (ours(1),)


def test_one_change_at_a_time_and_the_latest_wins(emulator: EmulatedAws, world: World) -> None:
    world.done(made())
    emulator.settings = replace(FAST, operation_delay=0.4)
    told = Told()
    steps = [ours(1, port=8000 + number) for number in range(6)]
    world.writer.submit([Register(steps[0])], told)
    for before, after in itertools.pairwise(steps):
        world.writer.submit([Update(before, after)], told)
    endings = [outcome.ending for outcome in told.wait(6)]
    assert endings.count(Ending.SUPERSEDED) == 4
    assert endings.count(Ending.DONE) == 2
    assert world.read(fresh=True).instances == (steps[-1],)
    assert not emulator.calls.report()["errors"]


FAILURES: list[tuple[str, type[SyncError]]] = [
    ("ACCESS_DENIED", Denied),
    ("INVALID_CHANGE_BATCH", SyncError),
    ("HOSTED_ZONE_NOT_FOUND", Missing),
]


def test_an_operation_that_fails_is_a_failed_change_with_its_code(
    emulator: EmulatedAws, world: World
) -> None:
    world.done(made())
    for code, kind in FAILURES:
        fault = emulator.fault("fail_operation", operation="RegisterInstance", code=code, message="so there")
        (outcome,) = world.do(Register(ours(1)))
        assert outcome.ending is Ending.FAILED
        assert isinstance(outcome.error, kind)
        assert (outcome.error.code, "so there" in str(outcome.error)) == (code, True)
        emulator.faults.remove(fault.id)
    world.done(Register(ours(1)))


def test_two_instances_on_one_address_end_as_one_of_them(world: World) -> None:
    world.done(made(), Register(ours(1)))
    (outcome,) = world.do(Register(ours(2, ipv4=ours(1).ipv4)))
    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None
    assert outcome.error.code == "INVALID_CHANGE_BATCH"
    assert world.ids(fresh=True) == ["i1"]


REFUSALS: list[tuple[str, type[SyncError]]] = [
    ("InvalidInput", Refused),
    ("AccessDeniedException", Denied),
    ("ResourceLimitExceeded", QuotaExceeded),
    ("ServiceNotFound", Missing),
]


def test_one_change_that_fails_stops_no_other(emulator: EmulatedAws, world: World) -> None:
    world.done(made())
    for number, (code, _) in enumerate(REFUSALS, 1):
        emulator.fault("error", operation="RegisterInstance", instance=f"i{number}", code=code)
    outcomes = world.do(*(Register(ours(number)) for number in range(1, 9)))
    ended = {instance_id(outcome.change): outcome for outcome in outcomes}
    for number, (code, expected) in enumerate(REFUSALS, 1):
        error = ended[f"i{number}"].error
        assert isinstance(error, expected)
        assert error.code == code
    assert {ended[f"i{number}"].ending for number in range(5, 9)} == {Ending.DONE}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("error", {"code": "ThrottlingException"}),
        ("reset", {}),
    ],
)
def test_failures_that_pass_are_tried_again(
    emulator: EmulatedAws, world: World, kind: Kind, options: dict[str, Any]
) -> None:
    for operation in ("CreateService", "RegisterInstance", "DeregisterInstance"):
        emulator.fault(kind, operation=operation, count=2, **options)
    world.done(made(), Register(ours(1)))
    world.done(Deregister(ours(1)))
    assert world.ids(fresh=True) == []


def test_an_instance_for_a_service_that_does_not_exist_is_an_error(world: World) -> None:
    world.reader.services()
    (outcome,) = world.do(Register(ours(1, "nobody")))
    assert isinstance(outcome.error, Missing)


# --- Services as entities ----------------------------------------------------------------------------


def test_a_new_ttl_leaves_everything_else_as_it_was(emulator: EmulatedAws, world: World) -> None:
    world.done(made(records=("A", "SRV")))
    before = raw_service(emulator, world)
    info = world.read().info
    assert info is not None
    world.done(UpdateService("web", info, 77))
    after = raw_service(emulator, world)
    assert {one["TTL"] for one in after["DnsConfig"]["DnsRecords"]} == {77}
    assert after["Description"] == before["Description"]
    assert {one["Type"] for one in after["DnsConfig"]["DnsRecords"]} == {"A", "SRV"}
    assert after["HealthCheckCustomConfig"] == before["HealthCheckCustomConfig"]


def test_a_service_of_ours_that_is_empty_is_deleted_and_twice_is_no_error(world: World) -> None:
    world.done(made())
    info = world.read().info
    assert info is not None
    world.done(DeleteService("web", info))
    world.done(DeleteService("web", info))
    assert world.read().info is None


def test_a_service_with_instances_is_not_deleted(world: World) -> None:
    world.done(made(), Register(ours(1)))
    info = world.read().info
    assert info is not None
    (outcome,) = world.do(DeleteService("web", info))
    assert outcome.ending is Ending.FAILED
    assert outcome.error is not None
    assert outcome.error.code == "ResourceInUse"
    assert world.ids(fresh=True) == ["i1"]


def test_a_service_that_says_to_be_another_s_is_not_deleted(emulator: EmulatedAws, world: World) -> None:
    world.done(made())
    info = world.read().info
    assert info is not None
    (outcome,) = world.do(DeleteService("web", replace(info, owner="somebody")))
    assert isinstance(outcome.error, Refused)
    assert emulator.calls.count("DeleteService") == 0


# --- Pace, closing -----------------------------------------------------------------------------------


def test_a_first_sync_stays_within_the_rates(emulator: EmulatedAws, open_world: Open) -> None:
    world = open_world(rates=RATES)
    emulator.settings = replace(FAST, throttle=1.0)
    names = [f"svc{number}" for number in range(55)]
    told = Told()
    world.writer.submit([made(name) for name in names], told)
    world.writer.submit([Register(ours(number, name)) for name in names for number in range(3)], told)
    assert {outcome.ending for outcome in told.wait(55 * 4)} == {Ending.DONE}
    few = emulator.calls.count() // 50  # a machine that stalls sends two calls at once now and then
    assert emulator.calls.throttled() <= few


def test_closing_waits_for_what_is_under_way(emulator: EmulatedAws, open_world: Open) -> None:
    world = open_world()
    world.done(made())
    emulator.settings = replace(FAST, operation_delay=0.4)
    told = Told()
    world.writer.submit([Register(ours(1))], told)
    world.writer.close(LONG)
    assert [outcome.ending for outcome in told.outcomes] == [Ending.DONE]


def test_closing_abandons_what_does_not_end_and_what_comes_later(
    emulator: EmulatedAws, open_world: Open
) -> None:
    world = open_world()
    world.done(made())
    emulator.fault("slow_operation", operation="RegisterInstance", seconds=300)
    told = Told()
    world.writer.submit([Register(ours(1)), Register(ours(2))], told)
    began = time.monotonic()
    world.writer.close(0.3)
    assert time.monotonic() - began < 60
    world.writer.submit([Register(ours(3))], told)
    assert [outcome.ending for outcome in told.outcomes] == [Ending.ABANDONED] * 3


def test_every_change_ends_exactly_once_whatever_happens(emulator: EmulatedAws, open_world: Open) -> None:
    world = open_world()
    world.done(made())
    emulator.fault("reset", operation="*Instance", probability=0.15)
    emulator.fault("lost_answer", operation="*Instance", probability=0.15)
    emulator.fault("fail_operation", operation="RegisterInstance", code="INTERNAL_FAILURE", probability=0.15)
    told = Told()
    total = 0

    def hand(offset: int) -> None:
        for step in range(12):
            instance = ours(offset % 3 + 1, port=8000 + step)
            world.writer.submit([Register(instance) if step % 3 else Deregister(instance)], told)

    hands = [threading.Thread(target=hand, args=(number,), daemon=True) for number in range(6)]
    for thread in hands:
        thread.start()
        total += 12
    for thread in hands:
        thread.join(LONG)
    told.wait(total)
    time.sleep(0.2)
    assert len(told.outcomes) == total
