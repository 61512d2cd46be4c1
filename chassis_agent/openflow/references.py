"""Which groups and meters a flow's or a bucket's actions refer to, read from their bytes.

A switch refuses a flow that refers to a group which it does not have, and deletes the flows
of a group that is deleted; so what refers to what decides about order. It is read from the
bytes instead of being stated beside them: what is sent is what counts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from chassis_agent.openflow.errors import DecodingError

_GROUP: Final = bytes.fromhex("00160008")
_METER: Final = bytes.fromhex("001d0008")
_CONTROLLER_METER: Final = bytes.fromhex("00050008")
_APPLY_ACTIONS: Final = 4
_EXPERIMENTER: Final = 0xFFFF
_NICIRA: Final = 0x00002320
_CLONE: Final = 42
_CONTROLLER: Final = 37
_NESTED_IN: Final = 16
"""Where the contents of `clone` and `controller` begin: after their heads of ten bytes and six."""
_DEEPEST: Final = 64


class References(NamedTuple):
    """Numbers of groups and meters."""

    groups: frozenset[int]
    meters: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.groups or self.meters)


NONE: Final = References(frozenset(), frozenset())


def references_of_flow(instructions: bytes) -> References:
    """What the instructions of a flow refer to; raises DecodingError for none of a flow's.

    Most flows refer to nothing, which is seen without looking at their actions one by one.
    """
    if not _may_refer(instructions):
        return NONE
    found: list[tuple[bool, int]] = []
    for kind, start, end in _entries(instructions, 0, len(instructions)):
        if kind == _APPLY_ACTIONS:
            found += _in_actions(instructions, start + 8, end, 0)
    return _collected(found)


def references_of_buckets(buckets: bytes) -> References:
    """What the buckets of a group refer to, encoded as in :class:`SwitchGroup`."""
    if not _may_refer(buckets):
        return NONE
    found: list[tuple[bool, int]] = []
    offset = 0
    while offset < len(buckets):
        if len(buckets) - offset < 8:
            raise DecodingError("a bucket is cut short")
        length, actions = struct.unpack_from("!HH", buckets, offset)
        if length < 8 + actions or offset + length > len(buckets):
            raise DecodingError(f"a bucket has an impossible length {length}")
        found += _in_actions(buckets, offset + 8, offset + 8 + actions, 0)
        offset += length
    return _collected(found)


def _may_refer(data: bytes) -> bool:
    return _GROUP in data or _METER in data or _CONTROLLER_METER in data


def _collected(found: list[tuple[bool, int]]) -> References:
    return References(
        frozenset(number for is_group, number in found if is_group),
        frozenset(number for is_group, number in found if not is_group),
    )


def _in_actions(data: bytes, start: int, end: int, depth: int) -> Iterator[tuple[bool, int]]:
    """Each reference, as whether it is to a group, and its number."""
    if depth > _DEEPEST:
        raise DecodingError("actions are nested too deeply")
    for kind, first, last in _entries(data, start, end):
        head = data[first : first + 4]
        if head in (_GROUP, _METER):
            yield head == _GROUP, int.from_bytes(data[first + 4 : first + 8])
        elif kind == _EXPERIMENTER and last - first >= _NESTED_IN:
            vendor, subtype = struct.unpack_from("!IH", data, first + 4)
            if vendor != _NICIRA:
                continue
            if subtype == _CLONE:
                yield from _in_actions(data, first + _NESTED_IN, last, depth + 1)
            elif subtype == _CONTROLLER:
                for _, at, _ in _entries(data, first + _NESTED_IN, last, is_padded=True):
                    if data[at : at + 4] == _CONTROLLER_METER:
                        yield False, int.from_bytes(data[at + 4 : at + 8])


def _entries(
    data: bytes, start: int, end: int, *, is_padded: bool = False
) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of each entry that begins with its type and length."""
    offset = start
    while offset < end:
        if end - offset < 4:
            raise DecodingError("an action is cut short")
        kind, length = struct.unpack_from("!HH", data, offset)
        if is_padded:
            length = (length + 7) // 8 * 8
        if length < 4 or offset + length > end:
            raise DecodingError(f"an action has an impossible length {length}")
        yield kind, offset, offset + length
        offset += length
