"""The rights that namespaces need.

What Cloud Map does in Route 53 and EC2 it does with the caller's rights. Source: AWS Cloud Map developer guide, "AWS
Cloud Map API permissions reference" (for RegisterInstance and DeregisterInstance route53:ChangeResourceRecordSets,
for CreatePrivateDnsNamespace route53:CreateHostedZone, route53:GetHostedZone, route53:ListHostedZonesByName,
ec2:DescribeVpcs and ec2:DescribeRegions, for CreatePublicDnsNamespace the same without EC2). The rights for Route 53
health checks and for ec2:DescribeInstances, which it names too, serve services and attributes that are never made here.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from syncer.app.doctor.statements import Policy, hosted_zone, statement
from syncer.app.doctor.uses import NamespaceUse

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


def operations(use: NamespaceUse) -> tuple[str, ...]:
    """Return the operations of Cloud Map that *use* needs, sorted."""
    needed = [*READ]
    if use.written:
        needed.extend(WRITE)
    if use.section.create is not None:
        needed.append(CREATE[use.section.create.type])
    return tuple(sorted(needed))


def statements(found: Sequence[NamespaceUse]) -> Iterator[Policy]:
    """Yield what the identity of *found* may do in Cloud Map, and Cloud Map in its name."""
    called = {operation for use in found for operation in operations(use)}
    created: set[str] = {use.section.create.type for use in found if use.section.create is not None}
    for sid, group in (("Read", READ), ("Write", WRITE), ("Namespaces", CREATE.values())):
        names = called & set(group)
        if names:
            yield statement(sid, [f"servicediscovery:{name}" for name in names], "*")
    writes_dns = any(use.written and use.dns for use in found)
    if writes_dns or created - {"http"}:
        records = _RECORDS if writes_dns else ("route53:GetHostedZone",)
        yield statement("RecordsByCloudMap", records, hosted_zone(found[0].account))
        zones = {action for kind in created for action in _ZONES[kind]}
        yield statement("ZonesByCloudMap", [*_LOOKUP, *zones], "*")
