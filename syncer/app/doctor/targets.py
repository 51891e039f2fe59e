"""What routes write beside namespaces and Consul: is each hosted zone there, are there target groups that are ours."""

import threading
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any, Final

from syncer.app.doctor.findings import Finding, fault, ok, some, warning
from syncer.app.doctor.policies_routes import CHANGE, RECORDS, TARGETS, ZONE, ZONES
from syncer.app.doctor.trying import Try, tried
from syncer.app.doctor.uses import GroupsUse, ZoneUse
from syncer.core.errors import Denied, SyncError, Unavailable
from syncer.systems.aws import Aws, required
from syncer.systems.elb.groups import OWNER, Groups
from syncer.systems.route53.api import Route53
from syncer.systems.route53.records import RecordSet
from syncer.systems.route53.zone import Zone
from syncer.systems.route53.zones import HostedZone, find_zone

_LONG: Final = 60
"""Seconds of a negative TTL from which on a name that has just appeared seems to be missing."""
_NOTHING: Final = "doctor-probe"
_NO_RECORD: Final = {
    "Type": "A",
    "TTL": 0,
    "SetIdentifier": _NOTHING,
    "MultiValueAnswer": True,
    "ResourceRecords": [{"Value": "192.0.2.1"}],
}


def zone(aws: Aws, use: ZoneUse, stop: threading.Event) -> Generator[Finding, None, bool]:
    """Look at a hosted zone; return whether it is there."""
    about, api = use.key, Route53(aws, stop)
    action, asked = (ZONE, {"Id": use.reference}) if use.by_id else (ZONES, {"MaxItems": "1"})
    try:
        api.once(action.partition(":")[2], **asked)
        hosted = find_zone(api, use.reference)
    except Unavailable as e:
        advice = "give this host a way to Route 53 (NAT; there is no VPC endpoint)"
        yield fault(about, f"Route 53 does not answer: {e}", advice)
        return False
    except SyncError as e:
        yield fault(about, f"it cannot be looked up: {e}", f"allow {action}" if isinstance(e, Denied) else "")
        return False
    yield ok(about, f"it is {hosted.name} ({hosted.id}, {'private' if hosted.private else 'public'})")
    yield from _memory(about, Zone(api, hosted))
    yield from tried(about, [Try(CHANGE, partial(_no_change, api, hosted), writes=True)])
    return True


def _memory(about: str, zone: Zone) -> Iterator[Finding]:
    """Say how long resolvers remember that a name is not there. Source: RFC 2308, section 5."""
    try:
        records = zone.read(zone.hosted.name)
    except SyncError as e:
        advice = f"allow {RECORDS}" if isinstance(e, Denied) else ""
        yield fault(about, f"its records cannot be read: {e}", advice)
        return
    seconds = min((_negative(record) for record in records if record.type == "SOA"), default=0)
    if seconds > _LONG:
        yield warning(
            about,
            f"resolvers remember for {seconds} s that a name is not there (SOA record)",
            f"change the SOA record: lower its TTL, or the last of its numbers, to {_LONG}",
        )
    else:
        yield ok(about, "its records can be read")


def _negative(soa: RecordSet) -> int:
    least = soa.values[0].split()[-1] if soa.values else ""
    return min(soa.ttl or 0, int(least)) if least.isdecimal() else soa.ttl or 0


def _no_change(api: Route53, hosted: HostedZone) -> object:
    """Ask for the deletion of a record that is not there, which Route 53 refuses."""
    changes = [
        {"Action": "DELETE", "ResourceRecordSet": {"Name": f"{_NOTHING}.{hosted.name}.", **_NO_RECORD}}
    ]
    return api.once("ChangeResourceRecordSets", HostedZoneId=hosted.id, ChangeBatch={"Changes": changes})


def target_groups(aws: Aws, use: GroupsUse, owner: str) -> Generator[Finding, None, bool]:
    """Look at the target groups of a Region that carry the tag of *owner*; return whether they can be read."""
    about, groups = use.key, Groups(aws, owner, use.origins)
    try:
        aws.call("elbv2", "DescribeTargetGroups", PageSize=1)
        ours = sorted(groups.ours(frozenset()))
        targets = {arn: _targets(aws, arn) for arn in ours}
    except Unavailable as e:
        advice = "give this host a way to Elastic Load Balancing (VPC endpoint elasticloadbalancing, NAT)"
        yield fault(about, f"Elastic Load Balancing does not answer: {e}", advice)
        return False
    except SyncError as e:
        advice = f"allow elasticloadbalancing:{str(e).partition(':')[0]}" if isinstance(e, Denied) else ""
        yield fault(about, f"the target groups cannot be read: {e}", advice)
        return False
    if not ours:
        yield fault(
            about,
            f"no target group carries the tag {OWNER}={owner}: nothing is written",
            f"aws elbv2 add-tags --resource-arns ARN --tags Key={OWNER},Value={owner}",
        )
        return True
    counts = some((f"{arn.split('/')[-2]} ({count})" for arn, count in targets.items()), 20)
    yield ok(about, f"{len(ours)} target groups are ours, with targets: {counts}")
    yield from dict.fromkeys(finding for arn in ours for finding in _group(about, groups, arn))
    yield from tried(about, _tries(aws, ours[0]))
    return True


def _targets(aws: Aws, arn: str) -> int:
    answer = aws.retry("elbv2", "DescribeTargetHealth", TargetGroupArn=arn)
    return len(required(answer, "TargetHealthDescriptions"))


def _group(about: str, groups: Groups, arn: str) -> Iterator[Finding]:
    """Say what stands in the way of writing the group *arn*."""
    try:
        group = groups.get(arn, fresh=False)
        groups.check(arn, None)
        groups.networks(group)
    except SyncError as e:
        yield fault(about, f"it cannot be written: {e}")


def _tries(aws: Aws, arn: str) -> Iterator[Try]:
    """Yield tries with a target that cannot be one."""
    asked: dict[str, Any] = {"TargetGroupArn": arn, "Targets": [{"Id": _NOTHING}]}
    for action in TARGETS:
        yield Try(action, partial(aws.call, "elbv2", action.partition(":")[2], **asked), writes=True)
