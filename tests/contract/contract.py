"""The contract of `syncer.core.ports`, as tests. A registry passes it by a class that gives the fixture `subject`."""

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from syncer.core.model import Complete, Health, Listed, Unlisted, Unreadable
from syncer.core.plan import CreateService, DeleteService, Deregister, Register, SetHealth, Update
from syncer.core.ports import Ending
from tests.contract.subject import (
    LONG,
    ORIGIN,
    OWNER,
    Ended,
    Subject,
    carry_out,
    holds,
    in_threads,
    instance,
    read,
    stands,
    watching,
)
from tests.support.wait import eventually


@pytest.fixture
def ready(subject: Subject) -> Subject:
    """A subject in which the service `web` is created, where services are."""
    create = CreateService("web", subject.records, 15, OWNER, ORIGIN)
    if subject.carrier.service_entities:
        assert [outcome.ending for outcome in carry_out(subject, create)] == [Ending.DONE]
    return subject


class ReaderContract:
    """What is read is everything, or a reason."""

    def test_a_registry_says_who_it_is_and_how_many_reads_it_bears(self, subject: Subject) -> None:
        assert subject.registry.id
        assert subject.registry.parallel >= 1

    def test_a_service_that_does_not_exist_is_complete_and_empty(self, subject: Subject) -> None:
        assert subject.registry.read("no-such-service") == Complete("no-such-service", ())
        assert subject.registry.read("no-such-service", fresh=True) == Complete("no-such-service", ())

    def test_what_was_registered_is_read_back_equal(self, ready: Subject) -> None:
        full = instance(ready, 1, ipv6="2001:db8::1")
        assert [outcome.ending for outcome in carry_out(ready, Register(full))] == [Ending.DONE]
        holds(ready, full)

    def test_what_has_neither_tags_nor_attributes_nor_port_is_read_back_equal(self, ready: Subject) -> None:
        bare = instance(ready, 1, tags=(), attributes={}, port=None)
        carry_out(ready, Register(bare))
        holds(ready, bare)

    def test_a_critical_instance_is_critical_from_its_first_moment(self, ready: Subject) -> None:
        down = instance(ready, 1, health=Health.CRITICAL)
        carry_out(ready, Register(down))
        holds(ready, down)

    def test_the_list_has_the_names_of_all_services(self, ready: Subject) -> None:
        ready.elsewhere("api", "a", "10.9.0.1", 80)
        carry_out(ready, Register(instance(ready, 1)))

        def listed() -> bool:
            listing = ready.registry.services()
            return isinstance(listing, Listed) and {"api", "web"} <= listing.names

        eventually(listed, LONG)

    def test_what_a_user_registered_carries_no_mark(self, subject: Subject) -> None:
        subject.elsewhere("api", "a", "10.9.0.1", 80)
        eventually(lambda: read(subject, "api").instances, LONG)
        (found,) = read(subject, "api").instances
        assert (found.mark, found.service, found.ipv4, found.port) == (None, "api", "10.9.0.1", 80)
        assert found.health is not Health.CRITICAL

    def test_a_failure_is_never_an_empty_answer(self, ready: Subject) -> None:
        kept = instance(ready, 1)
        carry_out(ready, Register(kept))
        holds(ready, kept)
        with ready.broken():
            for fresh in (False, True):
                answer = ready.registry.read("web", fresh=fresh)
                assert isinstance(answer, Unreadable)
                assert answer.reason
            listing = ready.registry.services()
            assert isinstance(listing, Unlisted)
            assert listing.reason
        eventually(lambda: isinstance(ready.registry.read("web"), Complete), LONG)


