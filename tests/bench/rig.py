"""One bench: a Consul agent, an emulated AWS and one syncer (ours or the plain poller), each in its own process."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
import urllib3
from botocore.config import Config

from demo.stage import environment
from tests.support.consul_agent import ConsulAgent
from tests.support.ports import free_port
from tests.support.wait import eventually

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "corp.internal"

_SETTINGS = """\
owner: bench
consul: {{address: "{consul}"}}
aws: {{region: us-east-1, endpoint_url: "{aws}", rates: {{{rates}}}}}
namespaces: [{{name: {namespace}}}]
http: {{port: {port}}}
log: {{level: warning}}
"""


@dataclass
class Rig:
    """What a scenario works with."""

    consul: ConsulAgent
    aws_url: str
    folder: Path
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16))

    # --- Consul ---

    def fill_consul(self, services: int, each: int, prefix: str = "svc") -> None:
        """Register *services* with *each* instances, one check an instance, as external nodes would be."""

        def register(number: int) -> None:
            for index in range(1, each + 1):
                self.set_instance(f"{prefix}-{number}", index, number=number)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(register, range(services)))

    def set_instance(
        self,
        service: str,
        index: int,
        *,
        number: int = 0,
        status: str = "passing",
        tag: str = "",
        port: int = 8080,
    ) -> None:
        """Register one instance, or change it."""
        address = f"10.{number // 250 % 250}.{number % 250}.{index}"
        identity = f"{service}-{index}"
        body = {
            "Node": f"node-{number % 97}-{index}",
            "Address": address,
            "SkipNodeUpdate": True,
            "Service": {
                "ID": identity,
                "Service": service,
                "Address": address,
                "Port": port,
                "Tags": [tag] if tag else [],
            },
            "Check": {"CheckID": f"check-{identity}", "Name": "c", "ServiceID": identity, "Status": status},
        }
        self.put("/v1/catalog/register", body | {"SkipNodeUpdate": False})

    def remove_instance(self, service: str, index: int, *, number: int = 0) -> None:
        """Deregister one instance."""
        self.put(
            "/v1/catalog/deregister",
            {"Node": f"node-{number % 97}-{index}", "ServiceID": f"{service}-{index}"},
        )

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Make one PUT to Consul."""
        answer = self.http.request(
            "PUT", self.consul.http_url + path, body=json.dumps(body), timeout=20, retries=3
        )
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.data[:200]!r}")

    def health(self, service: str) -> list[dict[str, Any]]:
        """Return Consul's view of one service."""
        answer = self.http.request("GET", f"{self.consul.http_url}/v1/health/service/{service}", timeout=20)
        return list(json.loads(answer.data))

    def imported(self) -> int:
        """Return how many instances of ours are in Consul."""
        answer = self.http.request("GET", f"{self.consul.http_url}/v1/health/state/any", timeout=60)
        return sum(check["Node"].startswith("cloudmap-sync") for check in json.loads(answer.data))

    # --- Cloud Map ---

    def emulator(self, method: str, path: str, body: Any = None) -> Any:
        """Make one call of the emulator's own."""
        payload = None if body is None else json.dumps(body)
        answer = self.http.request(method, self.aws_url + path, body=payload, timeout=120)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.data[:300]!r}")
        return json.loads(answer.data or b"null")

    def calls(self) -> dict[str, Any]:
        """Return the counts of Cloud Map calls since the last reset."""
        return dict(self.emulator("GET", "/_emulator/calls"))

    def entries(self, operation: str) -> list[dict[str, Any]]:
        """Return the log of one operation since the last reset; times are CLOCK_MONOTONIC's."""
        return list(self.emulator("GET", f"/_emulator/calls?entries=1&operation={operation}")["entries"])

    def cloudmap(self) -> Any:
        """Return a client of Cloud Map, a user's."""
        return boto3.client(
            "servicediscovery",
            region_name="us-east-1",
            endpoint_url=self.aws_url,
            aws_access_key_id="bench",
            aws_secret_access_key="bench",
            config=Config(inject_host_prefix=False),
        )

    def services(self) -> dict[str, str]:
        """Return the names and ids of all services."""
        pages = self.cloudmap().get_paginator("list_services").paginate()
        return {item["Name"]: item["Id"] for page in pages for item in page["Services"]}

    def register(self, client: Any, service: str, instance: str, address: str) -> float:
        """Register an instance as a user would; return the time when its operation was done."""
        operation = client.register_instance(
            ServiceId=service, InstanceId=instance, Attributes={"AWS_INSTANCE_IPV4": address}
        )["OperationId"]
        while client.get_operation(OperationId=operation)["Operation"]["Status"] != "SUCCESS":
            time.sleep(0.005)
        return time.monotonic()

    def in_cloudmap(self, instances: int) -> None:
        """Wait until so many registrations were received, and what was written has been looked at."""

        def received() -> bool:
            return bool(self.calls()["counts"].get("RegisterInstance", 0) >= instances)

        settle(received, 900, "everything was registered")
        looked = -1
        while looked < (looked := self.calls()["counts"].get("ListInstances", 0)):
            time.sleep(3)

    # --- The syncer under test ---

    @contextmanager
    def syncing(self, command: list[str]) -> Iterator[psutil.Process]:
        """Run *command*, a syncer; stop it at the end."""
        with (self.folder / "syncer.log").open("ab") as log:
            process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log, cwd=ROOT)
            try:
                yield psutil.Process(process.pid)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()

    def ours(self, *, hurry: bool = False) -> list[str]:
        """Return the command of our own syncer; with *hurry* it writes as fast as it can, to get a scenario ready."""
        fast = "{rate: 2000, burst: 2000}"
        rates = f"CreateService: {fast}, RegisterInstance: {fast}, ListOperations: {fast}" if hurry else ""
        settings = self.folder / "syncer.yaml"
        text = _SETTINGS.format(
            consul=self.consul.http_url, aws=self.aws_url, namespace=NAMESPACE, port=free_port(), rates=rates
        )
        settings.write_text(text)
        return [str(Path(sys.executable).with_name("syncer")), "run", "-c", str(settings)]

    def poller(self, interval: float = 30.0) -> list[str]:
        """Return the command of the plain poller, which reads everything every *interval* seconds."""
        return [
            sys.executable,
            "-m",
            "tests.bench.poller",
            self.consul.http_url,
            self.aws_url,
            NAMESPACE,
            str(interval),
        ]


