"""The documentation as data: pages, blocks of code, and what a built page links to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from typing_extensions import override

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
PAGES: Final = (*sorted(DOCS.rglob("*.md")), ROOT / "CONTRIBUTING.md")

_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code."""

    page: str
    kind: str
    text: str


def blocks(*kinds: str) -> Iterator[Block]:
    """Yield every block of code of these kinds in all pages."""
    for path in PAGES:
        for match in _BLOCK.finditer(path.read_text()):
            if match["kind"] in kinds:
                yield Block(str(path.relative_to(ROOT)), match["kind"], match["text"])


def commands() -> Iterator[tuple[str, str]]:
    """Yield the page and each command line in blocks for a shell, continued lines joined."""
    for block in blocks("sh"):
        for line in re.sub(r"\\\n\s*", " ", block.text).splitlines():
            if line.strip() and not line.strip().startswith("#"):
                yield block.page, line.strip()


@dataclass
class Page(HTMLParser):
    """What a built page has in it, as far as links go."""

    links: list[str] = field(default_factory=list)
    """Where a reader can go."""
    fetched: list[str] = field(default_factory=list)
    """What a browser loads by itself."""
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what *tag* refers to."""
        given = {key: value or "" for key, value in attrs}
        self.ids.update(filter(None, (given.get("id"), given.get("name"))))
        if tag in {"a", "area"} and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in {"canonical", "prev", "next"}:
            self.fetched.append(given.get("href", ""))
        elif tag in {"script", "img", "iframe", "source", "video", "embed"} and given.get("src"):
            self.fetched.append(given["src"])


def parsed(path: Path) -> Page:
    """Return the built page at *path*."""
    page = Page()
    page.feed(path.read_text())
    return page
