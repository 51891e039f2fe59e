"""The stage of the demo: a Consul agent, an emulated AWS with its DNS, and the syncer, each a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from demo.tasks import Tasks, prepare
from tests.support.consul_agent import ConsulAgent
from tests.support.ports import free_port
from tests.support.wait import eventually

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "demo"
REGION = "eu-west-1"

_SETTINGS = """\
# yaml-language-server: $schema=../../config/schema.json
owner: demo
consul:
  address: {consul}
  dns_address: {consul_dns}
aws:
  region: {region}
  endpoint_url: {aws}
namespaces:
  - name: corp.internal
    dns_resolver: {aws_dns}
  - name: service.consul             # so that the VPC's own resolver answers Consul's names
    dns_resolver: {aws_dns}
    cloudmap_to_consul: false
ecs:
  - name: prod
    clusters: [prod]
    queue: {queue}
routes:                              # of tasks: private names in Consul and Cloud Map, public ones in Route 53
  - {{source: ecs/prod, target: consul}}
  - {{source: ecs/prod, target: corp.internal}}
  - {{source: ecs/prod, target: route53/example.com}}
http:
  port: {port}
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that the demo talks to."""

    consul: ConsulAgent
    cloudmap: Any
    """A boto3 client of Cloud Map."""
    aws_url: str
    aws_dns: tuple[str, int]
    settings: Path
    namespaces: dict[str, str]
    """Name to id."""
    tasks: Tasks
    port: int

    def syncer(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the command ``syncer`` to its end and return what it printed."""
        command = [str(Path(sys.executable).with_name("syncer")), *words, "-c", str(self.settings)]
        return subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )

    @contextmanager
    def running(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Run ``syncer run`` in the background; tell it to stop at the end."""
        command = [str(Path(sys.executable).with_name("syncer")), "run", "-c", str(self.settings)]
        with (CACHE / "syncer.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment(), stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()


def environment() -> dict[str, str]:
    """Return the environment of the processes: invented credentials, and nobody's own AWS configuration."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SYNCER_", "CONSUL_"))
    }
    return kept | {
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def stage(operation_seconds: float = 0.5) -> Iterator[Stage]:
    """Set the stage: both registries up, two namespaces there, nothing in them."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        consul = stack.enter_context(ConsulAgent())
        ready = stack.enter_context(_emulator(operation_seconds))
        aws_dns = (ready["dns_host"], ready["dns_port"])
        cloudmap = boto3.client(
            "servicediscovery",
            region_name=REGION,
            endpoint_url=ready["endpoint_url"],
            aws_access_key_id="demo",
            aws_secret_access_key="demo",
            config=Config(inject_host_prefix=False),
        )
        namespaces = {name: _namespace(cloudmap, name) for name in ("corp.internal", "service.consul")}
        tasks = prepare(ready["endpoint_url"], REGION)
        port = free_port()
        settings = CACHE / "syncer.yaml"
        settings.write_text(
            _SETTINGS.format(
                consul=consul.http_url,
                consul_dns="{}:{}".format(*consul.dns_addr),
                region=REGION,
                aws=ready["endpoint_url"],
                aws_dns="{}:{}".format(*aws_dns),
                queue=tasks.queue,
                port=port,
            )
        )
        yield Stage(consul, cloudmap, ready["endpoint_url"], aws_dns, settings, namespaces, tasks, port)


@contextmanager
def _emulator(operation_seconds: float) -> Iterator[dict[str, Any]]:
    ready = CACHE / "emulator.json"
    ready.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "tests.emulator",
        "--port",
        "0",
        "--dns-port",
        "0",
        "--region",
        REGION,
        "--ready-file",
        str(ready),
    ]
    command += ["--set", f"operation_delay={operation_seconds}"]
    with (CACHE / "emulator.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment(), stdout=log, stderr=log, cwd=Path(__file__).resolve().parent.parent
        )
        try:
            eventually(ready.exists, timeout=30, message="the emulated AWS did not start")
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            process.wait(10)


def _namespace(cloudmap: Any, name: str) -> str:
    operation = cloudmap.create_private_dns_namespace(Name=name, Vpc="vpc-0123456789abcdef0")["OperationId"]
    while True:
        found = cloudmap.get_operation(OperationId=operation)["Operation"]
        if found["Status"] == "SUCCESS":
            return str(found["Targets"]["NAMESPACE"])
        if found["Status"] == "FAIL":
            raise RuntimeError(f"namespace {name}: {found.get('ErrorMessage')}")
        time.sleep(0.1)
