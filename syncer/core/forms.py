"""Every DNS form of a service's name, on both sides, and back from a form to the service."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsulDomain:
    """Where a datacenter's names live: ``consul`` and ``dc1`` unless the agent is configured otherwise."""

    domain: str = "consul"
    datacenter: str = "dc1"
    namespace: str = ""
    """The namespace (Consul Enterprise); empty for the one that names mean which say none."""
    partition: str = ""
    """The admin partition (Consul Enterprise); empty likewise."""

    @property
    def tenancy(self) -> str:
        """What stands behind ``service`` in names of this namespace and partition."""
        return (f".{self.namespace}.ns" if self.namespace else "") + (
            f".{self.partition}.ap" if self.partition else ""
        )


@dataclass(frozen=True, slots=True)
class Form:
    """One name that a resolver can be asked for, and the record type that answers there."""

    name: str
    record: str
    """``A`` stands for A and AAAA."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a DNS name says: the service, and in which of the two registries' styles it was written."""

    service: str
    side: str
    """``consul`` or ``cloudmap``."""
    namespace: str
    """The datacenter for Consul (empty if the name has none), the namespace's name for Cloud Map."""
    tag: str | None = None


def consul_forms(service: str, tags: tuple[str, ...], where: ConsulDomain) -> Iterator[Form]:
    """Yield the names under which Consul's DNS answers for *service* (Consul documentation, DNS interface).

    With a namespace or a partition they are ``web.service.<namespace>.ns.<partition>.ap[.<datacenter>.dc].consul``.
    """
    here = f"service{where.tenancy}"
    away = f"{here}.{where.datacenter}.dc" if where.tenancy else f"{here}.{where.datacenter}"
    yield Form(f"{service}.{here}.{where.domain}", "A")
    yield Form(f"{service}.{away}.{where.domain}", "A", "from another datacenter")
    yield Form(f"_{service}._tcp.{here}.{where.domain}", "SRV", "RFC 2782")
    for tag in tags:
        yield Form(f"{tag}.{service}.{here}.{where.domain}", "A", f"only instances with the tag {tag}")
        if tag.lower() != "tcp":  # Consul reads _tcp as "any instance", whatever tags there are
            yield Form(
                f"_{service}._{tag}.{here}.{where.domain}", "SRV", f"only instances with the tag {tag}"
            )


def cloudmap_forms(service: str, namespace: str, records: frozenset[str]) -> Iterator[Form]:
    """Yield the names under which *namespace* answers for *service*, given its *records*."""
    name = f"{service}.{namespace}"
    if records & {"A", "AAAA"}:
        yield Form(name, "A")
    if "CNAME" in records:
        yield Form(name, "CNAME")
    if "SRV" in records:
        yield Form(
            name, "SRV", "" if records & {"A", "AAAA"} else "no A record: the plain name has no address"
        )
        yield Form(f"<instance>.{name}", "A", "the SRV records' targets")


def parse(name: str, where: ConsulDomain, namespaces: tuple[str, ...]) -> Parsed | None:
    """Return what the DNS name *name* means; None where it is in neither style.

    Reads the forms of :func:`consul_forms` and :func:`cloudmap_forms`, in any case, with or without a final dot.
    In a namespace a dot may belong to the service's own name: ``i.web`` is not told from the SRV target ``i`` of ``web``.
    A namespace that ends like Consul's own domain (``service.consul``) wins over Consul's reading of the name when
    both fit: callers who want the other one name the side.
    """
    text = _plain(name)
    for namespace in sorted(namespaces, key=len, reverse=True):
        if text.endswith("." + namespace.lower()):
            return _parse_cloudmap(text[: -len(namespace) - 1], namespace)
    return parse_consul(text, where)


def parse_consul(text: str, where: ConsulDomain) -> Parsed | None:
    """Return what *text* means in Consul's style; None where it is not in it.

    Where *where* has a namespace or a partition, a name that says another one is none of its names; a name that says
    none is taken for one of them.
    """
    text = _plain(text)
    tail = "." + where.domain.lower()
    if not text.endswith(tail):
        return None
    labels = text[: -len(tail)].split(".")
    if where.tenancy:
        return _parse_tenant(labels, where)
    if "service" not in labels:
        return None
    cut = len(labels) - 1 - labels[::-1].index("service")
    left, right = labels[:cut], labels[cut + 1 :]
    if not left or len(right) > 1:
        return None
    return _parse_service(left, right[0] if right else "")


def _parse_tenant(labels: list[str], where: ConsulDomain) -> Parsed | None:
    """Return what *labels*, read from their end, mean in Consul Enterprise."""
    said = {}
    for kind in ("dc", "ap", "ns"):
        if len(labels) > 2 and labels[-1] == kind:
            *labels, said[kind], _ = labels
    if "dc" not in said and labels[-2:-1] == ["service"]:
        said["dc"] = labels.pop()
    elsewhere = any(
        kind in said and said[kind] != (own.lower() or "default")
        for kind, own in (("ns", where.namespace), ("ap", where.partition))
    )
    if elsewhere or len(labels) < 2 or labels[-1] != "service":
        return None
    return _parse_service(labels[:-1], said.get("dc", ""))


def _parse_service(left: list[str], datacenter: str) -> Parsed:
    """Return what *left*, the labels before ``service``, mean in *datacenter*."""
    if len(left) == 2 and left[0].startswith("_") and left[1].startswith("_"):
        tag = left[1][1:]
        return Parsed(left[0][1:], "consul", datacenter, None if tag == "tcp" else tag)
    return Parsed(left[-1], "consul", datacenter, ".".join(left[:-1]) or None)


def _parse_cloudmap(service: str, namespace: str) -> Parsed | None:
    return Parsed(service, "cloudmap", namespace) if service else None


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
