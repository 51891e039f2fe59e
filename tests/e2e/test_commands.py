"""The commands as a user runs them: their output, their exit codes, and how they leave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.scenes import assert_all_there, populate
from tests.e2e.world import Tree, World
from tests.support.wait import eventually

SYNCER = str(Path(sys.executable).with_name("syncer"))


def syncer(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SYNCER, *words], env=dict(os.environ), capture_output=True, text=True, timeout=90, check=False
    )


@contextmanager
def running(world: World, *changes: Tree) -> Iterator["subprocess.Popen[str]"]:
    words = [SYNCER, "run", "-c", str(world.file(world.tree(*changes)))]
    process = subprocess.Popen(words, env=dict(os.environ), stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: world.cloud.addresses("web") and world.in_consul("orders"))
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


IN_TIME = 30.0
"""Seconds that ECS gives a task which is told to stop; on a busy machine it takes a good part of them."""


def leaving(process: "subprocess.Popen[str]", by: signal.Signals = signal.SIGTERM) -> float:
    """Tell *process* to stop; return the seconds that it took."""
    began = time.monotonic()
    process.send_signal(by)
    process.wait(90)
    return time.monotonic() - began


def test_a_plan_shows_what_would_be_done_and_changes_nothing(world: World) -> None:
    populate(world)
    path = str(world.file(world.tree()))
    done = syncer("plan", "-c", path)
    assert done.returncode == 0
    assert "+ web/web-1-" in done.stdout
    assert done.stdout.splitlines()[-1] == "Plan: 14 to add, 0 to change, 0 to remove."
    found = json.loads(syncer("plan", "--json", "-c", path).stdout)
    assert {route["route"]: len(route["changes"]) for route in found["routes"]} == {
        "consul->corp.internal": 8,
        "corp.internal->consul": 6,
    }
    assert found["problems"] == []
    totals = {"add": 14, "change": 0, "remove": 0, "held": 0, "conflicts": 0, "unreadable": 0}
    assert totals.items() <= found["summary"].items()
    assert world.cloud.writes() == 0
    assert world.consul.services().keys() == {"consul", "web", "api"}


def test_a_namespace_that_is_to_be_created_is_planned_for_as_an_empty_one(world: World) -> None:
    world.consul.register("web", "web-1", "10.0.1.1", 8080)
    create = {"type": "private", "vpc": "vpc-12345678"}
    path = str(world.file(world.tree({"namespaces": [{"name": "plan9.internal", "create": create}]})))
    done = syncer("plan", "-c", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "+ namespace plan9.internal (private, vpc-12345678): `syncer once` or" in done.stdout
    assert "  + web/web-1-" in done.stdout
    assert done.stdout.splitlines()[-1] == "Plan: 3 to add, 0 to change, 0 to remove."
    (namespace,) = json.loads(syncer("plan", "--json", "-c", path).stdout)["namespaces"]
    assert namespace == {"symbol": "+", "name": "plan9.internal", "region": None, **create}
    explained = syncer("explain", "web", "-c", path)
    assert explained.returncode == 0
    assert "namespace plan9.internal: not there yet, `syncer once` or" in explained.stdout
    assert "to do: + web/web-1-" in explained.stdout
    assert world.aws.calls.count("CreatePrivateDnsNamespace") == 0
    assert syncer("once", "-c", path).returncode == 0
    assert world.aws.calls.count("CreatePrivateDnsNamespace") == 1


def test_a_namespace_that_nobody_creates_is_a_fault_of_a_plan(world: World) -> None:
    done = syncer("plan", "-c", str(world.file(world.tree({"namespaces": [{"name": "nowhere.internal"}]}))))
    assert done.returncode == 1
    assert "there is no namespace called nowhere.internal" in done.stderr


def test_once_brings_all_in_step_and_says_so(world: World) -> None:
    populate(world)
    path = str(world.file(world.tree()))
    done = syncer("once", "-c", path)
    assert (done.returncode, done.stdout) == (0, "in sync: 2 routes, 12 instances of ours\n")
    assert_all_there(world)
    assert syncer("plan", "-c", path).stdout.splitlines()[-1] == "Plan: 0 to add, 0 to change, 0 to remove."


def test_once_says_what_could_not_be_done(world: World) -> None:
    populate(world)
    world.aws.fault("error", operation="ListServices", code="AccessDeniedException")
    done = syncer("once", "-c", str(world.file(world.tree())))
    assert done.returncode == 1
    assert "AccessDeniedException" in done.stderr
    assert done.stdout.startswith("not in sync")


def test_settings_with_faults_are_refused_by_every_command(world: World) -> None:
    path = world.folder / "bad.yaml"
    path.write_text("owner: x\nnamespaces:\n  - name: corp.internal\n    colour: red\nhtpp: false\n")
    for words in (["validate", str(path)], ["once", "-c", str(path)], ["run", "-c", str(path)]):
        done = syncer(*words)
        assert done.returncode == 2
        assert "bad.yaml:4" in done.stderr
        assert "bad.yaml:5" in done.stderr
        assert "2 faults" in done.stderr
    assert syncer("validate", str(world.file(world.tree()))).returncode == 0


def test_names_are_resolved_on_both_sides_and_compared(world: World) -> None:
    populate(world)
    with world.syncing() as running:
        running.settled()
    path = str(world.file(world.tree()))
    done = syncer("names", "web.service.consul", "--resolve", "-c", path)
    assert done.returncode == 0
    assert done.stdout.count("10.0.1.1, 10.0.1.2, 10.0.1.3") == 2
    assert "all sides answer alike" in done.stdout
    world.consul.deregister("web-1")
    done = syncer("names", "web", "--resolve", "-c", path)
    assert done.returncode == 1
    assert "the sides differ on web" in done.stdout


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_run_in_order_and_the_records_stay(world: World, by: signal.Signals) -> None:
    populate(world)
    with running(world) as process:
        assert leaving(process, by) < IN_TIME
        assert process.returncode == 0
    assert_all_there(world)


def test_run_leaves_in_time_while_consul_hangs(world: World) -> None:
    populate(world)
    with running(world) as process:
        world.consul.pause()
        try:
            world.cloud.register("orders", "orders-4", "10.1.1.4")
            time.sleep(1.0)
            assert leaving(process) < IN_TIME
        finally:
            world.consul.resume()
        assert process.returncode == 0
    assert_all_there(world)


def test_run_leaves_in_time_while_cloud_map_hangs(world: World) -> None:
    populate(world)
    with running(world, {"aws": {"timeout": 100}}) as process:
        world.aws.fault("hang", seconds=100)
        world.consul.register("web", "web-4", "10.0.1.4", 8080)
        time.sleep(1.0)
        assert leaving(process) < IN_TIME
        assert process.returncode == 0
    assert_all_there(world)


def test_run_leaves_at_once_while_an_operation_drags_on(world: World) -> None:
    populate(world)
    with running(world) as process:
        world.aws.fault("slow_operation", operation="RegisterInstance", seconds=100)
        world.consul.register("web", "web-4", "10.0.1.4", 8080)
        eventually(lambda: world.aws.calls.entries("RegisterInstance")[6:])
        assert leaving(process) < IN_TIME
        assert process.returncode == 0
