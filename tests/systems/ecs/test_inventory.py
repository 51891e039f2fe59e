"""What is known of tasks grows younger only, whatever the order in which reads end."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.systems.aws import Access, Aws
from syncer.systems.ecs.client import EcsApi
from syncer.systems.ecs.entries import Entry, merged
from syncer.systems.ecs.inventory import Inventory
from syncer.systems.ecs.model import Address, Placed, Task
from syncer.systems.ecs.tasks import TaskReader
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.emulator.ecs_world import EcsWorld

LIFE = (
    ("PENDING", "RUNNING"),
    ("ACTIVATING", "RUNNING"),
    ("RUNNING", "RUNNING"),
    ("RUNNING", "STOPPED"),
    ("DEPROVISIONING", "STOPPED"),
    ("STOPPED", "STOPPED"),
)


def seen(version: int) -> Placed:
    last, desired = LIFE[version]
    task = Task("arn:t", "prod", "service:web", "arn:d:1", last, desired, version)
    return Placed(task, Address(ipv4="10.0.0.1") if task.running else None)


@given(st.permutations(range(len(LIFE))), st.lists(st.integers(0, len(LIFE) - 1)))
def test_the_newest_version_stands_in_whatever_order_they_arrive(order: list[int], again: list[int]) -> None:
    entry: Entry | None = None
    for began, version in enumerate([*order, *again]):
        entry = merged(entry, seen(version), float(began))
    assert entry is not None
    assert entry.version == len(LIFE) - 1
    assert entry.stopping_since is not None


@given(st.lists(st.integers(0, 2), min_size=1))
def test_a_task_that_was_never_told_to_stop_is_never_taken_for_stopping(versions: list[int]) -> None:
    entry: Entry | None = None
    for began, version in enumerate(versions):
        entry = merged(entry, seen(version), float(began))
    assert entry is not None
    assert entry.stopping_since is None
    assert entry.placed.task.running == (max(versions) == 2)


def test_of_equal_versions_the_read_that_began_later_stands() -> None:
    first = merged(None, seen(2), 10.0)
    moved = replace(seen(2), address=Address(ipv4="10.0.0.1", public_ipv4="54.1.1.1"))
    assert merged(first, moved, 9.0) is first
    assert merged(first, moved, 11.0).placed is moved


def test_what_has_not_changed_stays_the_same_object() -> None:
    first = merged(None, seen(2), 10.0)
    again = merged(first, seen(2), 11.0)
    assert again.placed is first.placed
    assert again.at == 11.0


@pytest.fixture
def reader(access: Access) -> TaskReader:
    return TaskReader(EcsApi(Aws(access)))


@pytest.fixture
def inventory(reader: TaskReader) -> Any:
    made = Inventory(reader, ("prod",))
    yield made
    made.close()


def hold_up(aws: EmulatedAwsWithEcs, inventory: Inventory) -> threading.Thread:
    """Begin a full read whose list is made by now and whose tasks come half a second later."""
    listed = threading.Event()
    aws.ecs_endpoint.calls.watch(
        lambda _when, operation, _params: listed.set() if operation == "ListTasks" else None
    )
    aws.ecs_endpoint.faults.add(
        EcsFault(operation="DescribeNetworkInterfaces", kind="delay", seconds=0.5, count=1)
    )
    thread = threading.Thread(target=inventory.refresh, args=(0.0,))
    thread.start()
    assert listed.wait(60)
    time.sleep(0.2)
    return thread


def test_a_full_read_under_way_does_not_bring_back_what_a_look_saw_stop(
    aws: EmulatedAwsWithEcs, world: EcsWorld, inventory: Inventory
) -> None:
    task = world.start_task("prod", service="web")
    inventory.refresh(0.0)
    thread = hold_up(aws, inventory)
    world.stop_task(task)
    inventory.look("prod", [task.arn])
    thread.join(60)
    assert inventory.state.entries[task.arn].stopping_since is not None


def test_a_full_read_under_way_does_not_bring_back_what_a_look_found_missing(
    aws: EmulatedAwsWithEcs, world: EcsWorld, inventory: Inventory
) -> None:
    task = world.start_task("prod", service="web")
    inventory.refresh(0.0)
    thread = hold_up(aws, inventory)
    world.forget(task)
    assert inventory.look("prod", [task.arn]) == {task.arn}
    thread.join(60)
    assert inventory.state.entries[task.arn].stopping_since is not None


def test_a_full_read_under_way_does_not_drop_what_a_look_saw_start(
    aws: EmulatedAwsWithEcs, world: EcsWorld, inventory: Inventory
) -> None:
    world.start_task("prod", service="web")
    thread = hold_up(aws, inventory)
    late = world.start_task("prod", service="web", public_ip=True)
    inventory.look("prod", [late.arn])
    thread.join(60)
    assert inventory.state.entries[late.arn].stopping_since is None
    assert len(inventory.state.entries) == 2


def test_many_who_want_a_full_read_at_once_share_it(
    aws: EmulatedAwsWithEcs, world: EcsWorld, inventory: Inventory
) -> None:
    world.start_task("prod", service="web")
    aws.ecs_endpoint.latency = 0.1
    threads = [threading.Thread(target=inventory.refresh, args=(1.0,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert aws.ecs_endpoint.calls.count("ListTasks") == 1


def test_stopped_tasks_are_forgotten_after_their_time(world: EcsWorld, reader: TaskReader) -> None:
    inventory = Inventory(reader, ("prod",), remember=0.1)
    try:
        tasks = [world.start_task("prod", service="web") for _ in range(3)]
        inventory.refresh(0.0)
        for task in tasks:
            world.stop_task(task)
        inventory.refresh(0.0)
        assert len(inventory.state.entries) == 3
        time.sleep(0.2)
        inventory.refresh(0.0)
        assert len(inventory.state.entries) == 0
    finally:
        inventory.close()


def test_in_doubt_a_full_read_is_made_however_young_the_last(
    aws: EmulatedAwsWithEcs, inventory: Inventory
) -> None:
    inventory.refresh(60.0)
    inventory.refresh(60.0)
    assert aws.ecs_endpoint.calls.count("ListTasks") == 1
    inventory.doubt()
    inventory.refresh(60.0)
    assert aws.ecs_endpoint.calls.count("ListTasks") == 2


def test_an_event_of_a_cluster_that_a_glob_takes_has_the_clusters_listed_again(
    world: EcsWorld, reader: TaskReader
) -> None:
    inventory = Inventory(reader, ("edge-*",))
    try:
        inventory.refresh(60.0)
        world.start_task("edge-1", service="web")
        task = world.start_task("edge-1", service="web")
        inventory.look("edge-1", [task.arn])
        assert len(inventory.refresh(60.0).entries) == 2
    finally:
        inventory.close()
