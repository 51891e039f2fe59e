"""All that the emulated Cloud Map knows, kept apart by account and Region."""

import itertools
import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import namespace_not_found, service_not_found
from .model import Namespace, Operation, Service
from .settings import Settings
from .timeline import Timeline

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(slots=True, eq=False)
class Registry:
    """The Cloud Map of one account in one Region."""

    account: str
    region: str
    state: "State"
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    by_http_name: dict[str, Namespace] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    operations_of: dict[str, dict[str, Operation]] = field(default_factory=dict)
    creating: dict[tuple[str, str], Operation] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    names_used: set[str] = field(default_factory=set)
    retired_ids: dict[tuple[str, str], str] = field(default_factory=dict)

    def arn(self, kind: str, identifier: str) -> str:
        """Return the ARN of a ``namespace`` or ``service``."""
        return f"arn:aws:servicediscovery:{self.region}:{self.account}:{kind}/{identifier}"

    def _own(self, kind: str, reference: str) -> str | None:
        """Return the id in *reference* (an id or an ARN), or None for somebody else's ARN."""
        if not reference.startswith("arn:"):
            return reference
        prefix = self.arn(kind, "")
        return reference.removeprefix(prefix) if reference.startswith(prefix) else None

    def namespace(self, reference: str) -> Namespace:
        """Return the namespace of an id or ARN. Raises NamespaceNotFound."""
        found = self.namespaces.get(self._own("namespace", reference) or "")
        if found is None:
            raise namespace_not_found(reference)
        return found

    def service(self, reference: str) -> Service:
        """Return the service of an id or ARN. Raises ServiceNotFound."""
        found = self.services.get(self._own("service", reference) or "")
        if found is None:
            raise service_not_found(reference)
        return found


@dataclass(slots=True)
class Call:
    """One request on its way through."""

    registry: Registry
    operation: str
    params: dict[str, Any]
    received: float
    now: float = 0.0
    fail_with: tuple[str, str] | None = None
    slow_by: float = 0.0

    @property
    def state(self) -> "State":
        """The state behind the registry."""
        return self.registry.state


class State:
    """Registries, clock, settings and the sources of ids. Everything here needs ``lock``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.timeline = Timeline()
        self.lock = self.timeline.lock
        self.registries: dict[tuple[str, str], Registry] = {}
        self.random = random.Random()
        self.on_operation: list[Callable[[float, Operation], None]] = []
        self._counter = itertools.count(1)

    def registry(self, account: str, region: str) -> Registry:
        """Return the registry of *account* and *region*, made at first use."""
        key = (account, region)
        if key not in self.registries:
            self.registries[key] = Registry(account, region, self)
        return self.registries[key]

    def next(self) -> int:
        """Return a number greater than all before: sequences and revisions come from here."""
        return next(self._counter)

    def token(self, size: int) -> str:
        """Return a random id of *size* characters."""
        return "".join(self.random.choices(_ALPHABET, k=size))
