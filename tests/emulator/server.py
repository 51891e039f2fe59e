"""The emulated AWS as one object: start it, use it, stop it."""

import itertools
import threading
from types import TracebackType
from typing import Any, Self

from moto.moto_api._internal.models import moto_api_backend

from . import zones
from .calls import Calls, Watcher
from .control import PREFIX, Control
from .dns import DnsAnswers, DnsServer
from .faults import Fault, Faults, Kind
from .httpd import Answer, HttpServer, Request
from .moto_bridge import Moto
from .others import Others
from .protocol import TARGET_PREFIX, Api
from .route53 import change_records
from .seed import Seed
from .settings import DEFAULT_REGION, Settings
from .state import State

_SERVICE = "servicediscovery"


class EmulatedAws:
    """Cloud Map as it is, the rest of AWS as moto has it, and a DNS server that answers for both.

    Use it as a context manager, or call `start` and `stop`. Cloud Map's state belongs to the
    object; moto's belongs to the process, and is emptied when the last object of it stops.
    """

    _running = 0
    _running_lock = threading.Lock()

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        dns_port: int = 0,
        region: str = DEFAULT_REGION,
    ) -> None:
        self.region = region
        self.state = State(settings or Settings())
        self._stopping = threading.Event()
        self.calls = Calls(self.state.settings.kept_calls)
        self.faults = Faults()
        self.seed = Seed(self.state, region=region)
        self.api = Api(self.state, self.calls, self.faults, self._stopping)
        self._control = Control(self.state, self.calls, self.faults, self.seed)
        ids = itertools.count(1)
        self._http = HttpServer((host, port), self._route, lambda: f"emulated-{next(ids):08x}")
        self.host, self.port = self._http.server_address[0], self._http.server_address[1]
        self._moto = Moto(int(self.port))
        self._others = Others(self.calls, self.faults, self._stopping, self._other)
        try:
            self._dns = DnsServer((host, dns_port), DnsAnswers(self.state))
        except OSError:
            self._http.server_close()
            raise

    @property
    def endpoint_url(self) -> str:
        """Where every AWS client goes."""
        return f"http://{self.host!s}:{self.port}"

    @property
    def dns_address(self) -> tuple[str, int]:
        """Host and port of the DNS server, UDP and TCP."""
        return self._dns.address

    @property
    def settings(self) -> Settings:
        """The settings in force; assign to change them while it runs."""
        return self.state.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self.state.lock:
            self.state.settings = settings
            self.api.throttle.factor = settings.throttle

    def client_options(self, **more: Any) -> dict[str, Any]:
        """Return keyword arguments for ``boto3.client``: endpoint, Region, credentials."""
        return {
            "endpoint_url": self.endpoint_url,
            "region_name": self.region,
            "aws_access_key_id": "emulated",
            "aws_secret_access_key": "emulated",
        } | more

    def fault(self, kind: Kind, **options: Any) -> Fault:
        """Put a fault in force; `faults` lists and lifts them."""
        return self.faults.add(kind, **options)

    def on_call(self, watcher: Watcher) -> None:
        """Have every successful call told: (monotonic time of receipt, operation, parameters)."""
        self.calls.watch(watcher)

    def start(self) -> Self:
        """Serve until `stop`."""
        with self._running_lock:
            EmulatedAws._running += 1
        self.state.timeline.start()
        self._dns.start()
        self._http.start()
        return self

    def stop(self) -> None:
        """Stop serving, close every connection, and forget."""
        self._stopping.set()
        self._http.stop()
        self._dns.stop()
        self.state.timeline.stop()
        with self._running_lock:
            EmulatedAws._running -= 1
            if EmulatedAws._running == 0:
                moto_api_backend.reset()
                zones.OWNED.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _route(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "")
        if target.startswith(TARGET_PREFIX):
            return self.api.handle(
                target.removeprefix(TARGET_PREFIX), request.headers.get("authorization", ""), request.body
            )
        if request.path.startswith(PREFIX):
            reply = self._control.handle(request)
            self.api.throttle.factor = self.state.settings.throttle
            return reply
        return self._others.handle(request)

    def _other(self, request: Request) -> Answer:
        return change_records(request) or self._moto.handle(request)
