"""Alive is not ready: a process may live and still not do its work."""

import time

from syncer.observe.health import Health
from tests.observe.scene import Scene


def test_two_routes_that_read_everything_lately_are_ready() -> None:
    health = Health(Scene().watched, stale_after=60)
    assert health.ready() == ()
    assert health.alive() == ()


def test_a_side_that_was_not_read_is_named() -> None:
    scene = Scene()
    scene.cloudmap.ready = False
    problems = Health(scene.watched, stale_after=60).ready()
    assert len(problems) == 2
    assert all("corp.internal was not read completely yet" in problem for problem in problems)


def test_a_route_without_a_good_pass_is_not_ready() -> None:
    scene = Scene()
    scene.out.last_pass = None
    (problem,) = Health(scene.watched, stale_after=60).ready()
    assert problem == "route consul->corp.internal: no pass has read everything yet"


def test_a_route_whose_last_good_pass_is_long_ago_is_not_ready() -> None:
    scene = Scene()
    scene.out.last_pass = time.monotonic() - 400
    (problem,) = Health(scene.watched, stale_after=300).ready()
    assert "400 s ago, more than 300 s" in problem


def test_without_routes_nothing_is_ready_and_the_reason_is_told() -> None:
    assert Health(list, stale_after=60).ready() == ("there is no route yet",)
    waiting = Health(list, stale_after=60, waiting=lambda: ["namespace corp.internal was not found"])
    assert waiting.ready() == ("namespace corp.internal was not found",)


def test_a_thread_that_ended_makes_the_process_neither_alive_nor_ready() -> None:
    threads = {"agenda": True, "route-a": False}
    health = Health(Scene().watched, stale_after=60, threads=lambda: threads)
    assert health.alive() == ("thread route-a has ended",)
    assert health.ready() == ("thread route-a has ended",)
