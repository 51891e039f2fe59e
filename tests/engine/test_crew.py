"""Several things at once, in order, on threads that nobody waits for."""

import subprocess
import sys
import threading
import time

import pytest

from syncer.engine.crew import Crew
from tests.engine.ground import LONG
from tests.support.wait import eventually


def test_results_come_in_the_order_of_the_things_whoever_ends_first() -> None:
    crew = Crew(4, "crew")

    def call(number: int) -> int:
        time.sleep(0.02 * (4 - number))
        return number * number

    assert crew.each(call, [0, 1, 2, 3]) == [0, 1, 4, 9]
    assert crew.each(call, []) == []
    crew.close()


def test_no_more_is_done_at_once_than_the_crew_is_large_whoever_asks() -> None:
    crew, lock = Crew(2, "crew"), threading.Lock()
    now, most = 0, 0

    def call(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1

    threads = [threading.Thread(target=crew.each, args=(call, range(6))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert most == 2
    crew.close()


def test_a_call_that_fails_fails_the_whole_and_not_the_crew() -> None:
    crew = Crew(2, "crew")
    with pytest.raises(RuntimeError, match="1 of 3 were not done"):
        crew.each(lambda number: 1 // number, [1, 0, 2])
    assert crew.each(lambda number: 4 // number, [1, 2]) == [4, 2]
    crew.close()


def test_closing_breaks_off_what_waits_and_lets_go_of_what_hangs() -> None:
    crew, gate, raised = Crew(1, "crew"), threading.Event(), list[str]()
    begun = threading.Event()

    def call(_: int) -> bool:
        begun.set()
        return gate.wait(LONG)

    def work() -> None:
        try:
            crew.each(call, [1, 2, 3])
        except RuntimeError as e:
            raised.append(str(e))

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(LONG)
    crew.close()
    crew.close()
    gate.set()
    thread.join(LONG)
    (reason,) = raised
    assert reason in {"crew: 2 of 3 were not done", "crew: closed"}
    with pytest.raises(RuntimeError, match="closed"):
        crew.each(call, [1])


def test_what_hangs_is_left_to_itself_and_everything_else_is_done() -> None:
    crew, gate = Crew(3, "crew"), threading.Event()
    done: set[int] = set()

    def call(number: int) -> int:
        if number in {0, 5}:
            gate.wait(LONG)
        done.add(number)
        return number

    assert crew.each(call, range(40), patience=0.3) == [
        None if number in {0, 5} else number for number in range(40)
    ]
    gate.set()
    eventually(lambda: len(done) == 40)
    crew.close()


def test_where_everything_hangs_it_is_waited_for_once() -> None:
    crew, gate, begun = Crew(2, "crew"), threading.Event(), list[int]()

    def call(number: int) -> bool:
        begun.append(number)
        return gate.wait(LONG)

    assert crew.each(call, range(600), patience=0.2) == [None] * 600
    gate.set()
    eventually(lambda: len(begun) == 600, message="what was left is done all the same")
    crew.close()


def test_a_process_ends_although_a_read_hangs() -> None:
    program = (
        "import threading, time\n"
        "from syncer.engine.crew import Crew\n"
        "begun, crew = threading.Event(), Crew(2, 'crew')\n"
        "def hang(_):\n"
        "    begun.set()\n"
        "    time.sleep(600)\n"
        "threading.Thread(target=crew.each, args=(hang, [1, 2]), daemon=True).start()\n"
        "begun.wait()\n"
        "crew.close()\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 0
