"""Connections on their ways through both labs.

One is a packet, the answer of who gets it, a further packet, and an ICMP error that quotes what
arrived. What comes out of the labs at each step has to be the same, byte for byte.
"""

import struct
from collections.abc import Container, Iterator
from typing import NamedTuple

from logical_flow.packet import packet_from_match
from tests.differential.lab.canonical import canonical, is_error, is_reset
from tests.differential.lab.conversation import Step, send_to_both
from tests.differential.lab.crafting import craft, reply_to
from tests.differential.lab.sides import Side
from tests.differential.lab.taps import Arrival
from tests.system import frames
from tests.system.agent.frame_fields import fields_of

_RARP = 0x8035
_MORE_ROUNDS = 10
"""A packet may go through agents more than once, and each time be overtaken by barriers."""
_UNREACHABLE = 3
_GROUP_BIT = 1


class Beginning(NamedTuple):
    """Who begins a connection with which packet; its answers come from where it arrives."""

    port: str
    packet: str


def connect(
    beginning: Beginning,
    ours: Side,
    theirs: Side,
    differing: Container[int] = (),
    silent_rounds: int = _MORE_ROUNDS,
) -> Iterator[Step]:
    """The steps of a connection. OVN's lab says where a packet arrives, to be answered there.

    At those of which the numbers are `differing`, from 0 on, the labs let out different frames.
    After so many `silent_rounds` nothing is going to come out of either one.
    """
    port = beginning.port
    packet = packet_from_match(beginning.packet)
    packet.pop("inport", None)

    def step(number: int, sender: str, frame: bytes) -> Step:
        sent = send_to_both(sender, frame, ours, theirs)
        return _completed(sent, ours, theirs, silent_rounds, differs=number in differing)

    first = step(0, port, craft(packet))
    yield first
    arrival = _delivered(first)
    if arrival is None:
        return
    further = [
        (port, craft(packet, tcp_flags=frames.ACK)),
        (arrival.port, _refusal(arrival.frame)),
    ]
    answer = reply_to(fields_of(arrival.frame))
    if answer is not None:
        further.insert(0, (arrival.port, craft(answer, tcp_flags=frames.SYN | frames.ACK)))
    for number, (sender, frame) in enumerate(further, 1):
        yield step(number, sender, frame)


def _completed(step: Step, ours: Side, theirs: Side, silent_rounds: int, *, differs: bool) -> Step:
    """The step, once what is known to come out of one lab or both has come."""
    for number in range(_MORE_ROUNDS):
        came = bool(step.ours or step.theirs)
        if bool(difference(step)) == differs and (came or number >= silent_rounds):
            break
        step = step._replace(
            ours=step.ours + ours.taps.outcome(), theirs=step.theirs + theirs.taps.outcome()
        )
    return step


def without_announcements(step: Step) -> Step:
    """The step without what gateways announce, which comes whenever they like."""
    ours, theirs = (
        [each for each in arrivals if not _is_announcement(each.frame, step.frame)]
        for arrivals in (step.ours, step.theirs)
    )
    return step._replace(ours=ours, theirs=theirs)


def tells_sender(step: Step, sent: Step) -> bool:
    """Whether in our lab nothing came out but an error for who took the step `sent`, about that.

    It quotes the packet as it was sent, whatever had become of that on its way.
    """
    told = without_announcements(step).ours
    if len(told) != 1 or told[0].port != sent.port:
        return False
    found, cause = fields_of(told[0].frame), fields_of(sent.frame)
    version = "ip4" if cause["eth.type"] == frames.IPV4 else "ip6"
    names = {"quoted.source": f"{version}.src", "quoted.destination": f"{version}.dst"}
    for protocol in ("tcp", "udp"):
        if f"{protocol}.src" in cause:
            names |= {"quoted.source_port": f"{protocol}.src"}
            names |= {"quoted.destination_port": f"{protocol}.dst"}
    return all(found.get(quoted) == cause[name] for quoted, name in names.items())


def difference(step: Step) -> str:
    """What came out of one lab alone; nothing where both let out the same."""
    heard = without_announcements(step)
    ours, theirs = (
        sorted(Arrival(each.port, canonical(each.frame, step.frame)) for each in arrivals)
        for arrivals in (heard.ours, heard.theirs)
    )
    if ours == theirs:
        return ""
    return (
        f"{step.port} sent {frames.parse(step.frame)}\n"
        f"  Treadle: {_told(ours)}\n  OVN:     {_told(theirs)}"
    )


def _delivered(step: Step) -> Arrival | None:
    """The packet as it came out of OVN's lab, if it did so at one port, and nothing else."""
    found = without_announcements(step).theirs
    if len(found) != 1:
        return None
    received, sent = (frames.parse(frame) for frame in (found[0].frame, step.frame))
    is_same = received.protocol == sent.protocol and not is_error(received)
    return found[0] if is_same and not is_reset(received) else None


def _is_announcement(frame: bytes, sent: bytes) -> bool:
    """Whether somebody tells where an address is whom nobody has asked: not what was sent."""
    found, cause = frames.parse(frame), frames.parse(sent)
    if frame == sent:
        return False
    if found.ethertype == frames.ARP:
        fields = fields_of(frame)
        return fields["arp.spa"] == fields["arp.tpa"]
    asked = cause.icmp_type == frames.NS
    return found.ethertype == _RARP or (
        found.icmp_type == frames.NA and bool(frame[0] & _GROUP_BIT) and not asked
    )


def _told(arrivals: list[Arrival]) -> str:
    return "; ".join(f"{port}: {fields_of(frame)}" for port, frame in arrivals) or "nothing"


def _refusal(frame: bytes) -> bytes:
    """That a port is closed, as who received a packet says it, with the packet."""
    quoted = frames.parse(frame)
    target, source = quoted.ip_src, quoted.ip_dst
    packet = frame[14:]
    if quoted.ethertype == frames.IPV4:
        error = frames.icmp4(_UNREACHABLE, struct.pack("!I", 0) + packet, 3)
        body = frames.ipv4(source, target, frames.ICMP, error)
    else:
        error = frames.icmp6(source, target, 1, struct.pack("!I", 0) + packet, 4)
        body = frames.ipv6(source, target, frames.ICMPV6, error)
    return frames.ethernet(quoted.src, quoted.dst, quoted.ethertype, body)
