"""A real switch translates packets as the walk over the logical flows does.

Conversations through a switch and a router that translate (`translating_network`): what
arrives is answered, and some of it by an ICMP error. The switch must deliver what the walk
delivers, with the same addresses, ports, quotations and states of connections. Both
remember the connections of the packets before.
"""

import random
import struct
from ipaddress import IPv4Address
from typing import NamedTuple

import pytest

from logical_flow.walk import walk
from logical_flow.walk_network import Network
from tests.system import frames
from tests.system.agent.frame_fields import fields_of
from tests.system.agent.packet_lab import PacketLab
from tests.system.agent.private_switch import PrivateSwitch
from tests.system.agent.test_walk_agreement import differences
from tests.system.agent.translating_network import (
    BACKEND,
    HOSTS,
    ROUTER_VIP,
    SERVER,
    SWITCH_VIP,
    TranslatingHost,
    network,
)

CONVERSATIONS = 40
SYN, ACK = 0x02, 0x10
UNREACHABLE = 3


class Ends(NamedTuple):
    """Protocol, addresses and ports of a packet; a ping has no ports."""

    protocol: int
    source: str
    destination: str
    sport: int = 0
    dport: int = 0

    @property
    def answer(self) -> "Ends":
        return Ends(self.protocol, self.destination, self.source, self.dport, self.sport)


class Conversations:
    """Packets that enter at ports, in the switch and in the walk."""

    def __init__(self, lab: PacketLab, walked: Network) -> None:
        self._lab = lab
        self._walked = walked
        self.translated = 0

    async def send(self, port: str, packet: bytes) -> tuple[str, bytes] | None:
        """Send a packet; return where it arrives, and as what, once both agree on that."""
        frame = frames.ethernet("0a:00:00:00:00:fe", "0a:00:00:00:00:01", 0x800, packet)
        fields = fields_of(frame)
        result = walk(self._walked, {**fields, "inport": port})
        sent = await self._lab.send(port, frame, len(result.deliveries), forget=False)
        complaint = differences(result, sent)
        if complaint:
            pytest.fail(f"{port} sent {fields}\n{complaint}", pytrace=False)
        for _, arrived in sent:
            seen = fields_of(arrived)
            self.translated += any(seen[n] != fields[n] for n in ("ip4.src", "ip4.dst"))
        return sent[0] if sent else None


def packet_of(ends: Ends, flags: int = SYN, *, is_reply: bool = False) -> bytes:
    protocol, source, destination, sport, dport = ends
    match protocol:
        case 17:
            payload = frames.udp(source, destination, sport, dport)
        case 6:
            seq = 100 if is_reply else 1 if flags == SYN else 2
            payload = _tcp(ends, flags, seq, 0 if flags == SYN else 2 if is_reply else 101)
        case _:
            payload = frames.icmp4(0 if is_reply else 8, struct.pack("!HH", 7, 1))
    return frames.ipv4(source, destination, protocol, payload)


def _tcp(ends: Ends, flags: int, seq: int, ack: int) -> bytes:
    """A TCP segment with an acknowledgement, which trackers look at."""
    segment = frames.tcp(ends.source, ends.destination, ends.sport, ends.dport, flags, seq)
    acknowledged = segment[:8] + struct.pack("!I", ack) + segment[12:16] + b"\0\0" + segment[18:]
    return frames._with_checksum(ends.source, ends.destination, 6, acknowledged, 16)


def ends_of(frame: bytes) -> Ends:
    fields = fields_of(frame)
    protocol = int(str(fields["ip.proto"]))
    name = {6: "tcp", 17: "udp"}.get(protocol)
    addresses = (str(IPv4Address(int(str(fields[f"ip4.{way}"])))) for way in ("src", "dst"))
    ports = (int(str(fields.get(f"{name}.{way}", 0))) for way in ("src", "dst"))
    return Ends(protocol, *addresses, *ports)


def error_about(frame: bytes) -> bytes:
    """Return what the host that `frame` came to answers if it doesn't want it.

    The quotation is whole. Open vSwitch 3.1's own datapath writes the checksum of a quoted TCP
    header whose ports it translates even if the quotation ends before it, and dies of that.
    """
    ends = ends_of(frame)
    body = bytes(4) + frame[14:]
    return frames.ipv4(ends.destination, ends.source, 1, frames.icmp4(UNREACHABLE, body, 3))


async def converse(conversations: Conversations, chance: random.Random) -> None:
    """One connection: a request, and what follows of it."""
    sender = chance.choice(["client", "other"])
    target = chance.choice([ROUTER_VIP, SWITCH_VIP, SERVER, BACKEND])
    protocol = chance.choice([6, 17, 1])
    ports = (0, 0) if protocol == 1 else (chance.randrange(1024, 65536), chance.choice([80, 53]))
    request = Ends(protocol, HOSTS[sender], target, *ports)
    arrived = await conversations.send(sender, packet_of(request))
    if arrived is None:
        return
    where, frame = arrived
    if chance.random() < 0.3:
        await conversations.send(where, error_about(frame))
    answer = ends_of(frame).answer
    answered = await conversations.send(where, packet_of(answer, SYN | ACK, is_reply=True))
    if answered is None:
        return
    assert answered[0] == sender
    if protocol != 1:  # Pings of one host to one address by several ways are one connection.
        assert ends_of(answered[1]) == request.answer, "the sender sees whom it has asked"
    if chance.random() < 0.3:
        await conversations.send(sender, error_about(answered[1]))
    await conversations.send(sender, packet_of(request, ACK))
    await conversations.send(where, packet_of(answer, ACK, is_reply=True))


async def test_switch_and_walk_translate_alike(switch: PrivateSwitch) -> None:
    chance = random.Random("translation")
    lab = PacketLab(switch, TranslatingHost())
    await lab.start()
    try:
        conversations = Conversations(lab, network())
        for _ in range(CONVERSATIONS):
            await converse(conversations, chance)
        assert conversations.translated > CONVERSATIONS, "most packets are translated"
    finally:
        await lab.stop()
