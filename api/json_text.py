"""JSON from strangers: objects without repeated members, bounded in depth, size and numbers.

What can be counted is counted before anything is built, so that a body costs no more
memory than its limits allow. What is read has no number that other parts could not
write again (64 bits, finite), and no text that a database could not keep.
"""

import json
import re
from typing import Any, NamedTuple

from api.errors import TooComplexError, UnreadableBodyError
from northbound.errors import FieldProblem, InvalidError, PathElement

MAXIMUM_DEPTH = 64
"""How many objects and lists may be inside of each other."""
MAXIMUM_VALUES = 1_000_000
"""How many values a body may have where nothing else is set."""

_LARGEST = 1 << 63
_SHOWN = 20
"""How many wrong texts are named at most."""
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A text, or what is left of the body from an unfinished one: so that no part is read twice."""
_DOUBTFUL = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""The escapes of which NUL and lone surrogates are made; a body without them has neither."""
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


class _Place(NamedTuple):
    """A value, and how it is reached."""

    value: object
    path: tuple[PathElement, ...]


def parse_object(text: str, maximum_values: int = MAXIMUM_VALUES) -> dict[str, Any]:
    """`text` as a JSON object.

    Raises :class:`UnreadableBodyError` for what is no JSON, :class:`TooComplexError` for
    more than `maximum_values` values, :class:`InvalidError` for texts that nothing can
    keep, and for what is no object.
    """
    _refuse_many_values(text, maximum_values)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_number,
        )
    except json.JSONDecodeError as error:
        raise UnreadableBodyError(
            f"not JSON: {error.msg}, line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    if not isinstance(value, dict):
        raise InvalidError.of(reason="has to be an object")
    _refuse_depth(value)
    if _DOUBTFUL.search(text):
        _refuse_unkeepable(value)
    return value


def _refuse_many_values(text: str, maximum: int) -> None:
    """Count what begins a value, first roughly, and only if need be without the texts."""
    if _separators(text) <= maximum:
        return
    if _separators(_STRING.sub("", text)) > maximum:
        raise TooComplexError(f"the body has more than {maximum} values")


def _separators(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _refuse_depth(value: dict[str, Any]) -> None:
    level: list[Any] = [value]
    for _ in range(MAXIMUM_DEPTH):
        inner: list[Any] = []
        for container in level:
            members = container.values() if isinstance(container, dict) else container
            inner += [member for member in members if isinstance(member, (dict, list))]
        if not inner:
            return
        level = inner
    raise _too_deep()


def _too_deep() -> UnreadableBodyError:
    return UnreadableBodyError(f"nested too deeply: {MAXIMUM_DEPTH} levels are the most")


def _refuse_unkeepable(value: dict[str, Any]) -> None:
    """Refuse NUL and lone surrogates: no object has them, and no database takes them."""
    problems: list[FieldProblem] = []
    left = [_Place(value, ())]
    while left:
        place = left.pop()
        if isinstance(place.value, str) and (fault := unkeepable(place.value)):
            problems.append(FieldProblem(place.path, fault))
        elif isinstance(place.value, dict):
            for name, member in place.value.items():
                if fault := unkeepable(name):
                    problems.append(FieldProblem(place.path, f"a member's name {fault}"))
                else:
                    left.append(_Place(member, (*place.path, name)))
        elif isinstance(place.value, list):
            left += [_Place(member, (*place.path, i)) for i, member in enumerate(place.value)]
        if len(problems) == _SHOWN:
            break
    if problems:
        raise InvalidError(problems)


def unkeepable(text: str) -> str | None:
    """Why no database would keep `text`; None if one would.

    >>> unkeepable("a\\0"), unkeepable("a")
    ('has NUL in it', None)
    """
    found = _UNKEEPABLE.search(text)
    if found is None:
        return None
    if found[0] == "\0":
        return "has NUL in it"
    return "has half of a surrogate pair in it, which is no character"


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise UnreadableBodyError(f"the member {shorten(name)} is given twice")
            seen.add(name)
    return members


def shorten(name: str) -> str:
    """`name` in quotes, no longer than fits a message."""
    return repr(name) if len(name) <= 100 else f"{name[:100]!r}…"


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 20 else _LARGEST
    if not -_LARGEST <= number < _LARGEST:
        raise UnreadableBodyError(f"the number {text[:20]}… does not fit into 64 bits")
    return number


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise UnreadableBodyError(f"the number {text[:20]} is too large")
    return number


def _refuse_constant(text: str) -> float:
    raise UnreadableBodyError(f"not JSON: {text} is no number")
