"""The rules of DnsConfig: which record types go together, and with which routing policy.

Source: AWS Cloud Map API reference, DnsConfig and DnsRecord.
"""

from typing import Any

from .errors import invalid
from .model import Namespace, Service

_TOGETHER = (
    {"A"},
    {"AAAA"},
    {"A", "AAAA"},
    {"SRV"},
    {"CNAME"},
    {"A", "SRV"},
    {"AAAA", "SRV"},
    {"A", "AAAA", "SRV"},
)


def dns_records(params: dict[str, Any], namespace: Namespace) -> tuple[dict[str, int], str]:
    """Return TTL by record type and the routing policy of a CreateService. Raises InvalidInput."""
    config = params.get("DnsConfig")
    api_only = params.get("Type") == "HTTP"
    if not namespace.is_dns or api_only:
        if config:
            raise invalid("An HTTP service cannot have DnsConfig.")
        return {}, "MULTIVALUE"
    if not config:
        raise invalid("DnsConfig is required in a DNS namespace, unless Type is HTTP.")
    records = _types(config["DnsRecords"])
    routing = config.get("RoutingPolicy", "MULTIVALUE")
    if "CNAME" in records and routing != "WEIGHTED":
        raise invalid("CNAME records require the routing policy WEIGHTED.")
    return records, routing


def _types(records: list[dict[str, Any]]) -> dict[str, int]:
    kinds = [record["Type"] for record in records]
    if len(set(kinds)) != len(kinds):
        raise invalid("Each record type can be given once.")
    if set(kinds) not in _TOGETHER:
        raise invalid(f"These record types do not go together: {', '.join(kinds) or 'none'}.")
    return {record["Type"]: record["TTL"] for record in records}


def ttl_change(service: Service, config: dict[str, Any] | None) -> dict[str, int]:
    """Return the records after an UpdateService: none where none were sent. Raises InvalidInput."""
    if config is None:
        return {}
    records = _types(config["DnsRecords"])
    if records.keys() != service.records.keys():
        raise invalid("The types of DNS records cannot be changed, only their TTL.")
    return records
