"""Namespaces: found, told apart, created."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from syncer.core.errors import Denied, Missing, Refused, SyncError, Throttled, Unavailable
from syncer.systems.aws import Access, Aws
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.namespaces import Creation, find
from syncer.systems.cloudmap.quotas import Quotas, Rate
from tests.emulator import EmulatedAws
from tests.systems.cloudmap.world import FREE, NAMESPACE, open_api


@pytest.fixture
def api(emulator: EmulatedAws) -> Iterator[Api]:
    stop = threading.Event()
    yield open_api(emulator, stop)
    stop.set()


@pytest.mark.parametrize(
    ("name", "kind", "dns"),
    [("a.internal", "DNS_PRIVATE", True), ("b.com", "DNS_PUBLIC", True), ("c", "HTTP", False)],
)
def test_every_type_is_found_by_name_by_id_and_by_arn(
    emulator: EmulatedAws, api: Api, name: str, kind: str, dns: bool
) -> None:
    id_ = emulator.seed.namespace(name, kind)
    found = find(api, name=name)
    assert (found.id, found.name, found.type, found.dns, found.http_name) == (id_, name, kind, dns, name)
    assert find(api, handle=id_) == found
    by_arn = find(api, handle=found.arn)
    assert (by_arn.id, by_arn.name) == (id_, name)
    assert by_arn.handle in {id_, found.arn}


def test_names_are_found_behind_empty_pages(emulator: EmulatedAws, api: Api) -> None:
    for number in range(120):
        emulator.seed.namespace(f"ns{number}", "HTTP")
    assert find(api, name="ns119").name == "ns119"


def test_two_of_one_name_are_told_apart_by_type_or_id(emulator: EmulatedAws, api: Api) -> None:
    public = emulator.seed.namespace(NAMESPACE, "DNS_PUBLIC")
    with pytest.raises(Refused, match=public):
        find(api, name=NAMESPACE)
    assert find(api, name=NAMESPACE, kind="public").id == public
    assert find(api, name=NAMESPACE, kind="private").type == "DNS_PRIVATE"
    assert find(api, handle=public).type == "DNS_PUBLIC"


def test_a_missing_namespace_is_a_clear_error(api: Api) -> None:
    with pytest.raises(Missing, match=r"nowhere\.internal.*us-east-1"):
        find(api, name="nowhere.internal")
    with pytest.raises(Missing):
        find(api, handle="ns-0000000000000000")


@pytest.mark.parametrize(("kind", "vpc"), [("private", "vpc-1"), ("public", None), ("http", None)])
def test_a_missing_namespace_is_created_when_that_is_wanted(api: Api, kind: str, vpc: str | None) -> None:
    created = find(api, name="new.internal", create=Creation(kind, vpc, "by us"))
    assert created.type == {"private": "DNS_PRIVATE", "public": "DNS_PUBLIC", "http": "HTTP"}[kind]
    assert find(api, name="new.internal") == created


def test_a_creation_that_fails_says_why(emulator: EmulatedAws, api: Api) -> None:
    emulator.fault(
        "fail_operation",
        operation="CreatePrivateDnsNamespace",
        code="CANNOT_CREATE_HOSTED_ZONE",
        message="taken",
    )
    with pytest.raises(SyncError, match=r"CANNOT_CREATE_HOSTED_ZONE.*taken"):
        find(api, name="new.internal", create=Creation("private", "vpc-1"))


def test_waiting_for_a_creation_can_be_interrupted(emulator: EmulatedAws, api: Api) -> None:
    emulator.fault("slow_operation", operation="CreateHttpNamespace", seconds=60)
    threading.Timer(0.3, api.stop.set).start()
    with pytest.raises(Unavailable):
        find(api, name="new", create=Creation("http"))


def test_accounts_and_regions_are_apart(emulator: EmulatedAws) -> None:
    there = emulator.seed.at(account="210987654321", region="eu-west-1").namespace("elsewhere", "HTTP")
    stop = threading.Event()
    role = "arn:aws:iam::210987654321:role/any"
    other = open_api(emulator, stop, region="eu-west-1", role_arn=role, external_id="42")
    assert find(other, name="elsewhere").id == there
    with pytest.raises(Missing):
        find(other, name=NAMESPACE)
    with pytest.raises(Missing):
        find(open_api(emulator, stop), name="elsewhere")


@contextmanager
def without_keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.delenv(name)
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        environment.setenv("AWS_CONFIG_FILE", "/nonexistent")
        yield


def test_no_credentials_are_a_denial(emulator: EmulatedAws) -> None:
    with without_keys(), pytest.raises(Denied, match="credentials"):
        find(open_api(emulator, threading.Event()), name=NAMESPACE)


# --- Calls -------------------------------------------------------------------------------------------


def test_throttled_calls_lower_the_rate_and_are_tried_again(emulator: EmulatedAws) -> None:
    emulator.fault("error", operation="GetNamespace", code="ThrottlingException", count=2)
    quotas = Quotas(FREE)
    found = find(open_api(emulator, threading.Event(), quotas), name=NAMESPACE)
    assert found.name == NAMESPACE
    assert quotas.bucket("GetNamespace").share < 1.0
    assert quotas.bucket("ListNamespaces").share == 1.0


def test_what_is_throttled_for_long_is_an_error_in_the_end(emulator: EmulatedAws, api: Api) -> None:
    emulator.fault("error", operation="GetNamespace", code="RequestLimitExceeded")
    with pytest.raises(Throttled):
        find(api, name=NAMESPACE)


def test_a_wait_for_the_quota_can_be_interrupted(emulator: EmulatedAws) -> None:
    stop = threading.Event()
    slow = open_api(emulator, stop, Quotas({"ListNamespaces": Rate(0.01, 1)}))
    find(slow, name=NAMESPACE)
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Unavailable, match="stopping"):
        find(slow, name=NAMESPACE)


def test_a_silent_endpoint_is_unavailable_after_the_timeout(emulator: EmulatedAws) -> None:
    emulator.fault("hang", operation="GetNamespace", seconds=10)
    stop = threading.Event()
    impatient = open_api(emulator, stop, timeout=0.2)
    with pytest.raises(Unavailable):
        impatient.once("GetNamespace", Id="ns-1")


CODES: dict[str, type[SyncError]] = {
    "AccessDeniedException": Denied,
    "UnrecognizedClientException": Denied,
    "ExpiredTokenException": Denied,
    "InvalidInput": Refused,
    "NamespaceNotFound": Missing,
    "InternalFailure": Unavailable,
    "ThrottlingException": Throttled,
    "NeverHeardOf": SyncError,
}


def test_errors_are_judged_by_their_code_whatever_the_status(emulator: EmulatedAws, api: Api) -> None:
    for code, expected in CODES.items():
        for status in (400, 403, 404, 409, 429):
            fault = emulator.fault("error", operation="GetNamespace", code=code, status=status)
            with pytest.raises(expected) as caught:
                api.once("GetNamespace", Id="ns-1")
            assert (type(caught.value), caught.value.code) == (expected, code)
            emulator.faults.remove(fault.id)


def test_discover_goes_where_the_data_plane_is(emulator: EmulatedAws) -> None:
    with EmulatedAws(emulator.settings) as data:
        data.seed.namespace(NAMESPACE)
        service = data.seed.service(NAMESPACE, "web")
        data.seed.instance(service, "i1", {"AWS_INSTANCE_IPV4": "10.0.0.1"})
        stop = threading.Event()
        plane = open_api(data, stop)
        control, data_plane = (
            Aws(Access(region=emulator.region, endpoint_url=one.endpoint_url)) for one in (emulator, data)
        )
        both = Api(control, Quotas(FREE), stop, data_plane)
        answer = both.once("DiscoverInstances", NamespaceName=NAMESPACE, ServiceName="web")
        assert [item["InstanceId"] for item in answer["Instances"]] == ["i1"]
        assert find(both, name=NAMESPACE).id != find(plane, name=NAMESPACE).id
