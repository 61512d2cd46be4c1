"""What the encoders of actions share: the template's surroundings, and gaps of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError, BadTemplateError
from chassis_agent.compile.ports import port_source
from chassis_agent.compile.splice import (
    Arguments,
    Assembly,
    Gap,
    Source,
    concatenated,
    part_source,
    varying,
)
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import Subfield
from logical_flow.action import Action
from logical_flow.holes import Hole, HoleType

_VALUE_OF_SET_FIELD: Final = 8
"""Where `set_field` has the value: after its own header and the field's."""


class Encoding:
    """The actions of one template on their way to OpenFlow.

    `positions` says where among a flow's arguments each hole's is, `template` is the
    template's id.
    """

    def __init__(
        self,
        pipeline: str,
        stage: str,
        positions: Mapping[str, int],
        encoders: Mapping[type[Action], Encoder],
        template: int = 0,
    ) -> None:
        self.pipeline = pipeline
        self.stage = stage
        self.template = template
        self._positions = positions
        self._encoders = encoders

    def encode(self, actions: Iterable[Action]) -> Assembly:
        """Return the bytes of the actions, one after the other."""
        return concatenated([self._encoder(action)(action, self) for action in actions])

    def leading_to(self, stage: str | None) -> Source:
        """Give the table of the next stage, or of the one of that name or the next after it."""
        here = self.stage

        def source(_: Arguments, context: PackContext) -> bytes:
            if stage is None:
                return bytes((context.stages.after(context.book.named(here)),))
            return bytes((context.stages.at_or_after(context.book.named(stage)),))

        return source

    def argument(self, hole: Hole, where: Subfield) -> Source:
        """Give the hole's argument in the width of ``where.field``, in place."""
        position = self._positions[hole.name]
        match hole.type:
            case HoleType.LPORT | HoleType.MCGROUP:
                return port_source(position)
            case HoleType.INT:
                return part_source(where, lambda arguments: arguments[position])
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6 if where.bits == where.field.bits:
                return lambda arguments, _: arguments[position]
            case HoleType.MAC | HoleType.IP4 | HoleType.IP6:
                return part_source(where, lambda arguments: int.from_bytes(arguments[position]))
        raise BadTemplateError(f"{hole} can't be assigned to {where.field.name}")

    def position(self, hole: Hole) -> int:
        """Return where among a flow's arguments the hole's is."""
        return self._positions[hole.name]

    def raw_argument(self, hole: Hole, size: int) -> Source:
        """Give the hole's argument as `size` bytes in network order."""
        position = self._positions[hole.name]

        def source(arguments: Arguments, _: PackContext) -> bytes:
            value = arguments[position]
            if not hole.type.accepts(value):
                raise BadArgumentsError(f"{value!r} does not fit {hole}")
            if not isinstance(value, int):
                return bytes(value)
            if not 0 <= value < 1 << 8 * size:
                raise BadArgumentsError(f"{value} does not fit {size} bytes of {hole}")
            return value.to_bytes(size)

        return source

    def _encoder(self, action: Action) -> Encoder:
        encoder = self._encoders.get(type(action))
        if encoder is None:
            raise BadTemplateError(f"`{action}' can't be encoded")
        return encoder


Encoder = Callable[[Any, Encoding], Assembly]
"""Encodes an action of the class that it is registered for."""


def with_table(encode: Callable[[int], bytes], source: Source) -> Assembly:
    """Return an action whose table is a gap."""
    start, end = varying(lambda data: encode(data[0]), 1)
    return Assembly(encode(0), (Gap(start, end - start, source),))


def with_number(encode: Callable[[int], bytes], source: Source) -> Assembly:
    """Return an action with a 32-bit number that is a gap."""
    start, end = varying(lambda data: encode(int.from_bytes(data)), 4)
    return Assembly(encode(0), (Gap(start, end - start, source),))


def with_value(where: Subfield, source: Source) -> Assembly:
    """Return the action that sets bits of a field to what `source` gives, in place in it."""
    empty = act.load(where, 0)
    return Assembly(empty, (Gap(_VALUE_OF_SET_FIELD, where.field.size, source),))
