"""Each ECS source: are its clusters there, with how many tasks, may they be read, and can its queue be used."""

import json
from collections.abc import Generator, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final

from syncer.app.doctor.findings import Finding, fault, ok, warning
from syncer.app.doctor.policies_routes import CLUSTERS, SERVICES, task_actions
from syncer.app.doctor.trying import Try, tried
from syncer.app.doctor.uses import SourceUse, is_glob
from syncer.core.errors import Denied, Missing, SyncError, Unavailable
from syncer.systems.aws import Aws
from syncer.systems.ecs.client import EcsApi
from syncer.systems.ecs.parse import short_name

_NOTHING: Final = "doctor-probe"
_NO_TASK: Final = "0" * 32
_NO_ID: Final = "0" * 17
_WAITING: Final = 1_000
"""Events in a queue from which on it seems that nobody takes them."""
_LISTED: Final = frozenset({"ecs:ListTasks", CLUSTERS})
"""What is called in any case, so that a refusal shows."""


def source(aws: Aws, use: SourceUse) -> Generator[Finding, None, bool]:
    """Look at a source; return whether tasks of any cluster could be listed. Takes no event out of the queue."""
    about, api = use.key, EcsApi(aws)
    named = tuple(name for name in use.section.clusters if not is_glob(name))
    try:
        clusters = (*named, *_matching(aws, api, use))
    except Unavailable as e:
        advice = "give this host a way to ECS, EC2, SSM and SQS (VPC endpoints ecs, ec2, ssm and sqs, NAT)"
        yield fault(about, f"ECS does not answer: {e}", advice)
        return False
    except SyncError as e:
        yield fault(about, f"the clusters cannot be listed: {e}", f"allow {CLUSTERS}")
        clusters = named
    else:
        for glob in filter(is_glob, use.section.clusters):
            if not any(fnmatchcase(name, glob) for name in map(short_name, clusters)):
                yield warning(about, f"no cluster is called {glob}")
    readable = False
    for cluster in clusters:
        readable |= yield from _tasks(api, about, cluster)
    yield from tried(about, _tries(aws, use, clusters[0] if clusters else "default"))
    if use.section.queue:
        yield from _queue(aws, about, use.section.queue)
    return readable


def _matching(aws: Aws, api: EcsApi, use: SourceUse) -> tuple[str, ...]:
    """Return the clusters that globs take; whether ECS answers is found out by one attempt."""
    if not use.lists_clusters:
        try:
            aws.call("ecs", "ListTasks", cluster=use.section.clusters[0], maxResults=1)
        except Unavailable:
            raise
        except SyncError:
            pass  # told with the cluster
        return ()
    aws.call("ecs", "ListClusters", maxResults=1)
    names = sorted(map(short_name, api.clusters()))
    globs = tuple(filter(is_glob, use.section.clusters))
    given = set(map(short_name, use.section.clusters))
    return tuple(
        name for name in names if name not in given and any(fnmatchcase(name, glob) for glob in globs)
    )


def _tasks(api: EcsApi, about: str, cluster: str) -> Generator[Finding, None, bool]:
    name = short_name(cluster)
    try:
        count = sum(map(len, api.tasks(cluster)))
    except Missing as e:
        yield fault(about, f"there is no cluster {name}: {e}", "check its name, the Region and the account")
    except SyncError as e:
        advice = "allow ecs:ListTasks" if isinstance(e, Denied) else ""
        yield fault(about, f"cluster {name}: its tasks cannot be listed: {e}", advice)
    else:
        yield ok(about, f"cluster {name}: {count} tasks")
        return True
    return False


