"""Operations followed to their end, by the feed's word or by asking."""

import threading
from dataclasses import replace

from syncer.core.errors import SyncError, Unavailable
from syncer.systems.cloudmap.operations import Operations
from tests.emulator import EmulatedAws
from tests.support.wait import eventually
from tests.systems.cloudmap.world import FAST, LONG, NAMESPACE, World, client


def begin(emulator: EmulatedAws, world: World, instance: str = "i1") -> str:
    """Register an instance by hand; return the operation."""
    registry = emulator.state.registry("123456789012", emulator.region)
    service = next(
        (one.id for one in registry.services.values() if one.name == "web"), None
    ) or emulator.seed.service(NAMESPACE, "web", records={"SRV": 15})
    attributes = {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "80"}
    answer = client(emulator).register_instance(ServiceId=service, InstanceId=instance, Attributes=attributes)
    return str(answer["OperationId"])


class Ends:
    """Collects how operations ended."""

    def __init__(self) -> None:
        self.told: list[SyncError | None] = []

    def __call__(self, error: SyncError | None) -> None:
        self.told.append(error)


def test_without_a_feed_the_end_is_asked_for(emulator: EmulatedAws, world: World) -> None:
    ends = Ends()
    world.operations.follow(begin(emulator, world), "it", ends)
    eventually(lambda: ends.told == [None], LONG)


def test_the_feed_s_word_is_enough(emulator: EmulatedAws, world: World) -> None:
    emulator.fault("error", operation="GetOperation", code="InternalFailure", status=500)
    ends = Ends()
    world.operations.heard()
    operation = begin(emulator, world)
    world.operations.follow(operation, "it", ends)
    assert world.operations.tell(operation, "SUCCESS")
    assert ends.told == [None]
    assert not world.operations.tell(operation, "SUCCESS"), "an operation ends once"


def test_what_we_do_not_follow_is_somebody_else_s(world: World) -> None:
    assert not world.operations.tell("unknown", "SUCCESS")
    assert not world.operations.tell("unknown", "FAIL")


def test_a_failure_is_told_with_its_code_and_its_reason(emulator: EmulatedAws, world: World) -> None:
    emulator.fault("fail_operation", operation="RegisterInstance", code="ACCESS_DENIED", message="no zone")
    ends = Ends()
    operation = begin(emulator, world)
    world.operations.follow(operation, "registering i1", ends)
    eventually(lambda: ends.told, LONG)
    (error,) = ends.told
    assert error is not None
    assert error.code == "ACCESS_DENIED"
    assert "registering i1" in str(error)
    assert "no zone" in str(error)


def test_questions_that_fail_are_asked_again(emulator: EmulatedAws, world: World) -> None:
    emulator.fault("error", operation="GetOperation", code="ThrottlingException", count=2)
    ends = Ends()
    world.operations.follow(begin(emulator, world), "it", ends)
    eventually(lambda: ends.told == [None], LONG)


def test_an_operation_that_nobody_knows_any_more_has_no_known_end(
    emulator: EmulatedAws, world: World
) -> None:
    ends = Ends()
    world.operations.follow("never-heard-of", "it", ends)
    eventually(lambda: ends.told, LONG)
    assert isinstance(ends.told[0], Unavailable)


def test_many_operations_under_a_feed_are_not_asked_for_one_by_one(
    emulator: EmulatedAws, world: World
) -> None:
    emulator.settings = replace(FAST, operation_delay=1.2)
    ends = Ends()
    world.operations.heard()
    operations = [begin(emulator, world, f"i{number}") for number in range(60)]
    for operation in operations:
        world.operations.follow(operation, "it", ends)
    threading.Event().wait(1.0)
    assert emulator.calls.count("GetOperation") <= 50
    for operation in operations:
        world.operations.tell(operation, "SUCCESS")
    eventually(lambda: len(ends.told) == 60, LONG)


def test_closing_tells_no_more_ends(emulator: EmulatedAws, world: World) -> None:
    operations = Operations(world.api)
    ends = Ends()
    operations.follow(begin(emulator, world), "it", ends)
    operations.close()
    threading.Event().wait(0.8)
    assert not ends.told


def test_what_was_asked_for_and_had_ended_is_still_ours_when_the_feed_lists_it(
    emulator: EmulatedAws, world: World
) -> None:
    ends = Ends()
    operation = begin(emulator, world)
    world.operations.follow(operation, "Register web/i1", ends)
    eventually(lambda: ends.told == [None], LONG)
    assert world.operations.tell(operation, "SUCCESS")
    assert ends.told == [None]
