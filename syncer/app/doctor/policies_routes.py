"""The rights that routes from ECS need: for their sources, and for hosted zones and target groups.

Source of what takes a resource, and of the condition keys: Service Authorization Reference; Route 53 developer guide,
"Using IAM policy conditions for fine-grained access control".
"""

from collections.abc import Iterator, Sequence
from typing import Final

from syncer.app.doctor.statements import Policy, hosted_zone, number, partition, queue, statement
from syncer.app.doctor.uses import GroupsUse, SourceUse, ZoneUse
from syncer.systems.elb.groups import OWNER
from syncer.systems.route53.names import plain
from syncer.systems.route53.records import ADDRESSES

TASKS: Final = (
    "ecs:DescribeContainerInstances",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
)
"""What is called for every source."""
CLUSTERS: Final = "ecs:ListClusters"
"""Called where clusters are named by globs."""
SERVICES: Final = "ecs:DescribeServices"
"""Called where the tags of ECS services count."""
HOSTS: Final = ("ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ssm:DescribeInstanceInformation")
"""Where tasks are: which of these is called depends on what runs in the clusters, which no setting tells."""
QUEUE: Final = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
"""Called on the queue of events. Batches need the right to the single operation (SQS developer guide)."""

CHANGE: Final = "route53:ChangeResourceRecordSets"
RECORDS: Final = "route53:ListResourceRecordSets"
ZONE: Final = "route53:GetHostedZone"
"""How a zone is found that is known by its id."""
ZONES: Final = "route53:ListHostedZonesByName"
"""How one is found that is known by its name."""

GROUPS: Final = (
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
)
TARGETS: Final = ("elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets")

_ONLY_ADDRESSES: Final = {"route53:ChangeResourceRecordSetsRecordTypes": list(ADDRESSES)}


def task_actions(use: SourceUse) -> tuple[str, ...]:
    """Return what is called of ECS for *use*, sorted."""
    more = ((CLUSTERS, use.lists_clusters), (SERVICES, use.service_tags))
    return tuple(sorted((*TASKS, *(action for action, needed in more if needed))))


def sources(found: Sequence[SourceUse]) -> Iterator[Policy]:
    """Yield what the identity of *found* may do to read tasks, and to take the events about them."""
    if found:
        yield statement("Tasks", {action for use in found for action in task_actions(use)}, "*")
        yield statement("Addresses", HOSTS, "*")
    queues = {queue(use.account, use.section.queue) for use in found if use.section.queue}
    if queues:
        yield statement("Events", QUEUE, sorted(queues))


def zones(found: Sequence[ZoneUse]) -> Iterator[Policy]:
    """Yield what the identity of *found* may do in hosted zones: read records, and write addresses.

    The id of a zone that is known by its name is not known here: there the names of its records bound the right to
    write.
    """
    known = sorted(hosted_zone(use.account, use.reference) for use in found if use.by_id)
    named = sorted(plain(use.reference) for use in found if not use.by_id)
    if known:
        yield statement("Zones", [ZONE, RECORDS], known)
        yield statement("Records", [CHANGE], known, {"ForAllValues:StringEquals": _ONLY_ADDRESSES})
    if named:
        every = hosted_zone(found[0].account)
        inside = [pattern for name in named for pattern in (name, f"*.{name}")]
        names = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": inside}
        bounds = {"ForAllValues:StringEquals": _ONLY_ADDRESSES, "ForAllValues:StringLike": names}
        yield statement("ZonesByName", [ZONES], "*")
        yield statement("RecordsOfZonesByName", [RECORDS], every)
        yield statement("RecordsByName", [CHANGE], every, bounds)


def groups(found: Sequence[GroupsUse], owner: str) -> Iterator[Policy]:
    """Yield what the identity of *found* may do with target groups: write those with the tag of *owner*."""
    if found:
        arns = [
            f"arn:{partition(use.account)}:elasticloadbalancing:{use.region}:{number(use.account)}:targetgroup/*"
            for use in found
        ]
        ours = {"StringEquals": {f"aws:ResourceTag/{OWNER}": owner}}
        yield statement("TargetGroups", GROUPS, "*")
        yield statement("OwnTargetGroups", TARGETS, sorted(arns), ours)
