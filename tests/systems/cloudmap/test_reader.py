"""Reading: complete or unreadable, and nothing disappears because an answer was short."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from syncer.core.model import Complete, Health, Listed, Mark, Unlisted
from tests.emulator import EmulatedAws
from tests.emulator.faults import Kind
from tests.support.wait import eventually
from tests.systems.cloudmap.world import FAST, LONG, NAMESPACE, World, client

Open = Callable[..., World]


@pytest.fixture
def web(emulator: EmulatedAws) -> str:
    """A service with five instances; its id."""
    service = emulator.seed.service(NAMESPACE, "web")
    for number in range(5):
        emulator.seed.instance(service, f"i{number}", {"AWS_INSTANCE_IPV4": f"10.0.0.{number}"})
    return service


ALL = [f"i{number}" for number in range(5)]


def test_all_services_are_listed_over_all_pages_and_no_other_namespaces(
    emulator: EmulatedAws, world: World
) -> None:
    emulator.seed.namespace("other", "HTTP")
    emulator.seed.bulk("other", 120, 0, prefix="theirs-")
    emulator.seed.bulk(NAMESPACE, 120, 0, prefix="ours-")
    assert world.reader.services() == Listed(frozenset(f"ours-{number}" for number in range(120)))


def test_a_read_gives_addresses_attributes_and_health(emulator: EmulatedAws, world: World, web: str) -> None:
    emulator.seed.instance(
        web,
        "i9",
        {"AWS_INSTANCE_IPV4": "10.0.0.9", "AWS_INSTANCE_PORT": "80", "team": "a b"},
        health="UNHEALTHY",
    )
    found = {item.id: item for item in world.read().instances}["i9"]
    assert (found.ipv4, found.port, dict(found.attributes)) == ("10.0.0.9", 80, {"team": "a b"})
    assert (found.health, found.mark) == (Health.CRITICAL, None)


def test_one_call_is_enough_for_a_service_that_is_as_it_was(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    world.read()
    emulator.calls.reset()
    assert world.ids() == ALL
    assert emulator.calls.report()["counts"] == {"DiscoverInstances": 1}


def test_unknown_health_passes(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web", custom_health=False)
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    found = world.read()
    assert found.instances[0].health is Health.PASSING
    assert found.info is not None
    assert not found.info.health_settable


def test_the_service_says_its_records_and_its_ttl(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.service(NAMESPACE, "web", records={"A": 30, "SRV": 20})
    info = world.read().info
    assert info is not None
    assert (info.records, info.ttl, info.owner) == (frozenset({"A", "SRV"}), 20, None)


def test_what_consul_aws_wrote_is_known_as_its_own(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web", Description="Imported from Consul")
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    assert world.read().instances[0].mark == Mark("consul-aws", "consul", "web", "i1")


def test_what_ecs_registered_is_ecs_s(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    emulator.seed.ecs_instance(service, "0123abcd", "10.0.1.7", 8080, ecs_service="shop")
    (found,) = world.read().instances
    assert (found.managed_by, found.attributes["ECS_SERVICE_NAME"], found.mark) == ("ecs", "shop", None)


@pytest.mark.parametrize("count", [999, 1000])
def test_services_of_any_size_are_read_whole(emulator: EmulatedAws, world: World, count: int) -> None:
    (service,) = emulator.seed.bulk(NAMESPACE, 1, count)
    emulator.seed.health(service, "i-0-7", "UNHEALTHY")
    found = world.read("svc-0")
    assert len(found.instances) == count
    assert [item.id for item in found.instances if item.health is Health.CRITICAL] == ["i-0-7"]


def test_instances_beyond_what_one_answer_holds_are_read_with_their_health(
    emulator: EmulatedAws, world: World
) -> None:
    (service,) = emulator.seed.bulk(NAMESPACE, 1, 1203)
    sick = {f"i-0-{number}" for number in range(0, 1203, 100)}
    for id_ in sick:
        emulator.seed.health(service, id_, "UNHEALTHY")
    found = world.read("svc-0")
    assert len(found.instances) == 1203
    assert {item.id for item in found.instances if item.health is Health.CRITICAL} == sick


def test_a_namespace_is_read_by_its_http_name(emulator: EmulatedAws, open_world: Open) -> None:
    ids = [emulator.seed.namespace("twice", "HTTP")]
    client(emulator).delete_namespace(Id=ids[0])
    eventually(lambda: not [n for n in _namespaces(emulator) if n["Name"] == "twice"], LONG)
    emulator.seed.namespace("twice", "HTTP")
    service = emulator.seed.service("twice", "web")
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    world = open_world(name="twice")
    assert world.namespace.http_name != world.namespace.name
    assert world.ids() == ["i1"]


def _namespaces(emulator: EmulatedAws) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client(emulator).list_namespaces()["Namespaces"]
    return found


def test_names_that_differ_by_case_are_two_services_in_an_http_namespace(
    emulator: EmulatedAws, open_world: Open
) -> None:
    emulator.seed.namespace("api", "HTTP")
    for name, ip in (("web", "10.0.0.1"), ("Web", "10.0.0.2")):
        emulator.seed.instance(emulator.seed.service("api", name), "i1", {"AWS_INSTANCE_IPV4": ip})
    world = open_world(name="api")
    assert world.reader.services() == Listed(frozenset({"web", "Web"}))
    assert [world.read(name).instances[0].ipv4 for name in ("web", "Web")] == ["10.0.0.1", "10.0.0.2"]


# --- What does not exist ---------------------------------------------------------------------------


def test_a_service_that_does_not_exist_is_complete_and_empty(world: World) -> None:
    found = world.read("nobody")
    assert (found.instances, found.info) == ((), None)


def test_a_deleted_service_is_gone_after_a_read_alone(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    assert world.read().info is not None
    client(emulator).delete_service(Id=service)
    assert world.read().info is None


@pytest.mark.parametrize("reused", [True, False])
def test_a_service_that_was_made_anew_is_read_anew(emulator: EmulatedAws, world: World, reused: bool) -> None:
    emulator.settings = replace(emulator.settings, reuse_service_ids=reused)
    service = emulator.seed.service(NAMESPACE, "web")
    assert world.ids() == []
    client(emulator).delete_service(Id=service)
    again = emulator.seed.service(NAMESPACE, "web")
    assert (again == service) is reused
    emulator.seed.instance(again, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    assert world.ids(fresh=True) == ["i1"]


def test_a_service_that_leaves_the_list_is_asked_for_before_it_is_gone(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    world.reader.services()
    emulator.fault("empty", operation="ListServices")
    assert isinstance(world.reader.services(), Unlisted)
    emulator.faults.remove()
    client(emulator).create_service(Name="other", NamespaceId=world.namespace.id, Type="HTTP")
    emulator.fault("truncate", operation="ListServices", keep=0)
    assert isinstance(world.reader.services(), Unlisted)


def test_a_list_that_fails_on_its_second_page_is_no_list(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.bulk(NAMESPACE, 150, 0)
    emulator.fault("error", operation="ListServices", code="InternalFailure", status=500, skip=1)
    found = world.reader.services()
    assert isinstance(found, Unlisted)
    assert found.code == "InternalFailure"


def test_a_namespace_that_vanished_is_unlisted_and_its_services_unreadable(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    world.reader.services()
    world.read()
    emulator.fault("namespace_gone", namespace=NAMESPACE)
    assert isinstance(world.reader.services(), Unlisted)
    assert world.unreadable().code == "NamespaceNotFound"
    assert world.unreadable("nobody").code == "NamespaceNotFound"


def test_a_namespace_that_vanished_before_the_first_list_is_not_an_empty_one(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    emulator.fault("namespace_gone", namespace=NAMESPACE)
    assert isinstance(world.reader.services(), Unlisted)
    world.unreadable()


# --- Short, empty, late and broken answers -----------------------------------------------------------

FAULTS = [
    pytest.param("error", {"code": "InternalFailure", "status": 500}, id="internal failure"),
    pytest.param("error", {"code": "AccessDeniedException", "status": 403}, id="no rights"),
    pytest.param("error", {"code": "NeverHeardOf"}, id="a code nobody knows"),
    pytest.param("http500", {}, id="a page of HTML"),
    pytest.param("reset", {}, id="a broken connection"),
]
DISCOVERS = ("DiscoverInstances", "DiscoverInstances*", "*Instances", "*")


@pytest.mark.parametrize(("kind", "options"), FAULTS)
@pytest.mark.parametrize("fresh", [False, True])
def test_a_read_that_fails_is_unreadable(
    emulator: EmulatedAws, world: World, web: str, kind: Kind, options: dict[str, Any], fresh: bool
) -> None:
    world.read()
    emulator.fault(kind, operation="*Instances", **options)
    world.unreadable(fresh=fresh)
    emulator.faults.remove()
    assert world.ids(fresh=fresh) == ALL


@pytest.mark.parametrize(("kind", "options"), FAULTS)
def test_a_list_that_fails_is_unlisted(
    emulator: EmulatedAws, world: World, web: str, kind: Kind, options: dict[str, Any]
) -> None:
    emulator.fault(kind, operation="ListServices", **options)
    assert isinstance(world.reader.services(), Unlisted)


def test_one_lost_connection_is_no_reason_to_fail(emulator: EmulatedAws, world: World, web: str) -> None:
    emulator.fault("reset", operation="DiscoverInstances", count=1)
    assert world.ids() == ALL


@pytest.mark.parametrize("operation", DISCOVERS)
@pytest.mark.parametrize(("kind", "options"), [("empty", {}), ("truncate", {"keep": 2})])
def test_nobody_disappears_who_was_there_because_an_answer_is_short(
    emulator: EmulatedAws, world: World, web: str, operation: str, kind: Kind, options: dict[str, Any]
) -> None:
    assert world.ids() == ALL
    emulator.fault(kind, operation=operation, **options)
    found = world.reader.read("web")
    assert not hasattr(found, "instances") or [item.id for item in found.instances] == ALL


@pytest.mark.parametrize("operation", ["DiscoverInstances", "ListInstances", "*Instances"])
def test_an_empty_answer_to_the_very_first_read_is_no_empty_service(
    emulator: EmulatedAws, world: World, web: str, operation: str
) -> None:
    emulator.fault("empty", operation=operation)
    found = world.reader.read("web")
    assert not hasattr(found, "instances") or [item.id for item in found.instances] == ALL


def test_a_page_that_is_cut_off_loses_nobody(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.bulk(NAMESPACE, 1, 250)
    assert len(world.ids("svc-0")) == 250
    emulator.fault("truncate", operation="ListInstances")
    world.unreadable("svc-0", fresh=True)


def test_what_the_data_plane_does_not_show_yet_is_read_from_the_control_plane(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    emulator.settings = replace(emulator.settings, discover_lag=60.0)
    by_hand = client(emulator)
    by_hand.register_instance(ServiceId=web, InstanceId="new", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.77"})
    eventually(lambda: "new" in world.ids(fresh=True), LONG, "the new instance is read")
    assert world.ids() == [*ALL, "new"], "a plain read must not lose what an earlier read has shown"
    assert not world.read().settled
    by_hand.deregister_instance(ServiceId=web, InstanceId="i0")
    eventually(lambda: "i0" not in world.ids(fresh=True), LONG, "the removal is read")


def test_views_that_agree_are_settled(world: World, web: str) -> None:
    assert world.read().settled
    assert world.read(fresh=True).settled


def test_a_service_that_the_data_plane_does_not_know_yet_is_read(emulator: EmulatedAws, world: World) -> None:
    emulator.settings = replace(emulator.settings, discover_lag=60.0)
    by_hand = client(emulator)
    made = by_hand.create_service(Name="young", NamespaceId=world.namespace.id, Type="HTTP")["Service"]["Id"]
    by_hand.register_instance(ServiceId=made, InstanceId="i1", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    eventually(lambda: world.ids("young") == ["i1"], LONG, "the young service is read")


def test_removals_are_believed_when_they_are_true(emulator: EmulatedAws, world: World, web: str) -> None:
    assert world.ids() == ALL
    for id_ in ALL[:4]:
        emulator.seed.deregister(web, id_)
    assert world.ids() == ["i4"]
    emulator.seed.deregister(web, "i4")
    assert world.ids() == []


def test_an_instance_that_turns_unhealthy_is_critical_and_stays(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    assert world.ids() == ALL
    emulator.seed.health(web, "i3", "UNHEALTHY")
    found = world.read()
    assert [item.id for item in found.instances] == ALL
    assert [item.id for item in found.instances if item.health is Health.CRITICAL] == ["i3"]


def test_the_id_names_the_namespace(world: World) -> None:
    assert world.reader.id == f"cloudmap/{world.namespace.id}"
    assert world.reader.parallel > 0


def test_an_instance_that_cloud_map_says_is_gone_has_ended_and_what_is_only_missing_has_not(
    emulator: EmulatedAws, world: World
) -> None:
    def read() -> Complete:
        found = world.reader.read("web")
        assert isinstance(found, Complete)
        return found

    service, user = emulator.seed.service(NAMESPACE, "web"), client(emulator)
    for number in range(30):
        emulator.seed.instance(service, f"i{number:02}", {"AWS_INSTANCE_IPV4": f"10.0.0.{number + 1}"})
    assert len(read().instances) == 30
    user.deregister_instance(ServiceId=service, InstanceId="i00")
    eventually(lambda: len(read().instances) == 29, LONG)
    assert [item.key for item in read().ended] == [("web", "i00")]
    for number in range(1, 30):
        user.deregister_instance(ServiceId=service, InstanceId=f"i{number:02}")
    eventually(lambda: not read().instances, LONG)
    eventually(lambda: len(read().ended) >= 11, LONG)


def test_an_instance_that_is_gone_does_not_come_back_because_the_data_plane_lags(
    emulator: EmulatedAws, world: World
) -> None:
    service = emulator.seed.service(NAMESPACE, "web")
    for number in (1, 2):
        emulator.seed.instance(service, f"i{number}", {"AWS_INSTANCE_IPV4": f"10.0.0.{number}"})

    def ids(*, fresh: bool) -> list[str]:
        found = world.reader.read("web", fresh=fresh)
        assert isinstance(found, Complete)
        return [item.id for item in found.instances]

    eventually(lambda: ids(fresh=False) == ["i1", "i2"], LONG)
    emulator.settings = replace(FAST, discover_lag=300)
    client(emulator).deregister_instance(ServiceId=service, InstanceId="i1")
    eventually(lambda: ids(fresh=True) == ["i2"], LONG)
    assert ids(fresh=False) == ["i2"]
