"""Where Consul is, and how one gets in."""

import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Tls:
    """How an ``https`` endpoint proves itself, and how we prove ourselves."""

    ca_file: str | None = None
    """PEM file with the authorities to trust; None for those that the system trusts."""
    cert_file: str | None = None
    """Our certificate as PEM, where the server asks for one."""
    key_file: str | None = None
    """Its key; None where it stands in *cert_file*."""
    server_name: str | None = None
    """The name to ask for (SNI) and to find in the certificate, such as ``server.dc1.consul``; None: the host."""
    verify: bool = True
    """False takes any certificate: for trials only."""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The settings as one context that all connections share.

        Raises:
            OSError: a file cannot be read, or is no certificate or key.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One agent or server, and what every request to it carries."""

    host: str = "127.0.0.1"
    port: int = 8500
    scheme: str = "http"
    """``http`` or ``https``."""
    token: str = field(default="", repr=False)
    """Sent in a header, never in an address. Empty: whatever the anonymous token may do."""
    datacenter: str | None = None
    """None: the agent's own."""
    namespace: str | None = None
    """Consul Enterprise; a community edition refuses it."""
    partition: str | None = None
    """Consul Enterprise."""
    tls: Tls = field(default_factory=Tls)

    @classmethod
    def at(cls, url: str, **others: Any) -> Self:
        """Return the endpoint at *url*, such as ``https://consul.example.com:8501``; *others* are its other fields."""
        parts = urlsplit(url)
        port = parts.port or (8501 if parts.scheme == "https" else 8500)
        return cls(parts.hostname or "127.0.0.1", port, parts.scheme, **others)

    @property
    def defaults(self) -> dict[str, str]:
        """The query parameters of every request."""
        wanted = {"dc": self.datacenter, "ns": self.namespace, "partition": self.partition}
        return {key: value for key, value in wanted.items() if value}

    def registry_id(self, datacenter: str) -> str:
        """Return the id of the registry that is read through here: ``consul/dc1``, ``consul/dc1/team/default``."""
        scope = [self.partition or "default", self.namespace or "default"]
        return "/".join(["consul", datacenter, *(scope if self.partition or self.namespace else [])])
