"""Handles hosts that ask for routers: the row of the router port says what they are told."""

from __future__ import annotations

from collections.abc import Collection

from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.answering import MADE_HERE
from chassis_agent.punt.codec import ETHERTYPE_IPV6, PROTOCOL_ICMP6, Ethernet, Icmp, Ip
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.handler import Punt, PuntHost
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.ports import inport_of
from logical_flow.addresses import ALL_NODES, link_local, multicast_mac
from southbound.rows import RouterAdvertisement


class SolicitationHandler:
    """Answers router solicitations.

    Nothing is said where the port's row has gone meanwhile.
    """

    opcodes: Collection[Opcode] = (Opcode.ND_RA,)

    def __init__(self, host: PuntHost) -> None:
        self._host = host

    def handle(self, punt: Punt) -> None:
        packet = punt.packet
        asking = codec.read_ethernet(packet.packet)
        port = self._host.ports.port(inport_of(packet))
        rows = self._host.rows(RouterAdvertisement)
        row: RouterAdvertisement | None = None if port is None else rows.get(port.id)
        made = answer(asking, b"" if row is None else row.body)
        if row is not None:
            actions = MADE_HERE + punt.body
            message = messages.packet_out(
                codec.write_ethernet(made), actions, packet.restored_metadata()
            )
            self._host.send(message)


def answer(asking: Ethernet, body: bytes) -> Ethernet:
    """Make the advertisement for who sent a solicitation; its source is for others to set.

    One without an address yet is told by the group of all nodes (RFC 4861 section 6.2.6).
    """
    packet = codec.read_ip(asking)
    is_solicitation = packet.protocol == PROTOCOL_ICMP6 and packet.version == 6
    if not is_solicitation or codec.read_icmp(packet).kind != codec.ROUTER_SOLICITATION:
        raise MalformedPacketError("only a router solicitation is answered by an advertisement")
    to = packet.src if any(packet.src) else ALL_NODES
    return _frame(asking.src, asking.dst, packet.dst, to, body)._replace(vlans=asking.vlans)


def unsolicited(mac: bytes, body: bytes) -> bytes:
    """Return the frame by which a router port with this MAC address tells all hosts."""
    made = _frame(multicast_mac(ALL_NODES), mac, link_local(mac), ALL_NODES, body)
    return codec.write_ethernet(made)


def _frame(dst: bytes, src: bytes, ip_src: bytes, ip_dst: bytes, body: bytes) -> Ethernet:
    icmp = codec.write_icmp(Icmp(codec.ROUTER_ADVERTISEMENT, 0, body), ip_src, ip_dst)
    packet = codec.write_ip(Ip(ip_src, ip_dst, PROTOCOL_ICMP6, icmp))
    return Ethernet(dst, src, ETHERTYPE_IPV6, packet)
