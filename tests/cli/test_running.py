"""``status``, ``health`` and ``explain`` ask the process that runs; without one they say so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import running, syncer
from tests.e2e.world import NAMESPACE, World
from tests.support.ports import free_ports
from tests.support.wait import eventually

(PORT,) = free_ports(1)
URL = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def config(world: World) -> Iterator[Path]:
    """The settings of a process that runs, and holds every removal."""
    world.consul.register("web", "web-1", "10.0.0.1", 8080)
    world.consul.register("web", "web-2", "10.0.0.2", 8080)
    world.consul.register("going", "going-1", "10.0.0.3", 8080)
    guard = {"share": 0, "floor": 0}
    path = world.file(world.tree({"http": {"enabled": True, "port": PORT}, "guard": guard}))
    with running(path, URL):
        eventually(lambda: world.cloud.addresses("going") == ["10.0.0.3"], 60, "everything is there")
        yield path


def test_a_process_that_lives_is_healthy(config: Path) -> None:
    done = syncer("health", "-c", config)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_status_is_a_table_of_routes(config: Path) -> None:
    done = syncer("status", "-c", config)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "owner tests" in lines[0]
    header, *rows = lines[2:]
    assert header.split("  ")[0] == "ROUTE"
    assert [row.split()[0] for row in rows] == [f"consul->{NAMESPACE}", f"{NAMESPACE}->consul"]
    assert len({len(row) for row in (header, *rows)}) == 1


def test_status_can_be_had_as_json_and_from_another_address(config: Path) -> None:
    done = syncer("status", "--url", f"{URL}/", "--json")
    assert done.returncode == 0, done.stderr
    assert {route["id"] for route in json.loads(done.stdout)["routes"]} >= {f"consul->{NAMESPACE}"}


def test_explain_tells_what_was_done_last(config: Path, world: World) -> None:
    done = syncer("explain", f"web.{NAMESPACE}", "-c", config)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    assert "Consul dc1: web, in DNS web.service.consul" in text
    assert f"{NAMESPACE}: web, in DNS web.{NAMESPACE} (A records, created by 'tests')" in text
    assert "written by 'tests' for web/outside/web-1 in consul/dc1" in text
    assert f"consul->{NAMESPACE}: web → web" in text
    assert "in step: ours are 2 of 2 that the source offers" in text
    last = [line for line in text.splitlines() if line.startswith("last: ")]
    assert any("register web/" in line and "10.0.0.1:8080 done" in line for line in last)


def test_what_is_held_is_shown_with_the_arithmetic_and_makes_the_exit_code_1(
    config: Path, world: World
) -> None:
    world.consul.deregister("going-1")
    eventually(lambda: syncer("status", "-c", config).returncode == 1, 60, "the removal is held")
    status = syncer("status", "-c", config)
    (held,) = [line for line in status.stdout.splitlines() if line.startswith("held: ")]
    assert "1 removals" in held
    assert "0 may be at once" in held
    assert f"syncer approve 'consul->{NAMESPACE}'" in held
    assert syncer("health", "-c", config).returncode == 0
    explained = syncer("explain", "going", "-c", config)
    assert "held: " in explained.stdout
    assert "to do: - going/" in explained.stdout
    assert world.cloud.addresses("going") == ["10.0.0.3"]


@pytest.mark.parametrize("command", ["status", "health"])
def test_where_nothing_runs_the_message_says_so(command: str, world: World, port: int) -> None:
    path = world.file(world.tree({"http": {"enabled": True, "port": port}}), "alone.yaml")
    done = syncer(command, "-c", path)
    assert done.returncode == 1
    assert f"nothing answers at http://127.0.0.1:{port}/" in done.stderr
    assert "Connection refused" in done.stderr


@pytest.mark.parametrize("command", ["status", "health"])
def test_without_a_web_server_one_must_say_where_to_ask(command: str, world: World) -> None:
    done = syncer(command, "-c", world.file(world.tree(), "silent.yaml"))
    assert done.returncode == 2
    assert "--url" in done.stderr


def test_somebody_else_on_the_port_is_told_from_syncer(world: World) -> None:
    for command in ("status", "health"):
        done = syncer(command, "--url", world.consul.http_url)
        assert done.returncode == 1
        assert "is not syncer" in done.stderr


def test_explain_works_without_a_process(world: World, port: int) -> None:
    world.consul.register("alone", "alone-1", "10.0.0.9", 8080)
    path = world.file(world.tree({"http": {"enabled": True, "port": port}}), "alone.yaml")
    done = syncer("explain", "alone", "-c", path)
    assert done.returncode == 0, done.stderr
    assert "what was done last is not known: nothing answers" in done.stdout
    silent = syncer("explain", "alone", "-c", world.file(world.tree(), "silent.yaml"))
    assert "the settings turn the web server off" in silent.stdout


def test_explain_of_what_is_nowhere_ends_with_1(world: World) -> None:
    done = syncer("explain", "nobody", "-c", world.file(world.tree(), "silent.yaml"))
    assert done.returncode == 1
    assert "nobody is in none of the registries" in done.stderr


def test_explain_without_consul_ends_with_1_and_says_why(world: World) -> None:
    tree = world.tree({"consul": {"address": "http://127.0.0.1:1"}})
    done = syncer("explain", "web", "-c", world.file(tree, "away.yaml"))
    assert done.returncode == 1
    assert "syncer: Consul: " in done.stderr
