"""Services as entities: created with their records, adopted where they exist, changed, deleted when they are ours."""

import threading
from collections.abc import Mapping
from typing import Any

from syncer.core.errors import Denied, Missing, Refused, SyncError
from syncer.core.plan import CreateService, DeleteService, UpdateService
from syncer.systems.aws import required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory, Entry
from syncer.systems.cloudmap.mapping import description
from syncer.systems.cloudmap.namespaces import Namespace


class Services:
    """Writes services of one namespace. Thread-safe; methods raise SyncError."""

    def __init__(self, api: Api, namespace: Namespace, directory: Directory) -> None:
        self._api = api
        self._namespace = namespace
        self._directory = directory
        self._lock = threading.Lock()
        self._checked: set[str] = set()

    def create(self, change: CreateService) -> None:
        """Create a service; one that exists already is adopted as it is."""
        parameters: dict[str, Any] = {
            "Name": change.service,
            "NamespaceId": self._namespace.handle,
            "Description": description(change.owner, change.origin),
            # Can be given only now, and is needed to write health later; its threshold is ignored.
            "HealthCheckCustomConfig": {},
            "Tags": [
                {"Key": "sync-owner", "Value": change.owner},
                {"Key": "sync-origin", "Value": change.origin},
            ],
        }
        if change.records and self._namespace.dns:
            records = [{"Type": record, "TTL": change.ttl} for record in sorted(change.records)]
            routing = "WEIGHTED" if "CNAME" in change.records else "MULTIVALUE"
            parameters["DnsConfig"] = {"RoutingPolicy": routing, "DnsRecords": records}
        elif self._namespace.dns:
            parameters["Type"] = "HTTP"
        try:
            answer = self._api.call("CreateService", **parameters)
        except SyncError as e:
            if e.code != "ServiceAlreadyExists":
                raise
            self._adopt(change.service, member(e, "ServiceId"))
            return
        entry = self._directory.put(required(answer, "Service"))
        with self._lock:
            self._checked.add(entry.info.id)

    def update(self, change: UpdateService) -> str | None:
        """Change the TTL of a service, and send again everything else that it has; return the operation."""
        service = required(self._api.call("GetService", Id=change.info.id), "Service")
        kept = ("Description", "DnsConfig", "HealthCheckConfig")
        settings: dict[str, Any] = {key: service[key] for key in kept if service.get(key)}
        records = [{**record, "TTL": change.ttl} for record in settings["DnsConfig"]["DnsRecords"]]
        settings["DnsConfig"] = {"DnsRecords": records}
        answer = self._api.call("UpdateService", Id=change.info.id, Service=settings)
        return str(required(answer, "OperationId"))

    def delete(self, change: DeleteService) -> None:
        """Delete a service that says to be ours; one that is gone already is deleted."""
        try:
            entry = self._directory.ask(change.info.id)
            if entry is None or entry.info.owner is None or entry.info.owner != change.info.owner:
                raise Refused(f"{change.service} does not say that it is ours", code="NotOurs")
            self._api.call("DeleteService", Id=change.info.id)
        except Missing:
            pass
        self._directory.forget(change.service)

    def writable(self, service: str, owner: str) -> Entry:
        """Return the service, once it is sure that instances may be put there.

        What ECS Service Connect manages carries a tag that says so; what we created needs no question.

        Raises:
            Missing: there is no such service.
            Refused: ECS manages it.
        """
        entry = self._directory.lookup(service)
        if entry is None:
            raise Missing(f"there is no service {service}", code="ServiceNotFound")
        with self._lock:
            checked = entry.info.id in self._checked or entry.info.owner == owner
        if not checked:
            self._check(entry)
            with self._lock:
                self._checked.add(entry.info.id)
        return entry

    def _check(self, entry: Entry) -> None:
        if not entry.arn:
            return
        try:
            tags = self._api.call("ListTagsForResource", ResourceARN=entry.arn).get("Tags") or ()
        except SyncError as e:
            if isinstance(e, Denied | Missing) or e.code == "UnknownOperationException":
                return  # what cannot be asked says nothing: ECS's own services are rarely written into
            raise
        if any(tag["Key"] == "AmazonECSManaged" and tag["Value"].lower() == "true" for tag in tags):
            raise Refused(
                f"{entry.name} is managed by ECS: nothing is written there", code="AmazonECSManaged"
            )

    def _adopt(self, service: str, service_id: str | None) -> None:
        entry = self._directory.ask(service_id) if service_id else None
        if entry is None:
            self._directory.refresh()
            entry = self._directory.lookup(service)
        if entry is None or entry.name != service:
            other = f", as {entry.name!r}" if entry else ""
            raise Refused(
                f"{service} exists already{other}: DNS holds names that differ by case to be one", code="Case"
            )


def member(error: SyncError, name: str) -> str | None:
    """Return a member that Cloud Map's error carries beside its code: ``ServiceId``, ``DuplicateOperationId``."""
    response: Mapping[str, Any] = getattr(error.__cause__, "response", None) or {}
    value = response.get(name) or (response.get("Error") or {}).get(name)
    return str(value) if value else None
