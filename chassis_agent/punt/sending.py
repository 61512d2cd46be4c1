"""Copies of packets for the agent, which says in userdata what it should do with them."""

from chassis_agent import tables
from chassis_agent.openflow import actions as act
from chassis_agent.punt.meters import PUNT_METERS
from chassis_agent.punt.opcodes import Opcode, userdata


def punt_to(opcode: Opcode, nested: bytes = b"") -> bytes:
    """Return a copy for the agent's handler of `opcode`; `nested` runs on what it makes."""
    meter = PUNT_METERS[opcode].meter_id
    return punted(tables.PUNT_SHARE, meter, userdata(opcode, nested))


def punted(shares: int, meter: int, data: bytes, before: bytes = b"") -> bytes:
    """Return a copy for the agent, if both the sender's share and the meter let it pass.

    `before` are actions that the copy meets first, such as another meter.

    What a meter drops would be lost altogether if it weren't a copy. Open vSwitch makes one
    only where it sees the meter among the actions: in a table alone it would go unnoticed.
    """
    return act.clone(before + act.resubmit(shares) + act.meter(meter) + act.controller(data))
