"""Cloud Map as its user sees it: what one registers there oneself, what is there, and what the syncer asked for."""

from typing import Any, NamedTuple

import boto3
import dns.resolver
from botocore.config import Config

from tests.emulator import EmulatedAws
from tests.emulator.settings import DEFAULT_ACCOUNT
from tests.support.wait import eventually

IPV4, IPV6, PORT = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_PORT"
WRITES = (
    "CreateService",
    "DeleteService",
    "DeregisterInstance",
    "RegisterInstance",
    "TagResource",
    "UpdateInstanceCustomHealthStatus",
    "UpdateService",
)


class Shown(NamedTuple):
    """One instance as Cloud Map's control plane has it, with its health."""

    attributes: dict[str, str]
    health: str

    @property
    def address(self) -> str:
        """Its IPv4 address, else its IPv6 address, else nothing."""
        return self.attributes.get(IPV4) or self.attributes.get(IPV6) or ""


class Cloud:
    """One namespace of one account and Region."""

    def __init__(
        self, aws: EmulatedAws, namespace: str, *, account: str = DEFAULT_ACCOUNT, region: str = ""
    ) -> None:
        self.aws, self.namespace = aws, namespace
        self._registry = aws.state.registry(account, region or aws.region)
        self._client: Any = None
        self.seed = aws.seed.at(account=account, region=region or aws.region)

    @property
    def client(self) -> Any:
        """A boto3 client, of the default account."""
        if self._client is None:
            options = self.aws.client_options(config=Config(inject_host_prefix=False))
            self._client = boto3.client("servicediscovery", **options)
        return self._client

    # --- What a user does ---

    def service(self, name: str, **options: Any) -> str:
        """Return the id of the service *name*, which is put in place if it is not there."""
        with self.aws.state.lock:
            for service in self._registry.services.values():
                if service.name == name and self.namespace in {service.namespace.name, service.namespace.id}:
                    return service.id
            return self.seed.service(self.namespace, name, **options)

    def put(self, service: str, instance: str, address: str, *, port: int | None = 8080, **more: str) -> None:
        """Put an instance in place at once, as if it had always been there."""
        self.seed.instance(self.service(service), instance, _attributes(address, port, more))

    def register(
        self, service: str, instance: str, address: str, *, port: int | None = 8080, **more: str
    ) -> None:
        """Register an instance by the API, and wait until its operation is done."""
        self.done(
            self.client.register_instance(
                ServiceId=self.service(service),
                InstanceId=instance,
                Attributes=_attributes(address, port, more),
            )
        )

    def deregister(self, service: str, instance: str) -> None:
        """Deregister an instance by the API, and wait until its operation is done."""
        self.done(self.client.deregister_instance(ServiceId=self.service(service), InstanceId=instance))

    def health(self, service: str, instance: str, status: str) -> None:
        """Set the custom health of an instance, effective at once."""
        self.seed.health(self.service(service), instance, status)

    def done(self, answer: dict[str, Any]) -> None:
        """Wait until the operation that *answer* names has succeeded."""
        operation = self._registry.operations[answer["OperationId"]]
        eventually(lambda: operation.status == "SUCCESS", 60, f"the operation {operation.type} succeeded")

    # --- What is there ---

    def state(self) -> dict[str, dict[str, Shown]]:
        """Return every service of the namespace with its instances."""
        with self.aws.state.lock:
            return {
                service.name: {
                    key: Shown(dict(item.attributes), service.status_of(key))
                    for key, item in service.instances.items()
                }
                for service in self._registry.services.values()
                if self.namespace in {service.namespace.name, service.namespace.id}
            }

    def instances(self, service: str) -> dict[str, Shown]:
        """Return the instances of *service*; none where it does not exist."""
        return self.state().get(service, {})

    def addresses(self, service: str) -> list[str]:
        """Return the addresses of *service*, sorted."""
        return sorted(item.address for item in self.instances(service).values())

    def only(self, service: str) -> Shown:
        """Return the only instance of *service*. Raises AssertionError where there is another number of them."""
        found = list(self.instances(service).values())
        assert len(found) == 1, f"{service} has {len(found)} instances"
        return found[0]

    def records(self, service: str) -> dict[str, int]:
        """Return the TTL by record type of *service*."""
        with self.aws.state.lock:
            return dict(self._registry.services[self.service(service)].records)

    def resolve(self, name: str, record: str = "A") -> list[str]:
        """Ask the VPC's resolver."""
        return resolve(name, self.aws.dns_address, record)

    # --- What was asked of it ---

    def writes(self) -> int:
        """Return how many calls tried to change something, since the log was last reset."""
        return self.aws.calls.count(*WRITES)

    def withdrawn(self) -> list[str]:
        """Return the ids of the instances whose deregistration was asked for, since the log was last reset."""
        return [entry.params["InstanceId"] for entry in self.aws.calls.entries("DeregisterInstance")]


def resolve(name: str, server: tuple[str, int], record: str = "A") -> list[str]:
    """Ask *server* for *name* over UDP; the answer's records as sorted text, none where there are none."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [server[0]], server[1]
    try:
        answer = resolver.resolve(name, record, lifetime=30, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return sorted(item.to_text() for item in answer)


def _attributes(address: str, port: int | None, more: dict[str, str]) -> dict[str, str]:
    own = {IPV6 if ":" in address else IPV4: address} if address else {}
    return own | ({PORT: str(port)} if port is not None else {}) | more
