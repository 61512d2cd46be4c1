"""Lists in pages, each continued by a cursor.

A cursor holds the sort key of the last row of a page, so that pages stay right
while rows come and go, and the thousandth costs what the first does.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_

from northbound.errors import InvalidError

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAXIMUM_LIMIT = 1000


@dataclass(frozen=True)
class PageRequest:
    """Up to `limit` rows, from behind those that `cursor` ended."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAXIMUM_LIMIT:
            raise InvalidError.of(
                "limit", reason=f"must be between 1 and {MAXIMUM_LIMIT}", value=self.limit
            )


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows; `next` continues the list, None where it ends."""

    items: Sequence[T]
    next: str | None = None


def paged(
    query: Select[Any],
    keys: Sequence[ColumnElement[Any]],
    request: PageRequest,
    *,
    descending: bool = False,
) -> Select[Any]:
    """`query` in the order of `keys`, limited to the page and one row more."""
    if request.cursor is not None:
        values = decode_cursor(request.cursor)
        if not _fit(values, keys):
            raise _bad_cursor(request.cursor)
        here, last = tuple_(*keys), tuple_(*values)
        query = query.where(here < last if descending else here > last)
    order = [key.desc() for key in keys] if descending else keys
    return query.order_by(*order).limit(request.limit + 1)


def encode_cursor(values: Sequence[Any]) -> str:
    text = json.dumps(list(values), separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[Any]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = json.loads(text)
    except (binascii.Error, ValueError):
        raise _bad_cursor(cursor) from None
    if not isinstance(values, list) or not all(isinstance(v, (str, int)) for v in values):
        raise _bad_cursor(cursor)
    return values


def _fit(values: Sequence[Any], keys: Sequence[ColumnElement[Any]]) -> bool:
    """Whether `values` may be those of `keys` in some row."""
    if [type(value) for value in values] != [key.type.python_type for key in keys]:
        return False
    return all(isinstance(value, str) or -(1 << 63) <= value < 1 << 63 for value in values)


def _bad_cursor(cursor: str) -> InvalidError:
    return InvalidError.of("cursor", reason="is not one that a list gave", value=cursor)
