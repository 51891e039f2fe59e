"""The emulated AWS with everything: Cloud Map, ECS, Route 53 and target groups at one endpoint."""

from .ecs_server import EmulatedAwsWithEcs
from .elb_server import WithTargetGroups
from .route53_server import WithRoute53


class WholeAws(WithRoute53, WithTargetGroups, EmulatedAwsWithEcs):
    """All of the emulated services."""
