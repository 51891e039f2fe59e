"""IAM policies as values: documents, their statements, and the ARNs in them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from syncer.settings.aws import Account

Policy = dict[str, Any]
Condition = Mapping[str, Mapping[str, str | list[str]]]

_QUEUE: Final = re.compile(r"https?://(?P<host>[^/]+)/(?P<account>[0-9]{12})/(?P<name>[A-Za-z0-9_-]+)")
_HOST: Final = re.compile(r"(?:^|\.)sqs\.(?P<region>[a-z0-9-]+)\.|^(?P<legacy>[a-z0-9-]+)\.queue\.")
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def document(statements: Iterable[Policy]) -> Policy:
    """Return a policy of *statements*."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(
    sid: str, actions: Iterable[str], resource: str | list[str], condition: Condition | None = None
) -> Policy:
    """Return one statement that allows *actions*, sorted."""
    made: Policy = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def partition(account: Account) -> str:
    """Return the part of AWS that *account* is in: of its role, else of its Region; ``aws`` where neither is known."""
    if account.role_arn:
        return account.role_arn.split(":")[1]
    region = account.region or ""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def number(account: Account) -> str:
    """Return the number of *account*, as its role has it; ``*`` where only AWS knows it."""
    return account.role_arn.split(":")[4] if account.role_arn else "*"


def hosted_zone(account: Account, zone: str = "*") -> str:
    """Return the ARN of the hosted zone with the id *zone*, or of all."""
    return f"arn:{partition(account)}:route53:::hostedzone/{zone}"


def queue(account: Account, url: str) -> str:
    """Return the ARN of the queue *url*; its Region is in AWS's own host names, else it is that of *account*.

    Source: Amazon SQS developer guide, queue and message identifiers; AWS general reference, SQS endpoints.
    """
    found = _QUEUE.fullmatch(url)
    assert found is not None, "the settings take no other"
    host = _HOST.search(found["host"])
    region = (host and (host["region"] or host["legacy"])) or account.region or "*"
    return f"arn:{partition(account)}:sqs:{region}:{found['account']}:{found['name']}"
