"""The emulated AWS with a Route 53 that lists, paces and orders changes as the real one does."""

from typing import Any

from typing_extensions import override

from .httpd import Answer, Request
from .route53_world import Route53Endpoint, Route53World
from .server import EmulatedAws
from .settings import Settings


class WithRoute53(EmulatedAws):
    """As `EmulatedAws`, with `route53`, which tests may turn. To be mixed with others of its kind."""

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        self.route53 = Route53World()
        self._route53 = Route53Endpoint(self.route53)
        super().__init__(settings, **options)

    @override
    def _other(self, request: Request) -> Answer:
        return self._route53.handle(request) or super()._other(request)
