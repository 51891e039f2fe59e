"""What a target group can carry."""

import re
from functools import partial
from typing import Final

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.systems.elb.arns import name_problem

_ANYTHING: Final = re.compile(r".*", re.DOTALL)
_MANY: Final = 10**6


def elb_carrier(region: str) -> Carrier:
    """Return the limits of the target groups of *region*.

    Attributes and tags are all let through here and dropped without a word in the stored form: a target holds none.
    Its health is found by the load balancer's own checks.
    """
    return Carrier(
        name_problem=partial(name_problem, region=region),
        attributes=AttributeLimits(
            count=_MANY, key=_ANYTHING, key_length=_MANY, value=_ANYTHING, value_length=_MANY
        ),
        hostnames=False,
        healths=False,
    )
