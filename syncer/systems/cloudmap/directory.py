"""The services of a namespace by name and id, as they were last listed."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from syncer.core.errors import Garbled, Missing
from syncer.core.model import ServiceInfo
from syncer.systems.aws import required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.mapping import to_info
from syncer.systems.cloudmap.namespaces import Namespace

_CONFIRMED: Final = 20
"""Services that left the list and are asked for one by one; of more, so many."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One service as Cloud Map described it."""

    name: str
    info: ServiceInfo
    arn: str
    instances: int
    """How many it said to have, at the time."""
    checked: bool
    """Whether its instances have a health that can change: a custom health check, or one of Route 53."""


class Directory:
    """Knows which services a namespace has. Thread-safe; methods that call raise SyncError."""

    def __init__(self, api: Api, namespace: Namespace) -> None:
        self._api = api
        self._namespace = namespace
        self._lock = threading.Lock()
        self._by_name: dict[str, Entry] = {}
        self._by_id: dict[str, Entry] = {}
        self.listed = False
        """Whether a complete list was ever had."""
        self._listed_at = 0.0

    def refresh(self, *, older: float = 0.0) -> frozenset[str]:
        """List all services, unless that was done less than *older* seconds ago; return their names.

        Raises:
            Garbled: the list leaves out services that are there.
            Missing: the namespace is gone, for which the API gives an empty list.
        """
        began = time.monotonic()
        with self._lock:
            if self.listed and began - self._listed_at < older:
                return frozenset(self._by_name)
            # What is created while the pages are read may be on none of them.
            known = dict(self._by_name)
        filters = [{"Name": "NAMESPACE_ID", "Values": [self._namespace.handle], "Condition": "EQ"}]
        pages = self._api.pages("ListServices", "Services", Filters=filters, MaxResults=100)
        entries = [_entry(item) for page in pages for item in page]
        names = {entry.name for entry in entries}
        gone = [entry for name, entry in known.items() if name not in names]
        if gone or not entries:
            self._api.call("GetNamespace", Id=self._namespace.handle)
        for entry in gone[:_CONFIRMED]:
            if self._exists(entry):
                raise Garbled(f"the list of services leaves out {entry.name}, which is there")
        with self._lock:
            for entry in gone:
                self._forget(entry)
            for entry in entries:
                self._remember(entry)
            self.listed, self._listed_at = True, began
            return frozenset(self._by_name)

    def lookup(self, name: str) -> Entry | None:
        """Return the service called *name*, as last listed; None where there is none."""
        with self._lock:
            return self._by_name.get(name)

    def named(self, service_id: str) -> str | None:
        """Return the name of the service *service_id*, asking for it if need be; None where it is not of here."""
        with self._lock:
            entry = self._by_id.get(service_id)
        if entry is None:
            try:
                entry = self.ask(service_id)
            except Missing:
                return None
        return entry.name if entry else None

    def ask(self, service_id: str) -> Entry | None:
        """Read one service anew; None where it belongs to another namespace. Raises Missing where it is gone."""
        service = required(self._api.call("GetService", Id=service_id), "Service")
        if service.get("NamespaceId") not in {self._namespace.id, self._namespace.arn, None}:
            return None
        return self.put(service)

    def put(self, service: Mapping[str, Any]) -> Entry:
        """Take in a service as Cloud Map has just described it."""
        entry = _entry(service)
        with self._lock:
            self._remember(entry)
        return entry

    def entries(self) -> tuple[Entry, ...]:
        """Return every service that is known."""
        with self._lock:
            return tuple(self._by_name.values())

    def retimed(self, name: str, ttl: int) -> None:
        """Note that the records of the service called *name* have another TTL now."""
        with self._lock:
            entry = self._by_name.get(name)
            if entry is not None:
                self._remember(replace(entry, info=replace(entry.info, ttl=ttl)))

    def forget(self, name: str) -> None:
        """Note that the service called *name* is gone."""
        with self._lock:
            entry = self._by_name.get(name)
            if entry is not None:
                self._forget(entry)

    def _exists(self, entry: Entry) -> bool:
        try:
            self._api.call("GetService", Id=entry.info.id)
        except Missing:
            return False
        return True

    def _remember(self, entry: Entry) -> None:
        before = self._by_name.get(entry.name)
        if before is not None and before.info.id != entry.info.id:
            self._forget(before)
        self._by_name[entry.name] = self._by_id[entry.info.id] = entry

    def _forget(self, entry: Entry) -> None:
        if self._by_id.get(entry.info.id) is not None:
            del self._by_id[entry.info.id]
        known = self._by_name.get(entry.name)
        if known is not None and known.info.id == entry.info.id:
            del self._by_name[entry.name]


def _entry(service: Mapping[str, Any]) -> Entry:
    info = to_info(service)
    checked = info.health_settable or bool(service.get("HealthCheckConfig"))
    return Entry(service["Name"], info, service.get("Arn", ""), service.get("InstanceCount") or 0, checked)
