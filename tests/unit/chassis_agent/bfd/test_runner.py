"""The sessions of a chassis: which are run, what enters and leaves, and who is told."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_agent.bfd.packet import (
    ControlPacket,
    Diagnostic,
    State,
    read_control,
    write_control,
)
from chassis_agent.bfd.runner import MOST_SESSIONS, SETTLING_SECONDS, BfdRunner
from chassis_agent.health import Health
from chassis_agent.inputs import NeighbourAlive
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.errors import PuntError
from southbound import wire
from southbound.rows import BfdSession, Datapath, PortBinding

ROUTER, PORT = 7, 3
MAC = "0a:00:00:00:00:01"
OWN, NEIGHBOUR = (bytes((192, 0, 2, n)) for n in (1, 9))
ROW = BfdSession("s", "r", "out", "cr-out", "192.0.2.1", "192.0.2.9", 200, 200, 3)
_HEADER = 24
"""Bytes of a packet-out before its match; what is searched for here is the frame at its end."""


class Bench:
    """A runner, and what it did."""

    def __init__(self) -> None:
        self.now = 100.0
        self.sent: list[bytes] = []
        self.facts: dict[str, Any] = {}
        self.told = 0
        self.residents = {"cr-out"}
        ports = PortNames()
        port = PortBinding("p", "r", "out", PORT, "patch", addresses=(f"{MAC} 192.0.2.1",))
        ports.change([Datapath("r", "lr", "r", ROUTER), port], [])
        self.health = Health()
        self.runner = BfdRunner(
            self.sent.append,
            ports,
            lambda: self.residents,
            lambda change: self.facts.__setitem__(change[1], change[2]),
            self._tell,
            self.health,
            clock=lambda: self.now,
            between=lambda _low, high: high,
        )
        self.runner.review()

    def _tell(self) -> None:
        self.told += 1

    def packets(self) -> list[ControlPacket]:
        """What was sent since the last call."""
        found, self.sent[:] = [read_control(each[-24:]) for each in self.sent], []
        return found

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.runner.send_due()

    def hear(self, packet: ControlPacket, **changed: Any) -> None:
        self.runner.receive(frame(write_control(packet), **changed))

    def come_up(self) -> None:
        self.runner.take_rows([ROW], [])
        self.pass_time(0)
        (packet,) = self.packets()
        self.hear(told(State.INIT, packet.my_discriminator))
        assert self.state == "up"
        self.packets()

    @property
    def state(self) -> str:
        (session,) = self.runner.report()["sessions"]
        return str(session["state"])

    def statement(self) -> list[tuple[str, str, int]]:
        return [(each.session, each.state, each.diagnostic) for each in self.said().sessions]

    def said(self) -> wire.BfdStates:
        return self.runner.statement()


def told(state: State, yours: int) -> ControlPacket:
    return ControlPacket(state, 3, 77, yours, 200_000, 200_000)


def frame(
    payload: bytes,
    source: bytes = NEIGHBOUR,
    destination: bytes = OWN,
    ttl: int = 255,
    port: int = 3784,
    inport: int = PORT,
) -> PacketIn:
    datagram = codec.write_udp(50_000, port, payload, source, destination)
    ip = codec.Ip(source, destination, codec.PROTOCOL_UDP, datagram, ttl=ttl)
    data = codec.Ethernet(b"\x0a" * 6, b"\x0b" * 6, codec.ETHERTYPE_IPV4, codec.write_ip(ip))
    return punted(codec.write_ethernet(data), inport)


def punted(data: bytes, inport: int = PORT) -> PacketIn:
    return PacketIn(data, b"", {"metadata": ROUTER, "xreg7": inport << 32}, 0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_packet_enters_the_router_by_the_port(bench: Bench) -> None:
    bench.runner.take_rows([ROW], [])
    bench.pass_time(0)
    (message,) = bench.sent
    assert struct.pack("!Q", ROUTER) in message[_HEADER:]
    ip = codec.read_ip(codec.read_ethernet(message[-66:]))
    datagram = codec.read_udp(ip)
    assert (ip.src, ip.dst, ip.ttl, datagram.dst) == (OWN, NEIGHBOUR, 255, 3784)
    assert datagram.src >= 49152
    assert codec.read_ethernet(message[-66:]).dst.hex(":") == MAC


def test_that_a_neighbour_is_alive_is_a_fact_at_once_and_told(bench: Bench) -> None:
    bench.come_up()
    assert bench.facts == {"s": NeighbourAlive(True)}
    assert bench.statement() == [("s", "up", 0)]


def test_a_session_that_begins_says_nothing_for_a_while(bench: Bench) -> None:
    bench.runner.take_rows([ROW], [])
    bench.pass_time(SETTLING_SECONDS - 0.1)
    assert (bench.facts, bench.statement()) == ({}, [])
    bench.pass_time(0.2)
    assert bench.facts == {"s": NeighbourAlive(False)}
    assert bench.statement() == [("s", "down", 0)]


def test_one_that_is_switched_off_says_so_at_once(bench: Bench) -> None:
    row = BfdSession("s", "r", "out", "cr-out", "192.0.2.1", "192.0.2.9", 200, 200, 3, False)
    bench.runner.take_rows([row], [])
    bench.pass_time(0)
    assert bench.packets() == []
    assert bench.statement() == [("s", "admin-down", 7)]
    assert bench.facts == {"s": NeighbourAlive(False)}


def test_silence_is_noticed(bench: Bench) -> None:
    bench.come_up()
    bench.pass_time(0.59)
    assert bench.facts == {"s": NeighbourAlive(True)}
    bench.pass_time(0.02)
    assert bench.facts == {"s": NeighbourAlive(False)}
    assert bench.statement() == [("s", "down", Diagnostic.DETECTION_TIME_EXPIRED)]
    bench.pass_time(10.0)
    (said,) = bench.said().sessions
    assert said.age == pytest.approx(10.0)


def test_sessions_are_run_where_their_ports_are(bench: Bench) -> None:
    bench.come_up()
    bench.residents.clear()
    bench.runner.review()
    bench.pass_time(10.0)
    assert bench.packets() == []
    assert bench.facts == {"s": None}
    assert bench.statement() == []


def test_a_session_that_goes_says_goodbye(bench: Bench) -> None:
    bench.come_up()
    bench.runner.take_rows([], [ROW.row_id])
    (packet,) = bench.packets()
    assert packet.state is State.ADMIN_DOWN
    assert bench.facts == {"s": None}


def test_other_times_are_settled_in_the_session(bench: Bench) -> None:
    bench.come_up()
    row = BfdSession("s", "r", "out", "cr-out", "192.0.2.1", "192.0.2.9", 500, 200, 3)
    bench.runner.take_rows([row], [])
    assert bench.state == "up"
    bench.pass_time(0.3)
    assert bench.packets()[-1].desired_min_tx == 500_000


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"ttl": 254}, "ttl"), ({"port": 3785}, "destination"), ({"destination": b"\1" * 4}, "dest")],
)
def test_what_is_not_the_neighbours_is_counted(
    bench: Bench, changed: dict[str, Any], reason: str
) -> None:
    bench.come_up()
    bench.hear(told(State.DOWN, 0), **changed)
    assert bench.state == "up"
    (session,) = bench.runner.report()["sessions"]
    assert [name.startswith(reason) for name in session["discarded"]] == [True]


@pytest.mark.parametrize("changed", [{"source": b"\xc0\0\2\7"}, {"inport": 99}])
def test_strays_are_counted(bench: Bench, changed: dict[str, Any]) -> None:
    bench.come_up()
    bench.hear(told(State.DOWN, 0), **changed)
    assert bench.state == "up"
    assert bench.runner.report()["strays"] == {"no-session": 1}


def test_so_many_sessions_are_run(bench: Bench) -> None:
    rows = [
        BfdSession(
            f"{n:05}", "r", "out", "cr-out", "192.0.2.1", f"10.0.{n >> 8}.{n & 255}", 9, 9, 3
        )
        for n in range(MOST_SESSIONS + 1)
    ]
    bench.runner.take_rows(rows, [])
    assert len(bench.runner.report()["sessions"]) == MOST_SESSIONS
    assert "bfd" in bench.health.reasons
    bench.runner.take_rows([], [rows[0].row_id])
    assert "bfd" not in bench.health.reasons


def test_what_does_not_change_is_not_looked_at(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many sessions there are: a row or a port costs what is its own."""
    rows = [
        BfdSession(f"{n:05}", "r", "out", port, "192.0.2.1", f"10.0.{n >> 8}.{n & 255}", 9, 9, 3)
        for n in range(300)
        for port in ("cr-out" if n % 100 else "cr-few",)
    ]
    bench.runner.take_rows(rows, [])
    begun: list[str] = []
    begin = bench.runner._begin

    def count(row: BfdSession) -> None:
        begun.append(row.id)
        begin(row)

    monkeypatch.setattr(bench.runner, "_begin", count)
    bench.runner.take_rows([rows[7]], [])
    assert begun == ["00007"]
    begun.clear()
    bench.residents.add("cr-few")
    bench.runner.review()
    assert begun == ["00000", "00100", "00200"]
    begun.clear()
    bench.residents.remove("cr-few")
    bench.runner.review()
    bench.runner.take_rows([], [rows[7].row_id])
    assert begun == []
    assert len(bench.runner.report()["sessions"]) == 296


