"""The emulated AWS with target groups whose targets are known by address and port."""

from typing import Any

from typing_extensions import override

from .elb_world import TargetGroups, TargetsEndpoint
from .httpd import Answer, Request
from .server import EmulatedAws
from .settings import Settings


class WithTargetGroups(EmulatedAws):
    """As `EmulatedAws`, with `target_groups`, which tests may turn and look at. To be mixed with others of its kind."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        self.target_groups = TargetGroups()
        self._targets = TargetsEndpoint(self.target_groups)
        super().__init__(settings, **options)

    @override
    def _other(self, request: Request) -> Answer:
        return self._targets.handle(request) or super()._other(request)
