"""What a reader asks of the status: words to find, filters, a page. Anything odd counts as not asked."""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, urlencode

from syncer.core.model import Health

PER_PAGE: Final = 50
MOST: Final = 1000
"""The most that one page may have."""
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Query:
    """What to show."""

    text: str = ""
    """Words that must all be found in a service's names, DNS names, addresses, ids or tags."""
    route: str = ""
    health: str = ""
    """Services with an instance of this health."""
    service: str = ""
    """This service alone, by its whole name on either side."""
    page: int = 1
    limit: int = PER_PAGE

    @property
    def words(self) -> tuple[str, ...]:
        """The words of the text, folded."""
        return tuple(self.text.casefold().split())

    @property
    def narrowed(self) -> bool:
        """Whether anything but the page is asked for."""
        return bool(self.text or self.route or self.health or self.service)

    def takes(self, route: str, names: tuple[str | None, ...], *more: str) -> bool:
        """Whether something of *route* that has these *names*, and *more* to find, is asked for."""
        if self.route and route != self.route:
            return False
        if self.service and self.service not in names:
            return False
        if not self.text:
            return True
        found = "\n".join(filter(None, (*names, *more))).casefold()
        return all(word in found for word in self.words)

    def address(self, *, page: int) -> str:
        """Return the address of *page* of the same question, relative to the page itself."""
        asked = replace(self, page=page)
        fields = {
            "q": asked.text,
            "route": asked.route,
            "health": asked.health,
            "service": asked.service,
            "page": str(page) if page > 1 else "",
            "limit": str(asked.limit) if asked.limit != PER_PAGE else "",
        }
        return "?" + urlencode({key: value for key, value in fields.items() if value})


def parse_query(text: str) -> Query:
    """Return what the query string *text* asks for."""
    fields = {
        key: values[-1][:_LONGEST]
        for key, values in parse_qs(text[: 20 * _LONGEST], max_num_fields=None, errors="replace").items()
    }
    health = fields.get("health", "")
    return Query(
        fields.get("q", "").strip(),
        fields.get("route", ""),
        health if health in set(Health) else "",
        fields.get("service", ""),
        _number(fields.get("page", ""), 1, 1_000_000),
        _number(fields.get("limit", ""), PER_PAGE, MOST),
    )


def _number(text: str, default: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()):
        return default
    return max(1, min(int(text[:9]), most))
