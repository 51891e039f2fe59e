"""Reads, hints, lists and watches that cross each other: nothing is read twice, nothing is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from syncer.core.errors import Unavailable
from syncer.core.model import Complete, Listed, Listing, Read
from syncer.core.ports import Hint
from syncer.engine.mirror import Mirror
from tests.engine.ground import ALL, LONG, Memory, complete, consul, web
from tests.support.wait import eventually

T = TypeVar("T")
WEB = Hint(frozenset({"web"}), "watch")


def start(call: Callable[[], T]) -> tuple[threading.Thread, list[T]]:
    """Run *call* in a thread; its result is in the list once that has ended."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


@contextmanager
def under_way(registry: Memory, call: Callable[[], T], about: str = "web") -> Iterator[list[T]]:
    """Let *call* ask *registry*, and let the answer arrive when the block ends."""
    gate = registry.way[about] = threading.Event()
    before = registry.on_its_way[about]
    thread, results = start(call)
    eventually(lambda: registry.on_its_way[about] > before, LONG, "the answer is on its way")
    yield results
    del registry.way[about]
    gate.set()
    thread.join(LONG)
    assert not thread.is_alive()


def numbers(read: Read) -> set[str]:
    assert isinstance(read, Complete), read
    return {item.id for item in read.instances}


def test_several_who_want_a_stale_service_share_one_read() -> None:
    registry = consul()
    registry.put(web(1))
    mirror = Mirror(registry)
    with under_way(registry, lambda: mirror.view("web")) as first:
        others = [start(lambda: mirror.view("web")) for _ in range(4)]
        time.sleep(0.05)
        assert not any(results for _, results in others)
    for thread, _ in others:
        thread.join(LONG)
    assert [results[0] for _, results in others] == first * 4
    assert registry.times("web") == 1


def test_a_hint_while_a_read_is_under_way_is_not_lost() -> None:
    registry = consul()
    mirror = Mirror(registry)
    with under_way(registry, lambda: mirror.view("web")) as first:
        registry.put(web(1))
        mirror.note(WEB)
    assert first == [complete()]
    assert numbers(mirror.view("web")) == {"i-1"}


def test_a_hint_before_others_wait_for_a_read_has_them_read_anew() -> None:
    registry = consul()
    mirror = Mirror(registry)
    with under_way(registry, lambda: mirror.view("web")):
        registry.put(web(1))
        mirror.note(WEB)
        second, seen = start(lambda: mirror.view("web"))
        time.sleep(0.05)
    second.join(LONG)
    assert [numbers(read) for read in seen] == [{"i-1"}]


def test_a_read_that_began_before_a_watch_s_read_came_does_not_replace_it() -> None:
    registry = consul()
    mirror, doubted = Mirror(registry), list[str]()
    mirror.on_unsettled = doubted.append
    with under_way(registry, lambda: mirror.view("web")) as seen:
        registry.put(web(1))
        assert mirror.store(complete(web(1)))
    assert [numbers(read) for read in seen] == [{"i-1"}]
    assert numbers(mirror.view("web")) == {"i-1"}
    assert doubted == ["web"], "which of the two is older, nobody knows: a second look is due"


def test_a_watch_s_read_that_says_the_same_as_one_under_way_leaves_no_doubt() -> None:
    registry = consul()
    registry.put(web(1))
    mirror, doubted = Mirror(registry), list[str]()
    mirror.on_unsettled = doubted.append
    with under_way(registry, lambda: mirror.view("web")):
        mirror.store(complete(web(1)))
    assert doubted == []


def test_a_read_that_fails_after_a_watch_s_read_came_takes_nothing_away() -> None:
    registry = consul()
    mirror = Mirror(registry)
    registry.faults.break_("read", Unavailable("away"))
    with under_way(registry, lambda: mirror.view("web")) as seen:
        mirror.store(complete(web(1)))
    assert [numbers(read) for read in seen] == [{"i-1"}]


def test_giving_up_takes_nothing_away_that_somebody_else_reads_or_has_read() -> None:
    registry = consul(parallel=2)
    registry.put(web(1), web(1, "api"))
    mirror = Mirror(registry)
    registry.faults.break_("a", Unavailable("away"))
    registry.faults.break_("b", Unavailable("away"))
    with under_way(registry, lambda: mirror.view("web")) as seen:
        gate = registry.way["a"] = threading.Event()
        refreshing, _ = start(lambda: mirror.refresh(["a", "b", "web", "api"]))
        eventually(lambda: registry.on_its_way["a"], LONG)
        mirror.store(complete(web(1, "api"), service="api"))
        gate.set()
        refreshing.join(LONG)
    assert [numbers(read) for read in seen] == [{"i-1"}]
    assert numbers(mirror.view("web")) == {"i-1"}
    assert numbers(mirror.view("api")) == {"i-1"}


def test_several_who_want_a_stale_list_share_one_and_none_makes_do_with_the_old_one() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.relist()
    registry.put(web(1))
    mirror.note(ALL)
    others: list[tuple[threading.Thread, list[Listing]]] = []
    with under_way(registry, mirror.relist, about=""):
        others = [start(mirror.relist) for _ in range(3)]
        time.sleep(0.05)
        assert not any(results for _, results in others)
    for thread, results in others:
        thread.join(LONG)
        assert results == [Listed(frozenset({"web"}))]
    assert registry.faults.calls["list"] == 2


def test_a_hint_at_everything_while_the_list_is_under_way_has_it_listed_again() -> None:
    registry = consul()
    mirror = Mirror(registry)
    with under_way(registry, mirror.relist, about=""):
        registry.put(web(1))
        mirror.note(ALL)
    assert mirror.relist() == Listed(frozenset({"web"}))


def test_an_empty_service_that_is_forgotten_the_moment_it_was_read_is_still_empty() -> None:
    """Another route lists while this one reads: what is gone must not turn unreadable, or it stays for ever."""
    registry = consul()
    mirror = Mirror(registry)
    mirror.relist()
    stop = threading.Event()

    def forget() -> None:
        while not stop.is_set():
            mirror.note(ALL)
            mirror.relist()

    forgetting, _ = start(forget)
    for _ in range(1500):
        assert isinstance(mirror.view("gone"), Complete)
    stop.set()
    forgetting.join(LONG)


def test_many_at_once_see_what_was_there_after_the_last_hint() -> None:
    registry = consul()
    mirror = Mirror(registry)
    stop = threading.Event()
    failed: list[tuple[int, int]] = []

    def look() -> None:
        while not stop.is_set():
            least = len(registry.look("web").instances)
            mirror.note(WEB)
            seen = len(numbers(mirror.view("web")))
            if seen < least:
                failed.append((seen, least))

    threads = [start(look)[0] for _ in range(3)]
    for number in range(1, 60):
        registry.put(web(number))
        time.sleep(0.002)
    stop.set()
    for thread in threads:
        thread.join(LONG)
    assert failed == []
