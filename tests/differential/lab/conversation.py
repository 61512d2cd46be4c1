"""What a probe becomes on real switches: a packet, and as much of its connection as it takes.

A connection's state can't be chosen here; it is brought about. Where a probe is to meet
an established connection, the packet is sent first and, if it arrives, answered by who
got it. Each frame's outcome counts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from logical_flow.evaluate import Packet
from logical_flow.packet import packet_from_match
from tests.differential.lab.crafting import craft, reply_to
from tests.differential.lab.plan import macs
from tests.differential.lab.sides import Side
from tests.differential.lab.taps import Arrival
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document
from tests.system import frames
from tests.system.agent.frame_fields import fields_of

Arrivals = list[Arrival]

_CONNECTION = (
    *("eth.type", "ip.proto"),
    *(f"{name}.{end}" for name in ("ip4", "ip6", "tcp", "udp", "sctp") for end in ("src", "dst")),
)
"""What stays the same on a packet's way."""


class Step(NamedTuple):
    """A frame that entered both labs, and what came out of each."""

    port: str
    frame: bytes
    ours: Arrivals
    theirs: Arrivals


def converse(probe: Probe, document: Document, ours: Side, theirs: Side) -> Iterator[Step]:
    """The steps of a probe. Only who is known to have the MAC address answers."""
    packet = packet_from_match(probe.packet)
    port = str(packet.pop("inport"))
    first = send_to_both(port, craft(packet, valid=probe.state != "inv"), ours, theirs)
    yield first
    if probe.state not in ("est", "rpl"):
        return
    known = macs(document)
    for arrival in first.theirs:
        received = fields_of(arrival.frame)
        if received["eth.dst"] not in known or not _is_same_connection(packet, received):
            continue
        if answer := reply_to(received):
            frame = craft(answer, tcp_flags=frames.SYN | frames.ACK)
            yield send_to_both(arrival.port, frame, ours, theirs)
            break
    else:
        return
    if probe.state == "est":
        yield send_to_both(port, craft(packet, tcp_flags=frames.ACK), ours, theirs)


def send_to_both(port: str, frame: bytes, ours: Side, theirs: Side) -> Step:
    """Send a frame in both labs, and wait for what becomes of it."""
    for side in (ours, theirs):
        side.taps.send(port, frame)
    return Step(port, frame, ours.taps.outcome(), theirs.taps.outcome())


def _is_same_connection(packet: Packet, received: Packet) -> bool:
    return all(packet.get(name) == received.get(name) for name in _CONNECTION)
