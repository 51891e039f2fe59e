"""The change feed: what others do is noticed within seconds, whatever fails meanwhile."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest

from syncer.core.plan import Register
from syncer.systems.cloudmap.feed import OperationFeed
from tests.emulator import EmulatedAws
from tests.emulator.faults import Kind
from tests.support.wait import eventually
from tests.systems.cloudmap.world import FAST, LONG, NAMESPACE, Heard, World, client, made, ours

Feed = Callable[[], Heard]


@pytest.fixture
def listening(world: World) -> Iterator[Feed]:
    """Start the feed, which ends with the test."""
    heard: list[Heard] = []

    def start() -> Heard:
        feed = OperationFeed(world.api, world.namespace, world.directory, world.operations, interval=0.15)
        heard.append(Heard(feed.run).__enter__())
        calls = world.emulator.calls
        eventually(lambda: calls.count("ListOperations") >= 2, LONG, "the feed listens")
        return heard[-1]

    yield start
    assert all(one.leave() for one in heard), "a watch ends when it is told to"


numbers = itertools.count(1)


def register(emulator: EmulatedAws, service: str) -> None:
    """Register an instance by somebody else's hand."""
    number = next(numbers)
    client(emulator).register_instance(
        ServiceId=service,
        InstanceId=f"n{number}",
        Attributes={"AWS_INSTANCE_IPV4": f"10.3.{number // 250}.{number % 250}"},
    )


Mode = Literal["mixed", "before", "after"]


@pytest.mark.parametrize("mode", ["mixed", "before", "after"])
def test_another_s_registrations_and_removals_are_noticed(
    emulator: EmulatedAws, listening: Feed, mode: Mode
) -> None:
    emulator.settings = replace(FAST, operation_filters=mode)
    service = emulator.seed.service(NAMESPACE, "web")
    other = emulator.seed.service(NAMESPACE, "other")
    emulator.seed.instance(other, "old", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    heard = listening()
    register(emulator, service)
    eventually(lambda: heard.named("web"), LONG)
    assert not heard.named("other")
    client(emulator).deregister_instance(ServiceId=other, InstanceId="old")
    eventually(lambda: heard.named("other"), LONG)


def test_each_operation_is_looked_at_once(emulator: EmulatedAws, listening: Feed) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    heard = listening()
    register(emulator, service)
    eventually(lambda: heard.hints, LONG)
    seen = emulator.calls.count("ListOperations")
    eventually(lambda: emulator.calls.count("ListOperations") > seen + 4, LONG)
    assert len(heard.hints) == 1
    assert emulator.calls.count("GetOperation") == 1


def test_our_own_operations_end_by_the_feed_and_give_no_hint(
    emulator: EmulatedAws, world: World, listening: Feed
) -> None:
    world.done(made())
    heard = listening()
    emulator.fault("error", operation="GetOperation", code="AccessDeniedException")
    emulator.settings = replace(FAST, operation_delay=0.3)
    world.done(*(Register(ours(number)) for number in range(1, 6)))
    assert not heard.hints


def test_a_service_that_is_new_is_named(emulator: EmulatedAws, world: World, listening: Feed) -> None:
    world.reader.services()
    heard = listening()
    register(emulator, emulator.seed.service(NAMESPACE, "young"))
    eventually(lambda: heard.named("young"), LONG)
    eventually(lambda: len(world.ids("young")) == 1, LONG)


def test_other_namespaces_are_not_ours(emulator: EmulatedAws, listening: Feed) -> None:
    emulator.seed.namespace("other", "HTTP")
    theirs = emulator.seed.service("other", "theirs")
    mine = emulator.seed.service(NAMESPACE, "mine")
    heard = listening()
    register(emulator, theirs)
    register(emulator, mine)
    eventually(lambda: heard.named("mine"), LONG)
    assert not heard.named("theirs")


def test_an_operation_that_cannot_be_asked_for_calls_for_a_full_read(
    emulator: EmulatedAws, listening: Feed
) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    heard = listening()
    emulator.fault("error", operation="GetOperation", code="OperationNotFound")
    register(emulator, service)
    eventually(lambda: any(hint.services is None for hint in heard.hints), LONG)


def test_more_operations_than_a_page_holds_are_all_noticed(emulator: EmulatedAws, listening: Feed) -> None:
    services = [emulator.seed.service(NAMESPACE, f"svc{number}") for number in range(130)]
    heard = listening()
    for service in services:
        register(emulator, service)
    eventually(lambda: all(heard.named(f"svc{number}") for number in range(130)), LONG)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("error", {"code": "InternalFailure", "status": 500}),
        ("error", {"code": "ThrottlingException"}),
        ("reset", {}),
        ("empty", {}),
    ],
)
def test_the_feed_survives_what_fails_and_misses_nothing(
    emulator: EmulatedAws, listening: Feed, kind: Kind, options: dict[str, Any]
) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    heard = listening()
    emulator.fault(kind, operation="ListOperations", count=2, **options)
    register(emulator, service)
    eventually(lambda: heard.named("web"), LONG)
    assert heard.running


def test_a_namespace_that_vanishes_and_returns_does_not_end_the_feed(
    emulator: EmulatedAws, listening: Feed
) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    heard = listening()
    fault = emulator.fault("namespace_gone", namespace=NAMESPACE)
    seen = emulator.calls.count("ListOperations")
    eventually(lambda: emulator.calls.count("ListOperations") > seen + 1, LONG)
    emulator.faults.remove(fault.id)
    register(emulator, service)
    eventually(lambda: heard.named("web"), LONG)
