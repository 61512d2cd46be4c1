"""Packing a flow group: all flows of one derivation on one datapath."""

from collections.abc import Mapping
from typing import NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError, UnknownPortError
from chassis_agent.compile.stages import StageKey
from chassis_agent.compile.template import CompiledTemplate
from chassis_agent.flow import Flow
from logical_flow.errors import LogicalFlowError
from logical_flow.payload import PackedFlow, decode_packed
from southbound.rows import FlowGroup


class PackedGroup(NamedTuple):
    """The OpenFlow flows of a group, and the ports for which some of its flows wait."""

    flows: list[Flow]
    waiting_for: frozenset[str]


def pack_group(
    group: FlowGroup, templates: Mapping[int, CompiledTemplate], context: PackContext
) -> PackedGroup:
    """The flows that `group` is on this chassis; the group's id is their cookie.

    A logical flow that names an unknown port is left out, and the port listed.
    """
    flows: list[Flow] = []
    waiting = set()
    for packed in _decode(group):
        compiled = _template(packed, templates)
        try:
            flows += compiled.pack(packed[1:], context, group.id)
        except UnknownPortError as error:
            waiting.add(error.name)
        except (TypeError, ValueError, OverflowError, AttributeError) as error:
            message = f"{compiled.template!r} does not take {packed[1:]!r}: {error}"
            raise BadArgumentsError(message) from error
    return PackedGroup(flows, frozenset(waiting))


def stages_of(group: FlowGroup, templates: Mapping[int, CompiledTemplate]) -> frozenset[StageKey]:
    """The stages in which `group` has flows."""
    return frozenset(_template(packed, templates).stage for packed in _decode(group))


def _decode(group: FlowGroup) -> list[PackedFlow]:
    try:
        return decode_packed(group.payload)
    except LogicalFlowError as error:
        raise BadArgumentsError(f"flow group {group.id}: {error}") from error


def _template(packed: PackedFlow, templates: Mapping[int, CompiledTemplate]) -> CompiledTemplate:
    try:
        return templates[packed[0]]  # type: ignore[index]  # an argument is never a key
    except (IndexError, KeyError, TypeError):
        raise BadTemplateError(f"no template has the id {packed[:1]!r}") from None
