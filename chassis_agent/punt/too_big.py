"""Handles packets that are too big for where they go: tells their senders how big they may be."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from typing import Final

from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.answering import MADE_HERE
from chassis_agent.punt.codec import Ethernet
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.replies import icmp_error, returned

_LARGEST_MTU4: Final = 0xFFFF
_UNREACHABLE4, _FRAGMENTATION_NEEDED4 = 3, 4
_PACKET_TOO_BIG6: Final = 2


class PacketTooBigHandler:
    """Answers with the MTU that a packet exceeds, whether it may be fragmented or not.

    Open vSwitch fragments nothing. Who sends what may be fragmented does it by itself once it
    knows the MTU.
    """

    opcodes: Collection[Opcode] = (Opcode.PACKET_TOO_BIG, Opcode.TUNNEL_TOO_BIG)

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        made = packet_too_big(codec.read_ethernet(packet.packet), packet.register(0))
        if made is not None and punt.opcode is Opcode.TUNNEL_TOO_BIG:
            made = returned(made)
        if made is not None:
            frame = codec.write_ethernet(made)
            actions = MADE_HERE + punt.body
            self._send(messages.packet_out(frame, actions, packet.restored_metadata()))


def packet_too_big(frame: Ethernet, mtu: int) -> Ethernet | None:
    """Say which MTU a packet exceeds, quoting it; addresses stay as they are.

    RFC 1191 section 4, RFC 4443 section 3.2. None where no error may be sent.
    """
    error = icmp_error(frame)
    if error is None:
        return None
    packet = codec.read_ip(error)
    icmp = codec.read_icmp(packet)
    if packet.version == 4:
        rest = struct.pack("!HH", 0, min(mtu, _LARGEST_MTU4)) + icmp.rest[4:]
        told = codec.Icmp(_UNREACHABLE4, _FRAGMENTATION_NEEDED4, rest)
    else:
        told = codec.Icmp(_PACKET_TOO_BIG6, 0, struct.pack("!I", mtu) + icmp.rest[4:])
    payload = codec.write_icmp(told, packet.src, packet.dst)
    return error._replace(payload=codec.write_ip(packet._replace(payload=payload)))
