"""A registry is read once for all who want it, when it is stale; and what cannot be read is never empty."""

import threading
import time
from dataclasses import replace

from syncer.core.errors import Unavailable
from syncer.core.model import Complete, Listed, Read, Unlisted, Unreadable
from syncer.core.ports import Hint
from syncer.engine.mirror import Mirror
from tests.engine.ground import ALL, LONG, cloudmap, complete, consul, deregister, ours, register, web
from tests.support.wait import eventually

AWAY = Unavailable("away")
WEB = Hint(frozenset({"web"}), "watch")


def ids(read: Read) -> set[str]:
    assert isinstance(read, Complete), read
    return {item.id for item in read.instances}


def test_a_service_is_read_once_until_somebody_calls_it_stale() -> None:
    registry = consul()
    registry.put(web(1))
    mirror = Mirror(registry)
    assert [ids(mirror.view("web")) for _ in range(3)] == [{"i-1"}] * 3
    registry.put(web(2))
    assert ids(mirror.view("web")) == {"i-1"}
    mirror.note(Hint(frozenset({"api"}), "watch"))
    assert ids(mirror.view("web")) == {"i-1"}
    mirror.note(WEB)
    assert ids(mirror.view("web")) == {"i-1", "i-2"}
    assert registry.times("web") == 2


def test_hints_ask_for_what_was_written_last_and_intervals_do_not() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.view("web")
    for hint in (WEB, ALL):
        mirror.note(hint)
        mirror.view("web")
    mirror.reread(["web"])
    mirror.view("web")
    assert [fresh for _, fresh in registry.asked] == [False, True, False, False]


def test_a_hint_at_everything_makes_everything_stale_and_the_list() -> None:
    registry = consul()
    registry.put(web(1), web(1, "api"))
    mirror = Mirror(registry)
    mirror.relist()
    mirror.refresh(["web", "api"])
    mirror.relist()
    assert registry.faults.calls == {"list": 1, "read": 2}
    mirror.note(ALL)
    mirror.relist()
    mirror.refresh(["web", "api"])
    assert registry.faults.calls == {"list": 2, "read": 4}


def test_services_that_came_or_went_with_the_list_are_read_again() -> None:
    registry = consul()
    registry.put(web(1), web(1, "api"))
    mirror = Mirror(registry)
    mirror.relist()
    mirror.refresh(["web", "api", "new"])
    registry.remove("web")
    registry.put(web(1, "new"))
    mirror.note(ALL)
    mirror.reread([])
    mirror.relist()
    assert ids(mirror.view("web")) == set()
    assert ids(mirror.view("new")) == {"i-1"}
    assert mirror.names == {"api", "new"}


def test_names_follow_what_is_found_between_two_lists() -> None:
    registry = consul()
    registry.put(web(1))
    mirror = Mirror(registry)
    assert mirror.names == set()
    mirror.relist()
    mirror.store(complete(web(1, "api"), service="api"))
    assert mirror.names == {"web", "api"}
    mirror.store(complete())
    assert mirror.names == {"api"}
    mirror.note(WEB)
    assert mirror.names == {"web", "api"}, "what is stale may have come back"


def test_an_empty_service_that_exists_is_named() -> None:
    registry = cloudmap()
    registry.put(web(1))
    registry.remove("web")
    mirror = Mirror(registry)
    mirror.relist()
    mirror.view("web")
    assert mirror.names == {"web"}


def test_what_a_complete_list_does_not_name_is_empty_enough_to_add_and_not_enough_to_remove() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.view("before the list", certain=False)
    assert registry.times("before the list") == 1
    mirror.relist()
    registry.put(web(1))
    assert mirror.view("web", certain=False) == complete()
    mirror.refresh(["web"], certain=False)
    assert registry.times("web") == 0
    assert ids(mirror.view("web")) == {"i-1"}


def test_a_hint_is_reason_enough_to_read_what_the_list_does_not_name() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.relist()
    registry.put(web(1))
    mirror.note(WEB)
    assert ids(mirror.view("web", certain=False)) == {"i-1"}


def test_what_could_not_be_read_is_said_counted_and_read_again_once_it_is_stale() -> None:
    registry = consul()
    registry.put(web(1))
    mirror, told = Mirror(registry), list[tuple[str, int]]()
    mirror.on_unreadable = lambda service, failures: told.append((service, failures))
    registry.faults.break_("web", AWAY)
    for _ in range(2):
        assert isinstance(mirror.view("web"), Unreadable)
        assert isinstance(mirror.view("web"), Unreadable)
        mirror.note(ALL)
    assert told == [("web", 1), ("web", 2)]
    registry.faults.mend("web")
    assert ids(mirror.view("web")) == {"i-1"}
    registry.faults.break_("web", AWAY)
    mirror.note(WEB)
    mirror.view("web")
    assert told[-1] == ("web", 1)


