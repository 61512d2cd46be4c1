"""Handles what backends answer that were asked whether they are up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from chassis_agent.backends.frames import Answer, read_answer
from chassis_agent.local.port_names import PortKeys
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode

_INPORT: Final = 14


class BackendAnswerHandler:
    """Takes note of an answer, and of the port that it came from."""

    opcodes: Collection[Opcode] = (Opcode.BACKEND_ANSWER,)

    def __init__(self, answered: Callable[[PortKeys, Answer], None]) -> None:
        self._answered = answered

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        answer = read_answer(packet.packet)
        self._answered(PortKeys(packet.datapath_key, packet.register(_INPORT)), answer)
