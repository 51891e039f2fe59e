"""Registrations out of nowhere: no rates, no operations, no lag. For the start of a test or benchmark."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import instances, namespaces, services
from .attributes import INIT_HEALTH, IPV4, PORT
from .errors import invalid
from .model import Health, Instance, Namespace, Service
from .settings import DEFAULT_ACCOUNT, DEFAULT_REGION
from .state import Registry, State

DEFAULT_TTL = 15


class Seed:
    """Puts namespaces, services and instances in place at once, unchecked and visible to all."""

    def __init__(self, state: State, account: str = DEFAULT_ACCOUNT, region: str = DEFAULT_REGION) -> None:
        self._state = state
        self._account = account
        self._region = region

    def at(self, account: str = "", region: str = "") -> "Seed":
        """Return the same for another account or Region."""
        return Seed(self._state, account or self._account, region or self._region)

    @property
    def _registry(self) -> Registry:
        return self._state.registry(self._account, self._region)

    def namespace(self, name: str, kind: str = "DNS_PRIVATE", **options: Any) -> str:
        """Create a namespace of *kind* (HTTP, DNS_PRIVATE, DNS_PUBLIC) and return its id.

        *options* are request members such as Vpc, Description, Properties, Tags.
        """
        if kind == "DNS_PRIVATE":
            options.setdefault("Vpc", "vpc-12345678")
        with self._state.lock:
            return namespaces.build(self._registry, kind, name, time.monotonic(), params=options).id

    def service(
        self,
        namespace: str,
        name: str,
        *,
        records: Mapping[str, int] | None = None,
        routing: str = "MULTIVALUE",
        custom_health: bool = True,
        **options: Any,
    ) -> str:
        """Create a service in a namespace (name or id) and return its id.

        *records* is TTL by record type: an A record by default, none in an HTTP namespace.
        """
        with self._state.lock:
            home = self._namespace(namespace)
            if records is None:
                records = {"A": DEFAULT_TTL} if home.is_dns else {}
            service = services.build(
                self._registry,
                home,
                name,
                time.monotonic(),
                records=dict(records),
                routing=routing,
                custom_health={} if custom_health else None,
                params=options,
            )
            service.visible_from = 0.0
            return service.id

    def instance(
        self, service: str, instance_id: str, attributes: Mapping[str, str], *, health: str = ""
    ) -> None:
        """Register an instance, or replace it; *health* sets its custom health at once."""
        with self._state.lock:
            self._put(self._registry.service(service), instance_id, dict(attributes), health)

    def deregister(self, service: str, instance_id: str) -> None:
        """Remove an instance at once."""
        with self._state.lock:
            home = self._registry.service(service)
            instances.remove(self._state, home, instance_id, time.monotonic(), lag=0.0)

    def health(self, service: str, instance_id: str, status: str) -> None:
        """Set the custom health of an instance at once."""
        with self._state.lock:
            self._registry.service(service).health[instance_id] = Health(status)

    def ecs_instance(self, service: str, task_id: str, ip: str, port: int, **more: str) -> None:
        """Register a task as ECS does. *more* may replace cluster, ecs_service, family, zone."""
        attributes = {
            IPV4: ip,
            PORT: str(port),
            "AVAILABILITY_ZONE": more.get("zone", f"{self._region}a"),
            "REGION": self._region,
            "ECS_SERVICE_NAME": more.get("ecs_service", "web"),
            "ECS_CLUSTER_NAME": more.get("cluster", "default"),
            "ECS_TASK_DEFINITION_FAMILY": more.get("family", "web"),
        }
        with self._state.lock:
            home = self._registry.service(service)
            if home.custom_health is not None:
                attributes[INIT_HEALTH] = "HEALTHY"
            self._put(home, task_id, attributes, "")

    def bulk(
        self,
        namespace: str,
        services_count: int,
        instances_each: int,
        *,
        prefix: str = "svc-",
        attributes: Mapping[str, str] | None = None,
        **options: Any,
    ) -> list[str]:
        """Create services ``prefix0``… with instances ``i-<service>-<n>`` and return the services' ids.

        Addresses are distinct within 10.0.0.0/8. *options* go to `service`.
        """
        made = []
        with self._state.lock:
            for number in range(services_count):
                identifier = self.service(namespace, f"{prefix}{number}", **options)
                home = self._registry.services[identifier]
                for index in range(instances_each):
                    serial = number * instances_each + index
                    ip = f"10.{serial >> 16 & 255}.{serial >> 8 & 255}.{serial & 255}"
                    own = {IPV4: ip, PORT: str(8000 + index)} | dict(attributes or {})
                    self._put(home, f"i-{number}-{index}", own, "")
                made.append(identifier)
        return made

    def load(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a JSON document says (see README) and return the ids by name."""
        made: dict[str, Any] = {}
        with self._state.lock:
            for one in plan.get("namespaces", ()):
                identifier = self.namespace(
                    one["name"], one.get("type", "DNS_PRIVATE"), **one.get("options", {})
                )
                made[one["name"]] = {"id": identifier, "services": self._load(identifier, one)}
            if bulk := plan.get("bulk"):
                made["bulk"] = self.bulk(**bulk)
            for one in plan.get("instances", ()):
                self.instance(one["service"], one["id"], one["attributes"], health=one.get("health", ""))
            for one in plan.get("ecs", ()):
                self.ecs_instance(**one)
        return made

    def _load(self, namespace: str, plan: Mapping[str, Any]) -> dict[str, str]:
        made = {}
        for one in plan.get("services", ()):
            members: Sequence[Mapping[str, Any]] = one.get("instances", ())
            rest = {k: v for k, v in one.items() if k not in ("name", "instances")}
            made[one["name"]] = self.service(namespace, one["name"], **rest)
            for member in members:
                self.instance(
                    made[one["name"]], member["id"], member["attributes"], health=member.get("health", "")
                )
        return made

    def _namespace(self, reference: str) -> Namespace:
        registry = self._registry
        found = registry.namespaces.get(reference)
        for one in registry.namespaces.values():
            if found is None and one.name == reference:
                found = one
        if found is None:
            raise invalid(f"No namespace {reference}.")
        return found

    def _put(self, service: Service, instance_id: str, attributes: dict[str, str], health: str) -> None:
        instance = Instance(instance_id, attributes, "", self._account)
        instances.put(self._state, service, instance, time.monotonic(), lag=0.0)
        if health:
            service.health[instance_id] = Health(health)