def test_a_read_that_had_to_be_fresh_and_failed_must_still_be_fresh() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.view("web")
    registry.faults.break_("web", AWAY)
    mirror.note(WEB)
    mirror.view("web")
    registry.faults.mend("web")
    mirror.note(ALL)
    mirror.view("web")
    assert registry.asked[-1] == ("web", True)


def test_a_defect_in_reading_one_service_is_no_answer_and_stops_no_other() -> None:
    registry = consul()
    registry.put(web(1), web(1, "api"))
    registry.defects = {"web"}
    mirror = Mirror(registry)
    mirror.refresh(["web", "api"])
    assert isinstance(mirror.view("web"), Unreadable)
    assert ids(mirror.view("api")) == {"i-1"}


def test_a_defect_in_listing_is_no_list_and_it_is_listed_again() -> None:
    registry = consul()
    registry.put(web(1))
    registry.defects = {""}
    mirror = Mirror(registry)
    assert isinstance(mirror.relist(), Unlisted)
    registry.defects = set()
    assert mirror.relist() == Listed(frozenset({"web"}))


def test_a_list_that_failed_is_asked_for_again_and_the_last_one_stands() -> None:
    registry = consul()
    registry.put(web(1))
    mirror = Mirror(registry)
    mirror.relist()
    registry.faults.break_("list", AWAY)
    mirror.note(ALL)
    assert isinstance(mirror.relist(), Unlisted)
    assert isinstance(mirror.relist(), Unlisted)
    assert mirror.names == {"web"}
    registry.faults.mend("list")
    assert isinstance(mirror.relist(), Listed)


def test_a_registry_that_answers_nothing_is_not_asked_about_every_service() -> None:
    registry = consul(parallel=3)
    names = [f"s-{number}" for number in range(50)]
    registry.faults.break_("read", AWAY)
    mirror, told = Mirror(registry), list[tuple[str, int]]()
    mirror.on_unreadable = lambda service, failures: told.append((service, failures))
    mirror.refresh(names)
    assert len(registry.asked) == 3
    assert {service for service, _ in told} == set(names)
    reads = [mirror.view(name) for name in names]
    assert all(isinstance(read, Unreadable) for read in reads)
    assert sum("not tried" in read.reason for read in reads if isinstance(read, Unreadable)) == 47
    mirror.note(ALL)
    mirror.refresh(names)
    assert {failures for _, failures in told[50:]} == {2}, "waits grow, whether it was tried or not"


def test_services_that_failed_are_tried_last_and_do_not_keep_the_others_from_being_read() -> None:
    """As many as are read at once may be forbidden: the rest is read at the second attempt at the latest."""
    registry = consul(parallel=3)
    names = [f"s-{number}" for number in range(20)]
    for name in names:
        registry.put(web(1, name))
    for name in names[:3]:
        registry.faults.break_(name, AWAY)
    mirror = Mirror(registry)
    mirror.refresh(names)
    mirror.note(ALL)
    mirror.refresh(names)
    assert {name for name in names if isinstance(mirror.view(name), Complete)} == set(names[3:])


def test_some_that_answer_are_reason_to_ask_about_all() -> None:
    registry = consul(parallel=2)
    names = [f"s-{number}" for number in range(10)]
    registry.faults.break_("s-0", AWAY)
    Mirror(registry).refresh(names)
    assert len(registry.asked) == 10


def test_a_watch_s_read_is_taken_and_says_whether_it_is_new() -> None:
    registry = consul()
    mirror = Mirror(registry)
    assert mirror.store(complete(web(1)))
    assert not mirror.store(complete(web(1)))
    assert mirror.store(complete(web(2)))
    assert ids(mirror.view("web")) == {"i-2"}
    assert registry.asked == []


def test_a_watch_s_read_does_not_use_up_a_hint_that_came_before() -> None:
    """The hint may be about a later change than the one the read saw."""
    registry = consul()
    registry.put(web(2))
    mirror = Mirror(registry)
    mirror.store(complete(web(1)))
    mirror.note(WEB)
    mirror.store(complete(web(1)))
    assert ids(mirror.view("web")) == {"i-2"}


def test_what_is_gone_is_forgotten_and_what_is_awaited_is_not() -> None:
    registry = consul()
    mirror = Mirror(registry)
    for number in range(20):
        name = f"job-{number}"
        registry.put(web(1, name))
        mirror.note(Hint(frozenset({name}), "watch"))
        mirror.view(name)
        registry.remove(name)
        mirror.note(Hint(frozenset({name}), "watch"))
        mirror.view(name)
    mirror.begin(register(1, "job-7"))
    assert len(mirror.peek()) == 20
    mirror.note(ALL)
    mirror.relist()
    assert set(mirror.peek()) == {"job-7"}


