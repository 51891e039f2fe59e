"""The plain poller that our figures are compared with: everything is read again every so often, and at each wake-up.

It does what hashicorp/consul-aws does, with the same libraries as we: no plan, no cache, one loop for each side.
"""

import json
import sys
import threading
import time
from typing import Any

import boto3
import urllib3
from botocore.config import Config

_HEALTH_PAUSE = 1 / 20
"""Seconds between GetInstancesHealthStatus calls: 20 a second."""


class Poller:
    """One Consul, one namespace."""

    def __init__(self, consul: str, aws: str, namespace: str, interval: float) -> None:
        self._consul = consul
        self._interval = interval
        self._http = urllib3.PoolManager(maxsize=4)
        config = Config(inject_host_prefix=False, retries={"mode": "standard", "total_max_attempts": 5})
        self._aws: Any = boto3.client(
            "servicediscovery", region_name="us-east-1", endpoint_url=aws, config=config
        )
        found = self._aws.list_namespaces()["Namespaces"]
        self._namespace = next(item for item in found if item["Name"] == namespace)
        self._known: dict[str, dict[str, str]] = {}

    def run(self) -> None:
        """Poll both sides for ever."""
        threading.Thread(target=self._from_cloudmap, daemon=True).start()
        index = 0
        while True:
            answer = self._get(f"/v1/catalog/services?index={index}&wait={int(self._interval)}s")
            index = int(answer.headers["X-Consul-Index"])
            self._to_cloudmap(list(json.loads(answer.data)))

    def _get(self, path: str) -> Any:
        return self._http.request("GET", self._consul + path, timeout=self._interval * 2 + 10)

    def _to_cloudmap(self, names: list[str]) -> None:
        services = self._services()
        for name in names:
            self._get(f"/v1/catalog/service/{name}")
            entries = json.loads(self._get(f"/v1/health/service/{name}").data)
            wanted = {
                entry["Service"]["ID"]: entry["Service"]["Address"]
                for entry in entries
                if "external-aws-id" not in (entry["Service"]["Meta"] or {}) and name != "consul"
            }
            have = self._known.setdefault(name, {})
            for key, address in wanted.items():
                if have.get(key) == address:
                    continue
                if name not in services:
                    services[name] = self._create(name)
                attributes = {"AWS_INSTANCE_IPV4": address}
                self._aws.register_instance(ServiceId=services[name], InstanceId=key, Attributes=attributes)
            for key in have.keys() - wanted.keys():
                self._aws.deregister_instance(ServiceId=services[name], InstanceId=key)
            self._known[name] = wanted

    def _create(self, name: str) -> str:
        return str(
            self._aws.create_service(
                Name=name,
                NamespaceId=self._namespace["Id"],
                Description="poller",
                DnsConfig={"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 15}]},
            )["Service"]["Id"]
        )

    def _services(self, mark: str | None = None) -> dict[str, str]:
        filters = [{"Name": "NAMESPACE_ID", "Values": [self._namespace["Id"]], "Condition": "EQ"}]
        pages = self._aws.get_paginator("list_services").paginate(Filters=filters)
        found = [item for page in pages for item in page["Services"]]
        return {item["Name"]: item["Id"] for item in found if mark is None or item.get("Description") != mark}

    def _from_cloudmap(self) -> None:
        while True:
            for name, service in self._services("poller").items():
                found = self._aws.discover_instances(
                    NamespaceName=self._namespace["Name"], ServiceName=name, HealthStatus="ALL"
                )["Instances"]
                self._aws.get_instances_health_status(ServiceId=service)
                for item in found:
                    self._register(name, item)
                time.sleep(_HEALTH_PAUSE)
            time.sleep(self._interval)

    def _register(self, name: str, item: dict[str, Any]) -> None:
        key = item["InstanceId"]
        body = {
            "Node": "cloudmap-sync-poller",
            "Address": "127.0.0.1",
            "Service": {
                "ID": f"{name}-{key}",
                "Service": name,
                "Address": item["Attributes"].get("AWS_INSTANCE_IPV4", ""),
                "Meta": {"external-aws-id": key},
            },
            "Check": {
                "CheckID": f"c-{name}-{key}",
                "Name": "c",
                "ServiceID": f"{name}-{key}",
                "Status": "passing",
            },
        }
        self._http.request("PUT", f"{self._consul}/v1/catalog/register", body=json.dumps(body), timeout=20)


if __name__ == "__main__":
    Poller(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])).run()
