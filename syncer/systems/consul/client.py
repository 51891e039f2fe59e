"""python-consul2's client, put together for our transport and with our settings alone."""

from consul import base

from syncer.systems.consul.endpoint import Endpoint
from syncer.systems.consul.transport import Transport


class ConsulClient(base.Consul):  # type: ignore[misc]  # the library is published without types
    """python-consul2's API for a syncer, on our transport.

    The library's own constructor lets CONSUL_HTTP_* in the environment override what it is given (and fails on
    what it cannot parse there); here the settings decide, so it is not called.
    """

    http: Transport

    def __init__(self, endpoint: Endpoint, transport: Transport) -> None:
        self.endpoint = endpoint
        self.http = transport
        self.token = None  # in the transport's headers
        self.dc = endpoint.datacenter
        self.scheme = endpoint.scheme
        self.consistency = "default"
        self.agent = base.Consul.Agent(self)
        self.catalog = base.Consul.Catalog(self)
        self.health = base.Consul.Health(self)
        self.kv = base.Consul.KV(self)
        self.session = base.Consul.Session(self)
        self.status = base.Consul.Status(self)
        self.txn = base.Consul.Txn(self)
