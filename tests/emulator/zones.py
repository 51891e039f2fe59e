"""The hosted zones that Cloud Map owns, kept in moto's Route 53 so that it lists them."""

from contextlib import suppress
from typing import Any

from moto.core.exceptions import ServiceException
from moto.route53.models import route53_backends

from .model import Namespace

OWNED: set[str] = set()
"""Ids of hosted zones that belong to a namespace: Route 53 must refuse to edit these."""


def _backend(account: str) -> Any:
    return route53_backends[account]["aws"]


def create_zone(account: str, region: str, namespace: Namespace) -> str:
    """Create the hosted zone of a DNS namespace and return its id."""
    private = namespace.type == "DNS_PRIVATE"
    zone = _backend(account).create_hosted_zone(
        f"{namespace.name}.",
        private_zone=private,
        vpcid=namespace.vpc or None,
        vpcregion=region if namespace.vpc else None,
        comment="Created by AWS Cloud Map namespace",
    )
    identifier = str(zone.id).rsplit("/", 1)[-1]
    OWNED.add(identifier)
    return identifier


def delete_zone(namespace: Namespace) -> None:
    """Delete the hosted zone of a namespace; one that is gone already is no error."""
    OWNED.discard(namespace.zone_id)
    if namespace.zone_id:
        with suppress(ServiceException, KeyError):
            _backend(namespace.account).delete_hosted_zone(namespace.zone_id)


def private_zone_exists(account: str, name: str, vpc: str) -> bool:
    """Whether *vpc* is already associated with a private zone of that name."""
    if not vpc:
        return False
    return any(
        zone.private_zone
        and zone.name.rstrip(".").lower() == name.lower()
        and any(one.get("vpc_id") == vpc for one in zone.vpcs)
        for zone in list(_backend(account).zones.values())
    )
