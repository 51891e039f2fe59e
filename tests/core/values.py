"""Values that many tests of the core begin with."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from syncer.core.carrier import AttributeLimits, Carrier
from syncer.core.identity import target_id
from syncer.core.model import Complete, Health, Instance, Mark, ServiceInfo
from syncer.core.rules import RouteRules

ANY: Final = re.compile(r"(?s:.*)")
ROOMY: Final = AttributeLimits(count=100, key=ANY, key_length=1000, value=ANY, value_length=1000)


def label_problem(name: str) -> str | None:
    """Take names of one DNS label."""
    fits = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", name)
    return None if fits else "it is no DNS label"


ENTRIES: Final = Carrier(label_problem, ROOMY)
"""A target like Consul: services are what their instances make them."""
RECORDS: Final = Carrier(label_problem, ROOMY, unique_address=True, service_entities=True, hostnames=False)
"""A target like Cloud Map: services of their own, and an address once in one with A records."""


def bare(instance: Instance) -> Instance:
    """Return what a target that holds addresses and ports alone gives back of *instance*."""
    mark, name = instance.mark, f"{instance.ipv4 or instance.ipv6}:{instance.port}"
    return Instance(
        instance.service,
        instance.id if mark is None else target_id(mark.origin, "", name),
        ipv4=instance.ipv4,
        ipv6=None if instance.ipv4 else instance.ipv6,
        port=instance.port,
        mark=replace(mark, service="", instance=name) if mark else None,
    )


BARE: Final = Carrier(label_problem, ROOMY, hostnames=False, healths=False, stored=bare)
"""A target like a load balancer's: an address, a port, and nothing else."""

OWNER: Final = "us"
SOURCE: Final = "source/one"
TARGET: Final = "target/one"


def rules(carrier: Carrier = ENTRIES, **values: Any) -> RouteRules:
    """Return the rules of a route from SOURCE to TARGET."""
    return RouteRules("one->one", OWNER, SOURCE, TARGET, carrier, **values)


def native(name: str, address: int | None = None, **values: Any) -> Instance:
    """Return an instance of ``web`` that a user registered; *address* is the last number of its IPv4."""
    if address is not None:
        values["ipv4"] = f"10.0.0.{address}"
    return Instance(**{"service": "web", "id": name, "port": 80, **values})


def copy(of: Instance, id: str | None = None, owner: str = OWNER, source: str = SOURCE) -> Instance:  # noqa: A002
    """Return what a syncer writes of the source's instance *of*, under the id *id* in the target."""
    mark = Mark(owner, source, of.service, of.id)
    return replace(of, id=f"{of.id}-copy" if id is None else id, mark=mark)


def info(records: tuple[str, ...] = ("A",), **values: Any) -> ServiceInfo:
    """Return what the target says of a service that we created."""
    ttl = 15 if records else None
    return ServiceInfo(**{"id": "srv-1", "owner": OWNER, "records": frozenset(records), "ttl": ttl, **values})


def snap(*instances: Instance, info: ServiceInfo | None = None, service: str = "web") -> Complete:
    """Return a complete read."""
    return Complete(service, instances, info)


CRITICAL: Final[Mapping[str, Any]] = {"health": Health.CRITICAL}
