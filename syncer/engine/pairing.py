"""Which services a pass looks at, under both their names, and how they read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from syncer.core.model import Complete, Conflict, Read, Skip, Unlisted
from syncer.core.names import meeting, translate
from syncer.core.reconcile import Pair
from syncer.core.rules import RouteRules
from syncer.core.wanted import is_ours
from syncer.engine.dirty import Batch
from syncer.engine.mirror import Mirror


@dataclass(slots=True)
class Pairing:
    """Finds the pairs of one route. Used by the route's own thread alone."""

    rules: RouteRules
    source: Mirror
    target: Mirror
    untranslated: dict[str, Skip | Conflict] = field(default_factory=dict)
    """Source services without a name in the target."""
    _collisions: dict[str, Conflict] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _echoes: set[str] = field(default_factory=set)

    def relist(self) -> tuple[str, ...]:
        """List both registries anew where they are stale; return what could not be listed."""
        listings = ((self.source, self.source.relist()), (self.target, self.target.relist()))
        return tuple(f"{mirror.id}: {item.reason}" for mirror, item in listings if isinstance(item, Unlisted))

    def pairs(self, batch: Batch) -> Iterator[Pair]:
        """Yield the pairs that *batch* asks for, each read on both sides; a full batch asks for all there are."""
        sources, targets = set(batch.sources), set(batch.targets)
        if batch.full:
            sources |= self.source.names
            targets |= self.target.names
        names = self._by_target(sources, targets)
        self._read(names)
        freed = self._note(sources, full=batch.full)
        if freed:
            others = self._by_target(freed, set())
            self._read(others)
            names |= others
        for name, source_name in sorted(names.items()):
            yield self._pair(name, source_name)

    def _note(self, sources: set[str], *, full: bool) -> set[str]:
        """Find out which names meet, once *sources* are read; return the source names that do not any more."""
        echoes = {name for name in sources if self._is_echo(name)}
        for name in echoes:
            self.untranslated.pop(name, None)
        moved = echoes ^ (self._echoes & sources)
        self._echoes = (self._echoes - sources) | echoes
        new = any(name in self._collisions or name not in self._known for name in sources)
        if not full and not moved and not new:
            return set()
        before = self._collisions
        self._known = set(self.source.names)
        self._echoes &= self._known
        taken = list(self._taken(self._known - self._echoes))
        self._collisions = self._native(taken) | meeting(taken, self.rules.naming)
        seen = self._known | sources
        self.untranslated = {name: skip for name, skip in self.untranslated.items() if name in seen}
        return {name for name in before if name not in self._collisions}

    def _is_echo(self, name: str) -> bool:
        """Whether the source's service *name* is nothing but what syncers wrote, so that no name is due to it."""
        read = self.source.known(name)
        if self.rules.transit or not isinstance(read, Complete) or not read.instances:
            return False
        return all(item.mark is not None for item in read.instances)

    def _native(self, names: Iterable[str]) -> dict[str, Conflict]:
        """Return the conflicts of those *names* that would begin in the target beside another spelling, not ours."""
        there = self.target.names
        spelled = {name.casefold(): name for name in there}
        found: dict[str, Conflict] = {}
        for name in names:
            target = self.rules.naming.forward(name)
            other = spelled.get(target.casefold()) if target is not None and target not in there else None
            if other is not None and not self._ours_alone(other):
                reason = f"the target has a service {other!r}, which would meet {target!r}: rename this one"
                found[name] = Conflict(name, None, reason)
        return found

    def _ours_alone(self, target_name: str) -> bool:
        """Whether nobody but this route has part in the target's service, as far as it is known."""
        read = self.target.view(target_name, certain=False)
        if not isinstance(read, Complete):
            return True
        if (
            self.rules.carrier.service_entities
            and read.info is not None
            and read.info.owner != self.rules.owner
        ):
            return False
        return all(is_ours(item, self.rules) for item in read.instances)

    def _taken(self, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if self.rules.filter.service(name) is None)

    def _by_target(self, sources: set[str], targets: set[str]) -> dict[str, str | None]:
        """Return the target names to look at, each with the source name that leads there."""
        names: dict[str, str | None] = {name: self.rules.naming.back(name) for name in targets}
        for source_name in sources:
            target_name = translate(source_name, self.rules.naming, self.rules.carrier)
            if isinstance(target_name, str):
                names[target_name] = source_name
                self.untranslated.pop(source_name, None)
            elif self.rules.filter.service(source_name) is None:
                self.untranslated[source_name] = target_name
        return names

    def _owning(self, read: Read) -> bool:
        return isinstance(read, Complete) and any(is_ours(item, self.rules) for item in read.instances)

    def _read(self, names: dict[str, str | None]) -> None:
        """Read both sides of *names*, several at once."""
        self.target.refresh(names, certain=False)
        owning = {name for name in names if self._owning(self.target.view(name, certain=False))}
        eligible = [(name, source) for name, source in names.items() if source and self._eligible(source)]
        self.source.refresh([source for name, source in eligible if name in owning])
        self.source.refresh([source for _, source in eligible], certain=False)

    def _eligible(self, source_name: str) -> bool:
        return self.rules.filter.service(source_name) is None

    def _pair(self, name: str, source_name: str | None) -> Pair:
        target = self.target.view(name, certain=False)
        source: Read | None = None
        if source_name is not None:
            eligible = self._eligible(source_name)
            certain = self._owning(target)  # as it is seen now: a watch may have read it since
            source = self.source.view(source_name, certain=certain) if eligible else Complete(source_name, ())
        collision = self._collisions.get(source_name) if source_name is not None else None
        return Pair(name, target, source_name, source, collision)
