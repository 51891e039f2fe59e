"""With whose rights AWS is called, and what its errors mean."""

import os
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    SSLError,
    UnknownServiceError,
)
from botocore.parsers import ResponseParserError

from syncer.core.errors import (
    Busy,
    Denied,
    Garbled,
    Missing,
    QuotaExceeded,
    Refused,
    SyncError,
    Throttled,
    Unavailable,
)
from syncer.systems.aws import Access, Aws, Call, required, translate
from tests.emulator.ecs_faults import EcsFault
from tests.emulator.ecs_server import EmulatedAwsWithEcs
from tests.systems.ecs.steps import MakeSource, known_as, snapshot


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("AccessDeniedException", Denied),
        ("UnauthorizedOperation", Denied),
        ("ExpiredTokenException", Denied),
        ("ClusterNotFoundException", Missing),
        ("AWS.SimpleQueueService.NonExistentQueue", Missing),
        ("QueueDoesNotExist", Missing),
        ("NoSuchHostedZone", Missing),
        ("TargetGroupNotFound", Missing),
        ("InvalidNetworkInterfaceID.NotFound", Missing),
        ("ResourceLimitExceeded", QuotaExceeded),
        ("PriorRequestNotComplete", Busy),
        ("InvalidParameterException", Refused),
        ("ServerException", Unavailable),
        ("503", Unavailable),
        ("", SyncError),
        ("404", SyncError),
        ("SomethingNew", SyncError),
    ],
)
def test_an_error_is_judged_by_its_code_whatever_its_status(code: str, kind: type[SyncError]) -> None:
    for status in (200, 400, 404, 500):
        answer = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
        error = translate(ClientError(answer, "Op"), "DescribeTasks")  # type: ignore[arg-type]  # as it comes
        assert type(error) is kind
        assert error.code == (code or "Unknown")
        assert str(error).startswith("DescribeTasks: ")


def test_an_error_that_only_a_header_names_is_judged_by_that() -> None:
    headers = {
        "x-amzn-errortype": "com.amazonaws.servicediscovery#InstanceNotFound:http://internal.amazon.com/"
    }
    told = {"Error": {"Code": "400"}, "ResponseMetadata": {"HTTPHeaders": headers}}
    error = translate(ClientError(told, "GetInstance"), "GetInstance")  # type: ignore[arg-type]  # as much as counts
    assert isinstance(error, Missing)
    assert error.code == "InstanceNotFound"


def test_errors_that_aws_never_saw_are_told_apart() -> None:
    assert type(translate(EndpointConnectionError(endpoint_url="http://x"), "Op")) is Unavailable
    assert type(translate(ConnectTimeoutError(endpoint_url="http://x"), "Op")) is Unavailable
    assert type(translate(SSLError(endpoint_url="https://x", error=OSError("no")), "Op")) is Unavailable
    assert type(translate(ConnectionClosedError(endpoint_url="http://x"), "Op")) is Unavailable
    assert type(translate(IncompleteReadError(actual_bytes=1, expected_bytes=2), "Op")) is Garbled
    assert type(translate(NoCredentialsError(), "Op")) is Denied
    assert type(translate(ParamValidationError(report="no"), "Op")) is Refused
    assert type(translate(ResponseParserError("no"), "Op")) is Garbled
    assert type(translate(UnknownServiceError(service_name="x", known_service_names="y"), "Op")) is SyncError


def test_an_answer_without_what_it_must_have_is_garbled() -> None:
    assert required({"tasks": []}, "tasks") == []
    with pytest.raises(Garbled):
        required({"message": "<html>"}, "tasks")


def test_every_attempt_is_told_with_its_error_and_retries_end(
    aws: EmulatedAwsWithEcs, access: Access
) -> None:
    told: list[Call] = []
    client = Aws(access, on_call=told.append)
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListClusters", code="ThrottlingException"))
    with pytest.raises(Throttled):
        client.retry("ecs", "ListClusters", attempts=3)
    assert [(call.service, call.operation, call.code) for call in told] == [
        ("ecs", "ListClusters", "ThrottlingException")
    ] * 3
    aws.ecs_endpoint.faults.clear()
    assert required(client.retry("ecs", "ListClusters"), "clusterArns")
    assert told[-1].code == ""
    assert all(call.seconds > 0 for call in told)


