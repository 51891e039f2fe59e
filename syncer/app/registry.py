"""A registry that was opened: what the engine takes, and what the wiring must know beside."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from syncer.app.routes import Planned
from syncer.core.carrier import Carrier
from syncer.core.names import Naming
from syncer.core.ports import End
from syncer.core.rules import Address, RouteRules
from syncer.settings.namespaces import Namespace


@dataclass(frozen=True, slots=True)
class Opened:
    """One registry, as routes may begin or end there."""

    key: str
    """The key of its place."""
    end: End
    title: str
    """What to call it in front of a person."""
    dns: str = ""
    """The DNS suffix of its services; empty where no DNS answers, or where names are whole."""
    carrier: Carrier | None = None
    """What it can carry; None where it is only read."""
    public: bool = False
    """Whether public addresses belong there, unless the route says otherwise."""
    records: bool = True
    """Whether its services can have DNS records."""
    whole: bool = False
    """Whether its service names are whole domain names, or whatever else its routes need, without any suffix."""
    within: Callable[[Naming], Naming] | None = None
    """What makes whole names of plain ones; None where plain names are carried."""
    awaited: Namespace | None = None
    """What the settings say of a namespace that is yet to be created, and that an empty one stands for."""

    @property
    def id(self) -> str:
        """The registry's id."""
        return self.end.registry.id


def rules(route: Planned, owner: str, source: Opened, target: Opened) -> RouteRules:
    """Return the core's rules for *route* from *source* to *target*."""
    assert target.carrier is not None
    made = route.section.rules(route.id, owner, source.id, target.id, target.carrier)
    if target.public and route.undecided:
        made = replace(made, address=Address.PUBLIC)
    if not target.records:
        made = replace(made, records=frozenset())
    if target.within is not None and not source.whole:
        made = replace(made, naming=target.within(made.naming))
    return made
