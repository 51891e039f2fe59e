"""The documentation as a site: it builds, every link leads somewhere, and nothing is fetched from elsewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.docs.pages import DOCS, ROOT, Page, parsed


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built."""
    folder = tmp_path_factory.mktemp("site")
    # Not --quiet: what is not said is not counted by --strict.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return {path: parsed(path) for path in site.rglob("*.html")}


def test_every_page_is_built(built: dict[Path, Page], site: Path) -> None:
    names = {str(path.relative_to(site)) for path in built}
    for page in DOCS.rglob("*.md"):
        expected = str(page.relative_to(DOCS).with_suffix(".html")).replace("README.html", "index.html")
        assert expected in names


def test_every_link_leads_to_a_page_and_a_heading_that_exist(built: dict[Path, Page]) -> None:
    broken = []
    for path, page in built.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or (
                parts.fragment and target in built and unquote(parts.fragment) not in built[target].ids
            ):
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_no_link_leads_out_of_the_site(built: dict[Path, Page]) -> None:
    hosts = {urlsplit(link).hostname for page in built.values() for link in page.links} - {None}
    assert hosts == set()


def test_a_browser_fetches_nothing_from_elsewhere(built: dict[Path, Page], site: Path) -> None:
    fetched = {link for page in built.values() for link in page.fetched}
    assert len(fetched) > 3
    assert [link for link in fetched if urlsplit(link).netloc] == []
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)'\"]*", styles) == []


def test_every_page_stands_in_the_navigation() -> None:
    def leaves(node: object) -> set[str]:
        if isinstance(node, dict):
            return set().union(*map(leaves, node.values()))
        if isinstance(node, list):
            return set().union(*map(leaves, node))
        return {str(node)}

    navigation = leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert navigation == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.svg")), ids=lambda path: path.name)
def test_a_picture_stands_by_itself_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text()
    tree = ET.fromstring(text)  # noqa: S314 - our own file
    assert tree.find("{http://www.w3.org/2000/svg}desc") is not None
    assert "prefers-color-scheme: dark" in text
    assert "<script" not in text
    assert re.findall(r"(?:href|src)=\"(?!#)", text) == []
