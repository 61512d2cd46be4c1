"""Connections of a real switch are blocked in both directions, and only those that are denied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages, oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.messages import CtTuple
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.punt import codec
from chassis_agent.punt.codec import Ethernet, Icmp, Ip, Tcp
from chassis_agent.revocation import remark
from chassis_agent.revocation.conntrack import (
    BLOCKED,
    FROM_EGRESS,
    TrackedConnection,
    parse_connections,
)
from chassis_agent.revocation.revoker import Revoked, Revoker
from tests.system.agent.openflow.conftest import Bridge
from tests.system.agent.openflow.conftest import bridge as bridge
from tests.unit.chassis_agent.revocation.acls import judge

pytestmark = pytest.mark.system

ZONE = 7
SHOW_TABLE = 3
LABEL = 5 << 96
V4 = ip_address("10.0.0.1"), ip_address("10.0.0.2")
V6 = ip_address("fd00::1"), ip_address("fd00::2")

TUPLES = {
    "udp": CtTuple(*V4, 17, 1000, 53),
    "udp over IPv6": CtTuple(*V6, 17, 1000, 53),
    "tcp": CtTuple(*V4, 6, 1000, 80),
    "tcp over IPv6": CtTuple(*V6, 6, 1000, 80),
    "ping": CtTuple(*V4, 1, 8, 0, 77),
    "ping over IPv6": CtTuple(*V6, 58, 128, 0, 77),
    "gre": CtTuple(*V4, 47),
}


Seen = asyncio.Queue[PacketIn]


@asynccontextmanager
async def traffic_on(bridge: Bridge) -> AsyncIterator[Traffic]:
    """Traffic on a bridge that punts what conntrack says of a packet."""
    seen: Seen = asyncio.Queue()
    async with bridge.connected(seen.put_nowait) as connection:
        show = act.apply_actions(act.controller(b"seen"))
        await connection.commit([messages.add_flow(SHOW_TABLE, 1, messages.EMPTY_MATCH, show, 0)])
        yield Traffic(bridge, connection, seen)


class Traffic:
    """Packets of connections, sent through the zone's connection tracking and nowhere else."""

    def __init__(self, bridge: Bridge, connection: Connection, seen: Seen) -> None:
        self.bridge = bridge
        self.connection = connection
        self.seen = seen

    async def establish(self, original: CtTuple, translated: CtTuple | None = None) -> None:
        """A request that is committed, and its reply."""
        nat = remark._translation(TrackedConnection(original, 0, 0, translated))
        marks = act.set_field(FIELDS["ct_mark"], FROM_EGRESS)
        marks += act.set_field(FIELDS["ct_label"], LABEL)
        request, _, acknowledgement = _exchange(original)
        _, reply, _ = _exchange(translated or original)
        await self._send(request, act.ct(zone=ZONE, commit=True, nested=nat + marks))
        await self.look_up(reply)
        await self.look_up(acknowledgement)

    async def reply(self, original: CtTuple) -> tuple[int, int]:
        """State and mark that another packet of the reply direction meets."""
        frames = list(_exchange(original))
        return await self.look_up(frames[1] if original.protocol != 6 else _later_reply(original))

    async def look_up(self, frame: bytes) -> tuple[int, int]:
        await self._send(frame, act.ct(zone=ZONE, table=SHOW_TABLE))
        async with asyncio.timeout(30):
            seen = await self.seen.get()
        return seen.fields["ct_state"], seen.fields.get("ct_mark", 0)

    async def connections(self) -> list[TrackedConnection]:
        control = self.bridge.switch.control
        return list(
            parse_connections(await unixctl.call(control, "dpctl/dump-conntrack", f"zone={ZONE}"))
        )

    async def _send(self, frame: bytes, actions: bytes) -> None:
        metadata = oxm.match([Term(FIELDS["in_port"], 1)])
        await self.connection.confirm([messages.packet_out(frame, actions, metadata)])


