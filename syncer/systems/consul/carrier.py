"""What Consul can carry."""

import re
from typing import Final

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.systems.consul.marks import MARK_PAIRS, PAIRS, RESERVED, VALUE_BYTES

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_LONGEST_LABEL: Final = 63


def name_problem(name: str) -> str | None:
    """Return why Consul's DNS would not answer for a service called *name*; None if it would."""
    if name == "consul":
        return "'consul' is the name of Consul's own servers there"
    if len(name) > _LONGEST_LABEL:
        return f"Consul's DNS answers names of at most {_LONGEST_LABEL} characters, this one has {len(name)}"
    if "." in name:
        return "Consul's DNS answers names of one label only, without a dot"
    if not _LABEL.fullmatch(name):
        return "Consul's DNS answers only letters, digits and inner hyphens"
    return None


# The limit is in bytes; in characters it depends on how many bytes each has.
_VALUE = re.compile(
    rf"[\x00-\x7f]{{0,{VALUE_BYTES}}}|[\x00-\u07ff]{{0,{VALUE_BYTES // 2}}}"
    rf"|[\x00-\ud7ff\ue000-\uffff]{{0,{VALUE_BYTES // 3}}}|[^\ud800-\udfff]{{0,{VALUE_BYTES // 4}}}"
)

CONSUL_CARRIER: Final = Carrier(
    name_problem=name_problem,
    attributes=AttributeLimits(
        count=PAIRS - MARK_PAIRS,
        key=re.compile(r"[A-Za-z0-9_-]+"),
        key_length=128,
        value=_VALUE,
        value_length=VALUE_BYTES,
        reserved=RESERVED,
    ),
    hostnames=True,
    public_addresses=True,
)
"""Consul's limits. Source: facts of service meta in Consul's catalog API; DNS names per RFC 1035."""
