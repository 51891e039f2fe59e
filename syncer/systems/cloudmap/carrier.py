"""What a namespace can carry: the rules of names and attributes (Cloud Map API reference and quotas)."""

import re
from typing import Final

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.systems.cloudmap.marks import PAIRS, PREFIXES
from syncer.systems.cloudmap.namespaces import Namespace

_LABEL: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*[A-Za-z0-9_]|[A-Za-z0-9]")
"""The same in an HTTP namespace: the API's model has one pattern for the names of all services."""

_ATTRIBUTES: Final = AttributeLimits(
    count=30 - PAIRS,
    key=re.compile(r"[!-~]+"),
    key_length=255,
    value=re.compile(r"[!-~](?:[ \t!-~]*[!-~])?"),
    value_length=1024,
    # 5,000 characters in all, less what the addresses and a mark of ordinary length take.
    total=3600,
    reserved=("AWS_", "ECS_SERVICE_NAME", *PREFIXES),
    tags_length=700,
)


def carrier(namespace: Namespace) -> Carrier:
    """Return what *namespace* can carry."""

    def problem(name: str) -> str | None:
        return name_problem(name, namespace)

    return Carrier(
        name_problem=problem,
        attributes=_ATTRIBUTES,
        unique_address=namespace.dns,
        service_entities=True,
        hostnames=not namespace.dns,
        public_addresses=False,
        healths=True,
    )


def name_problem(name: str, namespace: Namespace) -> str | None:
    """Return why *name* cannot be a service of *namespace*; None if it can."""
    if not 0 < len(name) <= 127:
        return "a service's name has 1 to 127 characters"
    for label in name.split("."):
        if len(label) > 63:
            return "a part between dots has at most 63 characters"
        if not _LABEL.fullmatch(label):
            return (
                "a part between dots has letters, digits, '_' and '-', neither begins nor ends with '-', "
                "and is more than a single '_'"
            )
    if namespace.dns and len(name) + 1 + len(namespace.name) > 253:
        return f"with .{namespace.name} it is longer than a DNS name may be"
    return None
