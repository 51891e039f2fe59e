"""The wheel: built from the sources as they are, installed elsewhere, and complete there."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path

import pytest

import syncer

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "syncer"


def run(*words: str, **options: object) -> str:
    """Run a program; fail with its words where it fails."""
    done = subprocess.run(list(words), capture_output=True, text=True, timeout=110, check=False, **options)  # type: ignore[call-overload]  # the options are run's own
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without asking anybody for anything."""
    folder = tmp_path_factory.mktemp("dist")
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", str(folder), str(ROOT))
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    python = str(programs / "python")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        str(wheel),
    )
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # The tests' own packages stand behind; the project itself is there by a path that is not taken along.
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def sources() -> Iterator[str]:
    """Yield every file of the package, as the wheel should name it."""
    for path in PACKAGE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(ROOT))


def test_it_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == set(sources())
    assert "syncer/py.typed" in held
    assert {
        "syncer/observe/page/page.html",
        "syncer/observe/page/page.css",
        "syncer/observe/page/page.js",
    } <= held


def test_its_description_has_version_licence_and_dependencies(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
    told = Parser().parsestr(archive.read(name).decode())
    assert (told["Name"], told["Version"]) == ("consul-cloudmap-sync", syncer.__version__)
    assert told["License-Expression"] == "Apache-2.0"
    assert any(one.endswith("/licenses/LICENSE") for one in archive.namelist())
    runtime = {line.split(">")[0] for line in told.get_all("Requires-Dist", []) if "extra ==" not in line}
    assert {"boto3", "python-consul2", "pyyaml", "waitress"} <= runtime
    assert not runtime & {"moto", "pytest", "mypy"}


def test_what_it_depends_on_is_locked_with_hashes() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
    assert len(pins) > 10
    assert [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]] == []


def test_installed_elsewhere_it_gives_a_program(installed: Path, tmp_path: Path) -> None:
    assert syncer.__version__ in run(str(installed / "syncer"), "--version", cwd=tmp_path)
    assert "in order" in run(
        str(installed / "syncer"), "validate", str(ROOT / "config/minimal.yaml"), cwd=tmp_path
    )


def test_installed_elsewhere_it_runs_its_own_modules_and_finds_its_page(
    installed: Path, tmp_path: Path
) -> None:
    program = (
        "import syncer, syncer.observe.render as render\n"
        "print(syncer.__file__)\n"
        "print(sorted(render.assets()))\n"
        "render.page\n"
    )
    told = run(str(installed / "python"), "-c", program, cwd=tmp_path)
    assert told.startswith(str(installed.parent))
    assert "page.css" in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_completes_itself(installed: Path, shell: str, tmp_path: Path) -> None:
    environment = {"_SYNCER_COMPLETE": f"{shell}_source", "PATH": "/usr/bin:/bin"}
    assert "_SYNCER_COMPLETE" in run(str(installed / "syncer"), cwd=tmp_path, env=environment)
