"""Consul, wired from the settings."""

from collections.abc import Callable
from dataclasses import dataclass

from syncer.core.errors import Refused
from syncer.core.ports import End
from syncer.settings import Settings
from syncer.systems.consul.about import AgentInfo, agent_info
from syncer.systems.consul.call import Call
from syncer.systems.consul.carrier import CONSUL_CARRIER
from syncer.systems.consul.client import ConsulClient
from syncer.systems.consul.completeness import Completeness
from syncer.systems.consul.endpoint import Endpoint, Tls
from syncer.systems.consul.reader import ConsulReader
from syncer.systems.consul.transport import Transport
from syncer.systems.consul.watch import ConsulWatch
from syncer.systems.consul.writer import Batching, ConsulWriter

CARRIER = CONSUL_CARRIER

_READERS = 8
_WRITERS = 8


@dataclass(frozen=True, slots=True)
class ConsulEnd:
    """Consul as the engine takes it, and what its agent says of itself."""

    end: End
    info: AgentInfo
    client: ConsulClient


def endpoint(settings: Settings) -> Endpoint:
    """Return where Consul is and how one gets in."""
    consul = settings.consul
    files = (consul.tls.ca_file, consul.tls.cert_file, consul.tls.key_file)
    ca, cert, key = (str(path) if path else None for path in files)
    return Endpoint.at(
        consul.address,
        token=consul.token.get_secret_value() if consul.token else "",
        datacenter=consul.datacenter,
        namespace=consul.namespace,
        partition=consul.partition,
        tls=Tls(ca, cert, key, consul.tls.server_name, consul.tls.verify),
    )


def connect(
    settings: Settings,
    on_call: Callable[[Call], None],
    may_write: Callable[[str], object] = lambda _origin: True,
) -> ConsulEnd:
    """Ask the agent what it is, and return it as an end.

    Nothing that came from a registry is written while *may_write*, given its id, gives nothing true.

    Raises:
        SyncError: Consul cannot be reached, or refuses; trying again later may help.
    """
    consul = settings.consul
    where = endpoint(settings)
    try:
        if where.scheme == "https":
            where.tls.context  # noqa: B018 - reads the certificates, so that a bad one is told now
    except OSError as e:
        raise Refused(f"a certificate or key of consul.tls cannot be used: {e}", code="tls") from e

    def client(connections: int) -> ConsulClient:
        transport = Transport(where, connections=connections, read_timeout=consul.timeout, on_call=on_call)
        return ConsulClient(where, transport)

    reading = client(_READERS)
    info = agent_info(reading)
    completeness = Completeness(reading, info)
    prefix = consul.node_prefix
    datacenter = consul.datacenter or info.datacenter
    reader = ConsulReader(
        reading, datacenter, completeness=completeness, node_prefix=prefix, parallel=_READERS
    )
    watch = ConsulWatch(
        where,
        completeness=completeness,
        node_prefix=prefix,
        narrow=consul.watch.narrow,
        wait=consul.watch.wait,
        read_timeout=consul.timeout,
        on_call=on_call,
    )
    batching = Batching.of(info)
    writer = ConsulWriter(
        client(_WRITERS), node_prefix=prefix, parallel=_WRITERS, batching=batching, may_write=may_write
    )
    return ConsulEnd(End(reader, (watch,), writer, lag=2.0), info, reading)
