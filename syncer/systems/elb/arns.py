"""ARNs of target groups: the names of the services here."""

import re
from typing import Final

_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):[0-9]{12}:targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]+"
)


def name_problem(name: str, region: str) -> str | None:
    """Return why *name* is no target group of *region*; None if it is one."""
    match = _ARN.fullmatch(name)
    if match is None:
        return "it is no ARN of a target group"
    if match["region"] != region:
        return f"the target group is in {match['region']}, and this target writes in {region}"
    return None
