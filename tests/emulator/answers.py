"""What DNS answers for Cloud Map's namespaces, as Route 53 would.

Source: Amazon Route 53 developer guide, multivalue and weighted routing; Cloud Map, DNS records.
"""

from dataclasses import dataclass

from .attributes import CNAME, IPV4, IPV6, PORT
from .model import UNHEALTHY, Instance, Namespace, Service
from .state import State

MOST_ANSWERS = 8


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record; ``value`` is in presentation form, absolute names without a final dot."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True, slots=True)
class Found:
    """The records for a question: none for NODATA, and not ``exists`` for NXDOMAIN."""

    records: tuple[Record, ...]
    zone: str
    soa_ttl: int
    exists: bool = True


class CloudMapNames:
    """Looks names up in every DNS namespace of every account and Region."""

    def __init__(self, state: State) -> None:
        self._state = state

    def find(self, name: str, kind: str) -> Found | None:
        """Return what is known of *name* (no final dot), or None outside of all namespaces."""
        lower = name.lower()
        with self._state.lock:
            self._state.timeline.advance()
            homes = [n for n in self._namespaces() if _inside(lower, n.name.lower())]
            homes.sort(key=lambda n: len(n.name), reverse=True)
            found = None
            for namespace in homes:
                answer = self._in_namespace(namespace, name, lower, kind)
                if answer.records:
                    return answer
                if found is None or (answer.exists and not found.exists):
                    found = answer
            return found

    def _namespaces(self) -> list[Namespace]:
        return [n for r in self._state.registries.values() for n in r.namespaces.values() if n.is_dns]

    def _in_namespace(self, namespace: Namespace, name: str, lower: str, kind: str) -> Found:
        zone = namespace.name
        inner = lower[: -len(zone)].rstrip(".")
        if not inner:
            return Found((), zone, namespace.soa_ttl)
        service = namespace.services.get(inner)
        if service and service.records and service.discovered:
            return Found(self._of_service(service, name, kind), zone, namespace.soa_ttl)
        instance = self._instance(namespace, inner)
        if instance:
            return Found(_of_instance(*instance, name, kind), zone, namespace.soa_ttl)
        return Found((), zone, namespace.soa_ttl, exists=_has_names_below(namespace, inner))

    def _of_service(self, service: Service, name: str, kind: str) -> tuple[Record, ...]:
        """Return up to eight records of healthy instances; of unhealthy ones if none is healthy."""
        if "CNAME" in service.records:
            kind = "CNAME"
        if kind not in service.records:
            return ()
        value_of = {"A": IPV4, "AAAA": IPV6, "CNAME": CNAME, "SRV": PORT}[kind]
        able = [i for i in service.discovered.values() if value_of in i.attributes]
        healthy = [i for i in able if service.status_of(i.id) != UNHEALTHY]
        pool = healthy or able
        most = MOST_ANSWERS if service.routing == "MULTIVALUE" else 1
        chosen = self._state.random.sample(pool, min(most, len(pool)))
        ttl = service.records[kind]
        return tuple(Record(name, kind, ttl, _value(service, i, kind)) for i in chosen)

    def _instance(self, namespace: Namespace, inner: str) -> tuple[Service, Instance] | None:
        """Return the instance that *inner* names below a service with SRV records."""
        for position, character in enumerate(inner):
            if character != ".":
                continue
            service = namespace.services.get(inner[position + 1 :])
            if service and "SRV" in service.records:
                for instance in service.discovered.values():
                    if instance.id.lower() == inner[:position]:
                        return service, instance
        return None


def _inside(name: str, zone: str) -> bool:
    return name == zone or name.endswith(f".{zone}")


def _value(service: Service, instance: Instance, kind: str) -> str:
    attributes = instance.attributes
    match kind:
        case "A":
            return attributes[IPV4]
        case "AAAA":
            return attributes[IPV6]
        case "CNAME":
            return attributes[CNAME].rstrip(".")
        case _:
            target = f"{instance.id}.{service.name}.{service.namespace.name}"
            return f"1 1 {attributes[PORT]} {target}"


def _of_instance(service: Service, instance: Instance, name: str, kind: str) -> tuple[Record, ...]:
    value = instance.attributes.get({"A": IPV4, "AAAA": IPV6}.get(kind, ""))
    return (Record(name, kind, service.records["SRV"], value),) if value else ()


def _has_names_below(namespace: Namespace, inner: str) -> bool:
    """Whether *inner* has no records itself but a name below it does: then it is NODATA."""
    ending = f".{inner}"
    services = namespace.services.items()
    return any(key.endswith(ending) for key, service in services if service.records and service.discovered)
