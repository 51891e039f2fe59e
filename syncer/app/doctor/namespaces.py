"""Each namespace: is it there, is it near its quotas, and what will DNS make of its services."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from syncer.app.doctor.aws import THROTTLED
from syncer.app.doctor.findings import Finding, fault, ok, some, warning
from syncer.core.errors import Missing, SyncError, Throttled
from syncer.settings.namespaces import Namespace as Section
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.directory import Directory, Entry
from syncer.systems.cloudmap.namespaces import Namespace, find

_FULL: Final = 0.8
"""The share of a quota from which on it is called near."""
_OF_A_NAMESPACE: Final = 2000
_OF_A_SERVICE: Final = 1000
"""Instances. Source: AWS Cloud Map quotas."""
_ANSWERS: Final = 8
"""Records in one answer under multivalue routing. Source: Route 53 developer guide, multivalue answer routing."""
_LONG: Final = 60
"""Seconds of a negative TTL from which on a name that has just appeared seems to be missing."""
_ADDRESSES: Final = frozenset({"A", "AAAA", "CNAME"})


@dataclass(slots=True)
class Found:
    """A namespace that was looked for, and what was found out about it."""

    namespace: Namespace | None = None
    awaited: bool = False
    """Whether it is not there, and is to be created."""
    findings: list[Finding] = field(default_factory=list)


def looked_up(api: Api, label: str, section: Section) -> Found:
    """Find the namespace that *section* names; never create it."""
    found = Found()
    try:
        namespace = find(api, name=section.name, handle=section.id, kind=section.type)
    except Missing as e:
        if section.create is None:
            found.findings.append(fault(label, str(e)))
        else:
            found.awaited = True
            found.findings.append(
                ok(label, "it is not there, and will be created by `syncer once` or `syncer run`")
            )
    except Throttled as e:
        found.findings.append(
            warning(label, f"it could not be looked up, which is throttled: {e}", THROTTLED)
        )
    except SyncError as e:
        found.findings.append(fault(label, f"it cannot be looked up: {e}"))
    else:
        found.namespace = namespace
        found.findings.extend(_itself(label, namespace))
    return found


def services(api: Api, label: str, namespace: Namespace) -> Iterator[Finding]:
    """Look at the services of *namespace*: quotas, answers and records."""
    directory = Directory(api, namespace)
    try:
        directory.refresh()
    except SyncError as e:
        yield fault(label, f"its services cannot be listed: {e}")
        return
    entries = sorted(directory.entries(), key=lambda entry: (-entry.instances, entry.name))
    instances = sum(entry.instances for entry in entries)
    yield ok(label, f"{len(entries)} services with {instances} instances")
    yield from _quotas(label, entries, instances)
    if namespace.dns:
        yield from _answers(label, namespace, entries)


def _itself(label: str, namespace: Namespace) -> Iterator[Finding]:
    yield ok(label, f"it is {namespace.id} ({namespace.type})")
    if namespace.http_name != namespace.name:
        yield warning(
            label,
            f"DiscoverInstances knows it as {namespace.http_name!r}, since a namespace of its name was there before",
            f"write {namespace.http_name} into programs that call DiscoverInstances; syncer does so by itself",
        )
    if namespace.negative_ttl is not None and namespace.negative_ttl > _LONG:
        kind = "public" if namespace.type == "DNS_PUBLIC" else "private"
        soa = "Properties={DnsProperties={SOA={TTL=15}}}"
        yield warning(
            label,
            f"resolvers remember for {namespace.negative_ttl} s that a name is not there (TTL of the SOA record)",
            f"aws servicediscovery update-{kind}-dns-namespace --id {namespace.id} --namespace '{soa}'",
        )


def _quotas(label: str, entries: Sequence[Entry], instances: int) -> Iterator[Finding]:
    if instances >= _OF_A_NAMESPACE * _FULL:
        yield warning(
            label,
            f"{instances} instances, of {_OF_A_NAMESPACE} that a namespace may have unless told otherwise",
            "ask for a higher quota (Service Quotas, AWS Cloud Map), or carry fewer services (include, exclude)",
        )
    full = [
        f"{entry.name} ({entry.instances})" for entry in entries if entry.instances >= _OF_A_SERVICE * _FULL
    ]
    if full:
        yield warning(
            label,
            f"near the {_OF_A_SERVICE} instances that a service may have, which cannot be raised: {some(full)}",
            "split the service",
        )


def _answers(label: str, namespace: Namespace, entries: Sequence[Entry]) -> Iterator[Finding]:
    many = [f"{entry.name} ({entry.instances})" for entry in entries if _cut(entry)]
    if many:
        yield warning(
            label,
            f"more than {_ANSWERS} instances, of which an answer of DNS holds {_ANSWERS} at random: {some(many)}",
            "let clients that need all of them call DiscoverInstances, or ask Consul",
        )
    silent = [_silent(entry) for entry in entries if not entry.info.records & _ADDRESSES]
    if silent:
        yield warning(
            label,
            f"no A or AAAA records, so that SERVICE.{namespace.name} has no address: {some(silent)}",
            "delete and create them with A records (records cannot be added), or ask for SRV",
        )


def _cut(entry: Entry) -> bool:
    return entry.instances > _ANSWERS and bool(entry.info.records)


def _silent(entry: Entry) -> str:
    return f"{entry.name} ({'+'.join(sorted(entry.info.records)) or 'API only'})"
