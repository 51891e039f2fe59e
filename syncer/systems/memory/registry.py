"""The registry in memory itself."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from syncer.core.carrier import Carrier, fit
from syncer.core.errors import Missing, QuotaExceeded, Refused, SyncError
from syncer.core.model import Complete, Instance, Listed, Listing, Read, ServiceInfo, Unlisted, Unreadable
from syncer.core.plan import (
    Change,
    CreateService,
    DeleteService,
    Deregister,
    Register,
    SetHealth,
    Update,
    UpdateService,
)
from syncer.systems.memory.faults import Faults

_UNSPECIFIED = frozenset({"0.0.0.0", "::"})  # noqa: S104 - refused, not bound to


@dataclass(slots=True)
class _Service:
    instances: dict[str, Instance]
    info: ServiceInfo | None = None


class MemoryRegistry:
    """Holds services; *carrier* says what it takes. Thread-safe."""

    def __init__(self, id: str, carrier: Carrier, *, limit: int = 1000, parallel: int = 4) -> None:  # noqa: A002 - the port's word
        """Take at most *limit* instances a service."""
        self.carrier = carrier
        self.faults = Faults()
        self._id = id
        self._limit = limit
        self._parallel = parallel
        self._services: dict[str, _Service] = {}
        self._past: dict[str, Complete] | None = None
        self._listeners: list[Callable[[str], None]] = []
        self._lock = threading.RLock()

    @property
    def id(self) -> str:
        """The id that it was given."""
        return self._id

    @property
    def parallel(self) -> int:
        """How many reads at once it is said to bear."""
        return self._parallel

    def services(self) -> Listing:
        """List the names of all services, unless that was asked to fail."""
        try:
            self.faults.meet("list")
        except SyncError as e:
            return Unlisted(str(e), e.code)
        with self._lock:
            return Listed(frozenset(self._services))

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read one service, unless that was asked to fail; as it was, while reads lag and *fresh* is not asked for."""
        try:
            self.faults.meet("read", service)
        except SyncError as e:
            return Unreadable(service, str(e), e.code)
        with self._lock:
            if self._past is not None and not fresh:
                return self._past.get(service, Complete(service, ()))
            return self.look(service)

    def lag(self) -> None:
        """Let reads that do not ask for what is fresh see what there is now, until :meth:`catch_up`."""
        with self._lock:
            self._past = {name: self.look(name) for name in self._services}

    def catch_up(self) -> None:
        """End what :meth:`lag` began."""
        with self._lock:
            self._past = None

    def look(self, service: str) -> Complete:
        """Return what *service* holds; no call that is counted, delayed or failed."""
        with self._lock:
            held = self._services.get(service, _Service({}))
            return Complete(service, tuple(held.instances.values()), held.info)

    def carry_out(self, change: Change) -> None:
        """Do what *change* says, as a call of the registry's API would.

        Raises:
            SyncError: it is impossible, or a fault was asked for.
        """
        self.faults.meet("write", change.service)
        self._do(change)

    def put(self, *instances: Instance, records: frozenset[str] = frozenset({"A"})) -> None:
        """Write *instances* as a user would, whatever faults there are; a missing service is created with *records*.

        Raises:
            SyncError: it is impossible.
        """
        for instance in instances:
            if self.carrier.service_entities and self.look(instance.service).info is None:
                self._do(CreateService(instance.service, records, 60, "", ""))
            self._do(Register(instance))

    def remove(self, service: str, *ids: str) -> None:
        """Remove instances as a user would, whatever faults there are; all of *service* where none is named."""
        for item in self.look(service).instances:
            if not ids or item.id in ids:
                self._do(Deregister(item))

    def listen(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call *listener* with the name of every service that changes, until the returned function is called."""
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return leave

    def _do(self, change: Change) -> None:
        with self._lock:
            self._apply(change)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(change.service)

    def _apply(self, change: Change) -> None:
        match change:
            case CreateService():
                if not self.carrier.service_entities or change.service in self._services:
                    raise Refused(
                        f"{change.service!r} is there, or cannot be made", code="ServiceAlreadyExists"
                    )
                ttl = change.ttl if change.records else None
                info = ServiceInfo(f"srv-{change.service}", change.owner or None, change.records, ttl)
                self._services[change.service] = _Service({}, info)
            case UpdateService():
                held = self._service(change.service)
                held.info = held.info and replace(held.info, ttl=change.ttl)
            case Register() | Update():
                self._write(change.instance)
            case SetHealth():
                self._set_health(change.instance)
            case Deregister():
                self._deregister(change.instance)
            case DeleteService():
                if self._service(change.service).instances:
                    raise Refused(f"{change.service!r} has instances", code="ResourceInUse")
                del self._services[change.service]
            case _:
                assert_never(change)

    def _service(self, name: str) -> _Service:
        if name not in self._services:
            raise Missing(f"there is no service {name!r}", code="ServiceNotFound")
        return self._services[name]

    def _write(self, instance: Instance) -> None:
        problem = self.carrier.name_problem(instance.service)
        if problem is not None or fit(instance, self.carrier.attributes)[1]:
            raise Refused(problem or "an attribute or a tag is not allowed", code="InvalidInput")
        if not instance.addresses or _UNSPECIFIED & set(instance.addresses):
            raise Refused("it has no address", code="InvalidInput")
        if self.carrier.service_entities:
            held = self._service(instance.service)
        else:
            held = self._services.get(instance.service, _Service({}))
        others = [item for item in held.instances.values() if item.id != instance.id]
        if set(self._exclusive(instance, held)) & {a for item in others for a in self._exclusive(item, held)}:
            raise Refused("another instance has the address", code="INVALID_CHANGE_BATCH")
        if len(others) >= self._limit:
            raise QuotaExceeded(
                f"a service has at most {self._limit} instances", code="ResourceLimitExceeded"
            )
        held.instances[instance.id] = instance
        self._services[instance.service] = held

    def _exclusive(self, instance: Instance, held: _Service) -> Iterator[str]:
        if self.carrier.unique_address:
            records = {"A", "AAAA"} if held.info is None else held.info.records
            for record, address in (("A", instance.ipv4), ("AAAA", instance.ipv6)):
                if address and record in records:
                    yield address

    def _set_health(self, instance: Instance) -> None:
        held = self._service(instance.service)
        if not self.carrier.healths or (held.info is not None and not held.info.health_settable):
            raise Refused("there is no health to be set", code="CustomHealthNotFound")
        if instance.id not in held.instances:
            raise Missing(f"there is no instance {instance.id!r}", code="InstanceNotFound")
        held.instances[instance.id] = replace(held.instances[instance.id], health=instance.health)

    def _deregister(self, instance: Instance) -> None:
        held = self._services.get(instance.service)
        if held is not None:
            held.instances.pop(instance.id, None)
            if not held.instances and not self.carrier.service_entities:
                del self._services[instance.service]
