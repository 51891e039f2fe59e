"""A registry under test, with what the contract needs around it."""

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from syncer.core.carrier import Carrier, fit
from syncer.core.identity import target_id
from syncer.core.model import Complete, Instance, Mark
from syncer.core.plan import Change
from syncer.core.ports import Ending, Hint, Outcome, Registry, Watch, Writer
from tests.support.wait import eventually

OWNER: Final = "contract"
ORIGIN: Final = "elsewhere/one"
LONG: Final = 60.0
"""Seconds that anything may take: a bound against hanging, not a target."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One registry with its writer and its watch."""

    registry: Registry
    writer: Writer
    watch: Watch
    carrier: Carrier
    elsewhere: Callable[[str, str, str, int], None]
    """Registers (service, id, IPv4, port) by another hand; the service may have to be created."""
    broken: Callable[[], AbstractContextManager[None]]
    """While it lasts, the registry answers nothing, or nothing but errors."""
    impossible: Callable[[Instance], Instance]
    """Makes of a good instance one that the registry refuses."""
    records: frozenset[str] = frozenset({"A"})


def instance(subject: Subject, number: int, service: str = "web", **values: Any) -> Instance:
    """Return an instance that a route would write: fitted, with a mark and an id from it."""
    mark = Mark(OWNER, ORIGIN, service, f"node-1/i{number}", ("elsewhere/two",))
    made = Instance(
        **{
            "service": service,
            "id": target_id(ORIGIN, service, mark.instance),
            "ipv4": f"10.0.{number // 250}.{number % 250 + 1}",
            "port": 8000 + number,
            "tags": ("blue", "v1"),
            "attributes": {"version": "1.2.3", "team": "a b"},
            "mark": mark,
            **values,
        }
    )
    return fit(made, subject.carrier.attributes)[0]


class Ended:
    """Collects outcomes, from any thread."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self._lock = threading.Lock()

    def __call__(self, outcome: Outcome) -> None:
        with self._lock:
            self.outcomes.append(outcome)

    def endings(self, count: int) -> list[Ending]:
        """Wait until *count* changes have ended, and return how, in the order in which they did."""
        eventually(lambda: len(self.outcomes) >= count, LONG, f"{count} changes have ended")
        return [outcome.ending for outcome in self.outcomes]


def carry_out(subject: Subject, *changes: Change) -> list[Outcome]:
    """Submit *changes* and wait for their ends."""
    ended = Ended()
    subject.writer.submit(changes, ended)
    ended.endings(len(changes))
    return ended.outcomes


def read(subject: Subject, service: str = "web") -> Complete:
    """Read *service* as it was written last."""
    answer = subject.registry.read(service, fresh=True)
    assert isinstance(answer, Complete), answer
    return answer


def holds(subject: Subject, *expected: Instance, service: str = "web") -> None:
    """Wait until *service* holds exactly *expected*: a registry may take a moment to show what it has taken."""

    def check() -> bool:
        found = {item.id: item for item in read(subject, service).instances}
        assert found == {item.id: item for item in expected}
        return True

    eventually(check, LONG)


class Noticed:
    """What a watch says."""

    def __init__(self) -> None:
        self._said: list[frozenset[str] | None] = []
        self._lock = threading.Lock()

    def hint(self, hint: Hint) -> None:
        with self._lock:
            self._said.append(hint.services)

    def read(self, read: Complete) -> None:
        with self._lock:
            self._said.append(frozenset({read.service}))

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._said.clear()

    def reason_to_read(self, service: str) -> bool:
        """Whether *service* was named, or everything was."""
        with self._lock:
            return any(said is None or service in said for said in self._said)


@contextmanager
def watching(watch: Watch) -> Iterator[tuple[Noticed, Callable[[], bool]]]:
    """Run *watch* in a thread; give what it says, and a function that stops it and tells whether it ended."""
    noticed, stop = Noticed(), threading.Event()
    thread = threading.Thread(target=watch.run, args=(noticed.hint, noticed.read, stop), daemon=True)
    thread.start()

    def leave() -> bool:
        stop.set()
        thread.join(60)
        return not thread.is_alive()

    try:
        yield noticed, leave
    finally:
        leave()


def stands(subject: Subject, noticed: Noticed) -> None:
    """Wait until a running watch notices what changes: by changing something until it does."""
    numbers = itertools.count(1)

    def noticed_one() -> bool:
        number = next(numbers)
        subject.elsewhere("canary", f"c{number}", f"10.8.0.{number}", 80)
        return noticed.reason_to_read("canary")

    eventually(noticed_one, LONG, "the watch notices anything", interval=0.3)


def in_threads(tasks: Sequence[Callable[[], None]]) -> None:
    """Run *tasks* at once and wait for all."""
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
