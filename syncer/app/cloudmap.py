"""Cloud Map, wired from the settings: one API for each account and Region, one end for each namespace."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from syncer.core.carrier import Carrier
from syncer.core.errors import Missing
from syncer.core.ports import End
from syncer.settings import Settings
from syncer.settings.aws import Account
from syncer.settings.namespaces import Namespace as Section
from syncer.systems.aws import Access, Aws, Call
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.awaited import Awaited, awaited
from syncer.systems.cloudmap.carrier import carrier
from syncer.systems.cloudmap.directory import Directory
from syncer.systems.cloudmap.feed import OperationFeed
from syncer.systems.cloudmap.listing import ListSweep
from syncer.systems.cloudmap.namespaces import Creation, Namespace, find
from syncer.systems.cloudmap.operations import Operations
from syncer.systems.cloudmap.quotas import Quotas, Rate
from syncer.systems.cloudmap.reader import CloudMapReader
from syncer.systems.cloudmap.services import Services
from syncer.systems.cloudmap.sweep import HealthSweep, RevisionSweep
from syncer.systems.cloudmap.writer import CloudMapWriter

LAG = 45.0
"""Seconds until the data plane shows what was written: health takes about 30 (Cloud Map API reference,
UpdateInstanceCustomHealthStatus)."""

_DATA_PLANE = "data-servicediscovery"


@dataclass(frozen=True, slots=True)
class NamespaceEnd:
    """A namespace as the engine takes it, and what the wiring needs beside."""

    end: End
    namespace: Namespace

    @property
    def carrier(self) -> Carrier:
        """What the namespace can carry."""
        return carrier(self.namespace)

    @property
    def dns(self) -> str:
        """The DNS suffix of its services; empty without DNS."""
        return self.namespace.name if self.namespace.dns else ""


class Accounts:
    """One API for each account and Region, shared by all namespaces there: quotas are counted by these."""

    def __init__(self, settings: Settings, stop: threading.Event, on_call: Callable[[Call], None]) -> None:
        self.settings = settings
        self._stop = stop
        self._on_call = on_call
        self._apis: dict[Account, Api] = {}
        self._lock = threading.Lock()

    def api(self, account: Account) -> Api:
        """Return the API of *account*."""
        with self._lock:
            if account not in self._apis:
                self._apis[account] = self._open(account)
            return self._apis[account]

    def _open(self, account: Account) -> Api:
        aws = self.settings.aws
        access = Access(
            region=account.region,
            profile=account.profile,
            role_arn=account.role_arn,
            external_id=account.external_id,
            endpoint_url=aws.endpoint_url,
            endpoint_urls={str(name): url for name, url in aws.endpoint_urls.items()},
            timeout=aws.timeout,
        )
        url = access.endpoint_urls.get(_DATA_PLANE)
        data = None
        if url is not None:
            elsewhere = replace(access, endpoint_urls={**access.endpoint_urls, "servicediscovery": url})
            data = Aws(elsewhere, on_call=self._on_call, stop=self._stop)
        quotas = Quotas({name: Rate(rate.rate, rate.burst) for name, rate in aws.rates.items()})
        return Api(Aws(access, on_call=self._on_call, stop=self._stop), quotas, self._stop, data)


def open_namespace(
    accounts: Accounts, section: Section, may_write: Callable[[], object] = lambda: True
) -> NamespaceEnd:
    """Find the namespace that *section* names, or create it if it says so, and return it as an end.

    No write begins while *may_write* gives nothing true.

    Raises:
        SyncError: it is not there, is ambiguous, or cannot be asked for.
    """
    settings = accounts.settings
    api = accounts.api(section.account(settings.aws))
    create = _creation(section)
    namespace = find(api, name=section.name, handle=section.id, kind=section.type, create=create)
    api = api.permitted(may_write)
    directory = Directory(api, namespace)
    operations = Operations(api)
    reader = CloudMapReader(api, namespace, directory)
    services = Services(api, namespace, directory)
    writer = CloudMapWriter(api, services, directory, operations)
    aws = settings.aws
    feed = OperationFeed(api, namespace, directory, operations, interval=settings.intervals.feed)
    revisions = RevisionSweep(
        api, namespace, directory, per_second=aws.sweep_per_second, seen=reader.revision
    )
    health = HealthSweep(directory, reader, settings.owner, per_second=aws.health_probes_per_second)
    watches = (feed, revisions, health, ListSweep(directory))
    return NamespaceEnd(End(reader, watches, writer, lag=LAG), namespace)


def look_at_namespace(accounts: Accounts, section: Section, label: str) -> tuple[NamespaceEnd, bool]:
    """Return the namespace that *section* names, and whether it is there: where it is yet to be created, an empty one.

    Creates nothing; raises as :func:`open_namespace`.
    """
    create = _creation(section)
    try:
        return open_namespace(accounts, section.model_copy(update={"create": None}), lambda: False), True
    except Missing:
        if create is None:
            raise
    empty = Awaited(f"cloudmap/{label}")
    return NamespaceEnd(End(empty, writer=empty), awaited(section.known_as, create)), False


def _creation(section: Section) -> Creation | None:
    create = section.create
    return None if create is None else Creation(create.type, create.vpc, create.description)
