"""What a bridge has to have before any flow: the Geneve option that stands for a field.

Open vSwitch refuses matches on an option that it doesn't know, and refuses to change the
table of options while flows use it. So the option is no object that comes and goes with
flows: it is made when a connection begins, and looked for again with them.
"""

from typing import NamedTuple, Protocol

from chassis_agent.bridge.tunnels import OPTION
from chassis_agent.openflow.messages import TlvMapping, tlv_table_add


class Missing(NamedTuple):
    """Something that is not as it should be, and the message that makes it so."""

    name: str
    message: bytes


class Described(Protocol):
    """The question that is asked of :class:`chassis_agent.openflow.connection.Connection`."""

    async def tlv_table(self) -> list[TlvMapping]: ...


async def missing_groundwork(connection: Described) -> list[Missing]:
    """What the switch lacks, in the order in which to send it."""
    if OPTION in await connection.tlv_table():
        return []
    return [Missing("the Geneve option", tlv_table_add(OPTION))]
