"""BFD control packets as bytes and as values (RFC 5880 section 4.1).

Reading takes what anybody on the link sent: whatever section 6.8.6 has a receiver discard without
looking at its session raises :class:`BadControlPacketError`, which says why in one word.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

VERSION: Final = 1
_CONTROL: Final = struct.Struct("!BBBBIIIII")
_POLL, _FINAL, _AUTHENTICATION, _DEMAND, _MULTIPOINT = 0x20, 0x10, 0x04, 0x02, 0x01


class State(IntEnum):
    """States of a session, as they are on the wire."""

    ADMIN_DOWN = 0
    DOWN = 1
    INIT = 2
    UP = 3


class Diagnostic(IntEnum):
    """Why a session went down, as it is on the wire; those that this end gives itself."""

    NONE = 0
    DETECTION_TIME_EXPIRED = 1
    NEIGHBOUR_SAID_SO = 3
    ADMINISTRATIVELY_DOWN = 7


class BadControlPacketError(Exception):
    """A control packet that is discarded; the message is the name under which it is counted."""


class ControlPacket(NamedTuple):
    """A control packet. Intervals are in microseconds; `your_discriminator` is 0 if not known."""

    state: State
    detect_mult: int
    my_discriminator: int
    your_discriminator: int
    desired_min_tx: int
    required_min_rx: int
    diagnostic: int = 0
    poll: bool = False
    final: bool = False
    demand: bool = False
    required_min_echo_rx: int = 0


def read_control(data: bytes) -> ControlPacket:
    """Return the control packet in the payload of a UDP datagram.

    Raises BadControlPacketError for one that is discarded whatever session it is of. Nothing here
    is authenticated, so one that has authentication is (section 6.8.6).
    """
    if len(data) < _CONTROL.size:
        raise BadControlPacketError("short")
    first, flags, mult, length, mine, yours, tx, rx, echo = _CONTROL.unpack_from(data)
    if first >> 5 != VERSION:
        raise BadControlPacketError("version")
    if not _CONTROL.size <= length <= len(data):
        raise BadControlPacketError("length")
    if flags & _AUTHENTICATION:
        raise BadControlPacketError("authenticated")
    if not mult or flags & _MULTIPOINT:
        raise BadControlPacketError("multiplier" if not mult else "multipoint")
    state = State(flags >> 6)
    if not mine or (not yours and state not in (State.DOWN, State.ADMIN_DOWN)):
        raise BadControlPacketError("discriminator")
    return ControlPacket(
        state,
        mult,
        mine,
        yours,
        tx,
        rx,
        diagnostic=first & 0x1F,
        poll=bool(flags & _POLL),
        final=bool(flags & _FINAL),
        demand=bool(flags & _DEMAND),
        required_min_echo_rx=echo,
    )


def write_control(packet: ControlPacket) -> bytes:
    """Return a control packet as bytes."""
    flags = packet.state << 6
    flags |= _POLL * packet.poll | _FINAL * packet.final | _DEMAND * packet.demand
    return _CONTROL.pack(
        VERSION << 5 | packet.diagnostic,
        flags,
        packet.detect_mult,
        _CONTROL.size,
        packet.my_discriminator,
        packet.your_discriminator,
        packet.desired_min_tx,
        packet.required_min_rx,
        packet.required_min_echo_rx,
    )
