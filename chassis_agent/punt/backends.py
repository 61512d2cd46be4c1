"""Handles what backends answer that were asked whether they are up."""

from __future__ import annotations

from collections.abc import Callable, Collection

from chassis_agent.backends.frames import Answer, read_answer
from chassis_agent.local.port_names import PortKeys
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.ports import inport_of


class BackendAnswerHandler:
    """Takes note of an answer, and of the port that it came from."""

    opcodes: Collection[Opcode] = (Opcode.BACKEND_ANSWER,)

    def __init__(self, answered: Callable[[PortKeys, Answer], None]) -> None:
        self._answered = answered

    def handle(self, punt: Punt) -> None:
        answer = read_answer(punt.packet.packet)
        self._answered(inport_of(punt.packet), answer)
