"""Ids on the target side: stable, DNS-safe, readable, and different for different origins."""

import hashlib
import re
from typing import Final

MAX_LABEL: Final = 63
"""A DNS label's length; with SRV records Cloud Map makes the instance id one (RFC 1035, 2.3.4)."""

_DIGEST = 10
_UNSAFE = re.compile(r"[^a-z0-9]+")


def target_id(origin: str, service: str, instance: str, attempt: int = 0, *, name: str = "") -> str:
    """Return the id that *instance* of *service* in the registry *origin* gets on the target side.

    The same arguments always give the same id. It is one lower-case DNS label of at most 63 characters: what a
    person can read of *instance*, then a digest of all the arguments, so that ids that look alike do not meet.
    *attempt* gives further ids where the first is taken. A *name* other than the service's own gives another id:
    Consul knows ids by node, so under one id what leaves an old name would take what came under the new one along.
    """
    renamed = [f"as {name}"] if name and service and name != service else []
    digest = short_digest(origin, service, instance, *renamed, *([str(attempt)] if attempt else []))
    readable = dns_label(instance.rsplit("/", 1)[-1], MAX_LABEL - _DIGEST - 1) or "i"
    return f"{readable}-{digest}"


def short_digest(*parts: str) -> str:
    """Return ten hexadecimal digits of *parts*; a boundary moved between two parts changes it."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    # JSON can carry half of a surrogate pair; an odd id is no reason to fail.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]


def dns_label(text: str, length: int = MAX_LABEL) -> str:
    """Return what is left of *text* as one DNS label of at most *length* characters; may be empty."""
    return _UNSAFE.sub("-", text.lower()).strip("-")[:length].strip("-")
