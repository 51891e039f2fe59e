import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from syncer.core.identity import target_id
from syncer.core.model import Mark
from syncer.systems.route53.identifiers import LONGEST, Identifiers
from tests.systems.route53.steps import TASK

ORIGINS = ("ecs/prod", "consul/dc1")
IDENTIFIERS = Identifiers("prod", ORIGINS)

owners = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=63)
texts = st.text(min_size=1, max_size=300)
plain = st.text(string.ascii_letters + string.digits + "/:._-", min_size=1, max_size=120)
marks = st.builds(Mark, owners, st.sampled_from((*ORIGINS, "elsewhere")), st.just("web"), plain | texts)


def ids(mark: Mark) -> st.SearchStrategy[str]:
    """Ids made of the mark, with its service or without, and ids made of something else."""
    own = target_id(mark.origin, mark.service, mark.instance)
    stored = IDENTIFIERS.stored(mark)
    again = target_id(stored.origin, stored.service, stored.instance)
    return st.sampled_from((own, again, target_id(mark.origin, "web", "main/another")))


@given(mark=marks, data=st.data())
def test_what_is_written_is_short_and_reads_as_the_stored_mark_and_the_same_id(
    mark: Mark, data: st.DataObject
) -> None:
    identifiers = Identifiers(mark.owner, (*ORIGINS, "elsewhere"))
    instance_id = data.draw(ids(mark))
    text = identifiers.write(mark, instance_id)
    assert 1 <= len(text) <= LONGEST
    read = identifiers.read(text)
    assert read is not None
    assert read[0] == instance_id
    stored = identifiers.stored(mark)
    assert read[1] == stored or text.split("/", 4)[3].startswith("=")
    assert (read[1].owner, read[1].origin) == (stored.owner, stored.origin)


@given(mark=marks, data=st.data())
def test_what_was_read_is_written_as_it_was(mark: Mark, data: st.DataObject) -> None:
    text = IDENTIFIERS.write(mark, data.draw(ids(mark)))
    read = IDENTIFIERS.read(text)
    assert read is not None
    assert IDENTIFIERS.write(read[1], read[0]) == text


@given(marks)
def test_storing_twice_changes_nothing(mark: Mark) -> None:
    stored = IDENTIFIERS.stored(mark)
    assert IDENTIFIERS.stored(stored) == stored


@given(one=texts, other=texts)
def test_two_instances_are_never_taken_for_one(one: str, other: str) -> None:
    assume(one != other)
    marked = [Mark("prod", "ecs/prod", "web", instance) for instance in (one, other)]
    assert IDENTIFIERS.stored(marked[0]) != IDENTIFIERS.stored(marked[1])


@given(one=owners, other=owners)
def test_what_another_owner_wrote_is_not_ours(one: str, other: str) -> None:
    assume(one != other)
    text = Identifiers(one, ORIGINS).write(Mark(one, "ecs/prod", "web", "main/1"), "1-0123456789")
    read = Identifiers(other, ORIGINS).read(text)
    assert read is not None
    assert read[1].owner != other


def test_a_person_can_read_owner_and_task_in_it() -> None:
    mark = Mark("prod", "ecs/prod", "web", f"main/{TASK}")
    text = IDENTIFIERS.write(mark, target_id(mark.origin, mark.service, mark.instance))
    assert text.startswith("sync/prod/")
    assert text.endswith(f"/main/{TASK}")


def test_an_origin_that_is_not_known_stays_apart_from_those_that_are() -> None:
    text = Identifiers("prod", ("nomad/x",)).write(Mark("prod", "nomad/x", "web", "1"), "1-0123456789")
    read = IDENTIFIERS.read(text)
    assert read is not None
    assert read[1].origin not in ORIGINS


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("", id="none"),
        pytest.param(TASK, id="a-task"),
        pytest.param("sync", id="the-prefix-alone"),
        pytest.param("sync/prod/0123456789/0123456789", id="no-instance"),
        pytest.param("sync/prod/0123456789/0123456789/", id="an-empty-instance"),
        pytest.param("sync//0123456789/0123456789/main", id="no-owner"),
        pytest.param("sync/prod/0123456789/hello/main", id="no-tail"),
        pytest.param("my/prod/0123456789/0123456789/main", id="another-prefix"),
    ],
)
def test_what_no_syncer_wrote_has_no_mark(identifier: str) -> None:
    assert IDENTIFIERS.read(identifier) is None
