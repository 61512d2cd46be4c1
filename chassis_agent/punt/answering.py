"""Handles what asks the agent to make a packet of another one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from chassis_agent import tables
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.openflow.oxm import FIELDS
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.replies import REPLIES, reply_to

ASKING: Final = frozenset({Opcode.ARP, Opcode.ND_NS})
"""The opcodes whose packet asks for a next hop, while the punted one waits."""

MADE_HERE: Final = act.set_field(FIELDS[tables.FLAGS], 0, tables.FROM_TUNNEL)
"""What answers a packet from a tunnel begins here, so it may enter one itself."""


class AnsweringHandler:
    """Sends the packet that is made of the punted one, if any is."""

    opcodes: Collection[Opcode] = REPLIES - ASKING

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def handle(self, punt: Punt) -> None:
        message = message_of(punt)
        if message is not None:
            self._send(message)


def message_of(punt: Punt) -> bytes | None:
    """Return the packet-out with what an opcode makes of a packet, None if it makes nothing."""
    made = reply_to(punt.opcode, punt.packet.packet)
    if made is None:
        return None
    return messages.packet_out(made, MADE_HERE + punt.body, punt.packet.restored_metadata())
