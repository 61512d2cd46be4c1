"""Pages of what the controller has, in the same form as those of what is in the database."""

from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Any, TypeVar

from fastapi.responses import JSONResponse

from api.errors import BadQueryError
from northbound.errors import InvalidError
from northbound.paging import PageRequest, decode_cursor, encode_cursor

T = TypeVar("T")


def cursor_values(page: PageRequest, *types: type) -> list[Any] | None:
    """The values in the page's cursor, which have to be of these types."""
    if page.cursor is None:
        return None
    try:
        values = decode_cursor(page.cursor)
    except InvalidError as error:
        raise BadQueryError(error.problems) from error
    if [type(value) for value in values] != list(types):
        bad = InvalidError.of("cursor", reason="is not one that this list gave", value=page.cursor)
        raise BadQueryError(bad.problems)
    return values


def name_before(page: PageRequest) -> str:
    """The name after which the page begins, for lists in the order of names; "" for the first."""
    values = cursor_values(page, str)
    return "" if values is None else str(values[0])


def page_by_name(items: list[dict[str, Any]], page: PageRequest) -> JSONResponse:
    """The page, of items in the order of names: one more than fit if there are more."""
    following = None
    if len(items) > page.limit:
        items = items[: page.limit]
        following = encode_cursor([items[-1]["name"]])
    return JSONResponse({"items": items, "next_cursor": following})


def page_by_key(
    rows: Iterable[T],
    page: PageRequest,
    key: Callable[[T], str],
    show: Callable[[T], dict[str, Any]],
) -> JSONResponse:
    """The rows of a page in the order of `key`, which has to be unique."""
    after = cursor_values(page, str)
    if after is not None:
        rows = (row for row in rows if key(row) > after[0])
    found = nsmallest(page.limit + 1, rows, key=key)
    following = None
    if len(found) > page.limit:
        found.pop()
        following = encode_cursor([key(found[-1])])
    return JSONResponse({"items": [show(row) for row in found], "next_cursor": following})
