"""All tasks of some clusters as they were last read, for every view; kept current by full reads and by single looks."""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

from syncer.core.errors import SyncError
from syncer.systems.aws import guarded
from syncer.systems.daemons import Daemons
from syncer.systems.ecs.entries import Entry, State, merged
from syncer.systems.ecs.freshness import Age
from syncer.systems.ecs.model import Placed, Problem
from syncer.systems.ecs.parse import short_name
from syncer.systems.ecs.tasks import ClusterRead, TaskReader, problem_of

REMEMBERED: Final = 60.0
"""Seconds that a task which stopped is remembered: a read that began before must not bring it back."""
ALL: Final = "*"
"""Stands for the list of clusters where one goes by a glob."""
_UNREAD: Final = Problem("it was not read yet", "NotReadYet")


class Inventory:
    """The tasks of the chosen clusters. Thread-safe; full reads that are wanted at once are made once."""

    def __init__(self, reader: TaskReader, clusters: Iterable[str], *, remember: float = REMEMBERED) -> None:
        """Hold the tasks of *clusters*: names, ARNs, or globs over names; stopped ones for *remember* seconds."""
        self._reader = reader
        given = tuple(clusters)
        self._patterns = tuple(map(short_name, given))
        self._references = dict(zip(self._patterns, given, strict=True))
        """Short name to how a cluster was given: an ARN of another account or Region must fail, not find a namesake."""
        self._home: str | None = None
        """The account and Region of the tasks, as their ARNs begin."""
        self._remember = remember
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._pool = Daemons(4, "ecs-cluster")
        self._named = tuple(name for name in self._patterns if not _is_glob(name))
        self._globs = len(self._named) < len(self._patterns)
        self._ages: dict[str, Age] = {name: Age() for name in (*self._named, *([ALL] if self._globs else []))}
        self._whole: set[str] = set()
        self._trusted = 0
        self._state = State(troubles=MappingProxyType(dict.fromkeys(self._ages, _UNREAD)))

    @property
    def state(self) -> State:
        """Everything that is known now."""
        return self._state

    def takes(self, cluster: str, arn: str = "") -> bool:
        """Whether the cluster of that short name is one of the chosen, and the task *arn* one of this account's."""
        if arn and self._home is not None and not arn.startswith(self._home):
            return False
        return any(fnmatchcase(cluster, pattern) for pattern in self._patterns)

    def refresh(self, max_age: float) -> State:
        """Read in full those clusters whose last good full read ended more than *max_age* seconds ago.

        What cannot be read stands in the state's troubles, or as a problem of a task. Never raises SyncError.
        """
        asked = time.monotonic()
        with self._refreshing:
            listed = self._list(asked, max_age)
            due = [name for name in listed if self._ages[name].due(asked, max_age)]
            for _ in self._pool.map(self._read, due):
                pass
        return self._state

    def doubt(self, cluster: str | None = None) -> None:
        """Have the next refresh, however young the last, read *cluster* in full, or all clusters."""
        for name in tuple(self._ages) if cluster is None else (cluster, ALL):
            if name in self._ages:
                self._ages[name].doubted = True

    def distrust(self) -> None:
        """Call no cluster whole: somebody else may write of tasks that nobody has seen here."""
        with self._lock:
            self._trusted += 1
            if self._whole:
                self._whole.clear()
                self._set(self._state.entries, self._state.troubles)

    @property
    def troubled(self) -> bool:
        """Whether something could not be read, or was found to be doubtful, and is to be read again."""
        return any(age.failures or age.doubted for age in tuple(self._ages.values()))

    def look(self, cluster: str, arns: Iterable[str], *, reuse: bool = True) -> frozenset[str]:
        """Read just these tasks of *cluster*; return those that ECS does not know any more.

        With *reuse*, addresses that are known are not asked for again. Raises :class:`SyncError` if no task can be
        described; what cannot be read of one is doubted.
        """
        began = time.monotonic()
        if cluster not in self._ages:
            self.doubt(cluster)
        known, reference = self._known(cluster), self._references.get(cluster, cluster)
        read = guarded(lambda: self._reader.tasks(reference, sorted(arns), known, reuse=reuse))
        self._install(cluster, began, read)
        if not _good(read):
            self.doubt(cluster)
        return frozenset(read.gone)

    def uncertain(self, within: float) -> dict[str, list[str]]:
        """Return, by cluster, the tasks first seen in the last *within* seconds whose interface EC2 did not know yet."""
        found: dict[str, list[str]] = {}
        oldest = time.monotonic() - within
        for arn, entry in self._state.entries.items():
            address = entry.placed.address
            if (
                address is not None
                and not address.certain
                and entry.since > oldest
                and entry.stopping_since is None
            ):
                found.setdefault(entry.placed.task.cluster, []).append(arn)
        return found

    def version(self, arn: str) -> int:
        """Return the highest version that was seen of a task; -1 for an unknown one."""
        entry = self._state.entries.get(arn)
        return -1 if entry is None else entry.version

    def stopping(self, arn: str) -> bool:
        """Whether a task is known to stop, or not to be there any more."""
        entry = self._state.entries.get(arn)
        return entry is not None and entry.stopping_since is not None

    def bare(self, arn: str) -> bool:
        """Whether a task runs with an interface of its own that has no public address."""
        entry = self._state.entries.get(arn)
        if entry is None or entry.stopping_since is not None:
            return False
        address = entry.placed.address
        return bool(entry.placed.task.interface and address and address.certain and not address.public_ipv4)

    def close(self) -> None:
        """Let go of the threads without waiting for them."""
        self._pool.shutdown()
        self._reader.close()

    def _list(self, asked: float, max_age: float) -> tuple[str, ...]:
        """Return the clusters to hold; those that a glob takes are listed anew with each full read."""
        known = tuple(name for name in self._ages if name != ALL)
        age = self._ages.get(ALL)
        if age is None or not age.due(asked, max_age):
            return known
        began, trusted = age.begin(), self._trusted
        try:
            found = {short_name(arn) for arn in guarded(self._reader.clusters)}
        except SyncError as e:
            age.end(good=False)
            self._judge({ALL: problem_of(e)})
            return known
        age.end(good=True)
        self._trust(ALL, trusted)
        names = (*self._named, *sorted(name for name in found - {*self._named} if self.takes(name)))
        for name in set(known) - set(names):
            self._install(name, began, ClusterRead(whole=True), full=True)
        new = set(names) - set(known)
        self._judge({ALL: None} | dict.fromkeys(new, _UNREAD))
        self._ages = {ALL: age} | {name: self._ages.get(name) or Age() for name in names}
        return names

    def _read(self, cluster: str) -> None:
        age = self._ages[cluster]
        began, trusted = age.begin(), self._trusted
        known, reference = self._known(cluster), self._references.get(cluster, cluster)
        try:
            read = guarded(lambda: self._reader.cluster(reference, known))
        except SyncError as e:
            read = ClusterRead(trouble=problem_of(e))
        age.end(good=_good(read))
        if _good(read):
            self._trust(cluster, trusted)
        self._install(cluster, began, read, full=True)

    def _trust(self, cluster: str, trusted: int) -> None:
        """Call *cluster* whole, unless somebody else may have written since the read of it began."""
        with self._lock:
            if trusted == self._trusted:
                self._whole.add(cluster)

    def _known(self, cluster: str) -> dict[str, Placed]:
        entries = self._state.entries.items()
        return {arn: entry.placed for arn, entry in entries if entry.placed.task.cluster == cluster}

    def _install(self, cluster: str, began: float, read: ClusterRead, *, full: bool = False) -> None:
        now = time.monotonic()
        with self._lock:
            entries = dict(self._state.entries)
            for arn, placed in read.placed.items():
                self._home = self._home or ":".join(arn.split(":")[:5]) + ":"
                entries[arn] = merged(entries.get(arn), placed, began)
            for arn, entry in tuple(entries.items()):
                if entry.placed.task.cluster != cluster:
                    continue
                absent = arn in read.gone or (read.whole and arn not in read.placed)
                if absent and entry.at < began and entry.stopping_since is None:
                    entries[arn] = replace(entry, at=began, stopping_since=now)
                elif entry.stopping_since is not None and entry.stopping_since < now - self._remember:
                    del entries[arn]
            troubles = dict(self._state.troubles)
            if read.trouble is not None:
                troubles[cluster] = read.trouble
            elif full:
                troubles.pop(cluster, None)
            self._set(entries, troubles)

    def _judge(self, problems: Mapping[str, Problem | None]) -> None:
        with self._lock:
            troubles = {
                name: problem for name, problem in {**self._state.troubles, **problems}.items() if problem
            }
            self._set(self._state.entries, troubles)

    def _set(self, entries: Mapping[str, Entry], troubles: Mapping[str, Problem]) -> None:
        self._state = State(
            MappingProxyType(dict(entries)), MappingProxyType(dict(troubles)), frozenset(self._whole)
        )


def _good(read: ClusterRead) -> bool:
    """Whether *read* leaves no question."""
    return not read.trouble and not any(item.problem or item.tags_problem for item in read.placed.values())


def _is_glob(name: str) -> bool:
    return any(character in name for character in "*?[")
