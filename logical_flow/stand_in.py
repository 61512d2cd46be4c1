"""What stands in for a template that its reader can't make flows of.

A reader of an older release may not know an action, a field or a type of hole. Then the
stage says what becomes of the packets that such a flow is for: they are dropped, or they
go on. As much of the match as is understood says which these are:

- a match that is understood stays, and ``drop;`` or ``next;`` takes the place of the actions;
- where packets are dropped, parts of an "and" that aren't understood are left out, which
  only makes it fit more packets;
- where packets go on, such a template has no stand-in. Lower flows of its stage decide.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from logical_flow.errors import LogicalFlowError
from logical_flow.match_parser import parse_match
from logical_flow.template import MAX_PRIORITY, TemplateText, parse_priority
from logical_flow.words import words_of

_HOLE: Final = re.compile(r"\{(\w+):(\w+)\}", re.ASCII)
_PIECE: Final = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|&&|\|\||(?P<open>[({])|(?P<close>[)}])|.', re.ASCII | re.DOTALL
)


class StandIn(NamedTuple):
    """A template, and where among the arguments of the original its own are."""

    text: TemplateText
    positions: tuple[int, ...]


def stand_in(text: TemplateText, failure: str, known: frozenset[str]) -> StandIn | None:
    """Return what stands in for a template for a reader that knows the words `known`.

    `failure` is what the stage says of flows that can't be made: ``drop`` or ``next``.
    None means that there is nothing to stand in.
    """
    parts = list(_parts_of_and(text.match))
    understood = [part for part in parts if _is_understood(part, known)]
    priority = text.priority if _is_priority(text.priority, known) else str(MAX_PRIORITY)
    if failure != "drop" and (len(understood) < len(parts) or priority != text.priority):
        return None
    match = " && ".join(understood) or "1"
    actions = "drop;" if failure == "drop" else "next;"
    holes = list(_holes(text.priority, text.match, text.actions))
    left = _holes(priority, match)
    kind, _, hole = text.only.partition(":")
    only = text.only if kind in ("local", "resident") and hole in left else ""
    return StandIn(
        text._replace(priority=priority, match=match, actions=actions, only=only),
        tuple(holes.index(hole) for hole in left),
    )


def _parts_of_and(match: str) -> Iterator[str]:
    """The operands of the outermost "and"; all of the text where it is none."""
    depth, start, is_or = 0, 0, False
    parts = []
    for piece in _PIECE.finditer(match):
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            depth -= 1
        elif piece[0] == "&&" and not depth:
            parts.append(match[start : piece.start()].strip())
            start = piece.end()
        elif piece[0] == "||" and not depth:
            is_or = True
    parts.append(match[start:].strip())
    yield from [match] if is_or else parts


def _is_understood(match: str, known: frozenset[str]) -> bool:
    if words_of(match) - known:
        return False
    try:
        parse_match(match, with_holes=True)
    except LogicalFlowError:
        return False
    return True


def _is_priority(text: str, known: frozenset[str]) -> bool:
    if words_of(text) - known:
        return False
    try:
        parse_priority(text)
    except LogicalFlowError:
        return False
    return True


def match_positions(text: TemplateText) -> tuple[int, ...]:
    """Return which arguments of flows are matches."""
    types = _holes(text.priority, text.match, text.actions).values()
    return tuple(position for position, kind in enumerate(types) if kind == "expr")


def _holes(*texts: str) -> dict[str, str]:
    """The types of the holes by name, in the order in which flows carry their values."""
    return {name: kind for text in texts for name, kind in _HOLE.findall(text)}
