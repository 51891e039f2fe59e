"""The rules for the attributes of an instance.

Source: AWS Cloud Map API reference, RegisterInstance; Cloud Map quotas.
"""

import ipaddress

from .errors import ApiError, invalid
from .model import Service

CUSTOM_LIMIT = 30
TOTAL_LIMIT = 5_000

IPV4, IPV6, PORT = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6", "AWS_INSTANCE_PORT"
CNAME, ALIAS = "AWS_INSTANCE_CNAME", "AWS_ALIAS_DNS_NAME"
EC2_ID, INIT_HEALTH = "AWS_EC2_INSTANCE_ID", "AWS_INIT_HEALTH_STATUS"
RESERVED = frozenset({IPV4, IPV6, PORT, CNAME, ALIAS, EC2_ID, INIT_HEALTH})


def check_attributes(service: Service, attributes: dict[str, str]) -> None:
    """Raise InvalidInput or ResourceLimitExceeded for attributes that *service* cannot take."""
    _check_limits(attributes)
    _check_values(attributes)
    if INIT_HEALTH in attributes:
        if service.custom_health is None:
            raise invalid(f"{INIT_HEALTH} needs a service with HealthCheckCustomConfig.")
        if attributes[INIT_HEALTH] not in ("HEALTHY", "UNHEALTHY"):
            raise invalid(f"{INIT_HEALTH} is HEALTHY or UNHEALTHY.")
    if ALIAS in attributes:
        _check_alias(service, attributes)
    elif EC2_ID in attributes:
        _check_ec2(service, attributes)
    else:
        _check_records(service, attributes)


def _check_limits(attributes: dict[str, str]) -> None:
    custom = len(attributes.keys() - RESERVED)
    if custom > CUSTOM_LIMIT:
        raise invalid(f"An instance can have {CUSTOM_LIMIT} custom attributes, not {custom}.")
    total = sum(len(key) + len(value) for key, value in attributes.items())
    if total > TOTAL_LIMIT:
        raise invalid(f"The attributes of an instance can have {TOTAL_LIMIT} characters, not {total}.")


def _check_values(attributes: dict[str, str]) -> None:
    try:
        if IPV4 in attributes:
            ipaddress.IPv4Address(attributes[IPV4])
        if IPV6 in attributes:
            ipaddress.IPv6Address(attributes[IPV6])
    except ValueError as error:
        raise invalid(f"Not a valid IP address: {error}") from error
    port = attributes.get(PORT)
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        raise invalid("A valid port number must be supplied")


def _check_alias(service: Service, attributes: dict[str, str]) -> None:
    if any(key.startswith("AWS_INSTANCE_") for key in attributes):
        raise invalid(f"{ALIAS} excludes the attributes AWS_INSTANCE_*.")
    if not service.records.keys() & {"A", "AAAA"} or service.routing != "WEIGHTED":
        raise invalid(f"{ALIAS} needs A or AAAA records and the routing policy WEIGHTED.")
    if service.health_check:
        raise invalid(f"{ALIAS} is not possible with HealthCheckConfig.")


def _check_ec2(service: Service, attributes: dict[str, str]) -> None:
    if service.namespace.is_dns:
        raise invalid(f"{EC2_ID} is for HTTP namespaces only.")
    if attributes.keys() - {EC2_ID, INIT_HEALTH}:
        raise invalid(f"{EC2_ID} can be accompanied by {INIT_HEALTH} only.")


def _check_records(service: Service, attributes: dict[str, str]) -> None:
    records = service.records
    if "SRV" in records:
        if PORT not in attributes:
            raise invalid("A valid port number must be supplied")
        if not attributes.keys() & {IPV4, IPV6}:
            raise invalid(f"A service with SRV records needs {IPV4} or {IPV6}.")
    for kind, key in (("A", IPV4), ("AAAA", IPV6), ("CNAME", CNAME)):
        if kind in records and key not in attributes:
            raise invalid(f"A service with {kind} records needs the attribute {key}.")


def check_quota(service: Service, per_service: int, per_namespace: int) -> None:
    """Raise ResourceLimitExceeded where one more instance is too many."""
    pending = len(service.pending_new)
    if len(service.instances) + pending >= per_service:
        raise ApiError("ResourceLimitExceeded", f"A service can have {per_service} instances.")
    if service.namespace.instance_count + pending >= per_namespace:
        raise ApiError("ResourceLimitExceeded", f"A namespace can have {per_namespace} instances.")
