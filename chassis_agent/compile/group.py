"""Packing a flow group: all flows of one derivation on one datapath."""

from typing import NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError, CompileError, WaitingError
from chassis_agent.compile.sets import FlowsBySet
from chassis_agent.compile.shelf import Lack, TemplateShelf
from chassis_agent.compile.splice import Arguments
from chassis_agent.compile.template import PackedParts
from chassis_agent.desired.flow import Flow
from chassis_agent.errors import NumbersExhaustedError
from logical_flow.errors import LogicalFlowError, UnresolvedError
from logical_flow.holes import HoleType
from logical_flow.payload import PackedFlow, decode_packed
from logical_flow.template import Template
from logical_flow.words import unknown_words
from southbound.rows import FlowGroup

_LONGEST_ERROR = 300
_MISFITS = (
    *(CompileError, TypeError, ValueError, OverflowError, AttributeError, IndexError),
    NumbersExhaustedError,
)
"""What comes of arguments that don't fit: they are plain bytes, spliced without a look. Of a
flow for which no number is left for its group or meter the same comes."""


class Unresolved(NamedTuple):
    """A variable, without its sigil, that has no value here that fits."""

    variable: str
    reason: str


class PackedGroup(NamedTuple):
    """The OpenFlow flows of a group, and what is missing among them.

    What is a flow for each member of a set is in `by_set`, to be made member by member.
    Some flows wait for ports or queues, some can't be made at all: `lacks` says why. Some aren't
    there since a variable of this chassis has no value that fits: `unresolved` says which, and why.
    """

    flows: list[Flow]
    waiting_for: frozenset[str]
    by_set: list[FlowsBySet]
    lacks: frozenset[Lack] = frozenset()
    unresolved: frozenset[Unresolved] = frozenset()


def pack_group(group: FlowGroup, shelf: TemplateShelf, context: PackContext) -> PackedGroup:
    """The flows that `group` is on this chassis; the group's id is their cookie.

    A logical flow that refers to an unknown port or to a queue that isn't there is left out,
    and what it waits for listed. One that can't be made is replaced by what its stage declares
    for that. Raises :class:`BadArgumentsError` where the group isn't a list of flows.
    """
    flows: list[Flow] = []
    by_set: list[FlowsBySet] = []
    waiting: set[str] = set()
    lacks: set[Lack] = set()
    unresolved: set[Unresolved] = set()
    for packed in _decode(group):
        try:
            parts, lack = _pack(packed, shelf, context, group.id)
        except WaitingError as error:
            waiting.add(error.name)
            continue
        except UnresolvedError as error:
            unresolved.add(Unresolved(error.variable, error.reason))
            continue
        flows += parts.flows
        by_set += parts.by_set
        if lack is not None:
            lacks.add(lack)
    return PackedGroup(flows, frozenset(waiting), by_set, frozenset(lacks), frozenset(unresolved))


def templates_of(group: FlowGroup) -> tuple[object, ...]:
    """The ids of the templates that the flows of `group` are made from, flow by flow."""
    return tuple([packed[0] if packed else None for packed in _decode(group)])


def _pack(
    packed: PackedFlow, shelf: TemplateShelf, context: PackContext, cookie: int
) -> tuple[PackedParts, Lack | None]:
    """The flows of a logical flow, and why they aren't what they should be, if they aren't.

    Raises UnresolvedError for one with a variable that has no value here that fits.
    """
    identifier = packed[0] if packed else None
    if not isinstance(identifier, int):
        return PackedParts([], []), Lack(repr(identifier)[:32], (), "no template has such an id")
    compiled = shelf.get(identifier)
    if compiled is not None:
        try:
            return compiled.pack_parts(packed[1:], context, cookie), None
        except _MISFITS as error:
            lack = _lack(compiled.template, packed[1:], error)
    elif identifier in shelf.unreadable:
        lack = shelf.unreadable[identifier].lack
    else:
        return PackedParts([], []), Lack(f"{identifier:#x}", (), "it is not known")
    for substitute in shelf.substitutes(identifier):
        try:
            arguments = tuple([packed[1 + position] for position in substitute.positions])
            return substitute.compiled.pack_parts(arguments, context, cookie), lack
        except _MISFITS:
            # What goes by fewer of the arguments comes next.
            continue
    return PackedParts([], []), lack


def _lack(template: Template, arguments: Arguments, error: Exception) -> Lack:
    holes = zip(template.arguments, arguments, strict=False)
    matches = [str(value) for hole, value in holes if hole.type is HoleType.EXPR]
    name = f"{template.stage} {template.id:#x}"
    words = tuple(unknown_words(*matches))
    return Lack(name, words, "" if words else str(error)[:_LONGEST_ERROR])


def _decode(group: FlowGroup) -> list[PackedFlow]:
    try:
        return decode_packed(group.payload)
    except LogicalFlowError as error:
        raise BadArgumentsError(f"flow group {group.id}: {error}") from error
