"""What the documentation says is so: settings, commands, options, files, parameters, alerts, flags."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from syncer.cli import main
from syncer.settings import load
from tests.deploy.templates import template
from tests.docs.pages import DOCS, PAGES, ROOT, Block, blocks, commands

EXAMPLES = [block for block in blocks("yaml") if re.search(r"^owner:", block.text, re.MULTILINE)]
CONTEXT = click.Context(main)
FOUND = {name: main.get_command(CONTEXT, name) for name in main.list_commands(CONTEXT)}
COMMANDS = {name: command for name, command in FOUND.items() if command is not None and not command.hidden}
SPOKEN = (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("block", EXAMPLES, ids=[block.page for block in EXAMPLES])
def test_every_example_of_settings_is_in_order(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text(block.text)
    settings = load(path, {"CONSUL_TOKEN": "x"})
    assert settings.namespaces or settings.routes


def test_there_are_examples_of_settings() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_section_that_names_each_of_its_options(name: str) -> None:
    found = re.search(rf"^## syncer {name}\n(.*?)(?=^## |\Z)", SPOKEN, re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section for syncer {name}"
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option) and "--config" not in parameter.opts:
            assert any(f"`{option}`" in found[1] for option in parameter.opts), parameter.opts


def test_no_command_is_described_that_does_not_exist() -> None:
    assert set(re.findall(r"^## syncer (\S+)$", SPOKEN, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_described_for_each_shell_and_works(shell: str) -> None:
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - the shells register themselves

    assert f"_SYNCER_COMPLETE={shell}_source" in SPOKEN
    kind = get_completion_class(shell)
    assert kind is not None
    complete = kind(main, {}, "syncer", "_SYNCER_COMPLETE")
    assert [item.value for item in complete.get_completions([], "va")] == ["validate"]


def test_every_line_with_syncer_in_it_could_be_typed() -> None:
    seen = 0
    for page, line in commands():
        words = shlex.split(line.split(" && ")[0].split(" | ")[0], comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words.pop(0)
        if not words or words[0] != "syncer" or len(words) < 2 or words[1] not in COMMANDS:
            continue
        seen += 1
        options = {option for parameter in COMMANDS[words[1]].params for option in parameter.opts}
        for word in words[2:]:
            assert not word.startswith("-") or word in options, f"{page}: {line}"
    assert seen >= 10


def test_every_file_that_a_command_names_is_there() -> None:
    named = {word for _, line in commands() for word in re.findall(r"\bdeploy/[\w./-]+\w", line)}
    assert len(named) >= 4
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_every_parameter_of_a_deployment_is_one_of_its_template() -> None:
    deployed = set()
    for page, line in commands():
        found = re.search(r"--template-file deploy/cloudformation/([\w-]+)\.yaml(.*)", line)
        if found is None:
            continue
        deployed.add(found[1])
        given = {word.split("=")[0] for word in re.findall(r"\b[A-Z]\w+=", found[2])}
        parameters = template(found[1])["Parameters"]
        assert given <= set(parameters), page
        assert {name for name, one in parameters.items() if "Default" not in one} <= given, page
    assert deployed >= {"namespaces", "endpoints", "worker", "consul-for-trial"}


def test_every_output_that_is_asked_for_is_one_of_its_template() -> None:
    stacks = {}
    for _, line in commands():
        found = re.search(r"--stack-name (\S+) --template-file deploy/cloudformation/([\w-]+)\.yaml", line)
        if found:
            stacks[found[1]] = template(found[2])["Outputs"]
    asked = [pair for _, line in commands() for pair in re.findall(r"\$\(output (\S+) (\w+)\)", line)]
    assert len(asked) >= 5
    for stack, name in asked:
        assert name in stacks[stack], (stack, name)


def test_operations_tells_what_to_do_for_every_alert_and_for_no_other() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yaml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    section = (DOCS / "operations.md").read_text().split("## What to do for each alert")[1].split("\n## ")[0]
    assert set(re.findall(r"^### (\w+)$", section, re.MULTILINE)) == alerts


def test_every_policy_is_in_the_table_of_permissions_with_a_parameter_that_exists() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)\.json` \|.*\| (\S+)", (DOCS / "permissions.md").read_text(), re.MULTILINE
    )
    assert {name for name, _ in rows} == {path.stem for path in (ROOT / "deploy" / "iam").glob("*.json")}
    parameters = template("worker")["Parameters"]
    assert {word.strip("`") for _, word in rows} - {"always"} <= set(parameters)


def test_every_flag_of_consul_aws_stands_beside_what_takes_its_place() -> None:
    text = (DOCS / "coming-from-consul-aws.md").read_text()
    flags = (
        "-aws-namespace-id -to-aws -to-consul -aws-service-prefix -consul-service-prefix -aws-poll-interval "
        "-aws-pull-interval -aws-dns-ttl -stale -http-addr -token -token-file -ca-file -ca-path -client-cert "
        "-client-key -tls-server-name -datacenter"
    )
    for flag in flags.split():
        assert re.search(rf"^\| `{flag}[`=]", text, re.MULTILINE), flag


def test_the_prefix_flags_are_told_apart_by_what_they_do() -> None:
    rows = (DOCS / "coming-from-consul-aws.md").read_text().splitlines()
    (aws,) = (row for row in rows if row.startswith("| `-aws-service-prefix"))
    (consul,) = (row for row in rows if row.startswith("| `-consul-service-prefix"))
    assert "cloudmap_to_consul: {prefix" in aws
    assert "consul_to_cloudmap: {prefix" in consul


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_one_title_and_lines_that_can_be_read(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert "\t" not in text