def test_hints_about_services_that_nobody_reads_do_not_pile_up_and_are_not_lost() -> None:
    registry = consul()
    mirror = Mirror(registry)
    registry.put(web(1))
    for number in range(200):
        mirror.note(Hint(frozenset({f"excluded-{number}"}), "watch"))
    assert mirror.remembered() == 200
    mirror.relist()
    mirror.note(WEB)
    mirror.note(ALL)
    mirror.relist()
    assert mirror.remembered() <= 1
    assert ids(mirror.view("web", certain=False)) == {"i-1"}


def test_a_hint_that_came_just_before_a_list_is_not_lost_with_it() -> None:
    registry = consul()
    mirror = Mirror(registry)
    mirror.relist()
    mirror.note(ALL)
    mirror.note(WEB)
    mirror.relist()
    registry.put(web(1))
    assert ids(mirror.view("web", certain=False)) == {"i-1"}


def test_our_own_writes_lie_over_what_was_read() -> None:
    registry = cloudmap()
    registry.put(web(9))
    mirror = Mirror(registry, lag=60)
    mirror.view("web")
    registry.lag()
    mirror.begin(register(1))
    assert (mirror.under_way("web"), mirror.pending("web", ours(1).id)) == (1, True)
    registry.carry_out(register(1))
    mirror.end(register(1), done=True)
    assert (mirror.under_way("web"), mirror.pending("web", ours(1).id)) == (0, False)
    mirror.reread(["web"])
    assert ids(mirror.view("web")) == {"i-9", ours(1).id}
    assert ids(mirror.peek()["web"]) == {"i-9"}
    assert mirror.lagging("web")
    mirror.note(WEB)
    assert ids(mirror.view("web")) == {"i-9", ours(1).id}
    assert mirror.lagging("web") is None


def test_a_read_that_does_not_show_what_was_done_is_doubted_later() -> None:
    registry = cloudmap()
    mirror, told = Mirror(registry), list[tuple[str, float]]()
    mirror.on_lagging = lambda service, seconds: told.append((service, seconds))
    mirror.begin(register(1))
    mirror.end(register(1), done=True)
    mirror.view("web")
    mirror.store(complete())
    assert [service for service, _ in told] == ["web", "web"]
    assert all(0 < seconds <= 1 for _, seconds in told)
    time.sleep(1.01)
    mirror.reread(["web"])
    assert mirror.view("web") == complete()
    assert len(told) == 2


def test_a_write_that_failed_has_its_service_read_as_it_is_now() -> None:
    registry = cloudmap()
    registry.put(ours(1))
    mirror = Mirror(registry)
    mirror.view("web")
    mirror.begin(deregister(1))
    assert ids(mirror.view("web")) == set()
    mirror.end(deregister(1), done=False)
    assert ids(mirror.view("web")) == {ours(1).id}
    assert registry.asked[-1] == ("web", True)


def test_a_registry_that_disagrees_with_itself_is_asked_for_a_second_look() -> None:
    registry = consul()
    mirror, told = Mirror(registry), list[str]()
    mirror.on_unsettled = told.append
    mirror.view("web")
    assert told == []
    mirror.store(replace(complete(web(1)), settled=False))
    assert told == ["web"]


def test_a_mirror_is_ready_once_everything_was_tried() -> None:
    mirror = Mirror(consul())
    before = mirror.ready
    mirror.attempted()
    assert (before, mirror.ready) == (False, True)
    assert mirror.id == "consul/dc1"


def test_whoever_has_patience_only_for_a_while_leaves_what_hangs_and_is_told_when_it_ends() -> None:
    registry = consul()
    registry.put(web(1), web(2, "api"))
    registry.way["api"] = gate = threading.Event()
    mirror, ended = Mirror(registry), threading.Event()
    mirror.patience = 0.2
    mirror.on_late = lambda service: ended.set() if service == "api" else None
    mirror.refresh(["api", "web"])
    assert ids(mirror.view("web")) == {"i-1"}
    late = mirror.view("api")
    assert isinstance(late, Unreadable)
    assert late.code == "Late"
    mirror.note(Hint(frozenset({"web", "api"}), "watch"))
    registry.put(web(3))
    mirror.refresh(["api", "web"])
    assert ids(mirror.view("web")) == {"i-1", "i-3"}
    assert registry.times("api") == 1, "what hangs is not asked for a second time"
    gate.set()
    assert ended.wait(LONG)
    assert ids(mirror.view("api")) == {"i-2"}


def test_a_view_of_what_hangs_for_another_is_not_waited_for_either() -> None:
    registry = consul()
    registry.put(web(1))
    registry.way["web"] = gate = threading.Event()
    mirror = Mirror(registry)
    thread = threading.Thread(target=mirror.view, args=("web",))
    thread.start()
    eventually(lambda: registry.on_its_way["web"])
    mirror.patience = 0.1
    assert isinstance(mirror.view("web"), Unreadable)
    gate.set()
    thread.join(LONG)
    assert ids(mirror.view("web")) == {"i-1"}
