"""What lists can be filtered by, as it follows from the fields of a spec."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from northbound.errors import InvalidError, NotFoundError
from northbound.models import Resource, resource_model
from northbound.specs.declaration import SpecField
from northbound.transaction import Reader


class Filter(NamedTuple):
    """What a list can be filtered by: how, and which values there are if they are few."""

    condition: Callable[[Reader, str], ColumnElement[bool]]
    """May raise InvalidError about the value, or NotFoundError."""
    choices: tuple[str, ...] = ()
    refers: bool = False
    """Whether the value is the id or name of another object."""


Filters = Mapping[str, Filter]

LABEL_FILTER = "label."


def by_column(column: InstrumentedAttribute[Any]) -> Filter:
    """A filter on the value of a column."""
    return Filter(lambda _reader, value: column == value)


def by_choice(column: InstrumentedAttribute[Any], choices: Sequence[str]) -> Filter:
    """A filter on a column that has one of a few values."""

    def condition(_reader: Reader, value: str) -> ColumnElement[bool]:
        if value not in choices:
            raise InvalidError.of(reason=f"has to be one of {', '.join(choices)}", value=value)
        return column == value

    return Filter(condition, tuple(choices))


def by_reference(column: InstrumentedAttribute[Any], model: type[Resource]) -> Filter:
    """A filter on the object, by name or id, that a column refers to."""

    def condition(reader: Reader, ref: str) -> ColumnElement[bool]:
        found = reader.find(model, ref)
        if found is None:
            raise NotFoundError(model.__tablename__, ref)
        return column == found.id

    return Filter(condition, refers=True)


def by_named_reference(
    model: type[Resource], column: InstrumentedAttribute[Any], referred: type[Resource]
) -> Filter:
    """A filter on the object, by name or id, whose name a column has within the row's project."""

    def condition(reader: Reader, ref: str) -> ColumnElement[bool]:
        found = reader.find(referred, ref)
        if found is None:
            raise NotFoundError(referred.__tablename__, ref)
        return and_(column == getattr(found, "name", None), model.project == found.project)

    return Filter(condition, refers=True)


def filter_by(model: type[Resource], field: SpecField) -> Filter:
    """The filter on a field of a kind: on an object, one of few values, or any value."""
    column: InstrumentedAttribute[Any] = getattr(model, field.column)
    if field.refers is not None:
        referred = resource_model(field.refers.kind)
        if field.refers.by_name:
            return by_named_reference(model, column, referred)
        return by_reference(column, referred)
    return by_choice(column, field.choices) if field.choices else by_column(column)


def condition_of(
    filters: Filters, model: type[Resource], reader: Reader, name: str, value: str
) -> ColumnElement[bool]:
    """Return the condition of the filter `name` of a list of `model`, or raise InvalidError.

    Names are those of `filters`, and ``label.NAME``.
    """
    if name.startswith(LABEL_FILTER):
        label: ColumnElement[str] = model.labels[name.removeprefix(LABEL_FILTER)].as_string()
        return label == value
    if name not in filters:
        known = ", ".join([*sorted(filters), f"{LABEL_FILTER}NAME"])
        raise InvalidError.of(name, reason=f"is no filter here; there are {known}")
    try:
        return filters[name].condition(reader, value)
    except InvalidError as error:
        raise error.under(name) from None
