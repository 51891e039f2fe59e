"""Each kind of registry as a place of names."""

from collections.abc import Callable
from dataclasses import replace

from syncer.app.naming import Place, Server
from syncer.app.routes import CONSUL, namespace_key
from syncer.core.forms import ConsulDomain, Form, cloudmap_forms, consul_forms, parse
from syncer.systems.cloudmap import carrier as cloudmap
from syncer.systems.cloudmap.namespaces import Namespace
from syncer.systems.consul import carrier as consul


def consul_place(where: ConsulDomain, resolver: Server) -> Place:
    """Return Consul as a place of names."""

    def service(name: str) -> str | None:
        parsed = parse(name, where, ())
        return parsed.service if parsed else None

    def forms(name: str) -> tuple[Form, ...]:
        heard = name == "consul" or not refuses(name)
        return tuple(consul_forms(name, (), where)) if heard else ()

    def refuses(name: str) -> str:
        return consul.name_problem(name) or ""

    return Place(CONSUL, f"Consul {where.datacenter}", forms, service, resolver, refuses, lenient=True)


def cloudmap_place(label: str, namespace: str, records: frozenset[str], resolver: Server | None) -> Place:
    """Return a Cloud Map namespace as a place of names, whose services have *records*."""
    nowhere = ConsulDomain("\0")

    def service(name: str) -> str | None:
        parsed = parse(name, nowhere, (namespace,))
        return parsed.service if parsed else None

    def forms(name: str) -> tuple[Form, ...]:
        return () if refuses(name) else tuple(cloudmap_forms(name, namespace, records))

    refuses = _namespace_refuses(namespace, "DNS_PRIVATE")
    return Place(namespace_key(label), f"Cloud Map {label}", forms, service, resolver, refuses)


def unnamed_namespace_place(label: str) -> Place:
    """Return a Cloud Map namespace that is known by its id alone, as a place whose DNS names nobody can tell."""
    silent = (
        "the settings give its id alone, and DNS names end in its name: write name in place of id, "
        "unless another account shares it"
    )
    found = http_place(label, "\0")
    return replace(found, service=lambda _name: None, silent=silent)


def http_place(label: str, namespace: str) -> Place:
    """Return a Cloud Map namespace that only the API answers for."""
    found = cloudmap_place(label, namespace, frozenset(), None)
    return replace(found, silent="found by the API only", refuses=_namespace_refuses(namespace, "HTTP"))


def _namespace_refuses(name: str, kind: str) -> Callable[[str], str]:
    """Return why a namespace called *name*, which is of the type *kind*, can hold no service of a name."""
    namespace = Namespace(id="", arn="", name=name, http_name=name, type=kind)
    return lambda service: cloudmap.name_problem(service, namespace) or ""


def zone_place(key: str, zone: str, resolver: Server | None = None) -> Place:
    """Return a hosted zone, called *zone*, as a place of names, whose services are whole names already."""
    ending = f".{zone}"

    def service(name: str) -> str | None:
        found = name.rstrip(".").lower()
        return found if found == zone or found.endswith(ending) else None

    def refuses(name: str) -> str:
        return "" if service(name) else f"names there end in {ending}"

    return Place(key, f"Route 53 {zone}", lambda name: (Form(name, "A"),), service, resolver, refuses)


def unnamed_zone_place(key: str, zone_id: str) -> Place:
    """Return a hosted zone that is known by its id alone as a place whose names nobody can tell."""

    def refuses(name: str) -> str:
        return "" if "." in name else "names there end in the zone's, and the settings give its id alone"

    return Place(key, f"Route 53 {zone_id}", lambda _name: (), lambda _name: None, refuses=refuses)


def groups_place(key: str, region: str) -> Place:
    """Return the target groups of a Region as a place: each is called by its ARN, and has no DNS name."""

    def service(name: str) -> str | None:
        return name if name.startswith("arn:") else None

    def refuses(name: str) -> str:
        return "" if service(name) else "rename names no target group for it"

    return Place(key, f"Target groups {region}", lambda _name: (), service, refuses=refuses)


def view_place(key: str) -> Place:
    """Return a view of ECS tasks as a place: its services have names, but no DNS answers for them."""
    return Place(key, f"ECS {key.removeprefix('ecs/')}", lambda _name: (), lambda _name: None, through=True)
