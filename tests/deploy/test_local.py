"""The compose file for one machine, and the image's own small programs."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml
from botocore.session import Session
from typing_extensions import override

from syncer.settings.environment import variables
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy" / "local" / "docker-compose.yaml"
IMAGE = ROOT / "deploy" / "image"


class _Alive(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        """Answer the health check, and nothing else."""
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()
        self.wfile.write(b'{"alive": false, "problems": ["a thread has ended"]}\n')

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Broken(_Alive):
    status = 503


@pytest.fixture
def answering(request: pytest.FixtureRequest) -> Iterator[int]:
    """The port of a server that answers as the class in the test's parameter does."""
    with HTTPServer(("127.0.0.1", 0), request.param) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(60)


def healthy(port: object) -> "subprocess.CompletedProcess[str]":
    """Run the image's health check."""
    return subprocess.run(
        [sys.executable, str(IMAGE / "healthy.py")],
        env={"SYNCER_HTTP__PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def entry(folder: Path, **environment: str) -> list[str]:
    """Run the image's entry point with a program of ours in place of syncer's; return what it was given."""
    text = (IMAGE / "entrypoint.sh").read_text().replace("/opt/syncer/bin/syncer", str(folder / "syncer"))
    (folder / "syncer").write_text('#!/bin/sh\necho "$@"\nenv | sort\n')
    (folder / "syncer").chmod(0o755)
    script = folder / "entrypoint.sh"
    script.write_text(text)
    scratch = folder / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        ["sh", str(script), "plan", "-v"],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(scratch)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("answering", [_Alive], indirect=True)
def test_the_health_check_passes_where_the_worker_says_that_it_is_alive(answering: int) -> None:
    assert healthy(answering).returncode == 0


@pytest.mark.parametrize("answering", [_Broken], indirect=True)
def test_the_health_check_fails_with_the_reason_where_it_says_that_it_is_not(answering: int) -> None:
    done = healthy(answering)
    assert (done.returncode, "a thread has ended" in done.stdout) == (1, True)


@pytest.mark.parametrize("port", [0, "none"], ids=["nobody", "no-port"])
def test_the_health_check_fails_where_nobody_answers(port: object) -> None:
    done = healthy(free_port() if port == 0 else port)
    assert (done.returncode, "no answer" in done.stdout) == (1, True)


def test_the_entry_point_hands_on_what_it_was_given(tmp_path: Path) -> None:
    told = entry(tmp_path, SYNCER_OWNER="x")
    assert told[0] == "plan -v"
    assert "SYNCER_OWNER=x" in told
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_entry_point_makes_files_of_variables_that_nobody_else_may_read(tmp_path: Path) -> None:
    told = entry(tmp_path, SETTINGS_YAML="owner: a\n# 100 %s \\n\n", CONSUL_CA_PEM="-----BEGIN")
    settings, certificate = tmp_path / "scratch" / "syncer.yaml", tmp_path / "scratch" / "consul-ca.pem"
    assert settings.read_text() == "owner: a\n# 100 %s \\n\n\n"
    assert certificate.read_text() == "-----BEGIN\n"
    assert [path.stat().st_mode & 0o777 for path in (settings, certificate)] == [0o600, 0o600]
    assert f"SYNCER_CONFIG={settings}" in told
    assert f"SYNCER_CONSUL__TLS__CA_FILE={certificate}" in told
    assert not any(line.startswith(("SETTINGS_YAML", "CONSUL_CA_PEM")) for line in told)


def test_the_worker_of_the_compose_file_is_built_here_and_can_write_nothing() -> None:
    own = yaml.safe_load(COMPOSE.read_text())["services"]["syncer"]
    assert (COMPOSE.parent / own["build"]["context"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
    assert own["read_only"] is True
    assert own["cap_drop"] == ["ALL"]
    assert {name for name in own["environment"] if name.startswith("SYNCER_")} <= set(variables())


def test_the_worker_of_the_compose_file_is_told_its_region_by_a_name_that_the_sdk_reads() -> None:
    given = yaml.safe_load(COMPOSE.read_text())["services"]["syncer"]["environment"]
    assert Session.SESSION_VARIABLES["region"][1] in given


def test_the_ports_of_the_compose_file_are_for_this_machine_alone() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    ports = [port for one in services.values() for port in one["ports"]]
    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:") for port in ports)
