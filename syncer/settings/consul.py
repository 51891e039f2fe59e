"""How to reach Consul, and what its names look like."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from typing_extensions import override

from syncer.core.forms import ConsulDomain
from syncer.settings.base import Model, Problem
from syncer.settings.texts import File, ReadableFile, Server, Url, split_address
from syncer.settings.types import Period, Shape, Span, wrong

Label = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
        "is no name that Consul takes here",
        "write at most 63 letters, digits and inner -",
    ),
]


def _header(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise wrong("is empty or has characters that no token has", "write the token's SecretID alone")
    return value


Token = Annotated[SecretStr, AfterValidator(_header)]


class Tls(Model):
    """Certificates for `https://`."""

    ca_file: ReadableFile | None = Field(default=None, examples=["/etc/cloudmap-sync/consul-ca.pem"])
    """Certificates (PEM) of the authorities that Consul's certificate is checked against. Default: the system's."""
    cert_file: ReadableFile | None = Field(default=None, examples=["/etc/cloudmap-sync/client.pem"])
    """Our client certificate (PEM), where Consul asks for one (`verify_incoming`)."""
    key_file: ReadableFile | None = Field(default=None, examples=["/etc/cloudmap-sync/client-key.pem"])
    """The client certificate's private key (PEM, without a passphrase)."""
    server_name: str | None = Field(default=None, min_length=1, examples=["server.dc1.consul"])
    """The name that Consul's certificate must carry, where it is not the address's host."""
    verify: bool = True
    """Whether Consul's certificate is checked. `false` lets anybody on the way read the token."""

    @override
    def problems(self) -> Iterator[Problem]:
        """A certificate needs its key, and a key its certificate."""
        if (self.cert_file is None) != (self.key_file is None):
            have, lack = ("cert_file", "key_file") if self.cert_file else ("key_file", "cert_file")
            yield Problem((have,), f"stands without {lack}", f"write {lack}, too", about=((lack,),))


class ConsulWatch(Model):
    """How changes in Consul are noticed."""

    narrow: int = Field(default=64, ge=0, le=150)
    """Services, at most, that have a blocking query of their own: those that changed last. One connection each,
    and an agent allows one client 200 (`http_max_conns_per_client`). All others are covered by two queries."""
    wait: Annotated[float, Span(least=1, most=600)] = 300.0
    """How long Consul may hold a blocking query. It allows 10 minutes at most."""


class Consul(Model):
    """The Consul datacenter to keep in step, reached through one agent or server."""

    address: Url = Field(default="http://127.0.0.1:8500", examples=["https://consul.example.com:8501"])
    """Where Consul's HTTP API answers. Where the key is not written, `CONSUL_HTTP_ADDR` counts."""
    token: Token | None = Field(default=None, examples=["${CONSUL_TOKEN}"])
    """The ACL token; sent as a header, shown nowhere. Where neither `token` nor `token_file` is written,
    `CONSUL_HTTP_TOKEN_FILE` counts, then `CONSUL_HTTP_TOKEN`."""
    token_file: File | None = Field(default=None, examples=["/run/secrets/consul-token"])
    """A file that holds the ACL token, in place of `token`."""
    datacenter: Label | None = Field(default=None, examples=["dc1"])
    """The datacenter to ask for. Default: the agent's own."""
    namespace: Label | None = Field(default=None, examples=["team-a"])
    """The namespace (Consul Enterprise). Default: the token's."""
    partition: Label | None = Field(default=None, examples=["default"])
    """The admin partition (Consul Enterprise). Default: the agent's."""
    tls: Tls = Tls()
    node_prefix: Label = "cloudmap-sync"
    """Begins the names of the nodes that hold what comes from Cloud Map, one node for each namespace. Must not be
    the beginning of a real agent's name: an agent removes from its own node what it does not know."""
    domain: Annotated[
        str,
        Shape(
            r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*", "is no domain", "write it without a dot in front"
        ),
    ] = "consul"
    """The domain of Consul's DNS, where the agents are configured with another than `consul`."""
    dns_address: Server | None = Field(default=None, examples=["127.0.0.1:8600"])
    """The DNS server that `syncer names --resolve` asks for Consul's names, as host or host:port.
    Default: the host of `address`, port 8600."""
    timeout: Period = 10.0
    """How long a call may take; a blocking query's own waiting time comes on top."""
    watch: ConsulWatch = ConsulWatch()

    @property
    def dns_server(self) -> tuple[str, int]:
        """Host and port of Consul's DNS server."""
        if self.dns_address is not None:
            return split_address(self.dns_address, 8600)
        return urlsplit(self.address).hostname or "127.0.0.1", 8600

    def dns_domain(self, datacenter: str) -> ConsulDomain:
        """Return where the names of *datacenter* live, the one that the agent says it is in."""
        return ConsulDomain(
            self.domain, self.datacenter or datacenter, self.namespace or "", self.partition or ""
        )

    @override
    def problems(self) -> Iterator[Problem]:
        """Certificates are of use over TLS only."""
        if any((self.tls.ca_file, self.tls.cert_file)) and not self.address.startswith("https://"):
            yield Problem(
                ("tls",),
                "has certificates, but address is not https://",
                "write an address that begins with https://",
                about=(("address",),),
            )
