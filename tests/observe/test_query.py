"""What a reader asks for is understood, and what is odd counts as not asked."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncer.observe.query import MOST, Query, parse_query


def test_everything_that_can_be_asked_is_read() -> None:
    query = parse_query("q=web+10.0&route=a-%3Eb&health=critical&service=api&page=3&limit=10")
    assert query == Query("web 10.0", "a->b", "critical", "api", 3, 10)


@pytest.mark.parametrize(
    "odd",
    ["", "page=-1", "page=x", "page=٣", "limit=", "health=fine", "nothing=1", "&&&=&", "page=1e3", "q=%20"],
)
def test_what_is_odd_counts_as_not_asked(odd: str) -> None:
    assert parse_query(odd) == Query()


def test_a_page_is_never_unbounded() -> None:
    assert parse_query("limit=99999999999999999999").limit == MOST
    assert parse_query("limit=0").limit == 1
    assert parse_query("page=0").page == 1


def test_long_words_are_cut() -> None:
    assert len(parse_query("q=" + "a" * 100_000).text) == 200


@given(st.text(), st.integers(1, 999), st.integers(1, MOST))
def test_the_address_of_a_page_asks_the_same_question(text: str, page: int, limit: int) -> None:
    query = parse_query(urlencode({"q": text, "route": text, "limit": limit}, errors="replace"))
    again = parse_query(query.address(page=page)[1:])
    assert (again.text, again.route, again.page, again.limit) == (query.text, query.route, page, limit)


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    query = parse_query(text)
    assert 1 <= query.limit <= MOST
    query.takes("route", (text, None), text)


def test_all_words_must_be_found_in_whatever_case() -> None:
    query = Query(text="WEB 10.0")
    assert query.takes("r", ("web", None), "10.0.0.1:80")
    assert not query.takes("r", ("web", None), "10.1.0.1:80")
    assert not query.takes("r", ("api", None), "10.0.0.1:80")


def test_a_service_is_asked_for_by_its_whole_name() -> None:
    assert Query(service="web").takes("r", ("web", "aws-web"))
    assert not Query(service="web").takes("r", ("website", None))


def test_a_route_is_asked_for_alone() -> None:
    assert not Query(route="a").takes("b", ("web",))
