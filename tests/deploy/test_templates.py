"""The CloudFormation templates: in order for the linter, and as careful as they say."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from syncer.settings.environment import variables
from tests.deploy.templates import FOLDER, NAMES, names_in, template


def worker(name: str) -> Any:
    """Return the properties of a resource of the worker."""
    return template("worker")["Resources"][name]["Properties"]


def container() -> Any:
    """Return the worker's one container."""
    return worker("TaskDefinition")["ContainerDefinitions"][0]


def test_the_linter_finds_nothing_to_say() -> None:
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--",
        *map(str, sorted(FOLDER.glob("*.yaml"))),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_no_text_uses_what_cloudformation_does_not_read(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    assert ": &" not in text, "an anchor"
    assert ": *" not in text, "an alias"


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_condition_is_used(name: str) -> None:
    data = template(name)
    bodies = [data["Resources"], data.get("Outputs", {}), data.get("Conditions", {})]
    text = str(bodies)
    used = names_in(bodies)
    for parameter in data["Parameters"]:
        assert parameter in used or f"${{{parameter}}}" in text, parameter
    for condition in data.get("Conditions", {}):
        assert f"'{condition}'" in text.replace(f"'{condition}': ", "", 1), condition


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_that_does_not_speak_for_itself_is_explained(name: str) -> None:
    plain = {"VpcId", "Cpu", "Memory"}
    parameters = template(name)["Parameters"]
    assert [key for key, one in parameters.items() if key not in plain and not one.get("Description")] == []


def test_the_worker_cannot_write_where_it_need_not() -> None:
    own = container()
    assert own["ReadonlyRootFilesystem"] is True
    assert own["User"] == "10001:10001"
    assert own["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"]
    assert [point["ContainerPath"] for point in own["MountPoints"]] == ["/run/syncer"]


def test_the_worker_has_no_public_address_and_lets_nobody_in_by_default() -> None:
    network = worker("Service")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "DISABLED"
    condition, opened, closed = worker("SecurityGroup")["SecurityGroupIngress"]["Fn::If"]
    assert (condition, closed) == ("WithMetrics", {"Ref": "AWS::NoValue"})
    assert [rule["CidrIp"] for rule in opened] == [{"Ref": "MetricsCidr"}]
    assert template("worker")["Parameters"]["MetricsCidr"]["Default"] == ""


def test_the_worker_has_time_to_leave() -> None:
    assert container()["StopTimeout"] == 30


def test_the_health_check_is_the_images_own() -> None:
    text = (FOLDER.parents[1] / "Dockerfile").read_text()
    command = container()["HealthCheck"]["Command"]
    assert command[0] == "CMD"
    assert str(command).replace("'", '"').removeprefix('["CMD", ').removesuffix("]") in text


def test_no_secret_is_an_ordinary_variable() -> None:
    own = container()
    assert {one["Name"] for one in own["Environment"]} == {
        "AWS_DEFAULT_REGION",
        "SYNCER_HTTP__ADDRESS",
        "SYNCER_HTTP__PORT",
        "SYNCER_LOG__FORMAT",
        "SYNCER_LEASE__ENABLED",
    }
    assert [one["Fn::If"][1]["Name"] for one in own["Secrets"]] == [
        "SETTINGS_YAML",
        "SYNCER_CONSUL__TOKEN",
        "CONSUL_CA_PEM",
    ]


def test_the_worker_is_told_its_region_by_a_name_that_the_sdk_reads() -> None:
    assert Session.SESSION_VARIABLES["region"][1] in {one["Name"] for one in container()["Environment"]}


def test_one_or_two_tasks_and_no_more() -> None:
    tasks = template("worker")["Parameters"]["Tasks"]
    assert (tasks["AllowedValues"], tasks["Default"]) == ([1, 2], 1)


def test_only_two_tasks_that_share_leases_run_at_the_same_time() -> None:
    (lease,) = (one["Value"] for one in container()["Environment"] if one["Name"] == "SYNCER_LEASE__ENABLED")
    assert lease == {"Fn::If": ["Two", "true", "false"]}
    deployment = worker("Service")["DeploymentConfiguration"]
    assert deployment["MaximumPercent"] == {"Fn::If": ["Two", 200, 100]}
    assert deployment["MinimumHealthyPercent"] == {"Fn::If": ["Two", 100, 0]}


def test_every_variable_of_the_worker_that_is_a_setting_is_one() -> None:
    own = container()
    names = {one["Name"] for one in own["Environment"]} | {one["Fn::If"][1]["Name"] for one in own["Secrets"]}
    assert {name for name in names if name.startswith("SYNCER_")} <= set(variables())


def test_both_roles_can_be_taken_by_tasks_of_this_account_alone() -> None:
    for role in ("ExecutionRole", "TaskRole"):
        (statement,) = worker(role)["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
