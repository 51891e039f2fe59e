"""The IAM policies allow what is called, and nothing else."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.operations import BY_THE_SDK, FOLDERS, IN_OUR_NAME, action, called
from tests.deploy.templates import filled, template
from tests.emulator import EmulatedAws
from tests.emulator.settings import Settings
from tests.support.consul_agent import ConsulAgent
from tests.support.wait import eventually

IAM = Path(__file__).parents[2] / "deploy" / "iam"
POLICIES = {path.stem: json.loads(path.read_text()) for path in sorted(IAM.glob("*.json"))}
CLOUD_MAP = ("cloud-map-read", "cloud-map-write", "cloud-map-create-namespace")
OF = {"cloudmap": CLOUD_MAP, "ecs": ("ecs", "ecs-events"), "route53": ("route53",), "elb": ("target-groups",)}
"""Which policies belong to which system."""


def actions(*names: str) -> set[str]:
    """Return all actions of these policies."""
    found: set[str] = set()
    for name in names:
        for statement in POLICIES[name]["Statement"]:
            given = statement["Action"]
            found |= {given} if isinstance(given, str) else set(given)
    return found


def embedded() -> dict[str, Any]:
    """Return the policies of the worker's task role, by name."""
    policies = template("worker")["Resources"]["TaskRole"]["Properties"]["Policies"]
    chosen = [one.get("Fn::If", [None, one])[1] for one in policies]
    return {one["PolicyName"]: one["PolicyDocument"] for one in chosen}


@pytest.mark.parametrize("system", sorted(FOLDERS))
def test_every_operation_that_is_called_is_allowed(system: str) -> None:
    assert len(called(system)) > 3
    assert called(system) - actions(*OF[system]) == set()


@pytest.mark.parametrize("system", sorted(FOLDERS))
def test_nothing_is_allowed_that_is_never_called(system: str) -> None:
    on_behalf = IN_OUR_NAME if system == "cloudmap" else frozenset()
    assert actions(*OF[system]) - called(system) - on_behalf == set()


def test_what_aws_does_in_our_name_is_allowed_where_it_does_it() -> None:
    assert actions(*CLOUD_MAP) >= IN_OUR_NAME
    assert actions("roles") == BY_THE_SDK


def test_every_policy_belongs_to_a_system() -> None:
    assert {name for names in OF.values() for name in names} | {"roles"} == set(POLICIES)


def test_reading_cloud_map_changes_nothing() -> None:
    verbs = ("Get", "List", "Discover")
    assert all(one.split(":")[1].startswith(verbs) for one in actions("cloud-map-read"))
    assert not actions("cloud-map-read") & actions("cloud-map-write", "cloud-map-create-namespace")


def test_the_doctor_prints_the_same_policy_for_the_least_settings(tmp_path: Path) -> None:
    settings = tmp_path / "syncer.yaml"
    settings.write_text("owner: vpc-prod\nnamespaces: [{name: corp.internal}]\n")
    command = [
        str(Path(sys.executable).with_name("syncer")),
        "doctor",
        "--print-policies",
        "-c",
        str(settings),
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    printed, _ = json.JSONDecoder().raw_decode(told[told.index("{") :])
    found = {one for statement in printed["Statement"] for one in statement["Action"]}
    assert found == actions("cloud-map-read", "cloud-map-write")


def test_no_policy_has_a_wildcard_for_actions() -> None:
    assert not any("*" in one for one in actions(*POLICIES))


def test_the_worker_has_the_same_policies() -> None:
    assert set(embedded()) == set(POLICIES)
    for name, document in embedded().items():
        for own, shipped in zip(document["Statement"], POLICIES[name]["Statement"], strict=True):
            owner = filled(own, {"TargetGroupsOwner": "OWNER"})
            assert owner | {"Resource": None} == shipped | {"Resource": None}
            assert (own["Resource"] == "*") == (shipped["Resource"] == "*")


def test_each_policy_hangs_on_a_parameter() -> None:
    policies = template("worker")["Resources"]["TaskRole"]["Properties"]["Policies"]
    conditions = [one["Fn::If"][0] for one in policies]
    assert len(set(conditions)) == len(policies) == len(POLICIES)


@pytest.fixture
def aws() -> Iterator[EmulatedAws]:
    """An emulated Cloud Map with a service of somebody else."""
    with EmulatedAws(Settings(operation_delay=0.05, discover_lag=0.05, health_scale=0.01)) as running:
        running.seed.namespace("corp.internal", "DNS_PRIVATE")
        orders = running.seed.service("corp.internal", "orders", records={"A": 15}, custom_health=True)
        running.seed.instance(orders, "o1", {"AWS_INSTANCE_IPV4": "10.0.3.1"})
        yield running


def seen(aws: EmulatedAws) -> set[str]:
    """Return the actions that the calls in the log needed."""
    found = set()
    for operation in aws.calls.report()["counts"]:
        service, _, name = operation.rpartition(":")
        found.add(action(service or "servicediscovery", name))
    return found


@contextmanager
def running(settings: Path) -> Iterator[None]:
    """Run a worker; what it logs is shown where the test fails."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SYNCER_", "CONSUL_"))
    }
    credentials = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(Path(sys.executable).with_name("syncer")), "run", "-c", str(settings)]
    log = settings.with_suffix(".log")
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=kept | credentials, stdout=stream, stderr=stream)
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            sys.stdout.write(log.read_text()[-20_000:])


def test_a_worker_that_lives_through_changes_calls_only_what_is_allowed(
    aws: EmulatedAws, tmp_path: Path
) -> None:
    settings = tmp_path / "syncer.yaml"

    def wait_for(operation: str, count: int) -> None:
        eventually(
            lambda: aws.calls.count(operation) >= count,
            message=f"{operation} was called {count} times",
        )

    with ConsulAgent() as consul:
        settings.write_text(
            f"owner: seen\nconsul:\n  address: {consul.http_url}\nhttp: false\n"
            f"aws:\n  region: {aws.region}\n  endpoint_url: {aws.endpoint_url}\n"
            f"namespaces:\n  - name: corp.internal\n    consul_to_cloudmap: {{unhealthy: mark}}\n"
            f"  - name: made.internal\n    create: {{type: private, vpc: vpc-0123456789abcdef0}}\n"
            f"intervals: {{forget_empty: 1s, full: 2s}}\n"
        )
        # An empty source would be held to be broken.
        consul.register("api", "api-1", "10.0.2.1", 9000, status="passing")
        for number in (1, 2):
            consul.register("web", f"web-{number}", f"10.0.1.{number}", 8080, status="passing")
        with running(settings):
            wait_for("RegisterInstance", 6)
            consul.set_check("web-2", "critical", "on purpose")
            wait_for("UpdateInstanceCustomHealthStatus", 1)
            for number in (1, 2):
                consul.deregister(f"web-{number}")
            wait_for("DeleteService", 1)
    assert len(seen(aws)) >= 12
    assert seen(aws) - actions(*CLOUD_MAP) == set()
