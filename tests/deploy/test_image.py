"""The image, really built, and run as a container would run it, against a real Consul and an emulated Cloud Map."""

import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import syncer
from tests.deploy.container import WORK, Image
from tests.emulator import EmulatedAws
from tests.emulator.settings import Settings
from tests.support.consul_agent import ConsulAgent
from tests.support.ports import free_port
from tests.support.wait import eventually

# The first of them may have to build it, or to wait while another builds it.
pytestmark = [pytest.mark.image, pytest.mark.timeout(900)]

AWS = {
    "AWS_ACCESS_KEY_ID": "emulated",
    "AWS_SECRET_ACCESS_KEY": "emulated",
    "AWS_EC2_METADATA_DISABLED": "true",
}
HEALTHY = ["/opt/syncer/bin/python3", "/opt/syncer/bin/healthy.py"]


@pytest.fixture(scope="module")
def image() -> Image:
    """The image."""
    return Image.built()


@pytest.fixture
def aws() -> Iterator[EmulatedAws]:
    """An emulated Cloud Map with one namespace."""
    with EmulatedAws(Settings(operation_delay=0.05)) as running:
        running.seed.namespace("corp.internal", "DNS_PRIVATE")
        yield running


@pytest.fixture
def consul() -> Iterator[ConsulAgent]:
    """A real agent with one service."""
    with ConsulAgent() as running:
        running.register("web", "web-1", "10.0.1.1", 8080, status="passing")
        yield running


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder without settings."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path, aws: EmulatedAws, consul: ConsulAgent) -> Path:
    """A folder with the settings for both."""
    folder = tmp_path / "settings"
    folder.mkdir(mode=0o755)
    (folder / "syncer.yaml").write_text(
        f"owner: image\n"
        f"consul:\n  address: {consul.http_url}\n"
        f"aws:\n  region: {aws.region}\n  endpoint_url: {aws.endpoint_url}\n"
        f"namespaces:\n  - name: corp.internal\n"
    )
    return folder


def test_it_says_its_version(image: Image, empty: Path) -> None:
    done = image.run("--version", settings=empty)
    assert done.returncode == 0, done.stderr
    assert syncer.__version__ in done.stdout


def test_it_adds_less_than_130_mb_to_its_base(image: Image) -> None:
    assert image.root.is_dir()
    assert 0 < int((WORK / "bytes-beyond-the-base").read_text()) < 130_000_000


def test_it_contains_nothing_that_builds_or_installs(image: Image) -> None:
    found = [
        path
        for folder in ("usr/bin", "usr/local/bin", "opt/syncer/bin")
        if (image.root / folder).is_dir()
        for path in (image.root / folder).iterdir()
        if re.fullmatch(r"(pip|gcc|cc|g\+\+|c\+\+|clang|make|ld)[0-9.-]*", path.name)
    ]
    modules = [*image.root.glob("**/*-packages/pip"), *image.root.glob("**/ensurepip")]
    assert found + modules == []


def test_no_file_gives_more_rights_to_who_runs_it(image: Image) -> None:
    special = stat.S_ISUID | stat.S_ISGID
    programs = [path for path in (image.root / "usr").rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(programs) > 100
    assert [path for path in programs if path.stat().st_mode & special] == []


def test_it_runs_as_somebody_who_owns_nothing_but_its_own_folder(image: Image) -> None:
    user = int(image.config["User"].split(":")[0])
    owned = [path for path in image.root.rglob("*") if path.lstat().st_uid == user]
    assert user > 0
    assert [str(path.relative_to(image.root)) for path in owned] == ["run/syncer"]
    assert list(image.config["Volumes"]) == ["/run/syncer"]


def test_its_labels_say_what_it_is(image: Image) -> None:
    labels = {key.rsplit(".", 1)[-1]: value for key, value in image.config["Labels"].items()}
    assert labels["title"] == "consul-cloudmap-sync"
    assert labels["version"] == syncer.__version__
    assert labels["licenses"] == "Apache-2.0"
    assert labels["revision"]


def test_a_settings_file_is_validated(image: Image, settings: Path) -> None:
    done = image.run("validate", settings=settings)
    assert done.returncode == 0, done.stderr
    assert "/etc/syncer/syncer.yaml: in order" in done.stdout


def test_settings_may_come_as_a_variable_of_the_environment(
    image: Image, settings: Path, empty: Path
) -> None:
    text = (settings / "syncer.yaml").read_text()
    done = image.run("validate", settings=empty, environment={"SETTINGS_YAML": text})
    assert done.returncode == 0, done.stderr
    assert "/run/syncer/syncer.yaml: in order; owner image" in done.stdout


def test_the_certificate_of_consuls_authority_may_come_as_a_variable(
    image: Image, tmp_path: Path, empty: Path, aws: EmulatedAws
) -> None:
    with ConsulAgent(tls=True) as consul:
        environment = AWS | {
            "SETTINGS_YAML": "owner: image\nnamespaces: [{name: corp.internal}]\n",
            "CONSUL_CA_PEM": consul.ca_file.read_text(),
            "SYNCER_CONSUL__ADDRESS": consul.https_url,
            "SYNCER_AWS__ENDPOINT_URL": aws.endpoint_url,
            "SYNCER_AWS__REGION": aws.region,
        }
        done = image.run("once", settings=empty, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        del environment["CONSUL_CA_PEM"]
        assert image.run("once", settings=empty, environment=environment).returncode == 1


def test_one_pass_brings_both_registries_in_step(image: Image, settings: Path, aws: EmulatedAws) -> None:
    done = image.run("once", settings=settings, environment=AWS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in sync: 2 routes, 1 instances of ours" in done.stdout
    assert aws.calls.count("RegisterInstance") == 1


def test_it_runs_answers_its_health_check_and_leaves_when_told(image: Image, settings: Path) -> None:
    environment = AWS | {"SYNCER_HTTP__PORT": str(free_port())}
    process = image.start([*image.config["Entrypoint"], *image.config["Cmd"]], settings, environment)
    try:

        def healthy() -> bool:
            return image.execute(HEALTHY, settings, environment).returncode == 0

        assert image.config["Healthcheck"]["Test"] == ["CMD", *HEALTHY]
        eventually(healthy, message="the health check passed")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, out + err
    finally:
        process.kill()
        process.communicate()
    after = image.execute(HEALTHY, settings, environment)
    assert (after.returncode, "no answer" in after.stdout) == (1, True)


def test_nothing_can_be_written_outside_of_its_own_folder(image: Image, empty: Path) -> None:
    attempt = [
        "/bin/sh",
        "-c",
        "for d in / /etc /tmp /var/tmp /opt/syncer; do touch $d/x && echo $d; done; touch x",
    ]
    done: subprocess.CompletedProcess[str] = image.execute(attempt, empty)
    assert done.stdout == ""
    assert done.stderr.count("touch:") >= 5
