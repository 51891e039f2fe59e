"""Jobs of a lane start in order, and one service's leave threads for the others."""

import threading
from functools import partial

from syncer.systems.cloudmap.lanes import Lanes
from tests.support.wait import eventually


def test_jobs_start_in_the_order_in_which_they_came() -> None:
    lanes, done = Lanes({"one": 1}), list[int]()
    for number in range(20):
        lanes.put("one", f"s{number % 3}", partial(done.append, number))
    eventually(lambda: len(done) == 20)
    assert done == list(range(20))
    lanes.close()


def test_a_service_whose_calls_hang_has_half_of_the_threads_at_most() -> None:
    lanes, gate, hung, done = Lanes({"register": 4}), threading.Event(), list[int](), list[str]()

    def hang() -> None:
        hung.append(1)
        gate.wait(60)

    for _ in range(10):
        lanes.put("register", "api", hang)
    lanes.put("register", "web", lambda: done.append("web"))
    eventually(lambda: done == ["web"])
    assert len(hung) == 2
    gate.set()
    eventually(lambda: len(hung) == 10)
    lanes.close()


def test_what_waits_is_done_before_a_closed_lane_ends_and_a_defect_ends_nothing() -> None:
    lanes, done = Lanes({"one": 2}), list[int]()

    def defect() -> None:
        raise RuntimeError("a defect")

    lanes.put("one", "web", defect)
    for number in range(5):
        lanes.put("one", "web", partial(done.append, number))
    lanes.close()
    eventually(lambda: sorted(done) == list(range(5)))
    eventually(lambda: not any("cloudmap-one" in thread.name for thread in threading.enumerate()))
