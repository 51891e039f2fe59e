"""The least IAM policies for routes from ECS: what is read there, the queue, and where tasks are written."""

from collections.abc import Mapping
from typing import Any

import pytest

from syncer.app.doctor.policies import ITSELF, iam_policies
from syncer.app.doctor.policies_cloudmap import READ, WRITE
from syncer.app.doctor.policies_routes import GROUPS, HOSTS, QUEUE, SERVICES, TARGETS, TASKS
from syncer.app.doctor.statements import Policy
from syncer.settings import Settings
from tests.deploy.operations import called

ROLE = "arn:aws:iam::210987654321:role/b"
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/events"
REGION = {"aws": {"region": "eu-central-1"}}
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"

Tree = Mapping[str, Any]


def settings(source: Tree, *routes: Tree, **others: Any) -> Settings:
    """Return settings with one source, called prod, and *routes* from it unless they name a view."""
    given = [{"source": "ecs/prod", **route} for route in routes]
    tree = {"owner": "vpc-a", "ecs": [{"name": "prod", **source}], "routes": given, **REGION, **others}
    return Settings.model_validate(tree)


def statements(source: Tree, *routes: Tree, identity: str = ITSELF, **others: Any) -> dict[str, Policy]:
    """Return the statements for *identity*, by their ids."""
    document = iam_policies(settings(source, *routes, **others))[identity]
    found = {statement["Sid"]: statement for statement in document["Statement"]}
    assert len(found) == len(document["Statement"])
    return found


def actions(source: Tree, *routes: Tree, **others: Any) -> set[str]:
    """Return everything that the one identity may do."""
    return {action for found in statements(source, *routes, **others).values() for action in found["Action"]}


CONSUL = {"target": "consul"}
NAMESPACE = {"name": "tasks.internal", "consul_to_cloudmap": False, "cloudmap_to_consul": False}


def test_the_tables_name_exactly_what_the_sources_call() -> None:
    groups = {"target-group-tags": {"dialect": "target-group-tags"}}
    everything = actions(
        {"clusters": ["*"], "queue": QUEUE_URL, "views": groups},
        {"source": "ecs/prod/target-group-tags", "target": "elb/eu-central-1"},
    )
    assert everything == called("ecs") | called("elb")
    by_id, by_name = ({"target": f"route53/{zone}"} for zone in ("Z0123456789ABC", "example.com"))
    zones = {name for name in actions({}, by_id, by_name) if name.startswith("route53:")}
    assert zones == called("route53")


def test_a_source_that_is_polled_may_only_read_tasks() -> None:
    assert actions({}, CONSUL) == {*TASKS, *HOSTS}


@pytest.mark.parametrize("cluster", ["batch-*", "prod-?", "[ab]"])
def test_clusters_are_listed_only_where_globs_name_them(cluster: str) -> None:
    assert "ecs:ListClusters" not in actions({"clusters": ["prod"]}, CONSUL)
    assert "ecs:ListClusters" in actions({"clusters": ["prod", cluster]}, CONSUL)


def test_services_are_described_only_where_a_route_begins_at_a_view_with_their_tags() -> None:
    views = {"plain": {}, "tagged": {"service_tags": True}}
    assert SERVICES not in actions({"views": views}, CONSUL)
    assert SERVICES in actions({"views": views}, CONSUL, {"source": "ecs/prod/tagged", **CONSUL})
    turned_off = {"source": "ecs/prod/tagged", "enabled": False, **CONSUL}
    assert SERVICES not in actions({"views": views}, CONSUL, turned_off)


@pytest.mark.parametrize(
    ("url", "arn"),
    [
        pytest.param(QUEUE_URL, "arn:aws:sqs:eu-west-1:123456789012:events", id="of-its-region"),
        pytest.param(
            "https://vpce-0a1b.sqs.eu-west-1.vpce.amazonaws.com/123456789012/events",
            "arn:aws:sqs:eu-west-1:123456789012:events",
            id="endpoint-in-a-vpc",
        ),
        pytest.param(
            "https://eu-west-1.queue.amazonaws.com/123456789012/events",
            "arn:aws:sqs:eu-west-1:123456789012:events",
            id="old-host-name",
        ),
        pytest.param(
            "http://127.0.0.1:5000/123456789012/events",
            "arn:aws:sqs:eu-central-1:123456789012:events",
            id="the-sources-region-where-the-host-tells-none",
        ),
    ],
)
def test_the_queue_is_named_by_its_arn(url: str, arn: str) -> None:
    events = statements({"queue": url}, CONSUL)["Events"]
    assert (events["Action"], events["Resource"]) == (sorted(QUEUE), [arn])