@pytest.mark.parametrize("shared", [False, True])
def test_nothing_is_retried_once_it_is_closed_or_all_is_stopped(
    aws: EmulatedAwsWithEcs, access: Access, shared: bool
) -> None:
    stop = threading.Event()
    client = Aws(access, stop=stop) if shared else Aws(access)
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListClusters", code="ThrottlingException"))
    client.close()
    assert not stop.is_set()  # it is for others to say
    if shared:
        stop.set()
    began = time.monotonic()
    with pytest.raises(Throttled):
        client.retry("ecs", "ListClusters", attempts=50)
    assert time.monotonic() - began < 60
    assert aws.ecs_endpoint.calls.count("ListClusters") == 1


def test_a_call_without_an_answer_ends_after_its_timeout(aws: EmulatedAwsWithEcs) -> None:
    client = Aws(Access(region="us-east-1", endpoint_url=aws.endpoint_url, timeout=0.3))
    aws.ecs_endpoint.faults.add(EcsFault(operation="ListClusters", kind="delay", seconds=90))
    began = time.monotonic()
    with pytest.raises(Unavailable):
        client.call("ecs", "ListClusters")
    assert time.monotonic() - began < 60


def test_a_role_reads_the_clusters_of_its_account(aws: EmulatedAwsWithEcs, make_source: MakeSource) -> None:
    theirs = aws.ecs_at("210987654321", "us-east-1").start_task("prod", service="theirs")
    aws.ecs.start_task("prod", service="ours")
    role = Access(
        region="us-east-1",
        endpoint_url=aws.endpoint_url,
        role_arn="arn:aws:iam::210987654321:role/reader",
        external_id="vpc-prod",
    )
    found = snapshot(make_source(given=role).views[""])
    assert {name: [item.id for item in items] for name, items in found.items()} == {
        "theirs": [known_as(theirs)]
    }
    assert snapshot(make_source().views[""]).keys() == {"ours"}


def test_the_region_that_ecs_gives_each_task_counts_where_nothing_else_names_one(
    aws: EmulatedAwsWithEcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    client = Aws(Access(endpoint_url=aws.endpoint_url))
    assert client.region == "eu-west-1"
    assert client.call("ecs", "ListClusters")["clusterArns"] == []
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert Aws(Access(endpoint_url=aws.endpoint_url)).region == "us-east-1"


def test_a_profile_and_its_region_come_from_the_shared_files(
    aws: EmulatedAwsWithEcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile other]\nregion = eu-west-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws.ecs_at("123456789012", "eu-west-1").cluster("far")
    client = Aws(Access(profile="other", endpoint_url=aws.endpoint_url))
    assert client.region == "eu-west-1"
    (arn,) = client.call("ecs", "ListClusters")["clusterArns"]
    assert arn == "arn:aws:ecs:eu-west-1:123456789012:cluster/far"


@pytest.mark.parametrize("role", [None, "arn:aws:iam::210987654321:role/reader"])
def test_without_credentials_a_call_is_denied(
    aws: EmulatedAwsWithEcs, monkeypatch: pytest.MonkeyPatch, role: str | None
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    client = Aws(Access(region="us-east-1", endpoint_url=aws.endpoint_url, role_arn=role))
    with pytest.raises(Denied):
        client.call("ecs", "ListClusters")


@pytest.mark.parametrize(
    ("access", "said", "written"),
    [
        pytest.param(Access(), "You must specify a region", ("aws.region", "AWS_REGION"), id="region"),
        pytest.param(
            Access(region="eu-central-1"),
            "Unable to locate credentials",
            ("role of the task", "AWS_PROFILE", "aws.profile"),
            id="credentials",
        ),
        pytest.param(
            Access(region="eu-central-1", profile="nosuch"),
            "The config profile (nosuch) could not be found",
            ("aws.profile", "AWS_PROFILE"),
            id="profile",
        ),
    ],
)
def test_what_is_missing_on_our_side_comes_with_what_to_write(
    access: Access, said: str, written: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    if access.region is None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "emulated")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulated")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SyncError) as caught:
        Aws(access).call("servicediscovery", "ListNamespaces")
    told, _, remedy = str(caught.value).removeprefix("ListNamespaces: ").partition(": ")
    assert told == said
    assert all(word in remedy for word in written)