@contextmanager
def rig(consul_config: Mapping[str, object] | None = None, **emulated: Any) -> Iterator[Rig]:
    """Set up a bench with an empty namespace; *emulated* are settings of the emulator."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        consul = stack.enter_context(ConsulAgent(config=consul_config))
        ready = folder / "emulator.json"
        command = [
            sys.executable,
            "-m",
            "tests.emulator",
            "--port",
            "0",
            "--dns-port",
            "0",
            "--ready-file",
            str(ready),
        ]
        for key, value in {"operation_delay": 1.0, "instances_per_namespace": 100_000, **emulated}.items():
            command += ["--set", f"{key}={json.dumps(value)}"]
        log = stack.enter_context((folder / "emulator.log").open("wb"))
        process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log, cwd=ROOT)
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        eventually(ready.exists, timeout=30, message="the emulated AWS started")
        bench = Rig(consul, json.loads(ready.read_text())["endpoint_url"], folder)
        bench.emulator(
            "POST", "/_emulator/seed", {"namespaces": [{"name": NAMESPACE, "type": "DNS_PRIVATE"}]}
        )
        yield bench


def bulk(services: int, each: int, prefix: str = "svc-") -> dict[str, object]:
    """Return what to seed the emulator with for so many services."""
    return {
        "bulk": {"namespace": NAMESPACE, "services_count": services, "instances_each": each, "prefix": prefix}
    }


def quantile(values: list[float], share: float) -> float:
    """Return the value below which *share* of *values* lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def settle(predicate: Any, timeout: float, message: str) -> float:
    """Wait for *predicate*, asked four times a second; return the seconds it took."""
    began = time.monotonic()
    eventually(predicate, timeout=timeout, message=message, interval=0.25)
    return time.monotonic() - began
