"""Takes packets of BFD sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode


class BfdHandler:
    """Gives packets to who runs the sessions. `take` raises PuntError for what it can't read."""

    opcodes: Collection[Opcode] = (Opcode.BFD,)

    def __init__(self, take: Callable[[PacketIn], None]) -> None:
        self._take = take

    def handle(self, punt: Punt) -> None:
        self._take(punt.packet)
