"""Logical flows as bytes: ``[[template id, argument, …], …]`` in MessagePack.

The order is canonical, so equal sets of flows are equal bytes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from logical_flow.errors import TemplateError
from logical_flow.holes import Argument
from logical_flow.template import LogicalFlow, Template

PackedFlow = tuple[int | bytes | str, ...]
"""A template id and then the arguments."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[Any, ...]]).decode


def encode_flows(flows: Iterable[LogicalFlow]) -> bytes:
    """The payload that stands for the set of `flows`."""
    return _encode(sorted({(template.id, *args) for template, args in flows}))


def decode_packed(payload: bytes) -> list[PackedFlow]:
    """The flows of `payload` as they travel, for code that packs them on without looking."""
    try:
        return _decode(payload)
    except msgspec.MsgspecError as error:
        raise TemplateError(f"payload is not a list of flows: {error}") from error


def decode_flows(payload: bytes, templates: Mapping[int, Template]) -> list[LogicalFlow]:
    """The flows of `payload`, whose templates have to be known and their arguments to fit."""
    return [_flow(packed, templates) for packed in decode_packed(payload)]


def _flow(packed: PackedFlow, templates: Mapping[int, Template]) -> LogicalFlow:
    identifier, args = _split(packed)
    template = templates.get(identifier)
    if template is None:
        raise TemplateError(f"no template has id {identifier:#x}")
    flow = LogicalFlow(template, args)
    flow.check()
    return flow


def _split(packed: PackedFlow) -> tuple[int, tuple[Argument, ...]]:
    if not packed or not isinstance(packed[0], int):
        raise TemplateError(f"{packed!r} is not a flow")
    return packed[0], packed[1:]
