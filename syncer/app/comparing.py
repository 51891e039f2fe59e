"""Whether all sides answer alike for one service, as far as what is carried between them makes them.

Two sides compare where a link that keeps addresses leads from one to the other, or where a place without DNS is carried
to both with the same kind of address. An address that one of them lacks counts, unless it may have come to the other
from a third place: what is imported goes no further.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

from syncer.app.naming import Called, Link
from syncer.app.resolving import Answer, addresses


@dataclass(frozen=True, slots=True)
class Side:
    """A service in one place, and what the DNS server there says of it."""

    called: Called
    answers: tuple[Answer, ...] = ()
    """Empty where there was nobody to ask."""

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells it apart: the place, and the name there."""
        return self.called.place.id, self.called.service


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of comparing."""

    alike: bool
    """Whether nothing is wrong."""
    verdict: str
    """The same in words."""


def compare(service: str, sides: tuple[Side, ...], links: tuple[Link, ...]) -> Outcome:
    """Return how the *sides* of *service* compare; where one of them failed, or none has anything, not well."""
    asked = tuple(side for side in sides if side.answers)
    if not asked:
        return Outcome(True, "no DNS could be asked")
    if any(answer.failed for side in asked for answer in side.answers):
        return Outcome(False, "not all sides answered")
    if not any(addresses(side.answers) for side in asked):
        return Outcome(False, f"nobody answers for {service}")
    paths = _Paths(links, sides)
    if any(paths.lost(one, other) for one, other in permutations(asked, 2)):
        return Outcome(False, f"the sides differ on {service}")
    return Outcome(True, _alike(asked, paths))


def _alike(asked: tuple[Side, ...], paths: "_Paths") -> str:
    if len(asked) == 1:
        return "only one side could be asked"
    pairs = [(one, other) for one, other in combinations(asked, 2) if paths.compare(one, other)]
    if not pairs:
        return "no two sides compare"
    if len({addresses(side.answers) for side in asked}) == 1:
        return "all sides answer alike"
    if all(addresses(one.answers) == addresses(other.answers) for one, other in pairs):
        return "all sides answer alike, public addresses and others each among themselves"
    return "all sides answer alike, but for what was imported from elsewhere, which goes no further"


class _Paths:
    """What leads where, among the sides of one service."""

    def __init__(self, links: tuple[Link, ...], sides: tuple[Side, ...]) -> None:
        self._links = links
        self._sides = {side.key: side for side in sides}

    def compare(self, one: Side, other: Side) -> bool:
        """Whether both should have the same addresses, as far as anybody can tell."""
        return self._expects(one, other) or self._expects(other, one)

    def lost(self, one: Side, other: Side) -> bool:
        """Whether *other* lacks an address that *one* has, and that it should have."""
        missing = addresses(one.answers) - addresses(other.answers)
        return (
            bool(missing) and self._expects(one, other) and not missing <= self._imported(one, other, missing)
        )

    def _expects(self, one: Side, other: Side) -> bool:
        """Whether what *one* has should be in *other*."""
        direct = {public for key, public in self._into(other) if key == one.key}
        direct |= {public for key, public in self._into(one) if key == other.key}
        # Where one direction changes addresses, nobody can tell which of them the other carried back.
        if direct:
            return True not in direct
        return any(not self._answers(key) for key, _ in self._common(one, other))

    def _imported(self, one: Side, other: Side, missing: frozenset[str]) -> frozenset[str]:
        """Return those of *missing* that may be in *one* from a place whose entries do not go on to *other*."""
        found: set[str] = set()
        common = set(self._common(one, other))
        for key, public in self._into(one):
            if (key, public) in common or key == other.key:
                continue
            # What a side without DNS has, or which other address was carried, nobody can see.
            hidden = public or not self._answers(key)
            found |= missing if hidden else missing & addresses(self._sides[key].answers)
        return frozenset(found)

    def _common(self, one: Side, other: Side) -> Iterator[tuple[tuple[str, str | None], bool]]:
        into = set(self._into(other))
        return (source for source in self._into(one) if source in into)

    def _into(self, side: Side) -> Iterator[tuple[tuple[str, str | None], bool]]:
        """Yield from where *side* gets entries, under which name there, and whether with public addresses."""
        place, service = side.key
        for link in self._links:
            if link.target == place and service is not None:
                source = link.naming.back(service)
                if source is not None:
                    yield (link.source, source), link.public

    def _answers(self, key: tuple[str, str | None]) -> bool:
        return key in self._sides and bool(self._sides[key].answers)
