"""What is kept of each service follows passes that see only some of them."""

from syncer.core.plan import ServicePlan
from syncer.observe.books import Book
from tests.observe.scene import BACK, held_plan, passed


def _book() -> Book[int]:
    return Book(lambda plan, before: len(plan.held) or (before if plan.unreadable else None))


def test_a_pass_over_one_service_leaves_what_is_known_of_the_others() -> None:
    book = _book()
    book.note(passed(held_plan("a", 2), held_plan("b", 3)))
    assert book.note(passed(held_plan("a", 4))) == [("a", 2, 4)]
    assert dict(book.of(passed().route)) == {"a": 4, "b": 3}


def test_what_is_over_is_forgotten() -> None:
    book = _book()
    book.note(passed(held_plan("a", 2)))
    assert book.note(passed(ServicePlan("a", "a"))) == [("a", 2, None)]
    assert not book.of(passed().route)


def test_a_full_pass_forgets_services_that_it_does_not_name() -> None:
    book = _book()
    book.note(passed(held_plan("a", 2), held_plan("b", 3)))
    assert book.note(passed(held_plan("b", 3), full=True)) == [("a", 2, None)]
    assert dict(book.of(passed().route)) == {"b": 3}


def test_an_entry_may_stay_as_it_was_while_a_service_cannot_be_read() -> None:
    book = _book()
    book.note(passed(held_plan("a", 2)))
    assert book.note(passed(ServicePlan("a", "a", unreadable=("source: down",)))) == []


def test_routes_do_not_mix() -> None:
    book = _book()
    book.note(passed(held_plan("a", 2)))
    book.note(passed(full=True, route=BACK))
    assert dict(book.of(passed().route)) == {"a": 2}
    assert not book.of(BACK)
