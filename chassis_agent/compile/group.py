"""Packing a flow group: all flows of one derivation on one datapath."""

from collections.abc import Mapping
from typing import NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError, UnknownPortError
from chassis_agent.compile.sets import FlowsBySet
from chassis_agent.compile.template import CompiledTemplate
from chassis_agent.desired.flow import Flow
from logical_flow.errors import LogicalFlowError
from logical_flow.payload import PackedFlow, decode_packed
from southbound.rows import FlowGroup


class PackedGroup(NamedTuple):
    """The OpenFlow flows of a group, and the ports for which some of its flows wait.

    What is a flow for each member of a set is in `by_set`, to be made member by member.
    """

    flows: list[Flow]
    waiting_for: frozenset[str]
    by_set: list[FlowsBySet]


def pack_group(
    group: FlowGroup, templates: Mapping[int, CompiledTemplate], context: PackContext
) -> PackedGroup:
    """The flows that `group` is on this chassis; the group's id is their cookie.

    A logical flow that names an unknown port is left out, and the port listed.
    """
    flows: list[Flow] = []
    by_set: list[FlowsBySet] = []
    waiting = set()
    for packed in _decode(group):
        compiled = template_of(packed[0] if packed else None, templates)
        try:
            parts = compiled.pack_parts(packed[1:], context, group.id)
        except UnknownPortError as error:
            waiting.add(error.name)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            message = f"{compiled.template!r} does not take {packed[1:]!r}: {error}"
            raise BadArgumentsError(message) from error
        else:
            flows += parts.flows
            by_set += parts.by_set
    return PackedGroup(flows, frozenset(waiting), by_set)


def templates_of(group: FlowGroup) -> tuple[object, ...]:
    """The ids of the templates that the flows of `group` are made from, flow by flow."""
    return tuple([packed[0] if packed else None for packed in _decode(group)])


def template_of(identifier: object, templates: Mapping[int, CompiledTemplate]) -> CompiledTemplate:
    """The template of that id, which came with a flow and so may be anything."""
    try:
        return templates[identifier]  # type: ignore[index]
    except (KeyError, TypeError):
        raise BadTemplateError(f"no template has the id {identifier!r}") from None


def _decode(group: FlowGroup) -> list[PackedFlow]:
    try:
        return decode_packed(group.payload)
    except LogicalFlowError as error:
        raise BadArgumentsError(f"flow group {group.id}: {error}") from error
