"""Frames with a VLAN tag at a port that others are nested in: the tag tells whose they are.

No logical flow knows of such tags. A frame with the tag of a nested port enters there, without it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import select

from diagnosis.sources import Sources
from logical_flow.evaluate import Packet
from logical_flow.packet import MutablePacket
from northbound.models import LogicalSwitchPort
from northbound.transaction import Reader
from southbound.port_types import NESTED
from southbound.rows import PortBinding
from translator.names import port_name

_TCI: Final = "vlan.tci"
_PRESENT: Final = 0x1000
_TAG: Final = 0xFFF


def tag_of(packet: Packet) -> int | None:
    """Return the VLAN tag of a frame; None without one."""
    tci = packet.get(_TCI)
    return tci & _TAG if isinstance(tci, int) and tci & _PRESENT else None


def tagged(packet: Packet, tag: int) -> MutablePacket:
    """Return a frame with another tag than it has, or with one at all."""
    return {**packet, _TCI: _PRESENT | tag}


def untagged(packet: Packet) -> MutablePacket:
    """Return a frame without its tag."""
    return {name: value for name, value in packet.items() if not name.startswith("vlan.")}


def nested_in(parent: str, ports: Iterable[PortBinding]) -> list[PortBinding]:
    """Return those of the ports that are nested in one."""
    return [port for port in ports if port.kind is NESTED and port.parent_name == parent]


def entered(packet: Packet, ports: Mapping[str, PortBinding]) -> PortBinding | None:
    """Return the nested port that a frame enters by its tag; None if that is no nested port's."""
    tag, parent = tag_of(packet), packet.get("inport")
    if tag is None or not isinstance(parent, str):
        return None
    return next((each for each in nested_in(parent, ports.values()) if each.tag == tag), None)


async def ports_of_frame(sources: Sources, packet: Packet) -> list[str]:
    """Return the names of the ports that a frame enters by its tag, or with another one should.

    They are nested in the one where it comes in, and have its tag, or the MAC address of its
    sender.
    """
    parent = packet.get("inport")
    if not isinstance(parent, str):
        return []
    return await sources.read(lambda reader: _nested(reader, parent, packet))


def _nested(reader: Reader, parent: str, packet: Packet) -> list[str]:
    row = reader.find(LogicalSwitchPort, parent)
    if row is None:
        return []
    source = packet.get("eth.src", 0)
    mac = source.to_bytes(6).hex(":") if isinstance(source, int) else ""
    query = select(LogicalSwitchPort).where(LogicalSwitchPort.parent_id == row.id)
    return [
        port_name(each.project, each.name, each.id)
        for each in reader.session.scalars(query.order_by(LogicalSwitchPort.name))
        if each.allocated_tag == tag_of(packet) or any(mac in text for text in each.addresses)
    ]
