"""The rights in Consul that the settings need: the least, as values, as HCL, and as questions to Consul."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from syncer.app.routes import CONSUL, active
from syncer.settings import Settings
from syncer.settings.crossing import views
from syncer.settings.directions import Carrying

_ALL: Final = ("*",)
_WILD: Final = frozenset("*?[")
_WHY: Final = {
    ("node", "read"): "what a service is, and how healthy, is told with its node",
    ("node", "write"): "what comes from elsewhere stands on nodes of its own",
    ("service", "read"): "services that are carried into Cloud Map",
    ("service", "write"): "services that come from elsewhere",
    ("key", "write"): "what `syncer approve` leaves there, and locks that say which replica writes",
    ("session", "write"): "the sessions that hold the locks",
}


@dataclass(frozen=True, slots=True)
class Right:
    """One rule of an ACL policy."""

    resource: str
    """``node``, ``service``, ``key``, ``session`` …"""
    name: str
    """A name, or how all names begin that are meant."""
    access: str
    """``read`` or ``write``; write contains read."""
    prefix: bool = True

    @property
    def rule(self) -> str:
        """The rule in one line of HCL."""
        kind = f"{self.resource}_prefix" if self.prefix else self.resource
        return f'{kind} "{self.name}" {{ policy = "{self.access}" }}'

    def covers(self, other: "Right") -> bool:
        """Whether whoever has this right has *other*, too."""
        if self.resource != other.resource or (self.access, other.access) == ("read", "write"):
            return False
        if not self.prefix:
            return not other.prefix and self.name == other.name
        return other.name.startswith(self.name)


def rights(settings: Settings) -> tuple[Right, ...]:
    """Return the least rights that *settings* need, without those that others contain; none where Consul is not used.

    Nodes are read whole: whether an answer about a service is complete can be told in no other way before Consul
    1.11. Source: Consul documentation, ACL rules.
    """
    if not settings.uses_consul:
        return ()
    routes = active(settings)
    needed: list[Right] = []
    if any(CONSUL in {route.source, route.target} for route in routes):
        needed += [Right("node", "", "read"), Right("service", "consul", "read", prefix=False)]
    for route in routes:
        if route.source == CONSUL:
            needed.extend(_taken(route.section))
        if route.target == CONSUL:
            needed.append(Right("node", f"{settings.consul.node_prefix}-", "write"))
            needed.extend(_given(route.section, _offered(settings, route.source)))
    keys = f"cloudmap-sync/{settings.owner}/"
    needed.append(Right("key", f"{keys}approve/", "write"))
    if settings.lease.enabled:
        needed += [Right("key", f"{keys}lease/", "write"), Right("session", "", "write")]
    return tuple(sorted(_least(dict.fromkeys(needed)), key=lambda right: right.rule))


def hcl(needed: Iterable[Right]) -> str:
    """Return *needed* as a policy in HCL, with what each rule is for; aligned, and ended by a line break.

    Where nothing is needed it is a remark that says so.
    """
    if not (needed := tuple(needed)):
        return "# None: Consul is not used.\n"
    rules = [(right.rule, _WHY.get((right.resource, right.access), "")) for right in needed]
    width = max(len(rule) for rule, _ in rules)
    return "".join(f"{rule:<{width}}  # {why}\n" if why else f"{rule}\n" for rule, why in rules)


def _least(needed: Iterable[Right]) -> Iterator[Right]:
    listed = tuple(needed)
    for right in listed:
        if not any(other != right and other.covers(right) for other in listed):
            yield right


def _taken(section: Carrying) -> Iterator[Right]:
    """Yield what must be read in Consul, whose names the filters see."""
    for glob in section.include or _ALL:
        start = _literal(glob)
        yield Right("service", start, "read", prefix=start != glob)


def _given(section: Carrying, offered: tuple[str, ...]) -> Iterator[Right]:
    """Yield what must be written in Consul: the names that services get there, of those that are *offered*."""
    takes, naming = section.filter(), section.naming()
    for source, renamed in section.rename.items():
        if takes.service(source) is None:
            yield Right("service", renamed, "write", prefix=False)
    for glob in section.include or offered:
        start = _literal(glob)
        if start != glob:
            yield Right("service", f"{section.prefix}{start}", "write")
        elif name := naming.forward(glob):
            yield Right("service", name, "write", prefix=False)


def _offered(settings: Settings, source: str) -> tuple[str, ...]:
    """Return globs for the names that *source* can have; those of ECS services, where a view gives them unchanged."""
    view = views(settings.ecs).get(source)
    unchanged = view is not None and view.name == "{service}" and view.ports == "first"
    return (view.include if view is not None and unchanged else ()) or _ALL


def _literal(glob: str) -> str:
    """Return what every name that *glob* matches begins with."""
    end = next((i for i, character in enumerate(glob) if character in _WILD), len(glob))
    return glob[:end]
