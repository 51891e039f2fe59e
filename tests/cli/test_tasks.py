"""Every command with ECS as a source: tasks go into Consul, a namespace, a hosted zone and target groups."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from syncer.cli import main
from tests.cli.process import Done, syncer
from tests.e2e.tasks import CLUSTER, TaskWorld
from tests.e2e.world import Tree

ROUTES = ("ecs/prod->consul", "ecs/prod->corp.internal", "ecs/prod->route53/example.com")
PUBLIC = "54.1.2.3"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TaskWorld]:
    """A world with a cluster, a hosted zone, and one task ``web`` with both addresses."""
    with TaskWorld(tmp_path) as world:
        assert world.zone
        world.ecs.cluster(CLUSTER)
        start(world, "web", public_ip=PUBLIC)
        yield world


def start(world: TaskWorld, service: str, **options: Any) -> str:
    """Start a task, and return its private address."""
    task = world.ecs.start_task(CLUSTER, service=service, ports={"app": (8080,)}, **options)
    assert task.interface is not None
    return str(task.interface.ipv4)


def tree(world: TaskWorld, arn: str) -> Tree:
    """Return settings with routes to all kinds of targets; ``web`` belongs into the target group *arn*."""
    views = {"plain": {}, "groups": {"include": ["web"]}}
    groups = {"source": "ecs/prod/groups", "target": f"elb/{world.aws.region}", "rename": {"web": arn}}
    plain = [{"source": "ecs/prod", "target": route.partition("->")[2]} for route in ROUTES]
    source = {"name": "prod", "clusters": [CLUSTER], "views": views}
    return world.tree({"ecs": [source], "routes": [*plain, groups]})


def test_from_the_settings_to_nothing_left_every_command_knows_tasks(world: TaskWorld) -> None:
    arn = world.group("web")
    elb = f"ecs/prod/groups->elb/{world.aws.region}"
    (private,) = (task.interface.ipv4 for task in world.ecs.tasks.values() if task.interface)
    inner = start(world, "inner", public_ip=False)
    path = world.file(tree(world, arn))

    def run(*words: str, code: int = 0) -> Done:
        done = syncer(words[0], *words[1:], *([path] if words == ("validate",) else ["-c", path]))
        assert done.returncode == code, done.stdout + done.stderr
        return done

    summary = run("validate").stdout
    assert f"corp.internal, {', '.join(ROUTES)}, {elb}\n" in summary

    planned = run("plan", "-v").stdout
    assert "inner/prod/" in planned
    assert "skipped: it has no public address" in planned
    assert planned.endswith("Plan: 8 to add, 0 to change, 0 to remove, 1 skipped.\n")
    told = {item["route"]: item["changes"] for item in json.loads(run("plan", "--json").stdout)["routes"]}
    assert [item["service"] for item in told[ROUTES[2]]] == ["web.example.com"]
    assert [item["service"] for item in told[elb]] == [arn]
    assert world.consul.health("web") == []
    assert world.records() == []

    assert run("once").stdout == "in sync: 6 routes, 6 instances of ours\n"
    assert world.in_consul("web") == world.cloud.addresses("web") == [private]
    assert world.in_consul("inner") == world.cloud.addresses("inner") == [inner]
    assert world.ask("web.example.com") == [PUBLIC]
    assert world.targets(arn) == [(private, 8080)]
    again = run("plan").stdout
    assert again.endswith("Plan: 0 to add, 0 to change, 0 to remove, 1 skipped.\n")

    explained = run("explain", "web").stdout
    for standing in ("Consul dc1: web", "corp.internal: web", "ECS prod: web", "ECS prod/groups: web"):
        assert f"\n{standing}" in f"\n{explained}"
    assert "Route 53 example.com: web.example.com" in explained
    assert f"Target groups {world.aws.region}: {arn}" in explained
    for route in (*ROUTES, elb):
        assert f"{route}: web → " in explained
    assert explained.count("in step: ours are 1 of 1 that the source offers") == 4
    assert f"for {private}:8080 in ecs/prod/groups" in explained
    assert "it has no public address" in run("explain", "inner").stdout
    assert f"{elb}: web → {arn}" in run("explain", arn).stdout
    assert f"{ROUTES[2]}: web → web.example.com" in run("explain", "web.example.com").stdout

    only = run("withdraw", "--yes", "--route", ROUTES[2]).stdout
    assert "Plan: 1 instances to remove" in only
    assert world.records() == []
    assert world.in_consul("web") == [private]
    withdrawn = run("withdraw", "--yes")
    assert withdrawn.stdout.endswith("nothing of ours is left\n")
    assert "held" not in withdrawn.stderr
    assert world.consul.health("web") == []
    assert "web" not in world.cloud.state()
    assert world.targets(arn) == []


def test_a_zone_that_is_not_there_ends_a_plan_with_1_and_the_others_are_planned(
    world: TaskWorld,
) -> None:
    given = tree(world, world.group("web"))
    given["routes"].append({"source": "ecs/prod", "target": "route53/absent.org"})
    done = syncer("plan", "-c", world.file(given))
    assert done.returncode == 1
    assert "syncer: route53/absent.org: there is no hosted zone absent.org" in done.stderr
    assert "  + web.example.com/" in done.stdout


def test_public_addresses_are_compared_among_themselves(world: TaskWorld) -> None:
    routes = [
        {"source": "ecs/prod", "target": "consul"},
        {"source": "ecs/prod", "target": "corp.internal"},
        {"source": "ecs/prod/public", "target": "consul", "suffix": "-public", "address": "public"},
    ]
    source = {"name": "prod", "clusters": [CLUSTER], "views": {"plain": {}, "public": {}}}
    path = world.file(world.tree({"ecs": [source], "routes": routes}))
    assert syncer("once", "-c", path).returncode == 0
    plain = syncer("names", "web.corp.internal", "--resolve", "-c", path)
    assert plain.returncode == 0, plain.stdout
    assert plain.stdout.endswith("  all sides answer alike\n")
    public = syncer("names", "web-public.service.consul", "--resolve", "-c", path)
    assert public.returncode == 0, public.stdout
    assert f"→ A {PUBLIC}" in public.stdout
    assert "in ECS prod/public: web" in public.stdout
    assert public.stdout.endswith(", but for what was imported from elsewhere, which goes no further\n")


def test_names_show_where_a_service_of_ecs_is_found_and_why_not(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
    path.write_text(
        "owner: a\n"
        "ecs: [{name: prod}]\n"
        "routes:\n"
        "  - {source: ecs/prod, target: route53/example.com, prefix: p-}\n"
        "  - {source: ecs/prod, target: route53/Z0123456789ABC}\n"
        f"  - {{source: ecs/prod, target: elb/eu-west-1, rename: {{web: '{arn}'}}}}\n"
    )
    shown = CliRunner().invoke(main, ["names", "web", "-c", str(path)])
    assert shown.exit_code == 0
    assert shown.output == (
        "web in ECS prod\n"
        "  in Route 53 example.com: p-web.example.com\n"
        "    A     p-web.example.com\n"
        "  in Route 53 Z0123456789ABC: names there end in the zone's, and the settings give its id alone\n"
        f"  in Target groups eu-west-1: {arn}\n"
    )
    other = CliRunner().invoke(main, ["names", "api", "-c", str(path)])
    assert "  in Target groups eu-west-1: rename names no target group for it\n" in other.output
    back = CliRunner().invoke(main, ["names", arn, "-c", str(path)])
    assert back.output.startswith(f"{arn} in Target groups eu-west-1\n  in ECS prod: web\n")


def test_settings_that_need_no_consul_are_summed_up_without_it(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text(
        "owner: a\n"
        "ecs: [{name: prod}]\n"
        "routes:\n"
        "  - {source: ecs/prod, target: route53/Example.com.}\n"
        "  - {source: ecs/prod, target: consul, enabled: false}\n"
    )
    done = CliRunner().invoke(main, ["validate", str(path)], env={"CONSUL_HTTP_ADDR": None})
    assert done.output == (
        f"{path}: in order; owner a, ecs/prod->route53/example.com, ecs/prod->consul (off)\n"
    )


def test_no_dns_answers_for_target_groups(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef"
    route = f"{{source: ecs/prod, target: elb/eu-west-1, rename: {{web: '{arn}'}}}}"
    path.write_text(f"owner: a\necs: [{{name: prod}}]\nroutes: [{route}]\n")
    done = CliRunner().invoke(main, ["names", "web", "--resolve", "-c", str(path)])
    assert done.exit_code == 0
    assert done.output.endswith("  no DNS could be asked\n")
