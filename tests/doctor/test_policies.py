"""The least IAM policies follow the settings, and hold exactly what the sources call."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncer.app.doctor.policies import ITSELF, iam_policies
from syncer.app.doctor.policies_cloudmap import CREATE, READ, WRITE, operations
from syncer.app.doctor.statements import Policy
from syncer.app.doctor.uses import NamespaceUse, uses
from syncer.settings import Settings
from tests.deploy.operations import called

IAM = Path(__file__).parents[2] / "deploy" / "iam"
ROLE, OTHER = "arn:aws:iam::123456789012:role/a", "arn:aws:iam::210987654321:role/b"
OFF = {"enabled": False}


def settings(*namespaces: Mapping[str, Any], **others: Any) -> Settings:
    """Return settings with *namespaces*, of which only the keys that matter are given."""
    sections = [{"name": f"ns{number}.internal", **section} for number, section in enumerate(namespaces)]
    return Settings.model_validate({"owner": "vpc-a", "namespaces": sections, **others})


def actions(policy: Policy) -> set[str]:
    """Return every action that *policy* allows."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def policy(*namespaces: Mapping[str, Any]) -> set[str]:
    """Return what the one identity may do with *namespaces*."""
    policies = iam_policies(settings(*namespaces))
    assert list(policies) == [ITSELF]
    return actions(policies[ITSELF])


def own(names: set[str]) -> set[str]:
    """Return the operations of Cloud Map among *names*."""
    return {name.partition(":")[2] for name in names if name.startswith("servicediscovery:")}


def test_the_table_names_exactly_what_the_sources_call() -> None:
    sources = {name.removeprefix("servicediscovery:") for name in called("cloudmap")}
    assert {*READ, *WRITE, *CREATE.values()} - {"TagResource"} == sources - {"TagResource"}


def test_what_is_only_imported_may_only_read() -> None:
    allowed = policy({"consul_to_cloudmap": OFF})
    assert allowed == {f"servicediscovery:{name}" for name in READ}


def test_what_is_exported_may_write_and_let_cloud_map_write_records() -> None:
    allowed = policy({})
    assert own(allowed) == {*READ, *WRITE}
    assert "route53:ChangeResourceRecordSets" in allowed
    assert "route53:CreateHostedZone" not in allowed


def test_a_namespace_without_dns_needs_nothing_of_route_53() -> None:
    assert not {name for name in policy({"type": "http"}) if name.startswith("route53:")}
    created = policy({"create": {"type": "http"}})
    assert not {name for name in created if name.startswith(("route53:", "ec2:"))}
    assert "CreateHttpNamespace" in own(created)


@pytest.mark.parametrize(
    ("create", "ec2"),
    [
        pytest.param({"type": "private", "vpc": "vpc-0123456789abcdef0"}, True, id="private"),
        pytest.param({"type": "public"}, False, id="public"),
    ],
)
def test_creating_a_dns_namespace_needs_what_cloud_map_does_in_our_name(
    create: dict[str, str], ec2: bool
) -> None:
    allowed = policy({"create": create, "consul_to_cloudmap": OFF})
    assert own(allowed) == {*READ, CREATE[create["type"]]}
    zones = {"route53:CreateHostedZone", "route53:GetHostedZone", "route53:ListHostedZonesByName"}
    assert allowed >= zones
    assert ("ec2:DescribeVpcs" in allowed) is ec2
    assert "route53:ChangeResourceRecordSets" not in allowed


def test_everything_together_is_what_the_ready_made_policies_hold() -> None:
    names = ("cloud-map-read", "cloud-map-write", "cloud-map-create-namespace")
    ready = set[str]().union(*(actions(json.loads((IAM / f"{name}.json").read_text())) for name in names))
    every = policy(
        {"create": {"type": "private", "vpc": "vpc-0123456789abcdef0"}},
        {"create": {"type": "public"}},
        {"create": {"type": "http"}},
    )
    assert every == ready


def test_a_role_gets_the_rights_and_the_process_may_assume_it() -> None:
    policies = iam_policies(
        settings({}, {"role_arn": OTHER, "consul_to_cloudmap": OFF}, aws={"role_arn": ROLE})
    )
    assert list(policies) == [ITSELF, ROLE, OTHER]
    (assume,) = policies[ITSELF]["Statement"]
    assert (assume["Action"], assume["Resource"]) == (["sts:AssumeRole"], [ROLE, OTHER])
    assert own(actions(policies[ROLE])) == {*READ, *WRITE}
    assert own(actions(policies[OTHER])) == {*READ}


def test_the_process_keeps_rights_of_its_own_beside_those_of_roles() -> None:
    policies = iam_policies(settings({}, {"role_arn": OTHER}))
    assert "sts:AssumeRole" in actions(policies[ITSELF])
    assert own(actions(policies[ITSELF])) == {*READ, *WRITE}


def test_a_document_is_one_that_iam_takes() -> None:
    (document,) = iam_policies(settings({})).values()
    assert document["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    assert all(
        statement["Effect"] == "Allow" and statement["Resource"] for statement in document["Statement"]
    )


def test_the_operations_of_a_namespace_are_sorted_and_without_repetition() -> None:
    (use,) = uses(settings({"create": {"type": "http"}}))
    assert isinstance(use, NamespaceUse)
    names = operations(use)
    assert list(names) == sorted(set(names))


def test_a_namespace_that_no_route_touches_needs_nothing() -> None:
    assert iam_policies(settings({"consul_to_cloudmap": OFF, "cloudmap_to_consul": OFF})) == {}