class WriterContract:
    """What is submitted is done, or its failure is told; once."""

    def test_an_update_happens_in_place(self, ready: Subject) -> None:
        before = instance(ready, 1)
        after = replace(before, ipv4="10.0.9.9", port=9999, tags=("green",), attributes={"version": "2"})
        carry_out(ready, Register(before))
        carry_out(ready, Update(before, after))
        holds(ready, after)

    def test_health_is_written_both_ways(self, ready: Subject) -> None:
        well = instance(ready, 1)
        sick = replace(well, health=Health.CRITICAL)
        carry_out(ready, Register(well))
        assert carry_out(ready, SetHealth(Health.PASSING, sick))[0].ending is Ending.DONE
        holds(ready, sick)
        assert carry_out(ready, SetHealth(Health.CRITICAL, well))[0].ending is Ending.DONE
        holds(ready, well)

    def test_the_removal_of_one_leaves_the_others(self, ready: Subject) -> None:
        one, other = instance(ready, 1), instance(ready, 2)
        carry_out(ready, Register(one), Register(other))
        carry_out(ready, Deregister(one))
        holds(ready, other)

    def test_what_is_gone_may_be_removed_again(self, ready: Subject) -> None:
        one = instance(ready, 1)
        carry_out(ready, Register(one))
        for _ in range(2):
            assert [outcome.ending for outcome in carry_out(ready, Deregister(one))] == [Ending.DONE]
        holds(ready)

    def test_a_service_of_ours_that_is_empty_can_be_deleted_and_comes_back(self, ready: Subject) -> None:
        one = instance(ready, 1)
        carry_out(ready, Register(one))
        holds(ready, one)
        info = read(ready).info
        carry_out(ready, Deregister(one))
        holds(ready)
        if info is None:
            return
        assert (info.owner, info.records) == (OWNER, ready.records)
        assert carry_out(ready, DeleteService("web", info))[0].ending is Ending.DONE
        eventually(lambda: read(ready).info is None, LONG)
        changes = (CreateService("web", ready.records, 15, OWNER, ORIGIN), Register(one))
        assert {outcome.ending for outcome in carry_out(ready, *changes)} == {Ending.DONE}
        holds(ready, one)

    def test_the_latest_wish_wins(self, ready: Subject) -> None:
        first = instance(ready, 1)
        wishes = [replace(first, attributes={"version": str(number)}) for number in range(10)]
        ended = Ended()
        ready.writer.submit([Register(wishes[0])], ended)
        for before, after in pairwise(wishes):
            ready.writer.submit([Update(before, after)], ended)
        ended.endings(len(wishes))
        holds(ready, wishes[-1])
        by_wish = {outcome.change: outcome.ending for outcome in ended.outcomes}
        assert by_wish[Update(wishes[-2], wishes[-1])] is Ending.DONE
        assert set(by_wish.values()) <= {Ending.DONE, Ending.SUPERSEDED}

    def test_the_end_of_each_change_is_told_once(self, ready: Subject) -> None:
        groups = [[Register(instance(ready, 10 * group + n)) for n in range(8)] for group in range(3)]
        ended = Ended()
        in_threads([partial(ready.writer.submit, group, ended) for group in groups])
        ended.endings(24)
        holds(ready, *(change.instance for group in groups for change in group))
        told = Counter(outcome.change for outcome in ended.outcomes)
        assert told == Counter(change for group in groups for change in group)
        assert {outcome.ending for outcome in ended.outcomes} == {Ending.DONE}

    def test_one_bad_change_stops_no_other(self, ready: Subject) -> None:
        good = [instance(ready, number) for number in range(4)]
        bad = ready.impossible(instance(ready, 99))
        changes = [Register(item) for item in (*good[:2], bad, *good[2:])]
        outcomes = {outcome.change: outcome for outcome in carry_out(ready, *changes)}
        assert [outcomes[Register(item)].ending for item in good] == [Ending.DONE] * 4
        assert outcomes[Register(bad)].ending is Ending.FAILED
        assert outcomes[Register(bad)].error is not None
        holds(ready, *good)

    def test_what_cannot_be_written_now_ends_all_the_same_and_harms_nothing_later(
        self, ready: Subject
    ) -> None:
        early, late = instance(ready, 1), instance(ready, 2)
        ended = Ended()
        with ready.broken():
            ready.writer.submit([Register(early)], ended)
        (ending,) = ended.endings(1)
        assert ending in {Ending.DONE, Ending.FAILED}
        assert carry_out(ready, Register(late))[0].ending is Ending.DONE
        holds(ready, *((early, late) if ending is Ending.DONE else (late,)))

    def test_a_closed_writer_abandons_what_it_is_given(self, ready: Subject) -> None:
        ready.writer.close(5)
        assert [outcome.ending for outcome in carry_out(ready, Register(instance(ready, 1)))] == [
            Ending.ABANDONED
        ]
        ready.writer.close(5)
        holds(ready)

    def test_a_writer_that_is_closed_at_work_leaves_no_change_without_an_end(self, ready: Subject) -> None:
        changes = [Register(instance(ready, number)) for number in range(30)]
        ended = Ended()
        ready.writer.submit(changes, ended)
        ready.writer.close(5)
        assert set(ended.endings(30)) <= {Ending.DONE, Ending.ABANDONED, Ending.FAILED}
        assert len(ended.outcomes) == 30


class WatchContract:
    """What changes is noticed; what is noticed is a reason to read, never data."""

    def test_what_another_hand_changes_is_noticed(self, subject: Subject) -> None:
        with watching(subject.watch) as (noticed, _):
            stands(subject, noticed)
            for number in (1, 2):
                noticed.forget()
                subject.elsewhere("api", f"a{number}", f"10.9.0.{number}", 80)
                eventually(lambda: noticed.reason_to_read("api"), LONG, "the change is noticed")

    def test_it_ends_soon_after_it_is_told_to(self, subject: Subject) -> None:
        with watching(subject.watch) as (noticed, leave):
            stands(subject, noticed)
            assert leave()

    def test_it_outlives_a_failure_and_notices_again(self, subject: Subject) -> None:
        with watching(subject.watch) as (noticed, leave):
            stands(subject, noticed)
            with subject.broken():
                assert isinstance(subject.registry.services(), Unlisted)
            noticed.forget()
            subject.elsewhere("api", "a", "10.9.0.1", 80)
            eventually(lambda: noticed.reason_to_read("api"), LONG, "the change is noticed")
            assert leave()


class RegistryContract(ReaderContract, WriterContract, WatchContract):
    """The whole of it."""
