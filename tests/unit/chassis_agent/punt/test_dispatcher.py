"""Each opcode is handled, and nothing that a tenant sends gets beyond the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent import tables
from chassis_agent.backends.frames import Answer
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages, oxm
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt.codec import TCP_RST
from chassis_agent.punt.dispatcher import Dispatcher
from chassis_agent.punt.errors import MalformedUserdataError
from chassis_agent.punt.handler import PuntHost
from chassis_agent.punt.opcodes import (
    LogArguments,
    Opcode,
    decode_log_arguments,
    decode_userdata,
    log_userdata,
    userdata,
)
from chassis_agent.punt.pending import INTERVAL, MOST_TRIES
from chassis_agent.punt.registry import punt_handlers
from chassis_agent.punt.replies import reply_to
from southbound.rows import Datapath, MacBinding, PortBinding
from tests.unit.chassis_agent.punt.frames import tcp_frame, udp_frame

RESUME_TABLE = 80
FIELDS_OF_PACKET = {
    "metadata": 7,
    "in_port": 3,
    "xreg0": 0x0A000105_00000000,
    "xreg1": 0,
    "xreg7": 11 << 32 | 12,
}
RESTORED = {**FIELDS_OF_PACKET, "in_port": act.CONTROLLER}
"""With these a packet of the agent's begins: it comes from no port that could be gone."""
NESTED = act.resubmit(9)
NEXT_HOP = bytes((10, 0, 1, 5))
MAC = bytes.fromhex("0a0000000099")


class Recorder:
    """Everything that a dispatcher does."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.learned: list[tuple[object, ...]] = []
        self.logged: list[LogArguments] = []
        self.neighbours: dict[str, MacBinding] = {}
        self.probes: list[PacketIn] = []
        self.now = 100.0
        self.ports = PortNames()
        port = PortBinding("id-r", "lr", "r", 12, "patch", addresses=("0a:00:00:00:00:02",))
        self.ports.change([Datapath("lr", "lr", "lr", 7), port], [])
        self.handlers = punt_handlers(
            PuntHost(
                send=self.sent.append,
                rows=self.rows,
                ports=self.ports,
                learner=self,
                packet_log=self,
                probe_answered=lambda packet: self.probe_answered(packet),
                port_spoke=lambda _keys: None,
                address_claimed=lambda _keys, _ip: None,
                bfd_received=lambda packet: self.bfd_received(packet),
                backend_answered=lambda keys, answer: self.backend_answered(keys, answer),
                resume_table=RESUME_TABLE,
                clock=lambda: self.now,
            )
        )
        self.next_hops = self.handlers.next_hops
        self.dispatcher = Dispatcher(self.handlers)

    def probe_answered(self, packet: PacketIn) -> None:
        self.probes.append(packet)

    def bfd_received(self, packet: PacketIn) -> None:
        """Take a packet of a BFD session; there is none here."""

    def backend_answered(self, keys: PortKeys, answer: Answer) -> None:
        """Take what a backend answered; none was asked here."""

    def rows(self, kind: type[Any]) -> Mapping[Any, Any]:
        return self.neighbours if kind is MacBinding else {}

    def neighbour_learned(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> None:
        self.learned.append(("neighbour", datapath_key, port_key, ip, mac))

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None:
        self.learned.append(("fdb", datapath_key, port_key, mac))

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None:
        if arguments.name == b"broken":
            raise RuntimeError("a bug in whoever writes the log")
        self.logged.append(arguments)

    def receive(self, data: bytes, frame: bytes) -> None:
        self.dispatcher.receive(PacketIn(frame, data, FIELDS_OF_PACKET, 0))


def test_a_reply_runs_the_nested_actions_with_the_registers_of_the_packet() -> None:
    recorder = Recorder()
    frame = tcp_frame(4, 2)
    recorder.receive(userdata(Opcode.TCP_RESET, NESTED), frame)
    reply = reply_to(Opcode.TCP_RESET, frame)
    assert reply is not None
    metadata = oxm.match(Term(FIELDS[name], value) for name, value in RESTORED.items())
    may_enter_a_tunnel = act.set_field(FIELDS[tables.FLAGS], 0, tables.FROM_TUNNEL)
    assert recorder.sent == [messages.packet_out(reply, may_enter_a_tunnel + NESTED, metadata)]
    assert recorder.dispatcher.received == {Opcode.TCP_RESET: 1}


def test_a_packet_waits_for_its_next_hop_and_goes_on() -> None:
    recorder = Recorder()
    frame = udp_frame(4)
    recorder.receive(userdata(Opcode.ARP, NESTED), frame)
    assert len(recorder.sent) == 1
    next_hops = recorder.next_hops
    assert next_hops.neighbour_known(7, 12, bytes(4), MAC) == 0
    assert next_hops.neighbour_known(7, 11, NEXT_HOP, MAC) == 0
    assert next_hops.neighbour_known(7, 12, NEXT_HOP, MAC) == 1
    metadata = oxm.match(Term(FIELDS[name], value) for name, value in RESTORED.items())
    go_on = act.set_field(FIELDS["eth_dst"], int.from_bytes(MAC)) + act.resubmit(RESUME_TABLE)
    assert recorder.sent[1] == messages.packet_out(frame, go_on, metadata)
    assert next_hops.neighbour_known(7, 12, NEXT_HOP, MAC) == 0


def test_an_ipv6_packet_waits_under_its_whole_next_hop() -> None:
    recorder = Recorder()
    recorder.receive(userdata(Opcode.ND_NS, NESTED), udp_frame(6))
    next_hop = NEXT_HOP + bytes(12)
    assert recorder.next_hops.neighbour_known(7, 12, next_hop, MAC) == 1


def test_a_packet_that_waited_too_long_is_gone() -> None:
    recorder = Recorder()
    recorder.receive(userdata(Opcode.ARP, NESTED), udp_frame(4))
    for _ in range(MOST_TRIES):
        recorder.now += INTERVAL
        recorder.next_hops.ask_again()
    assert recorder.next_hops.neighbour_known(7, 12, NEXT_HOP, MAC) == 0
    assert recorder.next_hops.pending.dropped == 1


def test_many_packets_to_a_neighbour_ask_for_it_once_an_interval() -> None:
    recorder = Recorder()
    for _ in range(100):
        recorder.receive(userdata(Opcode.ARP, NESTED), udp_frame(4))
    assert len(recorder.sent) == 1
    recorder.now += INTERVAL
    recorder.next_hops.ask_again()
    recorder.next_hops.ask_again()
    assert recorder.sent == 2 * recorder.sent[:1]


def test_a_packet_that_comes_after_the_answer_does_not_ask() -> None:
    """It was punted before the neighbour's flows were in the switch."""
    recorder = Recorder()
    row = MacBinding("lr", "r", "10.0.1.5", MAC.hex(":"))
    recorder.neighbours[row.key] = row
    frame = udp_frame(4)
    recorder.receive(userdata(Opcode.ARP, NESTED), frame)
    metadata = oxm.match(Term(FIELDS[name], value) for name, value in RESTORED.items())
    go_on = act.set_field(FIELDS["eth_dst"], int.from_bytes(MAC)) + act.resubmit(RESUME_TABLE)
    assert recorder.sent == [messages.packet_out(frame, go_on, metadata)]
    assert len(recorder.next_hops.pending) == 0


