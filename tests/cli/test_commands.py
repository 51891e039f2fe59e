"""Every command explains itself; ``validate``, ``plan`` and ``names`` do what their help says."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import syncer as package
from syncer.cli import main
from tests.cli.process import syncer
from tests.e2e.world import NAMESPACE, World

CONTEXT = click.Context(main)
COMMANDS = sorted(main.list_commands(CONTEXT))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_an_example(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0
    assert "Example" in done.output
    assert f"syncer {name}" in done.output or name == "health"
    assert CliRunner().invoke(main, [name, "-h"]).output == done.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    command = main.get_command(CONTEXT, name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts} has no help"


def test_all_commands_are_listed_with_the_exit_codes() -> None:
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0
    assert all(f"\n  {name} " in done.output for name in COMMANDS)
    assert "Exit codes" in done.output


def test_the_module_is_the_command() -> None:
    done = syncer("--version")
    assert done.stdout == f"syncer, version {package.__version__}\n"
    assert "Usage: syncer [OPTIONS]" in syncer("--help").stdout


def test_an_unknown_command_ends_with_2() -> None:
    assert CliRunner().invoke(main, ["dance"]).exit_code == 2


def test_settings_in_order_are_summed_up(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: vpc-a\nnamespaces: [{name: corp.internal}]\n")
    done = CliRunner().invoke(main, ["validate", str(path)], env={"CONSUL_HTTP_ADDR": None})
    assert done.exit_code == 0
    assert done.output == f"{path}: in order; owner vpc-a, Consul at http://127.0.0.1:8500, corp.internal\n"


def test_all_faults_of_the_settings_are_shown_at_once(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: '!'\nnamespaces: []\nconsull: {}\n")
    done = CliRunner().invoke(main, ["validate", str(path)])
    assert done.exit_code == 2
    assert "3 faults in the settings" in done.output
    assert all(f"{path}:{line}" in done.output for line in (1, 2, 3))


def test_a_plan_shows_what_would_be_done_and_changes_nothing(world: World) -> None:
    world.consul.register("planned", "p1", "10.0.0.1", 8080)
    path = world.file(world.tree())
    done = syncer("plan", "-c", path)
    assert done.returncode == 0, done.stderr
    assert f"consul->{NAMESPACE}" in done.stdout
    assert "  + planned " in done.stdout
    assert "planned" not in world.cloud.state()
    told = json.loads(syncer("plan", "--json", "-c", path).stdout)
    assert {"service": "planned", "action": "CreateService"}.items() <= told["routes"][0]["changes"][
        0
    ].items()
    assert told["problems"] == []


def test_a_plan_without_consul_ends_with_1(world: World) -> None:
    tree = world.tree({"consul": {"address": "http://127.0.0.1:1"}})
    done = syncer("plan", "-c", world.file(tree, "away.yaml"))
    assert done.returncode == 1
    assert "syncer: Consul: " in done.stderr


def test_names_are_shown_on_both_sides_without_asking_anybody(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: a\nnamespaces: [{name: corp.internal, consul_to_cloudmap: {prefix: c-}}]\n")
    done = CliRunner().invoke(main, ["names", "web.service.consul", "-c", str(path)])
    assert done.exit_code == 0
    assert "web in Consul dc1" in done.output
    assert "A     c-web.corp.internal" in done.output


def test_a_name_that_a_rename_has_taken_comes_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: a\nnamespaces: [{name: corp.internal, consul_to_cloudmap: {rename: {a: web}}}]\n")
    done = CliRunner().invoke(main, ["names", "web.service.consul", "-c", str(path)])
    assert "another service is renamed to this name there" in done.output


def test_resolving_compares_what_both_sides_answer(world: World) -> None:
    world.consul.register("same", "s1", "10.0.0.7", 8080)
    world.cloud.put("same", "s1", "10.0.0.7")
    path = world.file(world.tree())
    alike = syncer("names", "same", "--resolve", "-c", path)
    assert alike.returncode == 0, alike.stdout
    assert "all sides answer alike" in alike.stdout
    assert "→ A 10.0.0.7" in alike.stdout
    world.consul.register("same", "s2", "10.0.0.8", 8080)
    differs = syncer("names", "same.service.consul", "--resolve", "-c", path)
    assert differs.returncode == 1
    assert "the sides differ on same" in differs.stdout
