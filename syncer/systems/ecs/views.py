"""A view: the tasks of one source under one system of names, as a registry of its own."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from syncer.core.model import Complete, Instance, Listed, Listing, Read, Unlisted, Unreadable, nothing
from syncer.systems.ecs.dialects import Dialect
from syncer.systems.ecs.entries import Entry, State
from syncer.systems.ecs.freshness import JUST_READ, OLD, YOUNG
from syncer.systems.ecs.inventory import ALL, Inventory
from syncer.systems.ecs.mapping import all_tags, draining
from syncer.systems.ecs.model import Placed, Problem


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tasks a view takes. Everything empty takes everything; a match on an exclude side always wins."""

    include: tuple[str, ...] = ()
    """Globs on the names of ECS services, and of the families of stand-alone tasks; one must match."""
    exclude: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    """Globs on the short names of clusters, among those of the source."""
    launch_types: tuple[str, ...] = ()
    """FARGATE, EC2, EXTERNAL."""
    include_tags: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Tag key to glob on its value; all must match."""
    exclude_tags: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Tag key to glob on its value; one match excludes."""
    standalone: bool = True
    """Whether tasks are taken that no ECS service keeps."""

    def takes(self, placed: Placed) -> bool:
        """Whether *placed* is taken, as far as its tags are known."""
        task = placed.task
        named = not self.include or _any(self.include, task.name)
        where = not self.clusters or _any(self.clusters, task.cluster)
        launched = not self.launch_types or task.launch_type in self.launch_types
        kept = self.standalone or task.service is not None
        if not (named and where and launched and kept) or _any(self.exclude, task.name):
            return False
        if not self.include_tags and not self.exclude_tags:
            return True
        tags = all_tags(placed)
        return all(
            key in tags and fnmatchcase(tags[key], glob) for key, glob in self.include_tags.items()
        ) and not any(key in tags and fnmatchcase(tags[key], glob) for key, glob in self.exclude_tags.items())


@dataclass(frozen=True, slots=True)
class Index:
    """A view at one moment."""

    state: State | None = None
    """What it was made of."""
    services: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict, hash=False)
    ended: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict, hash=False)
    """What ECS said lately is to stop, and has had its time."""
    problems: Mapping[str, Problem] = field(default_factory=dict, hash=False)
    """Names of which some instance could not be read."""
    unnamed: Problem | None = None
    """Set where there is a task whose names are not known."""
    left_out: Problem | None = None
    """Set where a task is not offered yet which nobody can have written of: it appeared after its cluster was whole."""
    looked: Mapping[str, float] = field(default_factory=dict, hash=False)
    """When the youngest read of one of a name's tasks began; ``time.monotonic()``."""
    until: float = float("inf")
    """When a task that stops has had its time; ``time.monotonic()``."""