def test_the_next_one_is_run_where_one_of_too_many_ends(bench: Bench) -> None:
    rows = [
        BfdSession(
            f"{n:05}", "r", "out", "cr-out", "192.0.2.1", f"10.0.{n >> 8}.{n & 255}", 9, 9, 3
        )
        for n in range(MOST_SESSIONS + 2)
    ]
    bench.runner.take_rows(rows, [])
    bench.runner.take_rows([], [rows[0].row_id])
    assert len(bench.runner.report()["sessions"]) == MOST_SESSIONS
    assert "bfd" in bench.health.reasons
    bench.runner.take_rows([rows[0]], [])
    neighbours = {each["neighbour"] for each in bench.runner.report()["sessions"]}
    assert neighbours == {row.neighbour for row in rows[:MOST_SESSIONS]}


_payloads = st.binary(max_size=64) | st.builds(
    write_control,
    st.builds(
        ControlPacket,
        st.sampled_from(State),
        st.integers(0, 255),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**32 - 1),
        diagnostic=st.integers(0, 31),
        required_min_echo_rx=st.just(0),
        poll=st.booleans(),
        final=st.booleans(),
        demand=st.booleans(),
    ),
)
_punted = st.builds(punted, st.binary(max_size=80)) | st.builds(
    frame, _payloads, ttl=st.sampled_from([255, 254]), inport=st.sampled_from([PORT, 99])
)


@settings(deadline=None)
@given(st.lists(_punted | st.floats(0, 2), max_size=20))
def test_any_packets_leave_the_runner_running(packets: list[PacketIn | float]) -> None:
    """Each has one answer at most, and is counted where it isn't taken."""
    bench = Bench()
    bench.runner.take_rows([ROW], [])
    for packet in packets:
        bench.sent.clear()
        if isinstance(packet, PacketIn):
            try:
                bench.runner.receive(packet)
            except PuntError:
                continue
        else:
            bench.pass_time(packet)
        assert len(bench.sent) <= 1
        bench.runner.statement()
        bench.runner.report()
