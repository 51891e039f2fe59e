"""The words that log, metrics and status share for what the reports say."""

import re
from typing import Final

from syncer.core.model import Instance
from syncer.core.plan import Change, InstanceChange

_KINDS: Final[dict[type, str]] = {}
_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])")


def kind(change: Change) -> str:
    """Return what *change* is in one word: ``register``, ``set_health``, ``create_service``."""
    type_ = type(change)
    word = _KINDS.get(type_)
    if word is None:
        word = _KINDS[type_] = _BOUNDARY.sub("_", type_.__name__).lower()
    return word


def endpoint(instance: Instance) -> str:
    """Return where *instance* is reached first: ``10.0.0.1:80``, ``[fd00::1]:80``, ``db.example:5432``."""
    address = next(iter(instance.addresses), "")
    if instance.port is None:
        return address
    return f"[{address}]:{instance.port}" if ":" in address else f"{address}:{instance.port}"


def endpoint_of(change: Change) -> str:
    """Return :func:`endpoint` of the instance that *change* is about; empty for a change of the service itself."""
    return endpoint(change.instance) if isinstance(change, InstanceChange) else ""
