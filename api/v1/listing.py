"""Pages of what is in memory, in the same form as those of what is in the database."""

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
