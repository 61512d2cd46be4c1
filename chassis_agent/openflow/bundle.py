"""Bundles: many changes that the switch makes in order and all or none.

The framing is pure, and fast: a chassis that starts sends tens of thousands of flows.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from chassis_agent.openflow.wire import VERSION, MessageType, frame

ATOMIC_AND_ORDERED: Final = 0b11

_ADD: Final = struct.Struct("!BBHIIHH")
_OVERHEAD: Final = _ADD.size


class BundleStep(IntEnum):
    """What a bundle-control message asks for; its reply has the number plus one."""

    OPEN = 0
    COMMIT = 4
    DISCARD = 6


def control(bundle_id: int, step: BundleStep) -> bytes:
    """Open, commit or discard a bundle."""
    return frame(
        MessageType.BUNDLE_CONTROL, struct.pack("!IHH", bundle_id, step, ATOMIC_AND_ORDERED)
    )


def additions(messages: Sequence[bytes], bundle_id: int, first_xid: int) -> bytes:
    """Add messages to a bundle, with consecutive transaction ids from ``first_xid``.

    >>> additions([bytes.fromhex("060e000800000000")], 1, 7).hex(" ", 4)
    '06220018 00000007 00000001 00000003 060e0008 00000007'
    """
    pack = _ADD.pack
    parts: list[bytes] = []
    append = parts.append
    for xid, message in enumerate(messages, first_xid):
        length = _OVERHEAD + len(message)
        head = pack(VERSION, MessageType.BUNDLE_ADD, length, xid, bundle_id, 0, ATOMIC_AND_ORDERED)
        append(head)
        append(message[:4])
        append(head[4:8])
        append(message[8:])
    return b"".join(parts)
