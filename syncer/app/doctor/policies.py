"""The least IAM policies for the settings: what each identity may do, as AWS takes it.

What Cloud Map does in Route 53 and EC2 it does with the caller's rights. Source: AWS Cloud Map developer guide, "AWS
Cloud Map API permissions reference" (for RegisterInstance and DeregisterInstance route53:ChangeResourceRecordSets,
for CreatePrivateDnsNamespace route53:CreateHostedZone, route53:GetHostedZone, route53:ListHostedZonesByName,
ec2:DescribeVpcs and ec2:DescribeRegions, for CreatePublicDnsNamespace the same without EC2). The rights for Route 53
health checks and for ec2:DescribeInstances, which it names too, serve services and attributes that are never made here.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from syncer.settings import Settings
from syncer.settings.namespaces import Namespace

Policy = dict[str, Any]

READ: Final = (
    "DiscoverInstances",
    "DiscoverInstancesRevision",
    "GetInstance",
    "GetInstancesHealthStatus",
    "GetNamespace",
    "GetOperation",
    "GetService",
    "ListInstances",
    "ListNamespaces",
    "ListOperations",
    "ListServices",
)
"""The operations of Cloud Map that are called whatever the direction."""
WRITE: Final = (
    "CreateService",
    "DeleteService",
    "DeregisterInstance",
    "ListTagsForResource",
    "RegisterInstance",
    "TagResource",
    "UpdateInstanceCustomHealthStatus",
    "UpdateService",
)
"""Those that are called beside where something is carried into Cloud Map. TagResource is never called: CreateService
with tags asks for it (Service Authorization Reference, AWS Cloud Map)."""
CREATE: Final = {
    "http": "CreateHttpNamespace",
    "private": "CreatePrivateDnsNamespace",
    "public": "CreatePublicDnsNamespace",
}
"""The operation that creates a namespace, by its type in the settings."""

_RECORDS: Final = ("route53:ChangeResourceRecordSets", "route53:GetHostedZone")
_LOOKUP: Final = ("route53:ListHostedZonesByName",)
_ZONES: Final = {
    "http": (),
    "private": ("ec2:DescribeRegions", "ec2:DescribeVpcs", "route53:CreateHostedZone"),
    "public": ("route53:CreateHostedZone",),
}
_HOSTED_ZONES: Final = "arn:aws:route53:::hostedzone/*"
ITSELF: Final = "the identity that runs syncer"
"""What stands for the identity that the SDK finds by itself."""


def iam_policies(settings: Settings) -> dict[str, Policy]:
    """Return a policy for each identity that *settings* use: the one that runs the process, and each role's ARN.

    Policies name operations, not single namespaces: these may be created, and some calls take no resource.
    """
    by_identity: dict[str, list[Namespace]] = {}
    for section in settings.namespaces:
        role = section.account(settings.aws).role_arn
        by_identity.setdefault(role or ITSELF, []).append(section)
    roles = sorted(by_identity.keys() - {ITSELF})
    policies = {identity: _policy(sections) for identity, sections in sorted(by_identity.items())}
    if roles:
        own = policies.pop(ITSELF, _document([]))
        own["Statement"].append(_statement("Roles", ["sts:AssumeRole"], roles))
        policies = {ITSELF: own, **policies}
    return policies


def operations(section: Namespace) -> tuple[str, ...]:
    """Return the operations of Cloud Map that *section* needs, sorted."""
    needed = [*READ]
    if section.consul_to_cloudmap.enabled:
        needed.extend(WRITE)
    if section.create is not None:
        needed.append(CREATE[section.create.type])
    return tuple(sorted(needed))


def _policy(sections: Iterable[Namespace]) -> Policy:
    listed = tuple(sections)
    called = {operation for section in listed for operation in operations(section)}
    created: set[str] = {section.create.type for section in listed if section.create is not None}
    writes_dns = any(
        section.consul_to_cloudmap.enabled
        and "http" not in {section.type, section.create and section.create.type}
        for section in listed
    )
    return _document(_statements(called, created, writes_dns=writes_dns))


def _statements(called: set[str], created: set[str], *, writes_dns: bool) -> Iterator[Policy]:
    groups = (
        ("Read", called & set(READ)),
        ("Write", called & set(WRITE)),
        ("Namespaces", called & set(CREATE.values())),
    )
    for sid, names in groups:
        if names:
            yield _statement(sid, [f"servicediscovery:{name}" for name in names], "*")
    dns = bool(created - {"http"})
    if writes_dns:
        yield _statement("RecordsByCloudMap", _RECORDS, _HOSTED_ZONES)
    elif dns:
        yield _statement("RecordsByCloudMap", ["route53:GetHostedZone"], _HOSTED_ZONES)
    if writes_dns or dns:
        zones = {action for kind in created for action in _ZONES[kind]}
        yield _statement("ZonesByCloudMap", [*_LOOKUP, *zones], "*")


def _document(statements: Iterable[Policy]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(sid: str, actions: Iterable[str], resource: str | list[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
