"""Handles what DHCP clients send: answers with what the flow says, in the place of a server.

Only the port's own MAC address is answered (the flow sees to that). A client of DHCPv4 that speaks
for another one, in ``chaddr``, isn't; identifiers of DHCPv6 say nothing of whose port it is.

Who declines an address has found that somebody else has it, which is for people to look into: the
log says so (:class:`DeclinedAddresses`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

import structlog

from chassis_agent.dhcp import message4, message6, server4, server6
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.openflow import messages
from chassis_agent.punt import codec
from chassis_agent.punt.answering import MADE_HERE
from chassis_agent.punt.handler import Punt
from chassis_agent.punt.opcodes import DhcpArguments, Opcode, decode_dhcp_arguments
from chassis_agent.punt.ports import inport_of

log = structlog.get_logger(__name__)

_BROADCAST_MAC: Final = b"\xff" * 6
_BROADCAST_IP: Final = b"\xff" * 4
_NOBODY: Final = bytes(4)
_CLIENT4, _SERVER4 = 68, 67
_CLIENT6, _SERVER6 = 546, 547
_TTL: Final = 64
_HOP_LIMIT: Final = 255
_TOLD_SECONDS: Final = 60.0
"""For how long the log says nothing more of a port whose client has declined its address."""


class Handled(NamedTuple):
    """What comes of a client's message: the frame that answers it, None where there is none.

    `is_declined` says whether the client has found that somebody else has its address.
    """

    reply: bytes | None
    is_declined: bool = False


class DhcpHandler:
    """Answers DHCP clients of both families."""

    opcodes: Collection[Opcode] = (Opcode.DHCPV4, Opcode.DHCPV6)

    def __init__(self, send: Callable[[bytes], object], declined: DeclinedAddresses) -> None:
        self._send = send
        self._declined = declined

    def handle(self, punt: Punt) -> None:
        arguments = decode_dhcp_arguments(punt.opcode, punt.body)
        handle = handle4 if punt.opcode is Opcode.DHCPV4 else handle6
        reply, is_declined = handle(arguments, punt.packet.packet)
        if reply is not None:
            actions = MADE_HERE + arguments.actions
            self._send(messages.packet_out(reply, actions, punt.packet.restored_metadata()))
        if is_declined:
            self._declined.tell(inport_of(punt.packet), arguments.address)


class DeclinedAddresses:
    """Says in the log which addresses clients have found in use by others, once a minute a port."""

    def __init__(self, ports: PortNames, clock: Callable[[], float]) -> None:
        self._ports = ports
        self._clock = clock
        self._told: dict[PortKeys, float] = {}

    def tell(self, inport: PortKeys, address: bytes) -> None:
        """Say that the client of a port has declined its address, unless that was just said."""
        now, port = self._clock(), self._ports.port(inport)
        if port is None or now - self._told.get(inport, now - _TOLD_SECONDS) < _TOLD_SECONDS:
            return
        recent = {keys: at for keys, at in self._told.items() if now - at < _TOLD_SECONDS}
        self._told = {**recent, inport: now}
        log.warning(
            "a DHCP client found its address in use",
            port=port.name,
            address=str(ipaddress.ip_address(address)),
        )


def handle4(arguments: DhcpArguments, data: bytes) -> Handled:
    """Return what comes of a DHCPv4 client's frame.

    The source addresses of an answer are those that the client sent to: the flow's actions say
    whose it is.
    """
    frame = codec.read_ethernet(data)
    packet = codec.read_ip(frame)
    request = message4.read_request(codec.read_udp(packet).payload)
    if request.chaddr != frame.src:
        return Handled(None)
    lease = server4.Lease4(arguments.address, arguments.options)
    reply = server4.answer(lease, request)
    if reply is None:
        return Handled(None, server4.is_declined(lease, request))
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
    return Handled(codec.write_ethernet(made))


def _destination4(request: message4.Request4, reply: message4.Reply4, packet: codec.Ip) -> bytes:
    """Return the address to which an answer goes (RFC 2131 section 4.1)."""
    if reply.message_type is message4.MessageType.NAK:
        return _BROADCAST_IP
    if request.ciaddr != _NOBODY:
        return request.ciaddr
    if request.flags & message4.BROADCAST_FLAG or reply.yiaddr == _NOBODY:
        return _BROADCAST_IP if packet.src == _NOBODY else packet.src
    return reply.yiaddr


def handle6(arguments: DhcpArguments, data: bytes) -> Handled:
    """Return what comes of a DHCPv6 client's frame.

    The source of an answer is the group that the client sent to: the flow's actions say whose it
    is.
    """
    frame = codec.read_ethernet(data)
    packet = codec.read_ip(frame)
    request = message6.read_request(codec.read_udp(packet).payload)
    lease = server6.Lease6(arguments.address, arguments.options)
    payload = server6.answer(lease, request)
    if payload is None:
        return Handled(None)
    datagram = codec.write_udp(_SERVER6, _CLIENT6, payload, packet.dst, packet.src)
    ip = codec.Ip(packet.dst, packet.src, codec.PROTOCOL_UDP, datagram, _HOP_LIMIT)
    made = frame._replace(dst=frame.src, src=frame.dst, payload=codec.write_ip(ip))
    return Handled(codec.write_ethernet(made), server6.is_declined(lease, request))
