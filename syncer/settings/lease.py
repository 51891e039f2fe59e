"""Several replicas of one installation: which of them writes."""

from typing import Annotated

from syncer.settings.base import Switch
from syncer.settings.types import Span


class Lease(Switch):
    """For two or more replicas: which of them writes. `true` and `false` are short for the key `enabled`.

    Each namespace is written by one replica, which holds a lock in Consul's key/value store; they share the
    namespaces among themselves, and one takes over when another is gone. The token needs `key:write` on
    `cloudmap-sync/` and `session:write`.
    """

    enabled: bool = False
    """Whether a lease is needed to write. Without it, one process alone may run."""
    ttl: Annotated[int, Span(least=10, most=300, whole=True)] = 15
    """How long a lease lasts that is not renewed, in whole seconds; Consul may take twice as long to give it to
    another. A replica that is told to stop gives its leases back at once."""
