"""What is rare, and must not end in a loss, a loop, or a wish that never ends."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from syncer.core.errors import Busy, Garbled, Refused, SyncError
from syncer.core.model import Complete, Health, Listed
from syncer.core.plan import DeleteService, Register, SetHealth, UpdateService
from syncer.core.ports import Ending
from syncer.systems.aws import Access, Aws
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.carrier import name_problem
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.feed import OperationFeed
from syncer.systems.cloudmap.namespaces import Namespace, find
from syncer.systems.cloudmap.operations import Operations
from syncer.systems.cloudmap.quotas import Quotas, Rate
from tests.emulator import EmulatedAws
from tests.support.wait import eventually
from tests.systems.cloudmap.world import FREE, LONG, NAMESPACE, Heard, Told, World, client, made, ours

Open = Callable[..., World]


@pytest.fixture
def web(emulator: EmulatedAws) -> str:
    """A service with five instances; its id."""
    service = emulator.seed.service(NAMESPACE, "web")
    for number in range(5):
        emulator.seed.instance(service, f"i{number}", {"AWS_INSTANCE_IPV4": f"10.0.0.{number}"})
    return service


# --- Reading -----------------------------------------------------------------------------------------


def test_short_answers_that_agree_are_not_believed_on_the_very_first_read(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    emulator.fault("empty", operation="DiscoverInstances")
    emulator.fault("truncate", operation="ListInstances", keep=2)
    assert "5 instances" in world.unreadable().reason
    emulator.faults.remove()
    assert len(world.ids()) == 5


def test_a_service_that_is_younger_than_the_list_is_found(emulator: EmulatedAws, world: World) -> None:
    world.reader.services()
    service = emulator.seed.service(NAMESPACE, "young")
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})

    def found() -> bool:
        read = world.reader.read("young")
        return isinstance(read, Complete) and len(read.instances) == 1

    eventually(found, LONG)


def test_a_name_that_differs_by_case_alone_is_refused_with_the_other_name_and_not_unreadable_for_ever(
    world: World, web: str
) -> None:
    world.reader.services()
    found = world.read("Web")
    assert (found.instances, found.info) == ((), None)
    (outcome,) = world.do(made("Web"))
    assert isinstance(outcome.error, Refused)
    assert "'web'" in str(outcome.error)


class _Meanwhile(Api):
    """Does something after the last page of a list was read, and before the list is taken in."""

    then: Callable[[], None] = staticmethod(lambda: None)

    @override
    def pages(
        self, operation: str, items: str, *, attempts: int = 4, **parameters: Any
    ) -> Iterator[list[Any]]:
        yield from super().pages(operation, items, attempts=attempts, **parameters)
        self.then()


def test_a_service_that_is_created_while_the_list_is_read_does_not_spoil_it(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    aws = Aws(Access(emulator.region, endpoint_url=emulator.endpoint_url))
    api = _Meanwhile(aws, Quotas(FREE), world.stop)
    directory = Directory(api, world.namespace)

    def create() -> None:
        raw = client(emulator).create_service(Name="born", NamespaceId=world.namespace.id, Type="HTTP")
        directory.put(raw["Service"])

    api.then = create
    assert directory.refresh() == {"web", "born"}
    assert world.reader.services() == Listed(frozenset({"web", "born"}))


ODD: Final = (
    b"null",
    b"[]",
    b'"text"',
    b'{"Instances": {"a": 1}}',
    b'{"Instances": ["a"]}',
    b'{"Instances": 7}',
    b"\xff\xfe",
    b"<html></html>",
    b"",
)


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Serve *body* to every request; give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize("body", ODD)
def test_an_answer_of_another_shape_is_garbled_and_no_empty_service(body: bytes) -> None:
    with answering(body) as url:
        aws = Aws(Access("us-east-1", endpoint_url=url))
        api = Api(aws, Quotas(FREE), threading.Event())
        pages = api.pages("DiscoverInstances", "Instances", attempts=1, NamespaceName="a", ServiceName="b")
        with pytest.raises(Garbled):
            next(pages)
        aws.close()


# --- Services ----------------------------------------------------------------------------------------


def test_a_new_ttl_is_read_at_once_so_that_it_is_not_written_again_and_again(world: World) -> None:
    world.done(made())
    info = world.read().info
    assert info is not None
    world.done(UpdateService("web", info, 60))
    again = world.read().info
    assert again is not None
    assert again.ttl == 60


def test_a_user_s_service_is_never_deleted(emulator: EmulatedAws, world: World) -> None:
    emulator.seed.service(NAMESPACE, "theirs")
    info = world.read("theirs").info
    assert info is not None
    assert info.owner is None
    (outcome,) = world.do(DeleteService("theirs", info))
    assert isinstance(outcome.error, Refused)
    assert emulator.calls.count("DeleteService") == 0


def test_a_service_in_use_is_busy_which_passes(world: World) -> None:
    world.done(made(), Register(ours(1)))
    info = world.read().info
    assert info is not None
    (outcome,) = world.do(DeleteService("web", info))
    assert isinstance(outcome.error, Busy)


def test_health_without_a_check_is_refused_and_not_missing(emulator: EmulatedAws, world: World) -> None:
    service = emulator.seed.service(NAMESPACE, "web", custom_health=False)
    emulator.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
    world.read()
    (outcome,) = world.do(SetHealth(Health.PASSING, ours(1, health=Health.CRITICAL)))
    assert isinstance(outcome.error, Refused)


def test_records_mean_nothing_in_an_http_namespace(emulator: EmulatedAws, open_world: Open) -> None:
    emulator.seed.namespace("api", "HTTP")
    world = open_world(name="api")
    world.done(made(records=("A",)))
    info = world.read().info
    assert info is not None
    assert info.records == frozenset()


_MODEL: Final = re.compile(
    Loader().load_service_model("servicediscovery", "service-2")["shapes"]["ServiceName"]["pattern"]
)


@given(st.text("aB9-_.", min_size=1, max_size=70), st.sampled_from(["DNS_PRIVATE", "DNS_PUBLIC", "HTTP"]))
def test_a_name_that_can_be_carried_is_one_that_the_api_takes(name: str, kind: str) -> None:
    namespace = Namespace("ns-1", "", "corp", "corp", kind)
    assert (name_problem(name, namespace) is None) is bool(_MODEL.search(name) and name != ".")


# --- Ends --------------------------------------------------------------------------------------------


def test_nothing_is_begun_any_more_once_the_writer_is_closed(emulator: EmulatedAws, open_world: Open) -> None:
    world = open_world(rates={"RegisterInstance": Rate(20, 1)})
    world.done(made())
    told = Told()
    world.writer.submit([Register(ours(number)) for number in range(1, 61)], told)
    eventually(lambda: emulator.calls.count("RegisterInstance") >= 2, LONG)
    world.writer.close(0.1)
    assert len(told.outcomes) == 60
    begun = emulator.calls.count("RegisterInstance")
    time.sleep(1.5)
    waiting_for_the_quota = 8
    assert emulator.calls.count("RegisterInstance") - begun <= waiting_for_the_quota


def test_a_defect_in_one_change_is_its_end_and_nobody_else_s(world: World) -> None:
    world.done(made())
    entry = world.directory.lookup("web")
    assert entry is not None
    without_records = UpdateService("web", entry.info, 60)
    client(world.emulator).update_service(Id=entry.info.id, Service={"Description": "records deleted"})

    def deleted() -> bool:
        again = world.directory.ask(entry.info.id)
        return again is not None and not again.info.records

    eventually(deleted, LONG)
    (outcome,) = world.do(without_records)
    assert outcome.ending is Ending.FAILED
    world.done(Register(ours(1)))


def test_a_listener_that_fails_does_not_end_the_following_of_operations(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    def fail(_error: SyncError | None) -> None:
        raise RuntimeError("a listener's own defect")

    operations = Operations(world.api)
    ends: list[SyncError | None] = []
    for number, listener in enumerate((fail, ends.append)):
        answer = client(emulator).register_instance(
            ServiceId=web, InstanceId=f"n{number}", Attributes={"AWS_INSTANCE_IPV4": f"10.2.0.{number}"}
        )
        operations.follow(answer["OperationId"], "it", listener)
    eventually(lambda: ends == [None], LONG)
    operations.close()


def test_what_the_feed_could_not_ask_for_is_asked_for_again(
    emulator: EmulatedAws, world: World, web: str
) -> None:
    feed = OperationFeed(world.api, world.namespace, world.directory, world.operations, interval=0.1)
    with Heard(feed.run) as heard:
        eventually(lambda: emulator.calls.count("ListOperations") >= 2, LONG)
        emulator.fault("error", operation="GetOperation", code="AccessDeniedException", count=2)
        client(emulator).register_instance(
            ServiceId=web, InstanceId="x", Attributes={"AWS_INSTANCE_IPV4": "10.2.0.1"}
        )
        eventually(lambda: heard.named("web"), LONG)


def test_an_arn_is_used_as_it_is_for_it_may_be_another_account_s(world: World) -> None:
    assert find(world.api, handle=world.namespace.arn).handle == world.namespace.arn