def _exchange(original: CtTuple) -> Iterator[bytes]:
    """Request, reply, and what completes the connection's beginning."""
    reversed_ = original._replace(
        source=original.destination,
        destination=original.source,
        source_port=original.destination_port,
        destination_port=original.source_port,
    )
    if original.protocol == 6:
        yield _tcp(original, 5000, 0, codec.TCP_SYN)
        yield _tcp(reversed_, 9000, 5001, codec.TCP_SYN | codec.TCP_ACK)
        yield _tcp(original, 5001, 9001, codec.TCP_ACK)
        return
    if original.protocol in (1, 58):
        kind = 0 if original.protocol == 1 else 129
        reversed_ = reversed_._replace(source_port=kind, destination_port=0)
    yield remark.request_packet(original)
    yield remark.request_packet(reversed_)
    yield remark.request_packet(original)


def _later_reply(original: CtTuple) -> bytes:
    reversed_ = original._replace(
        source=original.destination,
        destination=original.source,
        source_port=original.destination_port,
        destination_port=original.source_port,
    )
    return _tcp(reversed_, 9001, 5001, codec.TCP_ACK)


def _tcp(way: CtTuple, seq: int, ack: int, flags: int) -> bytes:
    src, dst = way.source.packed, way.destination.packed
    tcp = Tcp(way.source_port, way.destination_port, seq, ack, flags, window=1000)
    packet = codec.write_ip(Ip(src, dst, 6, codec.write_tcp(tcp, src, dst)))
    ethertype = codec.ETHERTYPE_IPV4 if len(src) == 4 else codec.ETHERTYPE_IPV6
    return codec.write_ethernet(Ethernet(b"\2" * 6, b"\4" * 6, ethertype, packet))


REPLY, ESTABLISHED, NEW, INVALID = 0x08, 0x02, 0x01, 0x10


@pytest.mark.parametrize("kind", TUPLES)
async def test_a_denied_connection_is_blocked_where_only_replies_flow(
    bridge: Bridge, kind: str
) -> None:
    original = TUPLES[kind]
    deny = judge(("to-lport", 1, "ip", "drop"))
    async with traffic_on(bridge) as traffic:
        await traffic.establish(original)
        state, mark = await traffic.reply(original)
        assert (state & (REPLY | ESTABLISHED | INVALID), mark) == (REPLY | ESTABLISHED, 2)

        revoker = Revoker(traffic.connection, bridge.switch.control, settling=0.05)
        assert await revoker.revoke(ZONE, "web", deny) == Revoked(1, 1, 0)

        state, mark = await traffic.reply(original)
        assert state & REPLY
        assert mark == FROM_EGRESS | BLOCKED
        assert await traffic.connections() == [
            TrackedConnection(original, FROM_EGRESS | BLOCKED, LABEL)
        ]
        assert await revoker.revoke(ZONE, "web", deny) == Revoked(1, 0, 0)


async def test_only_what_is_denied_is_blocked(bridge: Bridge) -> None:
    acls = judge(
        ("to-lport", 1, "ip", "drop"),
        ("to-lport", 9, "tcp.dst == 80", "allow"),
        ("to-lport", 9, "icmp6", "allow"),
    )
    async with traffic_on(bridge) as traffic:
        for original in TUPLES.values():
            await traffic.establish(original)
        revoker = Revoker(traffic.connection, bridge.switch.control, settling=0)
        assert await revoker.revoke(ZONE, "web", acls) == Revoked(7, 4, 0)
        left = {each.original for each in await traffic.connections() if not each.mark & BLOCKED}
    assert left == {TUPLES[kind] for kind in ("tcp", "tcp over IPv6", "ping over IPv6")}


async def test_connections_of_other_zones_are_left_alone(bridge: Bridge) -> None:
    deny = judge(("to-lport", 1, "ip", "drop"))
    async with traffic_on(bridge) as traffic:
        await traffic.establish(TUPLES["udp"])
        revoker = Revoker(traffic.connection, bridge.switch.control, settling=0)
        assert await revoker.revoke(ZONE + 1, "web", deny) == Revoked(0, 0, 0)
        assert (await traffic.reply(TUPLES["udp"]))[1] == FROM_EGRESS


@pytest.mark.parametrize("kind", TUPLES)
async def test_a_connection_can_be_made_anew(bridge: Bridge, kind: str) -> None:
    """What is done where the tracker does not take a mark from a packet that it finds invalid."""
    original = TUPLES[kind]
    async with traffic_on(bridge) as traffic:
        await traffic.establish(original)
        (there,) = await traffic.connections()
        await traffic.connection.confirm(remark.block_anew(ZONE, there))
        assert await traffic.connections() == [there._replace(mark=FROM_EGRESS | BLOCKED)]
        state, mark = await traffic.reply(original)
        assert state & REPLY
        assert mark == FROM_EGRESS | BLOCKED


