"""The logical ports that a punted packet came by, and was to leave by."""

from __future__ import annotations

from typing import Final

from chassis_agent import tables
from chassis_agent.local.port_names import PortKeys
from chassis_agent.openflow.packet_in import PacketIn

_INPORT: Final = int(tables.INPORT.removeprefix("reg"))
_OUTPORT: Final = int(tables.OUTPORT.removeprefix("reg"))


def inport_of(packet: PacketIn) -> PortKeys:
    """Return the port by which a packet came into its datapath; a key of 0 is none."""
    return PortKeys(packet.datapath_key, packet.register(_INPORT))


def outport_of(packet: PacketIn) -> PortKeys:
    """Return the port by which a packet was to leave its datapath; a key of 0 is none."""
    return PortKeys(packet.datapath_key, packet.register(_OUTPORT))
