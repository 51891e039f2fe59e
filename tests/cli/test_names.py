"""``names --resolve`` says what was found out, and no more."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from syncer.cli import main
from tests.cli.process import syncer
from tests.e2e.world import NAMESPACE, World


@pytest.fixture
def deaf() -> Iterator[str]:
    """A DNS server that takes questions and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_sides_that_do_not_answer_are_not_alike(tmp_path: Path, deaf: str) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text(
        f"owner: a\nconsul: {{dns_address: '{deaf}'}}\n"
        f"namespaces: [{{name: corp.internal, dns_resolver: '{deaf}'}}]\n"
    )
    done = syncer("names", "web.service.consul", "--resolve", "-c", path)
    assert done.returncode == 1
    assert "no answer in 3 s" in done.stdout
    assert done.stdout.endswith("  not all sides answered\n")


def test_why_there_are_no_dns_names_is_shown_beside_the_name(tmp_path: Path) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: a\nnamespaces: [{name: shop, type: http}]\n")
    there = CliRunner().invoke(main, ["names", "web.service.consul", "-c", str(path)]).output
    assert there.endswith("  in Cloud Map shop: web  (found by the API only)\n")
    here = CliRunner().invoke(main, ["names", "web.shop", "-c", str(path)]).output
    assert here.startswith("web in Cloud Map shop  (found by the API only)\n")


@pytest.mark.parametrize("name", ["", " ", "."])
def test_an_empty_name_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "syncer.yaml"
    path.write_text("owner: a\nnamespaces: [{name: corp.internal}]\n")
    done = CliRunner().invoke(main, ["names", name, "-c", str(path)])
    assert done.exit_code == 2
    assert "Invalid value for NAME: it is empty" in done.output


def test_a_name_that_is_nowhere_is_told(world: World) -> None:
    done = syncer("names", "nobody.service.consul", "--resolve", "-c", world.file(world.tree()))
    assert done.returncode == 1
    assert done.stdout.endswith("  nobody answers for nobody\n")


def test_where_only_service_records_answer_the_addresses_behind_them_are_compared(world: World) -> None:
    world.consul.register("only-srv", "s1", "10.0.0.7", 8080)
    service = world.aws.seed.service(NAMESPACE, "only-srv", records={"SRV": 15})
    attributes = {"AWS_INSTANCE_IPV4": "10.0.0.7", "AWS_INSTANCE_PORT": "8080"}
    world.aws.seed.instance(service, "s1", attributes)
    tree = world.tree()
    tree["namespaces"][0]["consul_to_cloudmap"] = {"records": ["SRV"]}
    path = world.file(tree, "srv.yaml")
    done = syncer("names", "only-srv.service.consul", "--resolve", "-c", path)
    assert done.returncode == 0, done.stdout
    assert f"→ SRV 1 1 8080 s1.only-srv.{NAMESPACE}." in done.stdout
    assert f"→ A s1.only-srv.{NAMESPACE}. 10.0.0.7" in done.stdout
    assert done.stdout.endswith("  all sides answer alike\n")


def test_what_another_namespace_brings_into_consul_is_asked_for_and_is_no_difference(world: World) -> None:
    world.aws.seed.namespace("other.internal")
    world.consul.register("brought", "b1", "10.0.0.9", 8080)
    service = world.aws.seed.service("other.internal", "brought", records={"A": 15})
    world.aws.seed.instance(service, "b1", {"AWS_INSTANCE_IPV4": "10.0.0.9"})
    tree = world.tree()
    tree["namespaces"].append({**tree["namespaces"][0], "name": "other.internal"})
    path = world.file(tree, "two.yaml")
    done = syncer("names", f"brought.{NAMESPACE}", "--resolve", "-c", path)
    assert done.returncode == 0, done.stdout
    assert "  also from Cloud Map other.internal: brought\n" in done.stdout
    assert done.stdout.endswith(", but for what was imported from elsewhere, which goes no further\n")
    assert "also from" not in syncer("names", f"brought.{NAMESPACE}", "-c", path).stdout