class View:
    """Tasks of one source as a registry. Thread-safe; answers from what the source has read as long as that is young.

    With *drain* seconds, a task that stops stays so long, critical; with 0 it leaves at once.
    """

    def __init__(
        self,
        registry_id: str,
        inventory: Inventory,
        dialect: Dialect,
        selection: Selection,
        *,
        drain: float = 0.0,
    ) -> None:
        self._id = registry_id
        self._inventory = inventory
        self._dialect = dialect
        self._selection = selection
        self._drain = drain
        self._lock = threading.Lock()
        self._index = Index()
        self._offers: dict[str, tuple[Placed, tuple[Instance, ...]]] = {}
        self._announced: Mapping[str, tuple[Instance, ...]] | None = None

    @property
    def id(self) -> str:
        """``ecs/<source>``, or ``ecs/<source>/<view>``."""
        return self._id

    @property
    def parallel(self) -> int:
        """Reads share what was read in full: more at once gain nothing, but one that waits keeps no other waiting."""
        return 8

    @property
    def until(self) -> float:
        """When the view changes without a read, by ``time.monotonic()``: a stopping task has had its time."""
        return self._index.until

    def services(self) -> Listing:
        """List the names under which tasks are offered, after a full read unless one is just over."""
        self._inventory.refresh(JUST_READ)
        index = self._current()
        problem = index.unnamed or index.left_out
        problem = problem or (next(iter(index.state.troubles.values()), None) if index.state else None)
        if problem is not None:
            return Unlisted(problem.reason, problem.code)
        with self._lock:
            if self._announced is None:
                self._announced = index.services
        return Listed(frozenset(index.services) | frozenset(index.problems))

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Return the instances of *service*: from the last reads if they are young enough, else after a full read.

        A task that was just looked at, as after an event, makes its services fresh.
        """
        index = self._current()
        looked = index.looked.get(service, float("-inf")) if fresh else float("-inf")
        if looked < time.monotonic() - YOUNG or self._problem(index, service) is not None:
            self._inventory.refresh(YOUNG if fresh else OLD)
            index = self._current()
        problem = self._problem(index, service)
        if problem is not None:
            return Unreadable(service, problem.reason, problem.code)
        return Complete(service, index.services.get(service, ()), ended=index.ended.get(service, ()))

    def changes(self) -> frozenset[str]:
        """Return the names whose instances have changed since this was last asked. Costs no call."""
        index = self._current()
        with self._lock:
            before, self._announced = self._announced or {}, index.services
        names = before.keys() | index.services.keys()
        return frozenset(name for name in names if before.get(name, ()) != index.services.get(name, ()))

    def _current(self) -> Index:
        with self._lock:
            state, now = self._inventory.state, time.monotonic()
            if self._index.state is not state or self._index.until <= now:
                self._index = self._build(state, now)
            return self._index

    def _build(self, state: State, now: float) -> Index:
        services: dict[str, list[Instance]] = {}
        ended: dict[str, list[Instance]] = {}
        problems: dict[str, Problem] = {}
        looked: dict[str, float] = {}
        unnamed: Problem | None = None
        left_out: Problem | None = None
        until = float("inf")
        offers: dict[str, tuple[Placed, tuple[Instance, ...]]] = {}
        for arn, entry in sorted(state.entries.items()):
            placed = self._relevant(entry.placed)
            if not self._selection.takes(placed):
                continue
            problem = placed.problem or placed.tags_problem
            trusted = placed.tags_problem is None and placed.task.cluster in state.whole
            if entry.stopping_since is None and problem is not None and trusted:
                if placed.address is None or placed.definition is None:
                    left_out = problem
                    continue
            elif entry.stopping_since is None and problem is not None:
                names = self._dialect.names(placed)
                unnamed = unnamed or (problem if names is None else None)
                problems.update(dict.fromkeys(names or (), problem))
                continue
            if not placed.task.running:
                continue
            instances = self._offer(arn, entry.placed, placed)
            offers[arn] = (entry.placed, instances)
            end = float("inf") if entry.stopping_since is None else entry.stopping_since + self._drain
            until = min(until, end if end > now else until)
            for item in instances:
                looked[item.service] = max(entry.at, looked.get(item.service, entry.at))
                if end > now:
                    services.setdefault(item.service, []).append(_as_it_is(item, entry))
                elif entry.told:
                    ended.setdefault(item.service, []).append(item)
        self._offers = offers
        return Index(state, _frozen(services), _frozen(ended), problems, unnamed, left_out, looked, until)

    def _relevant(self, placed: Placed) -> Placed:
        """Return *placed* without the tags of its service, unless this view has asked for them."""
        if self._dialect.service_tags or (placed.service_tags is None and placed.tags_problem is None):
            return placed
        return replace(placed, service_tags=None, tags_problem=None)

    def _offer(self, arn: str, original: Placed, placed: Placed) -> tuple[Instance, ...]:
        known = self._offers.get(arn)
        if known is not None and known[0] is original:
            return known[1]
        address = placed.address
        if address is None or not (address.certain or address.ipv4):
            return ()
        return self._dialect.instances(placed)

    def _problem(self, index: Index, service: str) -> Problem | None:
        """Return why nothing may be concluded about *service*; None if everything of it was read."""
        state = index.state or State()
        for cluster, problem in state.troubles.items():
            if cluster not in state.whole and (cluster == ALL or self._dialect.may_hold(cluster, service)):
                return problem
        return index.problems.get(service) or index.unnamed


def _frozen(found: Mapping[str, list[Instance]]) -> Mapping[str, tuple[Instance, ...]]:
    return MappingProxyType({name: tuple(items) for name, items in found.items()})


def _as_it_is(item: Instance, entry: Entry) -> Instance:
    return item if entry.stopping_since is None else draining(item)


def _any(globs: tuple[str, ...], text: str) -> bool:
    return any(fnmatchcase(text, glob) for glob in globs)