def _tries(aws: Aws, use: SourceUse, cluster: str) -> Iterator[Try]:
    """Yield harmless tries of what reading a task may take beside the list of tasks."""
    parameters: dict[str, Mapping[str, Any]] = {
        "ecs:DescribeContainerInstances": {"cluster": cluster, "containerInstances": [_NO_TASK]},
        SERVICES: {"cluster": cluster, "services": [_NOTHING]},
        "ecs:DescribeTaskDefinition": {"taskDefinition": f"{_NOTHING}:1"},
        "ecs:DescribeTasks": {"cluster": cluster, "tasks": [_NO_TASK]},
    }
    for action in task_actions(use):
        if action not in _LISTED:
            shared = action == "ecs:DescribeContainerInstances"
            yield _try(aws, action, parameters[action], needed_for="tasks on hosts" if shared else "")
    interface, instance, node = (f"{kind}-{_NO_ID}" for kind in ("eni", "i", "mi"))
    yield _try(aws, "ec2:DescribeNetworkInterfaces", {"Filters": _filter("network-interface-id", interface)})
    filters = _filter("instance-id", instance)
    yield _try(aws, "ec2:DescribeInstances", {"Filters": filters}, needed_for="tasks on EC2 hosts")
    nodes = {"Filters": [{"Key": "InstanceIds", "Values": [node]}]}
    yield _try(aws, "ssm:DescribeInstanceInformation", nodes, needed_for="tasks on hosts of ECS Anywhere")


def _try(aws: Aws, action: str, parameters: Mapping[str, Any], *, needed_for: str = "") -> Try:
    service, _, operation = action.partition(":")
    return Try(action, partial(aws.call, service, operation, **parameters), needed_for=needed_for)


def _filter(name: str, value: str) -> list[Mapping[str, Any]]:
    return [{"Name": name, "Values": [value]}]


def _queue(aws: Aws, about: str, url: str) -> Iterator[Finding]:
    """Look at a queue. Receiving is tried with a number of messages that SQS refuses: none leaves the queue."""
    about = f"{about}, queue {url.rpartition('/')[2]}"
    receive: dict[str, Any] = {
        "QueueUrl": url,
        "MaxNumberOfMessages": 0,
        "WaitTimeSeconds": 0,
        "VisibilityTimeout": 0,
    }
    try:
        aws.call("sqs", "ReceiveMessage", **receive)
    except Missing as e:
        yield fault(about, f"it is not there: {e}", "write the URL of the queue that EventBridge fills")
        return
    except Unavailable as e:
        yield fault(about, f"SQS does not answer: {e}", "give this host a way to SQS (VPC endpoint sqs, NAT)")
        return
    except SyncError:
        pass  # a refusal of rights is told below
    message = {"Id": "1", "ReceiptHandle": _NOTHING}
    calls: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
        ("sqs:ReceiveMessage", "ReceiveMessage", receive),
        ("sqs:DeleteMessage", "DeleteMessageBatch", {"QueueUrl": url, "Entries": [message]}),
        (
            "sqs:ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            {"QueueUrl": url, "Entries": [{**message, "VisibilityTimeout": 0}]},
        ),
    )
    tries = (
        Try(action, partial(aws.call, "sqs", operation, **given), writes=True)
        for action, operation, given in calls
    )
    yield from tried(about, tries)
    yield from _waiting(aws, about, url)


def _waiting(aws: Aws, about: str, url: str) -> Iterator[Finding]:
    """Say how many events wait; a right to see that is not needed for anything else."""
    try:
        answer = aws.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    except Denied:
        yield ok(about, "how many events wait is not shown to this identity (sqs:GetQueueAttributes)")
        return
    except SyncError as e:
        yield warning(about, f"it does not say how many events wait: {e}")
        return
    told = answer.get("Attributes", {})
    count = int(told.get("ApproximateNumberOfMessages", 0))
    if count >= _WAITING:
        yield warning(about, f"{count} events wait: nobody takes them, or too slowly")
    else:
        yield ok(about, f"{count} events wait")
    if not json.loads(told.get("RedrivePolicy") or "{}"):
        advice = "give it one, as deploy/cloudformation/events.yaml does"
        yield warning(about, "it has no dead-letter queue: what is no event comes again and again", advice)
