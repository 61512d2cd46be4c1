"""Questions to backends, and what comes back: TCP, UDP and ICMP errors. Pure.

Answers are tenants' bytes: what can't be read raises MalformedPacketError.
"""

from typing import Final, NamedTuple

from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Ip, Tcp
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.punt.quotations import quoted_packet

PROBER_MAC: Final = bytes.fromhex("0a54726c6462")
"""What questions come from; ARP for their address is answered with it where no port has that."""

_PORT_UNREACHABLE: Final = {codec.PROTOCOL_ICMP4: (3, 3), codec.PROTOCOL_ICMP6: (1, 4)}
_UNREACHABLE: Final = {codec.PROTOCOL_ICMP4: 3, codec.PROTOCOL_ICMP6: 1}


class Asked(NamedTuple):
    """What an answer has to be about: protocol, addresses and ports of the question."""

    protocol: int
    backend: bytes
    backend_port: int
    source: bytes
    source_port: int


class Answer(NamedTuple):
    """What came back; `refusal` says that the backend isn't up, and why.

    `acknowledged` is the sequence number that a TCP backend expects next, and `to_reset` the one
    under which it takes a reset; both are None where it isn't TCP, or where it has sent a reset.
    """

    asked: Asked
    refusal: str = ""
    acknowledged: int | None = None
    to_reset: int | None = None


def question(asked: Asked, mac: bytes, sequence: int) -> bytes:
    """Return the frame that asks: a SYN with a sequence number, or an empty datagram."""
    if asked.protocol == codec.PROTOCOL_TCP:
        return _segment(asked, mac, sequence, codec.TCP_SYN)
    payload = codec.write_udp(
        asked.source_port, asked.backend_port, b"", asked.source, asked.backend
    )
    return _frame(asked, mac, payload)


def reset(asked: Asked, mac: bytes, sequence: int) -> bytes:
    """Return the frame that ends the connection that a question began."""
    return _segment(asked, mac, sequence, codec.TCP_RST)


def read_answer(frame: bytes) -> Answer:
    """Return what a backend says. Raises MalformedPacketError."""
    ethernet = codec.read_ethernet(frame)
    packet = codec.read_ip(ethernet)
    if packet.is_later_fragment:
        raise MalformedPacketError("a later fragment answers nothing")
    if packet.protocol == codec.PROTOCOL_TCP:
        return _read_segment(packet)
    if packet.protocol == codec.PROTOCOL_UDP:
        udp = codec.read_udp(packet)
        return Answer(Asked(packet.protocol, packet.src, udp.src, packet.dst, udp.dst))
    if packet.protocol in _UNREACHABLE:
        return _read_error(packet, ethernet.ethertype)
    raise MalformedPacketError(f"protocol {packet.protocol} is none in which backends answer")


def _read_segment(packet: Ip) -> Answer:
    tcp = codec.read_tcp(packet)
    asked = Asked(packet.protocol, packet.src, tcp.src, packet.dst, tcp.dst)
    if tcp.flags & codec.TCP_RST:
        return Answer(asked, f"nothing listens on TCP port {tcp.src}")
    if tcp.flags & (codec.TCP_SYN | codec.TCP_ACK) != codec.TCP_SYN | codec.TCP_ACK:
        raise MalformedPacketError("a TCP segment answers no question")
    return Answer(asked, acknowledged=tcp.ack, to_reset=tcp.ack)


def _read_error(packet: Ip, ethertype: int) -> Answer:
    icmp = codec.read_icmp(packet)
    if icmp.kind != _UNREACHABLE[packet.protocol]:
        raise MalformedPacketError("an ICMP message is no answer of a backend")
    quoted = quoted_packet(icmp, ethertype)
    if quoted.protocol not in (codec.PROTOCOL_TCP, codec.PROTOCOL_UDP) or len(quoted.payload) < 4:
        raise MalformedPacketError("an ICMP error quotes no question to a backend")
    source_port, port = (int.from_bytes(quoted.payload[at : at + 2]) for at in (0, 2))
    asked = Asked(quoted.protocol, quoted.dst, port, quoted.src, source_port)
    name = "TCP" if quoted.protocol == codec.PROTOCOL_TCP else "UDP"
    if (icmp.kind, icmp.code) == _PORT_UNREACHABLE[packet.protocol]:
        return Answer(asked, f"nothing listens on {name} port {port}")
    return Answer(asked, f"its host can't deliver to {name} port {port}")


def _segment(asked: Asked, mac: bytes, sequence: int, flags: int) -> bytes:
    tcp = Tcp(asked.source_port, asked.backend_port, sequence, 0, flags, window=1024)
    return _frame(asked, mac, codec.write_tcp(tcp, asked.source, asked.backend))


def _frame(asked: Asked, mac: bytes, payload: bytes) -> bytes:
    packet = codec.write_ip(Ip(asked.source, asked.backend, asked.protocol, payload, ttl=64))
    is_ip4 = len(asked.backend) == 4
    ethertype = codec.ETHERTYPE_IPV4 if is_ip4 else codec.ETHERTYPE_IPV6
    return codec.write_ethernet(Ethernet(mac, PROBER_MAC, ethertype, packet))
