"""Marks in instance attributes: what a syncer writes on an instance in Cloud Map, and how it is known again.

    sync-owner       the owner's id
    sync-origin      the registry it came from
    sync-service     its service there
    sync-instance    its id there
    sync-chain       registries before the origin, oldest first, joined by commas; absent where there are none
    sync-tags        the instance's tags, joined by commas; absent where there are none
    external-source  ``consul`` or ``aws``: for people and other tools, never read back

A value has at most 1,024 printable ASCII characters (Cloud Map API reference, RegisterInstance); what has other
characters is written percent-encoded.
"""

import re
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from syncer.core.errors import Refused
from syncer.core.model import Mark

PAIRS: Final = 7
"""Attributes kept for mark and tags."""
PREFIXES: Final = ("sync-", "external-source")
CONSUL_AWS: Final = "consul-aws"
"""The owner that instances written by hashicorp/consul-aws are held to have."""
CONSUL_AWS_DESCRIPTION: Final = "Imported from Consul"
"""What hashicorp/consul-aws writes into the description of the services that it creates."""

_FIELDS: Final = ("owner", "origin", "service", "instance", "chain")
_LONGEST: Final = 1024
_PLAIN: Final = re.compile(r"[!-$&-~](?:[ -$&-~]*[!-$&-~])?")


def to_attributes(mark: Mark) -> dict[str, str]:
    """Return the attributes that stand for *mark*.

    Raises:
        Refused: a part of it is too long.
    """
    values = (mark.owner, mark.origin, mark.service, mark.instance, ",".join(mark.chain))
    attributes = {
        f"sync-{field}": encode(value) for field, value in zip(_FIELDS, values, strict=True) if value
    }
    attributes["external-source"] = "consul" if mark.origin.startswith("consul/") else "aws"
    return attributes


def from_attributes(attributes: Mapping[str, str]) -> Mark | None:
    """Return the mark in *attributes*; None where there is none."""
    if "sync-owner" not in attributes:
        return None
    owner, origin, service, instance, chain = (
        unquote(attributes.get(f"sync-{field}", "")) for field in _FIELDS
    )
    return Mark(
        sys.intern(owner),
        sys.intern(origin),
        sys.intern(service),
        instance,
        tuple(chain.split(",")) if chain else (),
    )


def encode(value: str) -> str:
    """Return *value* in printable ASCII; different values stay different.

    Raises:
        Refused: it is longer than an attribute's value may be.
    """
    text = value if _PLAIN.fullmatch(value) else quote(value, safe="")
    if len(text) > _LONGEST:
        raise Refused(f"{value[:60]!r}... is too long for an attribute of Cloud Map", code="mark")
    return text
