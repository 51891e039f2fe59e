"""Why one service is carried, or is not: where it is, which rule decides, and what would be done. Writes nothing."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syncer.app.installation import Installation
from syncer.app.naming import families
from syncer.app.places import links, places
from syncer.core.model import Complete, Conflict, Instance, Read, Skip
from syncer.core.names import translate
from syncer.core.plan import ServicePlan
from syncer.core.reconcile import Pair, reconcile
from syncer.core.report import Observers
from syncer.core.wanted import is_ours
from syncer.engine.dirty import Batch
from syncer.engine.mirror import Mirror
from syncer.engine.pairing import Pairing
from syncer.engine.route import Route
from syncer.settings import Settings


@dataclass(frozen=True, slots=True)
class Standing:
    """What one registry holds of the service."""

    title: str
    """What to call the registry in front of a person."""
    service: str
    """Its name there."""
    dns: str
    """Its plain DNS name; empty where no DNS answers for it."""
    read: Read

    @property
    def there(self) -> bool:
        """Whether there is anything of it."""
        return not isinstance(self.read, Complete) or bool(self.read.instances) or self.read.info is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one route makes of the service."""

    route: str
    source: str | None
    """Its name in the source; None where no name there leads to the target's."""
    target: str | None
    """Its name in the target; None where it cannot have one."""
    left: Skip | Conflict | None
    """Why the service as a whole is not carried; None where it is, as far as its instances can be."""
    echo: tuple[Instance, ...] = ()
    """Instances in the source that a syncer wrote, and which are therefore no source."""
    plan: ServicePlan | None = None
    """What would be done; without the guard, which looks at all services."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that there is to say about one service without the running process."""

    standings: tuple[Standing, ...]
    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...]
    """What could not be opened or listed."""
    awaited: tuple[str, ...] = ()
    """Namespaces that are yet to be created; an empty one stands for each."""

    @property
    def found(self) -> bool:
        """Whether the service is anywhere."""
        return any(standing.there for standing in self.standings)


def explain(settings: Settings, name: str, stop: threading.Event) -> Explanation:
    """Return what is known of the service *name*: a plain name, or a DNS name in any form that a side knows.

    Reads the service on both sides of every route, and the lists of services; nothing else, and writes nothing.
    """
    installation = Installation(settings, stop, Observers(), looks=True)
    try:
        problems = list(installation.bring_up())
        asked = _Asked(installation, _meant(settings, name))
        for route in installation.engine.routes:
            asked.ask(route, problems)
        awaited = tuple(section.known_as for section in installation.awaited())
        return Explanation(tuple(asked.standings()), tuple(asked.verdicts), tuple(problems), awaited)
    finally:
        installation.engine.close()


class _Asked:
    """What was asked for, and what was found."""

    def __init__(self, installation: Installation, meant: Mapping[str, str]) -> None:
        self._installation = installation
        self._meant = meant
        self._names: dict[str, set[str]] = {}
        self.verdicts: list[Verdict] = []

    def ask(self, route: Route, problems: list[str]) -> None:
        """Find out what *route* makes of the service."""
        rules = route.rules
        source, target = self._named(rules.source), self._named(rules.target)
        pairing = Pairing(rules, route.source, route.target)
        problems.extend(error for error in pairing.relist() if error not in problems)
        batch = Batch(sources={source} if source else set(), targets={target} if target else set())
        for pair in pairing.pairs(batch):
            self._take(route, pair)
        nameless = pairing.untranslated.get(source) if source else None
        if source and nameless is not None and self._holds(route.source, source):
            self._note(rules.source, source)
            self.verdicts.append(Verdict(route.id, source, None, nameless, self._echo(route, source)))

    def _take(self, route: Route, pair: Pair) -> None:
        """Take in *pair*, if it is one, and there is anything to say about it."""
        rules, source = route.rules, pair.source_name
        owned = isinstance(pair.target, Complete) and any(
            is_ours(item, rules) for item in pair.target.instances
        )
        leads = source is not None and translate(source, rules.naming, rules.carrier) == pair.target_name
        if owned or (leads and source is not None and self._holds(route.source, source)):
            self._note(rules.source, source)
            self._note(rules.target, pair.target_name)
            self.verdicts.append(self._verdict(route, pair))

    def _holds(self, mirror: Mirror, service: str) -> bool:
        """Whether *mirror* has anything of *service*, or does not say."""
        read = mirror.view(service, certain=False)
        return not isinstance(read, Complete) or bool(read.instances)

    def standings(self) -> Iterator[Standing]:
        """Yield what each registry holds, under each name that came up; what was asked for, where it is listed."""
        for registry, mirror in self._installation.engine.mirrors.items():
            opened = self._installation.registries[registry]
            asked = {self._named(registry)} & mirror.names
            for service in sorted(filter(None, self._names.get(registry, set()) | asked)):
                dns = f"{service}.{opened.dns}" if opened.dns else ""
                yield Standing(opened.title, service, dns, mirror.view(service))

    def _verdict(self, route: Route, pair: Pair) -> Verdict:
        rules, source = route.rules, pair.source_name
        left: Skip | Conflict | None = rules.filter.service(source) if source is not None else None
        if source is None:
            left = Skip(pair.target_name, None, "no service of the source leads to this name any more")
        plan = reconcile(rules, pair)
        echo = self._echo(route, source) if source is not None else ()
        return Verdict(route.id, source, pair.target_name, left or pair.collision, echo, plan)

    def _echo(self, route: Route, source: str) -> tuple[Instance, ...]:
        read = route.source.view(source)
        if route.rules.transit or not isinstance(read, Complete):
            return ()
        return tuple(item for item in read.instances if item.mark is not None)

    def _named(self, registry: str) -> str | None:
        """Return what the question means in *registry*."""
        return self._meant.get(self._installation.registries[registry].key)

    def _note(self, registry: str, service: str | None) -> None:
        if service is not None:
            self._names.setdefault(registry, set()).add(service)


def _meant(settings: Settings, name: str) -> dict[str, str]:
    """Return the service that *name* means, by the id of the place that it may be meant in."""
    found = families(name, places(settings), links(settings))
    return {family.origin.place.id: family.origin.service for family in found if family.origin.service}
