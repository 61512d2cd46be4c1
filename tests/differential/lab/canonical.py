"""Frames without that in which the labs may differ, byte for byte, and why they may.

Everything else that comes out of the two labs is compared as it is: lengths, checksums
and payloads included, and the packets that ICMP errors quote.
"""

from collections.abc import Callable

from chassis_agent.punt import codec
from logical_flow.packet import PROTO_SCTP
from tests.system import frames
from tests.system.agent.frame_fields import fields_of
from tests.system.frames import Frame

_HOP_LIMIT, _HOP_LIMIT_OF_THEIRS = 255, 63
_SCTP_ABORT = 6
_NOBODY, _ALL_NODES = "::", "ff02::1"

Rule = Callable[[Frame, Frame], Frame]


def canonical(frame: bytes, sent: bytes) -> bytes:
    """What is compared of a frame that came out when `sent` went in."""
    found, cause = frames.parse(frame), frames.parse(sent)
    for rule in RULES:
        found = rule(found, cause)
    return found.raw


def resets(frame: Frame, sent: Frame) -> Frame:
    """OVN's resets say more than they know, and have a hop limit of their own.

    It is 63; ours is the 255 of all packets that controllers make. OVN sets ACK in each
    reset. Ours follow RFC 9293 section 3.10.7.1: what acknowledges something is answered
    with the number that it acknowledged, and without ACK.
    """
    if not is_reset(frame):
        return frame
    segment = frame.l4
    if frame.protocol == frames.TCP:
        segment = segment[:4] + bytes(len(segment) - 4)
    return _rebuilt(frame, frame.ip_src, frame.ip_dst, segment, _hops(frame.ttl))


def solicitations(frame: Frame, sent: Frame) -> Frame:
    """A router asks for a neighbour from whichever of its addresses it likes (RFC 4861, 7.2.2).

    OVN's asks from the link-local one, ours from the one in the neighbour's network.
    """
    if frame.icmp_type != frames.NS or frame.src == sent.src:
        return frame
    return _rebuilt(frame, _NOBODY, frame.ip_dst, _without_checksum(frame.l4), frame.ttl)


def advertisements(frame: Frame, sent: Frame) -> Frame:
    """Who asks without an address is told by way of all nodes (RFC 4861, 7.2.4).

    OVN sends to the address ``::``, as solicited.
    """
    if frame.icmp_type != frames.NA or frame.ip_dst not in (_NOBODY, _ALL_NODES):
        return frame
    segment = _without_checksum(frame.l4)
    unsolicited = segment[:4] + bytes((segment[4] & ~0x40,)) + segment[5:]
    return _rebuilt(frame, frame.ip_src, _ALL_NODES, unsolicited, frame.ttl)


RULES: tuple[Rule, ...] = (resets, solicitations, advertisements)


def is_superfluous(frame: bytes, sent: bytes) -> bool:
    """Whether OVN refuses what nobody may refuse, so that our controllers don't.

    So is its question for the neighbour that it would tell. Errors and resets don't answer one
    another, nor what was sent to many, comes from many or from nobody (RFC 1122 section 3.2.2,
    RFC 4443 section 2.4).
    """
    answer, refused = frames.parse(frame), frames.parse(sent)
    refuses = is_error(answer) or is_reset(answer) or _asks_for_sender(answer, refused)
    if answer.l4 == refused.l4 or not refuses:
        return False
    ends = [frames.ip(text) for text in (refused.ip_src, refused.ip_dst) if text]
    return (
        bool(refused.raw[0] & 1)
        or is_error(refused)
        or is_reset(refused)
        or any(_is_group(end) for end in ends)
        or not any(ends[0])
    )


def _asks_for_sender(question: Frame, sent: Frame) -> bool:
    if not sent.ip_src or question.ip_src == sent.ip_src:
        return False
    asked = fields_of(question.raw)
    target = asked.get("nd.target") if question.icmp_type == frames.NS else asked.get("arp.tpa")
    return target == int.from_bytes(frames.ip(sent.ip_src))


def tells_all_nodes(frame: bytes) -> bool:
    """Whether an advertisement answers who has no address yet.

    OVN's, being sent to ``::``, doesn't pass its own port security.
    """
    found = frames.parse(frame)
    return found.icmp_type == frames.NA and found.ip_dst == _ALL_NODES


def returns_to_its_sender(frame: bytes, sent: bytes) -> bool:
    """Whether it is an error that comes back to who sent it, as he is his own backend.

    OVN drops what a client tells himself by way of a virtual address.
    """
    found, cause = frames.parse(frame), frames.parse(sent)
    same_ends = (found.ip_src, found.ip_dst) == (cause.ip_dst, cause.ip_src)
    return is_error(found) and is_error(cause) and same_ends


def is_error(frame: Frame) -> bool:
    """Whether it is an ICMP error of either version."""
    if frame.protocol == frames.ICMP:
        return frame.icmp_type in (3, 4, 5, 11, 12)
    return frame.protocol == frames.ICMPV6 and frame.icmp_type < 128


def is_reset(frame: Frame) -> bool:
    """Whether it ends a TCP connection or an SCTP association at once."""
    if frame.protocol == PROTO_SCTP:
        return (
            codec.read_sctp(codec.read_ip(codec.read_ethernet(frame.raw))).chunks[0] == _SCTP_ABORT
        )
    return bool(frame.tcp_flags & frames.RST)


def _hops(found: int) -> int:
    return found + _HOP_LIMIT - _HOP_LIMIT_OF_THEIRS if found <= _HOP_LIMIT_OF_THEIRS else found


def _is_group(address: bytes) -> bool:
    return address[0] >= 224 if len(address) == 4 else address[0] == 0xFF


def _without_checksum(segment: bytes) -> bytes:
    return segment[:2] + bytes(2) + segment[4:]


def _rebuilt(frame: Frame, source: str, target: str, segment: bytes, hops: int) -> Frame:
    if frame.ethertype == frames.IPV4:
        packet = frames.ipv4(source, target, frame.protocol, segment, hops)
    else:
        packet = frames.ipv6(source, target, frame.protocol, segment, hops)
    return frames.parse(frames.ethernet(frame.dst, frame.src, frame.ethertype, packet))
