"""The walk-through as a program: its blocks in one shell, with an emulated AWS and a real Consul behind its commands."""

import base64
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from syncer.app.resolving import ask
from tests.deploy import command_line
from tests.deploy.programs import Programs
from tests.deploy.stacks import Stacks
from tests.docs.pages import DOCS, ROOT
from tests.emulator import EmulatedAws
from tests.emulator.settings import Settings
from tests.support.consul_agent import ConsulAgent
from tests.support.consul_files import consul_binary
from tests.support.ports import free_port
from tests.support.wait import eventually

REGION = "eu-central-1"
CIDR = "10.20.0.0/16"


def steps() -> Iterator[tuple[int, str, str]]:
    """Yield the number of the step, the kind and the text of each block of the walk-through."""
    for section in re.split(r"^## ", (DOCS / "walkthrough.md").read_text(), flags=re.MULTILINE)[1:]:
        for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            yield int(section.split(".")[0]), kind, text


class Walk:
    """A VPC without anything in it, and somebody who follows the walk-through."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.aws = EmulatedAws(Settings(operation_delay=0.05, discover_lag=0.05), region=REGION)
        self.consul = ConsulAgent(acl=True, tls=True)
        self.stacks = Stacks(self.client)
        self.docker: list[str] = []
        self.asked: dict[str, list[str]] = {}
        self._programs = Programs(self.carry_out)
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.aws.start()
        self.consul.start()
        # Who asks by DNS has no token.
        self.consul.set_anonymous('node_prefix "" { policy = "read" }\nservice_prefix "" { policy = "read" }')
        self._programs.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.terminate()
            self._worker.wait(60)
            sys.stdout.write((self.folder / "worker.log").read_text()[-20_000:])
        self._programs.stop()
        self.consul.close()
        self.aws.stop()

    def client(self, service: str) -> Any:
        """Return a client of *service*."""
        make: Any = boto3.client
        return make(service, **self.aws.client_options(config=Config(inject_host_prefix=False)))

    def follow(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run *script* in a shell in which each command of the walk-through is there."""
        programs = self.folder / "programs"
        programs.mkdir()
        self._programs.write(programs, "aws", "docker", "nslookup")
        (programs / "consul").symlink_to(consul_binary())
        (programs / "syncer").symlink_to(Path(sys.executable).with_name("syncer"))
        (self.folder / "deploy").symlink_to(ROOT / "deploy")
        (self.folder / "consul-ca.pem").write_text(self.consul.ca_file.read_text())
        environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "CONSUL_HTTP_ADDR": "{}:{}".format(*self.consul.http_addr),
            "CONSUL_HTTP_TOKEN": self.consul.token,
        }
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    def carry_out(self, words: list[str]) -> str:
        """Do what a command of the walk-through asks for; return what it prints."""
        match words:
            case ["docker", *rest]:
                self.docker.append(" ".join(rest))
                return ""
            case ["nslookup", *rest]:
                return self._looked_up(rest)
            case ["aws", "cloudformation", "deploy" | "describe-stacks" | "delete-stack" as name, *rest]:
                return self._stack(name, rest)
            case ["aws", _, "wait", *_]:
                command_line.wait(words[1:], self.client)
                return ""
            case ["aws", *rest]:
                return self._by_itself(rest) or command_line.call(rest, self.folder, self.client)
            case _:
                raise command_line.Mistyped(shlex.join(words))

    def _stack(self, name: str, words: list[str]) -> str:
        options, asked = command_line.split(words)
        (stack,) = options["stack-name"]
        if name == "describe-stacks":
            return command_line.shown(self.stacks.described(stack), asked)
        if name == "delete-stack":
            self.stacks.delete(stack)
            return ""
        given = dict(word.split("=", 1) for word in options["parameter-overrides"])
        (file,) = options["template-file"]
        self.stacks.deploy(stack, Path(file).stem, given)
        if stack == "sync-worker" and self._worker is None:
            self._start()
        return ""

    def _by_itself(self, words: list[str]) -> str:
        """Do what the command line does by itself, or moto not at all; return nothing for everything else."""
        match words:
            case ["ecr", "get-login-password"]:
                token = self.client("ecr").get_authorization_token()["authorizationData"][0]
                return base64.b64decode(token["authorizationToken"]).decode().split(":")[1]
            case ["logs", "tail", group, *_]:
                groups = self.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
                assert [one["logGroupName"] for one in groups] == [group]
                return "\n"
            case ["ecs", "list-tasks", "--cluster", cluster, "--service-name", service, *rest]:
                return command_line.shown(self._tasks(cluster, service), command_line.split(rest)[1])
            case ["ecs", "execute-command", *rest]:
                # What follows on the page is typed in the shell that this opens.
                options, _ = command_line.split(rest)
                assert set(options) == {"cluster", "task", "container", "interactive", "command"}
                return "\n"
            case _:
                return ""

    def _tasks(self, cluster: str, service: str) -> dict[str, Any]:
        """Return the tasks of *service*: ECS starts as many as it should have, moto does not."""
        (told,) = self.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
        own = told["clusterArn"].replace(":cluster/", ":task/")
        return {"taskArns": [f"{own}/{number:032x}" for number in range(told["desiredCount"])]}

    def _looked_up(self, words: list[str]) -> str:
        name = next(word for word in words if not word.startswith("-"))
        port = [word.partition("=")[2] for word in words if word.startswith("-port=")]
        server = self.consul.dns_addr if port == ["8600"] else self.aws.dns_address
        found: list[str] = []

        def answered() -> bool:
            found[:] = resolved(name, server)
            return bool(found)

        eventually(answered, timeout=60, message=f"{shlex.join(words)} was answered")
        self.asked[shlex.join(words)] = found
        return "".join(f"Name: {name}\nAddress: {address}\n" for address in found)

    def _start(self) -> None:
        """Start the worker with what ECS would hand to its container."""
        arns = self.client("ecs").list_task_definitions()["taskDefinitionArns"]
        (family,) = (arn for arn in arns if "sync-worker" in arn)
        task = self.client("ecs").describe_task_definition(taskDefinition=family)["taskDefinition"]
        (own,) = task["containerDefinitions"]
        environment = {one["name"]: one["value"] for one in own["environment"]}
        environment |= {one["name"]: self._secret(one["valueFrom"]) for one in own["secrets"]}
        scratch = self.folder / "scratch"
        scratch.mkdir()
        script = self.folder / "entrypoint.sh"
        text = (ROOT / "deploy/image/entrypoint.sh").read_text()
        script.write_text(text.replace("/opt/syncer/bin/syncer", str(self.folder / "programs/syncer")))
        # Where AWS is, who one is there, and a port: this machine has one of each for all tests.
        here = {
            "PATH": os.environ["PATH"],
            "TMPDIR": str(scratch),
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SYNCER_AWS__ENDPOINT_URL": self.aws.endpoint_url,
            "SYNCER_HTTP__PORT": str(free_port()),
        }
        with (self.folder / "worker.log").open("wb") as log:
            command = ["sh", str(script), *own["command"]]
            self._worker = subprocess.Popen(command, env=environment | here, stdout=log, stderr=log)

    def _secret(self, name: str) -> str:
        if name.startswith("arn:aws:secretsmanager:"):
            return str(self.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        return str(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def resolved(name: str, server: tuple[str, int]) -> list[str]:
    """Return the addresses that *server* has for *name*."""
    return sorted(value for answer in ask(name, "A", server) for value in answer.values)
