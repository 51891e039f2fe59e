"""Calls to a Consul agent: its HTTP API and its DNS server, as tests and the demo need them."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import dns.rdatatype
import dns.resolver
import urllib3

ANONYMOUS = "00000000-0000-0000-0000-000000000002"


class ConsulCallError(Exception):
    """The agent answered with an error; *status* is the HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class ConsulApi:
    """One agent's HTTP API and DNS server, by their addresses; *token* is sent with every call."""

    def __init__(self, http_addr: tuple[str, int], dns_addr: tuple[str, int], token: str = "") -> None:
        self.http_addr, self.dns_addr, self.token = http_addr, dns_addr, token
        self.http_url = f"http://{http_addr[0]}:{http_addr[1]}"
        self._registered: dict[
            str, tuple[str, str | None]
        ] = {}  # instance id → service, node (None: agent's)
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=30))
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [dns_addr[0]]
        self._resolver.port = dns_addr[1]

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        params: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Any:
        """Make one call such as `call("GET", "/v1/status/leader")`, and return the answer's JSON.

        Args:
            body: sent as JSON; bytes are sent as they are.
            token: used in place of the management token; "" for nobody's.
            timeout: in seconds, for the whole call.

        Raises:
            ConsulCallError: the answer is an error.
            urllib3.exceptions.HTTPError: there is no answer.
        """
        secret = self.token if token is None else token
        response = self._http.request(
            method,
            self.http_url + path,
            body=body if isinstance(body, bytes | None) else json.dumps(body).encode(),
            fields=dict(params) if params else None,
            headers={"X-Consul-Token": secret} if secret else {},
            timeout=urllib3.Timeout(total=timeout),
        )
        if response.status >= 400:
            raise ConsulCallError(response.status, response.data.decode(errors="replace").strip())
        try:
            return json.loads(response.data)
        except ValueError:
            return response.data.decode(errors="replace")

    def register(
        self,
        service: str,
        instance_id: str,
        address: str,
        port: int,
        *,
        status: str | None = "passing",
        checks: Sequence[Mapping[str, object]] | None = None,
        tags: Sequence[str] = (),
        meta: Mapping[str, str] | None = None,
        node: str = "outside",
        node_address: str = "192.0.2.1",
    ) -> None:
        """Put an instance into the catalogue, on an external node, as a registrar that is no agent does.

        Args:
            status: of its one check, named `service:<instance_id>`; None for an instance without any check.
            checks: all its checks, in the words of the API, in place of that one.
            node: of another agent or of none; never this agent's own, which would undo it.
        """
        if checks is None:
            checks = [] if status is None else [_check(service, instance_id, status)]
        self.call(
            "PUT",
            "/v1/catalog/register",
            {
                "Node": node,
                "Address": node_address,
                "NodeMeta": {"external-node": "true"},
                "SkipNodeUpdate": self._knows(node),
                "Service": {
                    "ID": instance_id,
                    "Service": service,
                    "Address": address,
                    "Port": port,
                    "Tags": list(tags),
                    "Meta": dict(meta or {}),
                },
                "Checks": [dict(check, Node=node) for check in checks],
            },
        )
        self._registered[instance_id] = (service, node)

    def agent_register(
        self,
        service: str,
        instance_id: str,
        address: str,
        port: int,
        *,
        status: str = "passing",
        ttl: str = "1h",
        tags: Sequence[str] = (),
        meta: Mapping[str, str] | None = None,
        config: Mapping[str, object] | None = None,
    ) -> None:
        """Register an instance with this agent, with a TTL check, as an application on its host does.

        Args:
            ttl: the check turns critical when no `set_check` comes for so long; in Consul's words.
            config: more fields of the registration (TaggedAddresses, Weights, ...).
        """
        self.call(
            "PUT",
            "/v1/agent/service/register",
            {
                "ID": instance_id,
                "Name": service,
                "Address": address,
                "Port": port,
                "Tags": list(tags),
                "Meta": dict(meta or {}),
                "Check": {"CheckID": f"service:{instance_id}", "TTL": ttl, "Status": status},
                **(config or {}),
            },
        )
        self._registered[instance_id] = (service, None)

    def set_check(self, instance_id: str, status: str, output: str = "") -> None:
        """Set the check of an instance that `register` or `agent_register` made: passing, warning, critical."""
        service, node = self._registered[instance_id]
        if node is None:
            self.call(
                "PUT",
                f"/v1/agent/check/update/service:{instance_id}",
                {"Status": status, "Output": output},
            )
            return
        check = _check(service, instance_id, status) | {"Node": node, "Output": output}
        self.call(
            "PUT",
            "/v1/catalog/register",
            {"Node": node, "Address": "192.0.2.1", "SkipNodeUpdate": True, "Check": check},
        )

    def deregister(self, instance_id: str) -> None:
        """Remove an instance that `register` or `agent_register` made."""
        _, node = self._registered.pop(instance_id)
        if node is None:
            self.call("PUT", f"/v1/agent/service/deregister/{instance_id}")
        else:
            self.call("PUT", "/v1/catalog/deregister", {"Node": node, "ServiceID": instance_id})

    def services(self) -> dict[str, list[str]]:
        """Return the names of all services with their tags."""
        answer: dict[str, list[str]] = self.call("GET", "/v1/catalog/services")
        return answer

    def catalog(self, service: str) -> list[dict[str, Any]]:
        """Return the instances of *service* as /v1/catalog/service has them."""
        answer: list[dict[str, Any]] = self.call("GET", f"/v1/catalog/service/{service}")
        return answer

    def health(self, service: str) -> list[dict[str, Any]]:
        """Return the instances of *service* with node and checks, as /v1/health/service has them."""
        answer: list[dict[str, Any]] = self.call("GET", f"/v1/health/service/{service}")
        return answer

    def dns(self, name: str, rdtype: str = "A") -> list[str]:
        """Ask the agent's DNS server over UDP; the answer's records as sorted text, none if there are none.

        Raises:
            dns.exception.DNSException: no answer, or one that is not an answer (SERVFAIL, REFUSED).
        """
        try:
            answer = self._resolver.resolve(name, dns.rdatatype.from_text(rdtype), lifetime=30, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        return sorted(record.to_text() for record in answer)

    # --- ACLs ---

    def create_token(self, rules: str) -> str:
        """Return the secret of a new token with a policy of its own, given as HCL."""
        answer: dict[str, Any] = self.call("PUT", "/v1/acl/token", {"Policies": [self._policy(rules)]})
        secret: str = answer["SecretID"]
        return secret

    def set_anonymous(self, rules: str) -> None:
        """Give those who come without a token, DNS among them, the rights of *rules* (HCL)."""
        token = {"AccessorID": ANONYMOUS, "Policies": [self._policy(rules)]}
        self.call("PUT", f"/v1/acl/token/{ANONYMOUS}", token)

    def _policy(self, rules: str) -> dict[str, str]:
        name = f"p-{uuid.uuid4()}"
        self.call("PUT", "/v1/acl/policy", {"Name": name, "Rules": rules})
        return {"Name": name}

    def _knows(self, node: str) -> bool:
        return any(known == node for _, known in self._registered.values())


def _check(service: str, instance_id: str, status: str) -> dict[str, object]:
    return {
        "CheckID": f"service:{instance_id}",
        "Name": f"Service '{service}' check",
        "ServiceID": instance_id,
        "Status": status,
    }
