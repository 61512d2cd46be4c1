"""What ICMP errors quote: made long enough, and translated where Open vSwitch doesn't do it.

RFC 792 asks for eight octets of it only. But Open vSwitch's own datapath, where it translates
the ports in a quotation, writes the checksum behind them even if the quotation has ended before
it: into memory of others. So a quotation is lengthened by zeros before connections are looked
up, which no receiver minds: what it looks at are the eight octets.
"""

from __future__ import annotations

import struct
from typing import Final

from chassis_agent.punt import codec
from chassis_agent.punt.codec import (
    ETHERTYPE_IPV4,
    PROTOCOL_ICMP4,
    PROTOCOL_ICMP6,
    PROTOCOL_SCTP,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    Ethernet,
    Icmp,
    Ip,
)
from chassis_agent.punt.errors import MalformedPacketError

_HEADERS: Final = {PROTOCOL_TCP: 20, PROTOCOL_SCTP: 12}
"""How many octets of a transport's header there are up to the end of its checksum, at least."""
_LEAST_OF_TRANSPORT: Final = 8
_UNUSED: Final = 4
"""The octets of an ICMP error between its checksum and the quotation."""
_FRAGMENT4: Final = 0x3FFF
"""Of the flags and the offset of IPv4, those that only fragments have."""
_IPV6_NEXT_HEADER: Final = 6
_IPV6_HEADER: Final = 40
_IPV4_CHECKSUM: Final = 10
_CHECKSUMS: Final = {PROTOCOL_TCP: 16, PROTOCOL_UDP: 6, PROTOCOL_ICMP6: 2}
"""Where in a transport's header the checksum is, of those that sum addresses, too."""


def whole_error(frame: Ethernet) -> Ethernet | None:
    """Return an ICMP error with a quotation that is long enough, else as it was.

    None for a fragment of one, or one behind IPv6 extension headers. Raises
    MalformedPacketError for what quotes no packet, or less of it than RFC 792 allows.
    """
    error = _read_error(frame)
    if error is None:
        return None
    packet, icmp = error
    missing = missing_octets(icmp.rest[_UNUSED:], frame.ethertype)
    if not missing:
        return frame
    return _with_rest(frame, packet, icmp, icmp.rest + bytes(missing))


def requote_source(frame: Ethernet) -> Ethernet | None:
    """Return an ICMP error whose quotation is from the one that the error is for.

    None for a fragment of one, or one behind IPv6 extension headers. Raises
    MalformedPacketError for what quotes no packet, or none of the same version.
    """
    return _requoted(frame, by_receiver=True)


def requote_destination(frame: Ethernet) -> Ethernet | None:
    """Return an ICMP error whose quotation is for the one that the error is from.

    None and errors as with `requote_source`.
    """
    return _requoted(frame, by_receiver=False)


def _requoted(frame: Ethernet, *, by_receiver: bool) -> Ethernet | None:
    error = _read_error(frame)
    if error is None:
        return None
    packet, icmp = error
    head, quoted = icmp.rest[:_UNUSED], icmp.rest[_UNUSED:]
    inner = codec.read_ip(
        Ethernet(bytes(6), bytes(6), frame.ethertype, _cut(quoted, frame.ethertype))
    )
    width = len(packet.src)
    place = (12 if width == 4 else 8) + (0 if by_receiver else width)
    old, new = quoted[place : place + width], packet.dst if by_receiver else packet.src
    changed = quoted[:place] + new + quoted[place + width :]
    if width == 4:
        changed = _summed(changed, _IPV4_CHECKSUM, old, new)
    checksum = _CHECKSUMS.get(inner.protocol)
    if checksum is not None and not inner.is_later_fragment:
        place = len(quoted) - len(inner.payload) + checksum
        is_none = inner.protocol == PROTOCOL_UDP and not any(changed[place : place + 2])
        if not is_none:
            changed = _summed(changed, place, old, new)
    return _with_rest(frame, packet, icmp, head + changed)


def _summed(data: bytes, place: int, old: bytes, new: bytes) -> bytes:
    """Return data whose checksum, if it is there, follows the change of an address.

    RFC 1624, equation 3: a checksum that was wrong stays so.
    """
    if place + 2 > len(data):
        return data
    total = ~int.from_bytes(data[place : place + 2], "big") & 0xFFFF
    for start in range(0, len(old), 2):
        total += ~int.from_bytes(old[start : start + 2], "big") & 0xFFFF
        total += int.from_bytes(new[start : start + 2], "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:place] + struct.pack("!H", ~total & 0xFFFF) + data[place + 2 :]


def _read_error(frame: Ethernet) -> tuple[Ip, Icmp] | None:
    """Return an ICMP error; None for what is part of one, or stands behind other headers."""
    packet = codec.read_ip(frame)
    if packet.protocol != (PROTOCOL_ICMP4 if packet.version == 4 else PROTOCOL_ICMP6):
        raise MalformedPacketError("only ICMP errors quote packets")
    if packet.version == 4 and int.from_bytes(frame.payload[6:8], "big") & _FRAGMENT4:
        return None
    if packet.version == 6 and packet.protocol_offset != _IPV6_NEXT_HEADER:
        return None
    return packet, codec.read_icmp(packet)


def _with_rest(frame: Ethernet, packet: Ip, icmp: Icmp, rest: bytes) -> Ethernet:
    payload = codec.write_icmp(icmp._replace(rest=rest), packet.src, packet.dst)
    return frame._replace(payload=codec.write_ip(packet._replace(payload=payload)))


def quoted_packet(icmp: Icmp, ethertype: int) -> Ip:
    """Return the packet that an ICMP error quotes, as far as it is there.

    Raises MalformedPacketError for what quotes none.
    """
    quoted = icmp.rest[_UNUSED:]
    return codec.read_ip(Ethernet(bytes(6), bytes(6), ethertype, _cut(quoted, ethertype)))


def missing_octets(quoted: bytes, ethertype: int) -> int:
    """Return how many octets a quoted packet lacks of its transport's header.

    Raises MalformedPacketError for less than RFC 792 allows.
    """
    packet = codec.read_ip(Ethernet(bytes(6), bytes(6), ethertype, _cut(quoted, ethertype)))
    if packet.is_later_fragment:
        return 0
    if packet.version == 6 and packet.protocol in codec.IPV6_EXTENSIONS:
        raise MalformedPacketError("an ICMP error quotes too many extension headers")
    present = len(packet.payload)
    if present < _LEAST_OF_TRANSPORT:
        raise MalformedPacketError("an ICMP error quotes less than eight octets of a transport")
    return max(0, _HEADERS.get(packet.protocol, 0) - present)


def _cut(quoted: bytes, ethertype: int) -> bytes:
    """Return a quoted packet with the length that is there, rather than what it had."""
    if ethertype == ETHERTYPE_IPV4:
        return quoted[:2] + struct.pack("!H", len(quoted) & 0xFFFF) + quoted[4:]
    return quoted[:4] + struct.pack("!H", max(0, len(quoted) - _IPV6_HEADER)) + quoted[6:]
