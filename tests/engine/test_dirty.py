"""Hints are handed out at once after a calm, in batches while they keep coming, and never lost."""

import threading
import time

from syncer.engine.dirty import Batch, Dirty
from tests.engine.ground import LONG
from tests.support.wait import eventually

WEB = frozenset({"web"})


def test_the_first_hint_after_a_calm_is_handed_out_at_once() -> None:
    dirty = Dirty(3600)
    dirty._taken = -1e9  # noqa: SLF001 - a calm that no test can wait for
    dirty.add(sources=WEB)
    began = time.monotonic()
    batch = dirty.take(threading.Event())
    assert batch is not None
    assert (batch.sources, batch.targets, batch.full) == ({"web"}, set(), False)
    assert batch.since <= time.monotonic()
    assert time.monotonic() - began < 60


def test_what_comes_soon_after_a_batch_is_gathered_into_the_next() -> None:
    dirty, stop = Dirty(0.2), threading.Event()
    dirty.add(sources=WEB)
    dirty.take(stop)
    taken = time.monotonic()
    for number in range(10):
        dirty.add(sources=frozenset({f"s-{number}"}), targets=frozenset({f"t-{number}"}))
    batch = dirty.take(stop)
    assert batch is not None
    assert len(batch.sources) == len(batch.targets) == 10
    assert time.monotonic() - taken >= 0.19


def test_a_full_batch_keeps_the_names_that_were_hinted_at() -> None:
    dirty = Dirty(0.01)
    dirty.add(targets=WEB)
    first = time.monotonic()
    dirty.add_all()
    batch = dirty.take(threading.Event())
    assert batch is not None
    assert batch.full
    assert batch.targets == {"web"}
    assert batch.since <= first


def test_waiting_for_a_hint_ends_with_the_hint_or_the_stop() -> None:
    dirty, stop, taken = Dirty(0.01), threading.Event(), list[Batch | None]()

    def work() -> None:
        while (batch := dirty.take(stop)) is not None:
            taken.append(batch)
        taken.append(None)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.05)
    dirty.wake()
    dirty.add(sources=WEB)
    eventually(lambda: len(taken) == 1, LONG)
    stop.set()
    dirty.wake()
    thread.join(LONG)
    assert not thread.is_alive()
    assert taken[1] is None


def test_nothing_is_handed_out_after_the_stop() -> None:
    dirty, stop = Dirty(0.01), threading.Event()
    dirty.add_all()
    stop.set()
    assert dirty.take(stop) is None


def test_no_hint_of_many_threads_is_lost() -> None:
    dirty, stop, seen = Dirty(0.005), threading.Event(), set[str]()

    def work() -> None:
        while (batch := dirty.take(stop)) is not None:
            seen.update(batch.sources)

    def hint(worker: int) -> None:
        for number in range(200):
            dirty.add(sources=frozenset({f"{worker}-{number}"}))

    taker = threading.Thread(target=work)
    hinters = [threading.Thread(target=hint, args=(worker,)) for worker in range(4)]
    for thread in (taker, *hinters):
        thread.start()
    for thread in hinters:
        thread.join(LONG)
    eventually(lambda: len(seen) == 800, LONG)
    stop.set()
    dirty.wake()
    taker.join(LONG)


def test_a_batch_is_something_once_anything_is_in_it() -> None:
    assert not Batch()
    assert Batch(full=True)
    assert Batch({"web"})
    assert Batch(targets={"web"})


def test_what_has_changed_in_the_source_does_not_wait_for_hundreds_of_targets() -> None:
    dirty, stop = Dirty(0.001), threading.Event()
    names = [f"t-{number:03}" for number in range(120)]
    for name in names:
        dirty.add(targets=frozenset({name}))
    dirty.add(sources=WEB)
    batches = [dirty.take(stop) for _ in range(3)]
    assert [sorted(batch.targets) for batch in batches if batch] == [names[:50], names[50:100], names[100:]]
    assert [batch.sources for batch in batches if batch] == [{"web"}, set(), set()]
    for name in names:
        dirty.add(targets=frozenset({name}))
    dirty.add_all()
    everything = dirty.take(stop)
    assert everything is not None
    assert everything.targets == set(names)
