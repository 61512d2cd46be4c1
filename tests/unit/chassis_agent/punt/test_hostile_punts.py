"""Whatever tenants send, no handler of punted packets fails.

For each opcode frames are drawn that are like those its flows let through, damaged in some places,
and such that are like nothing; with arguments as flows have them, and others. Without options each
handler gets some hundred; the long run is

    ./run test tests/unit/chassis_agent/punt/test_hostile_punts.py --punts 100000
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from os_ken.lib.packet import arp, icmp, icmpv6, tcp, udp, vlan

from chassis_agent.backends.checker import BackendChecker
from chassis_agent.backends.checks import FIRST_SOURCE_PORT
from chassis_agent.backends.frames import Answer, Asked, question
from chassis_agent.bfd.packet import ControlPacket, State, write_control
from chassis_agent.bfd.runner import BfdRunner
from chassis_agent.derivations.backends import checks_here
from chassis_agent.dhcp.message4 import MessageType
from chassis_agent.health import Health
from chassis_agent.local.port_names import PortKeys
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.physical.probes import ANSWERING
from chassis_agent.punt import codec
from chassis_agent.punt.opcodes import (
    ADDRESS_SIZES,
    Opcode,
    dhcp_arguments,
    dns_arguments,
    log_userdata,
    userdata,
)
from chassis_agent.underlay.frames import probe
from chassis_agent.underlay.prober import Prober
from logical_flow.dhcp_options import DhcpOption, encode_options
from southbound.rows import (
    BackendCheck,
    BackendStatus,
    BfdSession,
    DnsName,
    RouterAdvertisement,
)
from tests.unit.chassis_agent.dhcp.messages import DUID, message4, message6
from tests.unit.chassis_agent.punt.frames import (
    A4,
    A_MAC,
    B4,
    B6,
    eth,
    ip,
    serialised,
    tcp_frame,
    udp_frame,
)
from tests.unit.chassis_agent.punt.test_dispatcher import FIELDS_OF_PACKET, NESTED, Recorder

pytestmark = pytest.mark.timeout(3 * 3600)
"""Of the long run."""

DATAPATH: Final = "lr"
PORT: Final = "id-r"
FIELDS: Final = {**FIELDS_OF_PACKET, "xreg7": 12 << 32 | 12}
"""The packet has come in at that port."""
NAMES = (
    DnsName("1", DATAPATH, "www.shop.example", 60, ("10.0.0.7", "fd00::7")),
    DnsName("2", DATAPATH, "corp.example", 60, owned=True, covers=True),
)
SAID = RouterAdvertisement(PORT, DATAPATH, "r", bytes(12), 200, 600)
SESSION = BfdSession("s", DATAPATH, "r", "cr-r", B4, A4, 200, 200, 3)
CHECKS = {
    protocol: BackendCheck("&v", f"{A4}:80", protocol, DATAPATH, "r", A_MAC, B4, 5, 3, 1, 1)
    for protocol in ("tcp", "udp")
}
LEASE = encode_options(
    [DhcpOption(51, bytes(4)), DhcpOption(54, bytes(4)), DhcpOption(3, bytes(8))]
)


def _datagram(version: int, sport: int, dport: int, payload: bytes) -> bytes:
    return serialised(eth(version), ip(version, 17), udp.udp(sport, dport), payload)


def _client6(kind: int) -> bytes:
    return message6(kind, [(1, DUID), (3, bytes(12)), (6, bytes((0, 23)))])


def _query(name: str) -> bytes:
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    head = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 1)
    extra = struct.pack("!BHHBBHH", 0, 41, 1232, 0, 0, 0, 0)
    return head + labels + b"\0" + struct.pack("!HH", 255, 1) + extra


def _message6(kind: int, data: object) -> bytes:
    return serialised(eth(6), ip(6, 58, ttl=255), icmpv6.icmpv6(type_=kind, code=0, data=data))


def _solicitation() -> bytes:
    option = icmpv6.nd_option_sla(hw_src=A_MAC)
    return _message6(icmpv6.ND_NEIGHBOR_SOLICIT, icmpv6.nd_neighbor(dst=B6, option=option))


def _router_solicitation() -> bytes:
    option = icmpv6.nd_option_sla(hw_src=A_MAC)
    return _message6(icmpv6.ND_ROUTER_SOLICIT, icmpv6.nd_router_solicit(option=option))


def _error(version: int) -> bytes:
    """An ICMP error that quotes a packet."""
    quoted = tcp_frame(version, 2)[14:]
    if version == 4:
        data = icmp.dest_unreach(data=quoted)
        return serialised(eth(4), ip(4, 1), icmp.icmp(3, 1, data=data))
    return _message6(1, bytes(4) + quoted)


def _control(state: State, yours: int) -> bytes:
    """A control packet of the neighbour of the session that `_Network` has."""
    payload = write_control(ControlPacket(state, 3, 77, yours, 200_000, 200_000))
    return serialised(eth(4), ip(4, 17, ttl=255), udp.udp(50_000, 3784), payload)


def _backend_answers() -> Iterator[bytes]:
    """What a backend may say to the questions that `_Network` asks, and its host."""
    for protocol in (codec.PROTOCOL_TCP, codec.PROTOCOL_UDP):
        asked = Asked(protocol, _packed(A4), 80, _packed(B4), FIRST_SOURCE_PORT)
        asking = question(asked, bytes(6), 0)
        yield serialised(
            eth(4), ip(4, 1), icmp.icmp(3, 3, data=icmp.dest_unreach(data=asking[14:]))
        )
    for bits in (tcp.TCP_SYN | tcp.TCP_ACK, tcp.TCP_RST):
        segment = tcp.tcp(80, FIRST_SOURCE_PORT, ack=1, bits=bits)
        yield serialised(eth(4), ip(4, 6), segment)
    yield _datagram(4, 80, FIRST_SOURCE_PORT, b"")


def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


_PROBE_ANSWER = ANSWERING.to_bytes(6) + probe(bytes(16))[6:]
_TAGGED = serialised(eth(4), vlan.vlan(vid=7, ethertype=0x0800), ip(4, 17), udp.udp(1, 2), b"x")
_ARP = serialised(eth(4), arp.arp(src_mac=A_MAC, src_ip=A4, dst_ip=B4))
_ANY = (
    *(udp_frame(version, bytes(1500)) for version in (4, 6)),
    *(tcp_frame(version, 2, payload=bytes(32)) for version in (4, 6)),
    *(_error(version) for version in (4, 6)),
    _solicitation(),
    _TAGGED,
    _ARP,
)
_KINDS4 = (MessageType.DISCOVER, MessageType.REQUEST, MessageType.INFORM, MessageType.RELEASE)
LIKELY: Final[Mapping[Opcode, tuple[bytes, ...]]] = {
    Opcode.DHCPV4: tuple(_datagram(4, 68, 67, message4(kind)) for kind in _KINDS4),
    Opcode.DHCPV6: tuple(_datagram(6, 546, 547, _client6(kind)) for kind in (1, 3, 4, 5, 8, 11)),
    Opcode.DNS: tuple(
        _datagram(version, 4000, 53, _query(name))
        for version in (4, 6)
        for name in ("www.shop.example", "a.corp.example", "7.0.0.10.in-addr.arpa", "x.y")
    ),
    Opcode.ND_RA: (_router_solicitation(), serialised(eth(6), ip(6, 58, src="::"))),
    Opcode.ND_NA: (_solicitation(),),
    Opcode.ND_NA_ROUTER: (_solicitation(),),
    Opcode.WHOLE_ERROR: (_error(4), _error(6)),
    Opcode.REQUOTE_SOURCE: (_error(4), _error(6)),
    Opcode.REQUOTE_DESTINATION: (_error(4), _error(6)),
    Opcode.BFD: tuple(_control(state, yours) for state in State for yours in (0, 7)),
    Opcode.BACKEND_ANSWER: tuple(_backend_answers()),
    Opcode.PROBE: (_PROBE_ANSWER,),
}
"""Frames that the flows of an opcode let through."""
UNANSWERED: Final = frozenset({Opcode.PROBE, Opcode.BFD})
"""What is taken note of; a BFD session says what it has to say in its own time."""


def _damaged(frames: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """Frames of which some bytes are others, more, or missing."""
    byte = st.integers(0, 255) | st.sampled_from([0, 1, 0x7F, 0x80, 0xC0, 0xFF])
    place = st.floats(0, 1, exclude_max=True)
    change = st.tuples(place, byte)

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        data = bytearray(draw(st.sampled_from(frames)))
        for where, value in draw(st.lists(change, max_size=6)):
            data[int(where * len(data))] = value
        kind = draw(st.sampled_from(["whole", "whole", "cut", "spliced", "longer"]))
        at = int(draw(place) * len(data))
        if kind == "cut":
            del data[at:]
        elif kind == "spliced":
            data[at:at] = draw(st.binary(max_size=32))
        elif kind == "longer":
            data += draw(st.binary(max_size=64))
        return bytes(data)

    return made()


def _frames(opcode: Opcode) -> st.SearchStrategy[bytes]:
    likely = _damaged(LIKELY.get(opcode, _ANY))
    headed = st.binary(max_size=120).map(lambda rest: bytes(12) + b"\x08\x00" + rest)
    headed6 = st.binary(max_size=120).map(lambda rest: bytes(12) + b"\x86\xdd" + rest)
    return likely | likely | _damaged(_ANY) | headed | headed6 | st.binary(max_size=80)


def _of_flows(opcode: Opcode) -> bytes:
    """Userdata as flows have it."""
    arguments = b""
    match opcode:
        case Opcode.LOG:
            return log_userdata(b"name", 3, 1)
        case Opcode.VIRTUAL_BIND:
            return userdata(opcode, b"\x04")
        case Opcode.DNS:
            arguments = dns_arguments(len(NESTED)) + NESTED
        case Opcode.DHCPV4 | Opcode.DHCPV6:
            arguments = dhcp_arguments(bytes(ADDRESS_SIZES[opcode]), LEASE)
    return userdata(opcode, arguments + NESTED)


def _userdata(opcode: Opcode) -> st.SearchStrategy[bytes]:
    """What flows carry, mostly."""
    ours = st.just(_of_flows(opcode))
    return ours | ours | ours | st.binary(max_size=60).map(lambda body: userdata(opcode, body))


_FIELDS = st.just(FIELDS) | st.fixed_dictionaries(
    {"metadata": st.integers(0, 1 << 24)},
    optional={f"xreg{n}": st.integers(0, (1 << 64) - 1) for n in range(8)},
)


class _Network(Recorder):
    """A dispatcher that knows names, and what a router port tells.

    It runs a BFD session, asks a backend over TCP and UDP, and probes tunnels: what is punted of
    these is taken as far as an agent takes it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.handlers.name_lookups.names.change(NAMES, [])

    def rows(self, kind: type[Any]) -> Mapping[Any, Any]:
        return {PORT: SAID} if kind is RouterAdvertisement else super().rows(kind)

    def bfd_received(self, packet: PacketIn) -> None:
        runner = BfdRunner(
            self.sent.append,
            self.ports,
            lambda: ["cr-r"],
            self.learned.append,
            lambda: None,
            Health(),
            clock=lambda: self.now,
        )
        runner.take_rows([SESSION], [])
        runner.receive(packet)

    def backend_answered(self, keys: PortKeys, answer: Answer) -> None:
        rows: Mapping[Any, Mapping[Any, Any]] = {checks_here: CHECKS, BackendStatus: {}}
        asked: list[bytes] = []
        is_asking = True

        def send(message: bytes) -> bool:
            (asked if is_asking else self.sent).append(message)
            return True

        checker = BackendChecker(
            send,
            self.ports,
            rows.__getitem__,
            lambda _source: None,
            clock=lambda: self.now,
            random=lambda _below: 0,
        )
        assert checker.look() == len(asked) == len(CHECKS)
        is_asking = False
        checker.answered(keys, answer)

    def probe_answered(self, packet: PacketIn) -> None:
        prober = Prober(
            "hv1",
            lambda _message: True,
            lambda _source: None,
            Health(),
            control=lambda: Path("/nowhere"),
            clock=lambda: self.now,
        )
        prober.answered(packet)


@pytest.mark.parametrize("opcode", Opcode, ids=lambda opcode: opcode.name)
def test_whatever_tenants_send(opcode: Opcode, pytestconfig: pytest.Config) -> None:
    handled = 0

    @settings(
        max_examples=pytestconfig.getoption("--punts"),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(frame=_frames(opcode), data=_userdata(opcode), fields=_FIELDS)
    def receive(frame: bytes, data: bytes, fields: Mapping[str, int]) -> None:
        nonlocal handled
        network = _Network()
        network.dispatcher.receive(PacketIn(frame, data, fields, 0))
        assert not network.dispatcher.failed
        assert len(network.sent) <= 1, "one packet is answered by one at most"
        handled += not network.dispatcher.malformed

    receive()
    assert handled > 0, "some of it can be read"


def test_what_is_likely_is_answered() -> None:
    """Undamaged it gets as far as a handler can take it."""
    network = _Network()
    for opcode, frames in LIKELY.items():
        before = len(network.sent)
        for frame in frames:
            network.dispatcher.receive(PacketIn(frame, _of_flows(opcode), FIELDS, 0))
        assert opcode in UNANSWERED or len(network.sent) > before, opcode.name
    assert not network.dispatcher.failed
