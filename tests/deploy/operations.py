"""The operations of AWS that the sources call, and the actions of IAM that they need."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from botocore.session import Session

SYSTEMS = Path(__file__).parents[2] / "syncer" / "systems"

FOLDERS = {
    "cloudmap": ("servicediscovery",),
    "ecs": ("ecs", "ec2", "ssm", "sqs"),
    "route53": ("route53",),
    "elb": ("elasticloadbalancing", "ec2"),
}
"""The AWS services that each system calls."""

TABLES = ("quotas.py",)
"""Modules that name operations without calling them."""

_MODELS = {"elasticloadbalancing": "elbv2"}
_SINGLE = {
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}
"""Batches need the right to the single operation (Amazon SQS developer guide, API permissions)."""

BY_THE_SDK = frozenset({"sts:AssumeRole"})
"""Called by the SDK, to get the credentials of a role."""

IN_OUR_NAME = frozenset(
    {
        # Cloud Map keeps the records of DNS namespaces in Route 53 with the caller's rights. Source: AWS managed
        # policy AWSCloudMapRegisterInstanceAccess; health checks of Route 53 are not used here.
        "route53:ChangeResourceRecordSets",
        "route53:GetHostedZone",
        "route53:ListHostedZonesByName",
        # ... and makes the zones of DNS namespaces. Source: AWS managed policy AWSCloudMapFullAccess.
        "route53:CreateHostedZone",
        "ec2:DescribeVpcs",
        "ec2:DescribeRegions",
        # Tags that a service is created with count as tagging. Source: Service Authorization Reference, Cloud Map.
        "servicediscovery:TagResource",
    }
)
"""Needed by calls of ours, and called by AWS itself."""


@cache
def known(service: str) -> frozenset[str]:
    """Return the operations of *service*."""
    return frozenset(Session().get_service_model(_MODELS.get(service, service)).operation_names)


def action(service: str, operation: str) -> str:
    """Return the action of IAM that *operation* needs."""
    return _SINGLE.get(f"{service}:{operation}", f"{service}:{operation}")


def called(system: str) -> frozenset[str]:
    """Return the actions that the modules of *system* need: every operation whose whole name stands there."""
    return frozenset(
        action(_service(system, word), word)
        for path in (SYSTEMS / system).glob("*.py")
        if path.name not in TABLES
        for word in _words(path)
        if any(word in known(service) for service in FOLDERS[system])
    )


def _service(system: str, operation: str) -> str:
    return next(service for service in FOLDERS[system] if operation in known(service))


def _words(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
