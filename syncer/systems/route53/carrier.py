"""What a hosted zone can carry."""

import re
from functools import partial
from typing import Final

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.systems.route53.names import name_problem

_ANYTHING: Final = re.compile(r".*", re.DOTALL)
_MANY: Final = 10**6


def route53_carrier(zone: str) -> Carrier:
    """Return the limits of the hosted zone called *zone*.

    Attributes and tags are all let through here and dropped without a word in the stored form: a DNS record has no
    room for any of them. Source: Route 53 API reference, ResourceRecordSet.
    """
    return Carrier(
        name_problem=partial(name_problem, zone=zone),
        attributes=AttributeLimits(
            count=_MANY, key=_ANYTHING, key_length=_MANY, value=_ANYTHING, value_length=_MANY
        ),
        unique_address=True,
        hostnames=False,
        healths=False,
    )
