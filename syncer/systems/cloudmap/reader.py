"""Reads one namespace: complete or unreadable for each service, however it may be broken."""

import random
import threading
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from syncer.core.errors import Garbled, Missing, SyncError
from syncer.core.model import Complete, Instance, Listed, Listing, Read, Unlisted, Unreadable
from syncer.systems.aws import guarded, required
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory, Entry
from syncer.systems.cloudmap.mapping import INIT_HEALTH, to_instance
from syncer.systems.cloudmap.namespaces import Namespace

_MOST: Final = 1000
"""What DiscoverInstances answers with at most, without a word that there is more."""
_RELIST: Final = 2.0
"""Seconds between two lists for the sake of services that the last one did not have."""
_REMEMBERED: Final = 60.0
"""Seconds for which an instance counts as known to be gone."""
_CONFIRMED: Final = 10
"""Instances that went and are asked for one by one; of more, so many, chosen at random."""

Found = dict[str, tuple[Mapping[str, str], str | None]]
"""Instance id to attributes and health status."""


class CloudMapReader:
    """One namespace as a registry.

    The data plane (DiscoverInstances) is read by default: it has attributes and health in one fast call. It lags
    behind, and is cut at 1,000; so the control plane (ListInstances) is asked where the last write must show, where
    an answer is full, and before fewer instances are reported than there were.
    """

    def __init__(self, api: Api, namespace: Namespace, directory: Directory, *, parallel: int = 12) -> None:
        """Read *namespace* through *api*, *parallel* services at once."""
        self._api = api
        self._namespace = namespace
        self._directory = directory
        self._parallel = parallel
        self._lock = threading.Lock()
        self._last: dict[str, tuple[str, ...]] = {}
        self._revisions: dict[str, int] = {}
        self._ended: dict[str, dict[str, float]] = {}
        """Service to instance ids that Cloud Map said are gone, when asked for them; ``time.monotonic()``."""

    @property
    def id(self) -> str:
        """The registry's id, ``cloudmap/ns-…``."""
        return f"cloudmap/{self._namespace.id}"

    @property
    def parallel(self) -> int:
        """How many reads at once do it no harm."""
        return self._parallel

    def revision(self, service: str) -> int | None:
        """Return the revision that the last read of *service* has seen; None where none was."""
        with self._lock:
            return self._revisions.get(service)

    def services(self) -> Listing:
        """List the names of all services; never an empty list for a failed call or a namespace that vanished."""
        try:
            names = guarded(self._directory.refresh)
        except SyncError as e:
            return Unlisted(str(e), e.code)
        return Listed(names)

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read one service, whole; *fresh* asks the control plane, which knows what was written last."""
        try:
            return guarded(lambda: self._read(service, fresh=fresh))
        except SyncError as e:
            return Unreadable(service, str(e), e.code)

    def _read(self, service: str, *, fresh: bool) -> Complete:
        if not self._directory.listed:
            self._directory.refresh()
        entry = self._directory.lookup(service)
        if entry is None:
            entry = self._appeared(service)
        if entry is None:
            return self._absent(service)
        try:
            return self._whole(entry, fresh=fresh)
        except Missing as e:
            if "Namespace" in e.code:
                raise
        self._directory.refresh()
        entry = self._directory.lookup(service)
        if entry is None and not self._unknown(service):
            raise Garbled(f"the list of services does not have {service}, and the data plane does")
        return self._absent(service) if entry is None else self._whole(entry, fresh=True)

    def _absent(self, service: str) -> Complete:
        with self._lock:
            self._last.pop(service, None)
            self._revisions.pop(service, None)
            self._ended.pop(service, None)
        return Complete(service, ())

    def _unknown(self, service: str) -> bool:
        """Whether the data plane does not know *service*, or knows it only as another one.

        A DNS namespace answers for a name in any case: that is not the service asked for.
        """
        try:
            self._discovered(service)
        except Missing as e:
            if "Service" not in e.code:
                raise
            return True
        folded = service.casefold()
        return self._namespace.dns and any(
            entry.name != service and entry.name.casefold() == folded for entry in self._directory.entries()
        )

    def _appeared(self, service: str) -> Entry | None:
        """Return the service that the last list does not have, if it is there now; None if nobody knows it."""
        if self._unknown(service):
            return None
        self._directory.refresh(older=_RELIST)
        entry = self._directory.lookup(service)
        if entry is None:
            raise Garbled(f"the list of services does not have {service}, and the data plane does")
        return entry

    def _whole(self, entry: Entry, *, fresh: bool) -> Complete:
        with self._lock:
            ids = self._last.get(entry.name)
            gone = frozenset(self._ended.get(entry.name, ()))
        last = None if ids is None else frozenset(ids)
        discovered, visible = self._discover(entry)
        least = len(last) if last is not None else entry.instances
        settled = True
        found = discovered
        # Neither who is not shown nor who is shown after being gone is believed: the data plane lags behind.
        odd = bool(gone & discovered.keys()) or (last is not None and not last <= discovered.keys())
        if fresh or not visible or odd or len(discovered) < least or len(discovered) >= _MOST:
            found, settled = self._control(entry, discovered, last)
        with self._lock:
            self._last[entry.name] = tuple(found)
        owner = entry.info.owner
        instances = tuple(
            to_instance(entry.name, key, found[key][0], found[key][1], owner) for key in sorted(found)
        )
        ended = self._lately_ended(entry.name, found.keys())
        return Complete(entry.name, instances, entry.info, settled=settled, ended=ended)

    def _lately_ended(self, service: str, found: AbstractSet[str]) -> tuple[Instance, ...]:
        """Return the instances of *service*, by their identity, that are known to be gone rather than just missing."""
        horizon = time.monotonic() - _REMEMBERED
        with self._lock:
            for key in [k for k, at in self._ended.get(service, {}).items() if at < horizon or k in found]:
                del self._ended[service][key]
            return tuple(Instance(service, key) for key in sorted(self._ended.get(service, ())))

    def _discover(self, entry: Entry) -> tuple[Found, bool]:
        """Ask the data plane; the second value is false where it does not know a new service yet."""
        try:
            return self._discovered(entry.name), True
        except Missing as e:
            if "Service" not in e.code:
                raise
            return {}, False

    def _discovered(self, service: str) -> Found:
        answer = self._api.call(
            "DiscoverInstances",
            NamespaceName=self._namespace.http_name,
            ServiceName=service,
            MaxResults=_MOST,
            HealthStatus="ALL",
        )
        revision = answer.get("InstancesRevision")
        if revision is not None:
            with self._lock:
                self._revisions[service] = revision
        found: Found = {}
        for item in required(answer, "Instances"):
            found[item["InstanceId"]] = (item.get("Attributes") or {}, item.get("HealthStatus"))
        return found

    def _control(self, entry: Entry, discovered: Found, last: frozenset[str] | None) -> tuple[Found, bool]:
        """Ask the control plane for the instances, and take their health from the data plane."""
        pages = self._api.pages("ListInstances", "Instances", ServiceId=entry.info.id, MaxResults=100)
        listed = {item["Id"]: item.get("Attributes") or {} for page in pages for item in page}
        self._confirm(entry, listed.keys(), discovered.keys(), last)
        full = len(discovered) >= _MOST
        # A new one is not discovered yet, and its first health need not be among what is listed.
        untold = entry.checked and any(
            key not in discovered and INIT_HEALTH not in attributes for key, attributes in listed.items()
        )
        statuses = self._statuses(entry) if full or untold else {}
        found: Found = {}
        for key, attributes in listed.items():
            status = discovered[key][1] if key in discovered else statuses.get(key)
            found[key] = (attributes, status)
        alike = full or {key: _plain(value) for key, value in listed.items()} == {
            key: _plain(value[0]) for key, value in discovered.items()
        }
        return found, alike

    def _confirm(
        self,
        entry: Entry,
        listed: AbstractSet[str],
        discovered: AbstractSet[str],
        last: frozenset[str] | None,
    ) -> None:
        """Make sure of what went before it is believed: a cut or empty list looks just like it."""
        if last is None:
            if len(listed) < entry.instances or (discovered and not listed):
                again = self._directory.ask(entry.info.id)
                if again is not None and len(listed) < again.instances:
                    raise Garbled(
                        f"{entry.name} is said to have {again.instances} instances, and lists {len(listed)}"
                    )
            last = frozenset(discovered)
        went = sorted(last - listed)
        for key in went if len(went) <= _CONFIRMED else random.sample(went, _CONFIRMED):
            try:
                self._api.call("GetInstance", ServiceId=entry.info.id, InstanceId=key)
            except Missing as e:
                if "Instance" in e.code:
                    with self._lock:
                        self._ended.setdefault(entry.name, {})[key] = time.monotonic()
                elif "Service" not in e.code:
                    raise
                continue
            raise Garbled(f"the list of instances of {entry.name} leaves out {key}, which is there")

    def _statuses(self, entry: Entry) -> dict[str, str]:
        """Return health by instance for a service too large for one DiscoverInstances."""
        found: dict[str, str] = {}
        token: str | None = None
        while True:
            more: dict[str, Any] = {"NextToken": token} if token else {}
            answer = self._api.call(
                "GetInstancesHealthStatus", ServiceId=entry.info.id, MaxResults=100, **more
            )
            found |= required(answer, "Status")
            before, token = token, answer.get("NextToken")
            if not token:
                return found
            if token == before:
                raise Garbled(f"the health of {entry.name} does not end")


def _plain(attributes: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in attributes.items() if key != INIT_HEALTH}
