"""Packets that the agent makes: the switch can't."""

from typing import Final

from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.encoders.punting import punt_to
from chassis_agent.compile.splice import Assembly
from chassis_agent.punt.opcodes import Opcode
from logical_flow.action import Generate, PacketKind

OPCODES: Final = {kind: Opcode[kind.name] for kind in PacketKind}
"""The agent's handler for each kind of packet has the kind's name."""


def encode_generate(action: Generate, encoding: Encoding) -> Assembly:
    opcode = OPCODES[action.kind]
    return encoding.encode(action.actions).inside(lambda inner: punt_to(opcode, inner))
