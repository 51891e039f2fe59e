"""The sweeps: what the feed does not tell is found, within budgets."""

import time

import pytest

from syncer.core.model import Complete, Health
from syncer.systems.cloudmap.listing import ListSweep
from syncer.systems.cloudmap.sweep import HealthSweep, RevisionSweep
from tests.emulator import EmulatedAws
from tests.support.wait import eventually
from tests.systems.cloudmap.world import LONG, NAMESPACE, OWNER, Heard, World, made


@pytest.fixture
def web(emulator: EmulatedAws, world: World) -> str:
    """A service of somebody else's with one instance; its id."""
    service = emulator.seed.service(NAMESPACE, "web")
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    emulator.seed.service(NAMESPACE, "calm")
    world.reader.services()
    return service


def test_a_revision_that_moved_is_a_hint(emulator: EmulatedAws, world: World, web: str) -> None:
    sweep = RevisionSweep(world.api, world.namespace, world.directory, per_second=200)
    with Heard(sweep.run) as heard:
        eventually(lambda: emulator.calls.count("DiscoverInstancesRevision") >= 2, LONG)
        time.sleep(0.2)
        assert not heard.hints
        emulator.seed.instance(web, "i2", {"AWS_INSTANCE_IPV4": "10.0.0.2"})
        eventually(lambda: heard.named("web"), LONG)
        assert not heard.named("calm")
        assert heard.leave()


def test_a_revision_that_moved_before_the_first_look_is_a_hint_if_the_last_read_saw_another(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    for name in ("web", "calm"):
        world.reader.read(name)
    emulator.seed.instance(web, "i2", {"AWS_INSTANCE_IPV4": "10.0.0.2"})
    sweep = RevisionSweep(
        world.api, world.namespace, world.directory, per_second=200, seen=world.reader.revision
    )
    with Heard(sweep.run) as heard:
        eventually(lambda: heard.named("web"), LONG)
        assert not heard.named("calm")
        assert heard.leave()


def test_what_a_read_has_seen_already_is_no_hint(emulator: EmulatedAws, world: World, web: str) -> None:
    world.reader.read("web")
    sweep = RevisionSweep(
        world.api, world.namespace, world.directory, per_second=200, seen=world.reader.revision
    )
    with Heard(sweep.run) as heard:
        eventually(lambda: emulator.calls.count("DiscoverInstancesRevision") >= 2, LONG)
        before = world.reader.revision("web")
        emulator.seed.instance(web, "i2", {"AWS_INSTANCE_IPV4": "10.0.0.2"})
        world.reader.read("web", fresh=True)
        assert world.reader.revision("web") != before
        emulator.calls.reset()
        eventually(lambda: emulator.calls.count("DiscoverInstancesRevision") >= 3, LONG)
        assert not heard.hints
        assert heard.leave()


@pytest.mark.parametrize("news", [True, False])
def test_only_a_sweep_that_finds_what_nobody_noticed_looks_again_soon(
    emulator: EmulatedAws, world: World, web: str, news: bool
) -> None:
    for name in ("web", "calm"):
        world.reader.read(name)
    if news:
        emulator.seed.instance(web, "i2", {"AWS_INSTANCE_IPV4": "10.0.0.2"})
    sweep = RevisionSweep(
        world.api, world.namespace, world.directory, per_second=200, shortest=3600, seen=world.reader.revision
    )
    with Heard(sweep.run) as heard:
        eventually(lambda: emulator.calls.count("DiscoverInstancesRevision") >= (6 if news else 2), LONG)
        if not news:
            time.sleep(1.5)
            assert emulator.calls.count("DiscoverInstancesRevision") == 2
        assert heard.named("web") is news
        assert heard.leave()


def test_a_sweep_with_a_budget_of_nothing_calls_nothing(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    emulator.calls.reset()
    revisions = RevisionSweep(world.api, world.namespace, world.directory, per_second=0)
    health = HealthSweep(world.directory, world.reader, OWNER, per_second=0)
    with Heard(revisions.run) as one, Heard(health.run) as other:
        time.sleep(0.4)
        assert one.leave()
        assert other.leave()
    assert emulator.calls.count() == 0


def test_a_sweep_keeps_to_its_budget(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.bulk(NAMESPACE, 100, 0)
    world.reader.services()
    emulator.calls.reset()
    began = time.monotonic()
    with Heard(RevisionSweep(world.api, world.namespace, world.directory, per_second=20).run) as heard:
        time.sleep(1.5)
        assert heard.leave()
    assert 1 <= emulator.calls.count("DiscoverInstancesRevision") <= 1 + 20 * (time.monotonic() - began)


def test_a_sweep_survives_what_fails(emulator: EmulatedAws, world: World, web: str) -> None:
    fault = emulator.fault("error", operation="Discover*", code="InternalFailure", status=500)
    sweep = RevisionSweep(world.api, world.namespace, world.directory, per_second=200)
    with Heard(sweep.run) as heard:
        eventually(lambda: fault.hits >= 1, LONG)
        assert heard.running
        assert heard.leave()


def test_health_that_turns_is_read(emulator: EmulatedAws, world: World, web: str) -> None:
    world.done(made("ours"))
    sweep = HealthSweep(world.directory, world.reader, OWNER, per_second=200)
    emulator.seed.health(web, "i1", "UNHEALTHY")
    with Heard(sweep.run) as heard:

        def turned() -> bool:
            return any(_critical(read) for read in heard.reads)

        eventually(turned, LONG)
        assert "ours" not in {read.service for read in heard.reads}, "our own health is known"
        assert heard.leave()


def _critical(read: Complete) -> bool:
    return any(item.health is Health.CRITICAL for item in read.instances)


def test_what_cannot_be_read_is_not_reported(emulator: EmulatedAws, world: World, web: str) -> None:
    world.read()
    fault = emulator.fault("empty", operation="*Instances")
    sweep = HealthSweep(world.directory, world.reader, OWNER, per_second=200)
    with Heard(sweep.run) as heard:
        eventually(lambda: fault.hits >= 2, LONG)
        time.sleep(0.2)
        assert not [read for read in heard.reads if read.service == "web"]


def test_a_service_that_comes_without_an_operation_is_found_in_the_list(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    with Heard(ListSweep(world.directory, shortest=0.1).run) as heard:
        eventually(lambda: emulator.calls.count("ListServices") >= 4, LONG)
        assert not heard.hints
        service = emulator.seed.service(NAMESPACE, "late")
        eventually(lambda: heard.named("late"), LONG)
        with emulator.state.lock:
            for registry in emulator.state.registries.values():
                registry.services.pop(service, None)
        eventually(lambda: sum("late" in (hint.services or ()) for hint in heard.hints) >= 2, LONG)
        assert not heard.named("calm")
        assert heard.leave()


def test_a_list_that_fails_says_nothing_and_is_tried_again(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    fault = emulator.fault("error", operation="ListServices", code="InternalFailure", status=500)
    with Heard(ListSweep(world.directory, shortest=0.1).run) as heard:
        eventually(lambda: fault.hits >= 2, LONG)
        assert not heard.hints
        assert heard.leave()


def test_nothing_is_listed_before_somebody_else_has_had_a_first_list(
    emulator: EmulatedAws, world: World
) -> None:
    with Heard(ListSweep(world.directory, shortest=0.05).run) as heard:
        time.sleep(0.4)
        assert heard.leave()
    assert emulator.calls.count("ListServices") == 0
