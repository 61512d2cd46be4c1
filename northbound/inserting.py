"""New rows are inserted without the unit of work of the ORM.

That sorts rows by what they depend on, looks for defaults of the database and fetches keys:
a third of what it costs to create an object, and needed by none here, since keys are made
before and foreign keys are checked at commit. What remains of a flush, changed and deleted
rows, is still its work.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

from sqlalchemy import Insert, insert
from sqlalchemy.orm import Session, make_transient_to_detached

from northbound.models import Tracked

_MANY: Final = 500

H = TypeVar("H")


def batched(values: Sequence[H]) -> Iterator[Sequence[H]]:
    """`values` in parts that fit the parameters of one statement."""
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))


@cache
def inserting(model: type[Tracked]) -> Insert:
    """Return the statement that inserts rows of `model`."""
    return insert(model)


def insert_new_rows(session: Session) -> None:
    """Insert the new rows of `session`, which has them as stored ones from then on.

    Does nothing where rows are changed or deleted as well: these may free the unique values
    that new ones take, and the unit of work knows that order.
    """
    if session.deleted or session.dirty:
        return
    by_model: defaultdict[type[Tracked], list[Tracked]] = defaultdict(list)
    for row in session.new:
        if isinstance(row, Tracked):
            by_model[type(row)].append(row)
    connection = session.connection()
    for model, rows in by_model.items():
        for some in batched(rows):
            connection.execute(inserting(model), [_stored_values(row) for row in some])
    for rows in by_model.values():
        for row in rows:
            session.expunge(row)
            make_transient_to_detached(row)
            session.add(row)


def _stored_values(row: Tracked) -> dict[str, Any]:
    """Return the values of all columns; what the row says nothing of gets its default.

    The row has them all afterwards: nothing is left to be read back.
    """
    said = row.__dict__
    for name, default in _defaults(type(row)):
        if said.get(name) is None:
            setattr(row, name, default() if callable(default) else default)
    return {name: said.setdefault(name, None) for name in _columns(type(row))}


@cache
def _columns(model: type[Tracked]) -> tuple[str, ...]:
    return tuple(str(column.key) for column in model.__table__.columns)


@cache
def _defaults(model: type[Tracked]) -> tuple[tuple[str, Any], ...]:
    """Return the columns that have defaults, each with its value or what makes a new one."""
    found: list[tuple[str, Any]] = []
    for column in model.__table__.columns:
        default: Any = column.default
        if default is None:
            continue
        value = partial(default.arg, None) if default.is_callable else default.arg
        found.append((str(column.key), value))  # a callable takes SQLAlchemy's context
    return tuple(found)