BACKEND = ip_address("10.0.0.9")
BACKEND6 = ip_address("fd00::9")
TRANSLATED = {
    "udp to a backend": ("udp", {"destination": BACKEND, "destination_port": 5353}),
    "tcp to a backend": ("tcp", {"destination": BACKEND, "destination_port": 8080}),
    "tcp to a backend over IPv6": ("tcp over IPv6", {"destination": BACKEND6}),
    "ping to a backend": ("ping", {"destination": BACKEND}),
    "udp from outside": ("udp", {"source": BACKEND, "source_port": 2000}),
    "tcp from outside": ("tcp", {"source": BACKEND}),
    "gre from outside": ("gre", {"source": BACKEND}),
}


@pytest.mark.parametrize("is_made_anew", [False, True])
@pytest.mark.parametrize("kind", TRANSLATED)
async def test_a_translated_connection_is_blocked_and_stays_translated(
    bridge: Bridge, kind: str, is_made_anew: bool
) -> None:
    name, changes = TRANSLATED[kind]
    original = TUPLES[name]
    translated = original._replace(**changes)
    deny = judge(("to-lport", 1, "ip", "drop"))
    blocked = TrackedConnection(original, FROM_EGRESS | BLOCKED, LABEL, translated)
    async with traffic_on(bridge) as traffic:
        await traffic.establish(original, translated)
        (there,) = await traffic.connections()
        assert there == blocked._replace(mark=FROM_EGRESS)
        if is_made_anew:
            await traffic.connection.confirm(remark.block_anew(ZONE, there))
        else:
            revoker = Revoker(traffic.connection, bridge.switch.control, settling=0)
            assert await revoker.revoke(ZONE, "web", deny) == Revoked(1, 1, 0)
        assert await traffic.connections() == [blocked]
        state, mark = await traffic.reply(translated)
        assert state & REPLY
        assert mark == FROM_EGRESS | BLOCKED


async def test_single_connections_are_forgotten(bridge: Bridge) -> None:
    async with traffic_on(bridge) as traffic:
        for original in TUPLES.values():
            await traffic.establish(original)
        for there in await traffic.connections():
            await traffic.connection.confirm(remark.forget(ZONE, there))
        # Forgetting a connection of ICMPv6 ends Open vSwitch 3.1, so the agent does not.
        (left,) = await traffic.connections()
        assert left.original == TUPLES["ping over IPv6"]


async def test_many_connections(bridge: Bridge) -> None:
    acls = judge(("to-lport", 1, "ip", "drop"), ("to-lport", 9, "1 <= udp.src <= 500", "allow"))
    async with bridge.connected() as connection:
        marks = act.set_field(FIELDS["ct_mark"], FROM_EGRESS)
        commit = act.ct(zone=ZONE, commit=True, nested=marks)
        metadata = oxm.match([Term(FIELDS["in_port"], 1)])
        requests = [remark.request_packet(CtTuple(*V4, 17, port, 53)) for port in range(1, 2001)]
        await connection.confirm(
            [messages.packet_out(request, commit, metadata) for request in requests]
        )
        revoker = Revoker(connection, bridge.switch.control, settling=0)
        assert await revoker.revoke(ZONE, "web", acls) == Revoked(2000, 1500, 0)


async def test_commands_that_fail_say_why(bridge: Bridge) -> None:
    control = bridge.switch.control
    with pytest.raises(unixctl.ControlError, match="not a valid command"):
        await unixctl.call(control, "no/such-command")
    with pytest.raises(unixctl.ControlError, match="ovs-vswitchd"):
        unixctl.control_socket(bridge.switch.directory / "nowhere")
    assert "Open vSwitch" in await unixctl.call(control, "version")
    bridge.switch.stop_switch()
    with pytest.raises(unixctl.ControlError, match="version at"):
        await unixctl.call(control, "version")


def test_icmp_messages_are_requests() -> None:
    frame = codec.read_ethernet(remark.request_packet(TUPLES["ping"]))
    assert codec.read_icmp(codec.read_ip(frame)) == Icmp(8, 0, bytes.fromhex("004d0000"))