def test_without_any_region_the_queue_may_be_in_each() -> None:
    given = {"queue": "http://127.0.0.1:5000/123456789012/events"}
    events = statements(given, CONSUL, aws={})["Events"]
    assert events["Resource"] == ["arn:aws:sqs:*:123456789012:events"]


@pytest.mark.parametrize(
    ("region", "start"),
    [("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:"), ("eu-west-1", "arn:aws:")],
)
def test_arns_are_of_the_part_of_aws_that_the_region_is_in(region: str, start: str) -> None:
    found = statements({}, {"target": "route53/Z0123456789ABC"}, aws={"region": region})
    assert found["Zones"]["Resource"] == [f"{start}route53:::hostedzone/Z0123456789ABC"]


def test_a_namespace_that_only_tasks_are_written_into_is_written() -> None:
    found = statements({}, {"target": "tasks.internal"}, namespaces=[NAMESPACE])
    assert found["Read"]["Action"] == sorted(f"servicediscovery:{name}" for name in READ)
    assert found["Write"]["Action"] == sorted(f"servicediscovery:{name}" for name in WRITE)
    assert "route53:ChangeResourceRecordSets" in found["RecordsByCloudMap"]["Action"]


def test_a_route_that_is_off_needs_nothing() -> None:
    off = {"target": "tasks.internal", "enabled": False}
    assert iam_policies(settings({}, off, namespaces=[NAMESPACE])) == {}
    assert actions({}, off, CONSUL, namespaces=[NAMESPACE]) == {*TASKS, *HOSTS}


def test_a_zone_that_is_known_by_its_id_is_the_only_one() -> None:
    found = statements({}, {"target": "route53/Z0123456789ABC"})
    arn = ["arn:aws:route53:::hostedzone/Z0123456789ABC"]
    assert {sid: found[sid]["Resource"] for sid in ("Zones", "Records")} == {"Zones": arn, "Records": arn}
    assert "route53:ListHostedZonesByName" not in str(found)
    types = {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA"]}
    assert found["Records"]["Condition"] == {"ForAllValues:StringEquals": types}


def test_in_a_zone_that_is_known_by_its_name_only_names_in_it_may_be_written() -> None:
    found = statements({}, {"target": "route53/Example.com."})
    assert found["ZonesByName"]["Action"] == ["route53:ListHostedZonesByName"]
    assert "route53:GetHostedZone" not in str(found)
    names = found["RecordsByName"]["Condition"]["ForAllValues:StringLike"]
    assert names == {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": ["example.com", "*.example.com"]
    }


def test_only_target_groups_with_our_tag_may_be_written() -> None:
    found = statements({}, {"target": "elb/eu-central-1", "rename": {"web": ARN}})
    assert found["TargetGroups"]["Action"] == sorted(GROUPS)
    own = found["OwnTargetGroups"]
    assert own["Action"] == sorted(TARGETS)
    assert own["Resource"] == ["arn:aws:elasticloadbalancing:eu-central-1:*:targetgroup/*"]
    assert own["Condition"] == {"StringEquals": {"aws:ResourceTag/sync-owner": "vpc-a"}}


def test_each_right_is_that_of_the_identity_that_needs_it() -> None:
    groups = {"target": "elb/eu-central-1", "rename": {"web": ARN}, "role_arn": ROLE}
    given = settings({"queue": QUEUE_URL}, CONSUL, groups)
    policies = iam_policies(given)
    assert list(policies) == [ITSELF, ROLE]
    own = {statement["Sid"]: statement for statement in policies[ITSELF]["Statement"]}
    assert own.keys() == {"Tasks", "Addresses", "Events", "Roles"}
    assert own["Roles"]["Resource"] == [ROLE]
    theirs = {statement["Sid"]: statement for statement in policies[ROLE]["Statement"]}
    assert theirs.keys() == {"TargetGroups", "OwnTargetGroups"}
    numbered = "arn:aws:elasticloadbalancing:eu-central-1:210987654321:targetgroup/*"
    assert theirs["OwnTargetGroups"]["Resource"] == [numbered]


def test_where_only_roles_are_used_the_process_may_just_assume_them() -> None:
    found = statements({"role_arn": ROLE}, CONSUL)
    assert found.keys() == {"Roles"}
    assert statements({"role_arn": ROLE}, CONSUL, identity=ROLE).keys() == {"Tasks", "Addresses"}
