"""Pages of List* answers."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .errors import invalid

DEFAULT_PAGE = 100
T = TypeVar("T")


def page_size(params: dict[str, Any]) -> int:
    """Return the page size asked for; 100 is both the default and the limit."""
    return int(params.get("MaxResults") or DEFAULT_PAGE)


def after(params: dict[str, Any]) -> int | None:
    """Return the position in ``NextToken``, or None on the first page. Raises InvalidInput."""
    token = params.get("NextToken")
    if not token:
        return None
    if not str(token).isdigit():
        raise invalid("The NextToken is not one that this service gave out.")
    return int(token)


def page(
    items: Sequence[T], params: dict[str, Any], key: Callable[[T], int]
) -> tuple[Sequence[T], str | None]:
    """Return one page of *items*, which are in ascending order of *key*, and the token of the next.

    The token is a key, not an offset: items that come or go meanwhile make nothing skipped or doubled.
    """
    position, size = after(params), page_size(params)
    start = 0 if position is None else bisect_right(items, position, key=key)
    chosen = items[start : start + size]
    more = start + size < len(items)
    return chosen, str(key(chosen[-1])) if more and chosen else None


def answer(name: str, items: list[Any], token: str | None) -> dict[str, Any]:
    """Return the body of a List* answer."""
    return {name: items, "NextToken": token} if token else {name: items}
