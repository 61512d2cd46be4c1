"""Handles what DHCP clients send: answers with what the flow says, in the place of a server.

Only the port's own MAC address is answered (the flow sees to that). A client of DHCPv4 that speaks
for another one, in ``chaddr``, isn't; identifiers of DHCPv6 say nothing of whose port it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from chassis_agent.dhcp import message4, message6, server4, server6
from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.answering import MADE_HERE
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import DhcpArguments, Opcode, decode_dhcp_arguments

_BROADCAST_MAC: Final = b"\xff" * 6
_BROADCAST_IP: Final = b"\xff" * 4
_NOBODY: Final = bytes(4)
_CLIENT4, _SERVER4 = 68, 67
_CLIENT6, _SERVER6 = 546, 547
_TTL: Final = 64
_HOP_LIMIT: Final = 255


class DhcpHandler:
    """Answers DHCP clients of both families."""

    opcodes: Collection[Opcode] = (Opcode.DHCPV4, Opcode.DHCPV6)

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send

    def handle(self, punt: Punt) -> None:
        arguments = decode_dhcp_arguments(punt.opcode, punt.body)
        reply = reply4 if punt.opcode is Opcode.DHCPV4 else reply6
        made = reply(arguments, punt.packet.packet)
        if made is not None:
            actions = MADE_HERE + arguments.actions
            self._send(messages.packet_out(made, actions, punt.packet.restored_metadata()))


def reply4(arguments: DhcpArguments, data: bytes) -> bytes | None:
    """Return the frame that answers a DHCPv4 client's, None where it gets no answer.

    Its source addresses are those that the client sent to: the flow's actions say whose it is.
    """
    frame = codec.read_ethernet(data)
    packet = codec.read_ip(frame)
    request = message4.read_request(codec.read_udp(packet).payload)
    if request.chaddr != frame.src:
        return None
    lease = server4.Lease4(arguments.address, arguments.options)
    reply = server4.answer(lease, request)
    if reply is None:
        return None
    destination = _destination4(request, reply, packet)
    is_for_all = destination == _BROADCAST_IP
    payload = message4.write_reply(request, reply)
    datagram = codec.write_udp(_SERVER4, _CLIENT4, payload, packet.dst, destination)
    ip = codec.Ip(packet.dst, destination, codec.PROTOCOL_UDP, datagram, _TTL)
    made = frame._replace(
        dst=_BROADCAST_MAC if is_for_all else frame.src,
        src=frame.dst,
        payload=codec.write_ip(ip),
    )
    return codec.write_ethernet(made)


def _destination4(request: message4.Request4, reply: message4.Reply4, packet: codec.Ip) -> bytes:
    """Return the address to which an answer goes (RFC 2131 section 4.1)."""
    if reply.message_type is message4.MessageType.NAK:
        return _BROADCAST_IP
    if request.ciaddr != _NOBODY:
        return request.ciaddr
    if request.flags & message4.BROADCAST_FLAG or reply.yiaddr == _NOBODY:
        return _BROADCAST_IP if packet.src == _NOBODY else packet.src
    return reply.yiaddr


def reply6(arguments: DhcpArguments, data: bytes) -> bytes | None:
    """Return the frame that answers a DHCPv6 client's, None where it gets no answer.

    Its source is the group that the client sent to: the flow's actions say whose it is.
    """
    frame = codec.read_ethernet(data)
    packet = codec.read_ip(frame)
    request = message6.read_request(codec.read_udp(packet).payload)
    lease = server6.Lease6(arguments.address, arguments.options)
    payload = server6.answer(lease, request)
    if payload is None:
        return None
    datagram = codec.write_udp(_SERVER6, _CLIENT6, payload, packet.dst, packet.src)
    ip = codec.Ip(packet.dst, packet.src, codec.PROTOCOL_UDP, datagram, _HOP_LIMIT)
    made = frame._replace(dst=frame.src, src=frame.dst, payload=codec.write_ip(ip))
    return codec.write_ethernet(made)