def test_an_opcode_has_one_handler() -> None:
    handlers = Recorder().handlers
    with pytest.raises(ValueError, match="no handler of LOG"):
        Dispatcher(each for each in handlers if each is not handlers.logging)
    with pytest.raises(ValueError, match="two handlers of PROBE"):
        Dispatcher([*handlers, handlers.probes])


def test_what_packets_teach() -> None:
    recorder = Recorder()
    frame = udp_frame(4)
    source = frame[6:12]
    for opcode in (Opcode.PUT_ARP, Opcode.PUT_ND, Opcode.PUT_FDB):
        recorder.receive(userdata(opcode), frame)
    assert recorder.learned == [
        ("neighbour", 7, 11, NEXT_HOP, source),
        ("neighbour", 7, 11, NEXT_HOP + bytes(12), source),
        ("fdb", 7, 11, source),
    ]


@pytest.mark.parametrize("source", ["ffffffffffff", "01005e000001", "000000000000"])
def test_groups_and_nobody_teach_nothing(source: str) -> None:
    recorder = Recorder()
    frame = udp_frame(4)
    frame = frame[:6] + bytes.fromhex(source) + frame[12:]
    for opcode in (Opcode.PUT_ARP, Opcode.PUT_ND, Opcode.PUT_FDB):
        recorder.receive(userdata(opcode), frame)
    assert recorder.learned == []


def test_log() -> None:
    recorder = Recorder()
    recorder.receive(log_userdata(b"web", severity=2), udp_frame(4))
    assert recorder.logged == [LogArguments(b"web", 2, None)]


def test_a_refusal_of_a_refusal_is_not_sent() -> None:
    recorder = Recorder()
    recorder.receive(userdata(Opcode.REJECT, NESTED), tcp_frame(4, TCP_RST))
    assert recorder.sent == []


def test_what_is_malformed_is_counted() -> None:
    recorder = Recorder()
    recorder.receive(b"", udp_frame(4))
    recorder.receive(b"\xff" * 8, udp_frame(4))
    recorder.receive(userdata(Opcode.ICMP4), b"short")
    assert recorder.dispatcher.malformed == {None: 2, Opcode.ICMP4: 1}
    assert recorder.sent == []


def test_a_handler_that_fails_is_counted_and_the_next_packet_is_handled() -> None:
    recorder = Recorder()
    recorder.receive(log_userdata(b"broken"), udp_frame(4))
    recorder.receive(log_userdata(b"fine"), udp_frame(4))
    assert recorder.dispatcher.failed == {Opcode.LOG: 1}
    assert [each.name for each in recorder.logged] == [b"fine"]


@given(opcode=st.sampled_from(Opcode), body=st.binary(max_size=40), frame=st.binary(max_size=120))
def test_any_bytes(opcode: Opcode, body: bytes, frame: bytes) -> None:
    recorder = Recorder()
    recorder.receive(userdata(opcode, body), frame)
    for ethertype in (b"\x08\x00", b"\x86\xdd"):
        recorder.receive(userdata(opcode, body), bytes(12) + ethertype + frame)
    assert not recorder.dispatcher.failed


@given(data=st.binary(max_size=40))
def test_any_userdata(data: bytes) -> None:
    recorder = Recorder()
    recorder.receive(data, udp_frame(4))
    assert not recorder.dispatcher.failed


@given(
    name=st.binary(max_size=300),
    severity=st.none() | st.integers(0, 4),
    verdict=st.none() | st.integers(0, 3),
)
def test_log_arguments_survive_the_way(
    name: bytes, severity: int | None, verdict: int | None
) -> None:
    decoded = decode_userdata(log_userdata(name, severity, verdict))
    assert decoded.opcode is Opcode.LOG
    assert decode_log_arguments(decoded.body) == LogArguments(name[:255], severity, verdict)


def test_log_arguments_that_are_cut_short() -> None:
    body = log_userdata(b"name")[8:]
    for length in range(len(body)):
        with pytest.raises(MalformedUserdataError):
            decode_log_arguments(body[:length])
