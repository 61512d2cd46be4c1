"""Punted packets on a real switch: what comes out after the switch ran the nested actions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis_agent import tables
from chassis_agent.compile.encoders.punting import punted
from chassis_agent.local.port_names import PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages, oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.messages import MeterCommand
from chassis_agent.openflow.oxm import FIELDS, Term, whole
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.physical.shares import sender_flows
from chassis_agent.punt import codec
from chassis_agent.punt.codec import TCP_RST
from chassis_agent.punt.dispatcher import Dispatcher
from chassis_agent.punt.handler import PuntHost
from chassis_agent.punt.meters import LOCAL_SHARES, PUNT_METERS, SHARE_BURST, punt_meters
from chassis_agent.punt.opcodes import LogArguments, Opcode, log_userdata, userdata
from chassis_agent.punt.registry import punt_handlers
from tests.system.agent.openflow.conftest import Bridge
from tests.system.agent.openflow.conftest import bridge as bridge
from tests.unit.chassis_agent.punt.frames import parsed, tcp_frame, udp_frame

pytestmark = pytest.mark.system

DATAPATH, INPORT, OUTPORT = 7, 11, 12
RESUME_TABLE, MADE_TABLE = 80, 81
RESUMED, MADE = b"resumed", b"made"
MAC = bytes.fromhex("0a0000000099")


class Agent:
    """A dispatcher on a connection; what leaves the switch comes back through it."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[PacketIn] = asyncio.Queue()
        self.learned: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        self.logged: asyncio.Queue[LogArguments] = asyncio.Queue()
        self.connection: Connection
        handlers = punt_handlers(
            PuntHost(
                send=lambda message: self.connection.packet_out(message),
                rows=lambda _table: {},
                ports=PortNames(),
                learner=self,
                packet_log=self,
                probe_answered=lambda _packet: None,
                port_spoke=lambda _keys: None,
                address_claimed=lambda _keys, _ip: None,
                bfd_received=lambda _packet: None,
                backend_answered=lambda _port, _answer: None,
                resume_table=RESUME_TABLE,
                clock=time.monotonic,
            )
        )
        self.next_hops = handlers.next_hops
        self.dispatcher = Dispatcher(handlers)

    def receive(self, packet: PacketIn) -> None:
        if packet.userdata in (RESUMED, MADE):
            self.arrived.put_nowait(packet)
        else:
            self.dispatcher.receive(packet)

    def neighbour_learned(self, datapath_key: int, port_key: int, ip: bytes, mac: bytes) -> None:
        self.learned.put_nowait((datapath_key, port_key, ip, mac))

    def fdb_learned(self, datapath_key: int, port_key: int, mac: bytes) -> None:
        self.learned.put_nowait((datapath_key, port_key, mac))

    def packet_logged(self, arguments: LogArguments, packet: PacketIn) -> None:
        self.logged.put_nowait(arguments)

    async def send(self, frame: bytes, actions: bytes) -> None:
        """Let a frame be at a flow with these actions, on its way from INPORT to OUTPORT."""
        metadata = oxm.match(
            [
                Term(FIELDS["in_port"], 1),
                Term(FIELDS["metadata"], DATAPATH),
                Term(FIELDS["reg14"], INPORT),
                Term(FIELDS["reg15"], OUTPORT),
            ]
        )
        await self.connection.confirm([messages.packet_out(frame, actions, metadata)])

    async def out(self) -> PacketIn:
        async with asyncio.timeout(30):
            return await self.arrived.get()


def punt(opcode: Opcode, nested: bytes = b"") -> bytes:
    return punted(tables.PUNT_SHARE, PUNT_METERS[opcode].meter_id, userdata(opcode, nested))


def log(name: bytes, severity: int | None = None, verdict: int | None = None) -> bytes:
    data = log_userdata(name, severity, verdict)
    return punted(tables.LOG_SHARE, PUNT_METERS[Opcode.LOG].meter_id, data)


MADE_HERE = act.resubmit(MADE_TABLE)
"""Nested actions that bring the packet that the agent made back to this test."""


def exchange_addresses(version: int) -> bytes:
    prefix = "ip" if version == 4 else "ipv6"
    src, dst = whole(FIELDS[f"{prefix}_src"]), whole(FIELDS[f"{prefix}_dst"])
    return act.push(src) + act.push(dst) + act.pop(src) + act.pop(dst)


@asynccontextmanager
async def agent_on(bridge: Bridge) -> AsyncIterator[Agent]:
    agent = Agent()
    async with bridge.connected(agent.receive) as connection:
        agent.connection = connection
        await connection.confirm(
            [
                messages.meter_mod(
                    MeterCommand.ADD, meter.meter_id, rate=meter.rate, burst=meter.burst
                )
                for meter in punt_meters()
            ]
        )
        await connection.commit(
            [
                messages.add_flow(
                    table, 1, messages.EMPTY_MATCH, act.apply_actions(act.controller(data)), 0
                )
                for table, data in ((RESUME_TABLE, RESUMED), (MADE_TABLE, MADE))
            ]
            + [
                messages.add_flow(*flow)
                for sender in range(LOCAL_SHARES)
                for flow in sender_flows(sender, cookie=0)
            ]
        )
        yield agent


async def test_a_packet_waits_until_its_neighbour_is_known(bridge: Bridge) -> None:
    frame = udp_frame(4)
    next_hop = act.set_field(FIELDS["reg0"], 0x0A000105)
    nested = act.set_field(FIELDS["arp_tpa"], 0x0A000105) + MADE_HERE
    async with agent_on(bridge) as agent:
        await agent.send(frame, next_hop + punt(Opcode.ARP, nested))
        request = codec.read_ethernet((await agent.out()).packet)
        assert codec.read_arp(request.payload).tpa == bytes((10, 0, 1, 5))
        known = agent.next_hops.neighbour_known(DATAPATH, OUTPORT, bytes((10, 0, 1, 5)), MAC)
        assert known == 1
        resumed = await agent.out()
    assert resumed.userdata == RESUMED
    assert resumed.packet == MAC + frame[6:]
    assert (resumed.datapath_key, resumed.register(14), resumed.register(15)) == (
        *(DATAPATH, INPORT, OUTPORT),
    )
    assert resumed.register(0) == 0x0A000105


async def test_a_solicitation_keeps_its_checksum_through_nested_actions(bridge: Bridge) -> None:
    target = 0xFD000000000000000000000000000077
    nested = act.set_field(FIELDS["nd_target"], target)
    nested += act.set_field(FIELDS["ipv6_src"], target + 1) + MADE_HERE
    async with agent_on(bridge) as agent:
        next_hop = act.set_field(FIELDS["xxreg0"], target)
        await agent.send(udp_frame(6), next_hop + punt(Opcode.ND_NS, nested))
        _, inner = parsed((await agent.out()).packet)
        asked = codec.read_neighbour(codec.read_icmp(inner))
        assert asked.target == target.to_bytes(16, "big")
        ip = target.to_bytes(16, "big")
        assert agent.next_hops.neighbour_known(DATAPATH, OUTPORT, ip, MAC) == 1
        assert (await agent.out()).userdata == RESUMED


@pytest.mark.parametrize(
    ("version", "opcode", "fields"),
    [
        (4, Opcode.ICMP4, {"icmp_type": 11, "icmp_code": 0}),
        (6, Opcode.ICMP6, {"icmpv6_type": 3, "icmpv6_code": 0}),
    ],
)
async def test_icmp_errors_keep_their_checksum_through_nested_actions(
    bridge: Bridge, version: int, opcode: Opcode, fields: dict[str, int]
) -> None:
    frame = udp_frame(version)
    nested = b"".join(act.set_field(FIELDS[name], value) for name, value in fields.items())
    nested = exchange_addresses(version) + nested + MADE_HERE
    async with agent_on(bridge) as agent:
        await agent.send(frame, punt(opcode, nested))
        made = await agent.out()
    _, original = parsed(frame)
    _, inner = parsed(made.packet)
    assert (inner.src, inner.dst) == (original.dst, original.src)
    assert codec.read_icmp(inner)[:2] == tuple(fields.values())
    assert made.register(14) == INPORT


@pytest.mark.parametrize("version", [4, 6])
async def test_resets_keep_their_checksum_through_nested_actions(
    bridge: Bridge, version: int
) -> None:
    frame = tcp_frame(version, codec.TCP_SYN, seq=5)
    async with agent_on(bridge) as agent:
        await agent.send(frame, punt(Opcode.TCP_RESET, exchange_addresses(version) + MADE_HERE))
        _, inner = parsed((await agent.out()).packet)
        await agent.send(frame, punt(Opcode.REJECT, MADE_HERE))
        _, rejected = parsed((await agent.out()).packet)
    assert inner == rejected
    assert codec.read_tcp(inner).flags & TCP_RST
    assert codec.read_tcp(inner).ack == 6


async def test_packets_teach_what_the_flow_moved_into_place(bridge: Bridge) -> None:
    frame = udp_frame(4)
    nested = act.set_field(FIELDS["reg0"], 0x0A000107)
    async with agent_on(bridge) as agent:
        await agent.send(frame, nested + punt(Opcode.PUT_ARP))
        await agent.send(frame, punt(Opcode.PUT_FDB))
        async with asyncio.timeout(30):
            assert await agent.learned.get() == (
                *(DATAPATH, INPORT, bytes((10, 0, 1, 7)), frame[6:12]),
            )
            assert await agent.learned.get() == (DATAPATH, INPORT, frame[6:12])


async def test_log_lines_carry_their_arguments(bridge: Bridge) -> None:
    actions = log(b"web", 2, 1) + MADE_HERE
    async with agent_on(bridge) as agent:
        await agent.send(udp_frame(4), actions)
        async with asyncio.timeout(30):
            assert await agent.logged.get() == LogArguments(b"web", 2, 1)
        assert (await agent.out()).packet == udp_frame(4)


def arriving(sender: int) -> bytes:
    """Where the packets of a sender are."""
    return oxm.match(
        [Term(FIELDS["in_port"], 1), Term(FIELDS["reg10"], sender << tables.SENDER_SHIFT)]
    )


async def test_meters_bound_what_reaches_the_agent(bridge: Bridge) -> None:
    """All senders together; each of them is within its share."""
    meter = PUNT_METERS[Opcode.ICMP4]
    frame = udp_frame(4)
    async with agent_on(bridge) as agent:
        for number in range(5 * meter.burst):
            agent.connection.packet_out(
                messages.packet_out(frame, punt(Opcode.ICMP4), arriving(number % LOCAL_SHARES))
            )
        await agent.connection.barrier()
        received = agent.dispatcher.received[Opcode.ICMP4]
    assert 0 < received < 3 * meter.burst


async def received(agent: Agent, opcode: Opcode, count: int) -> None:
    """Wait until so many packets have come in all: a barrier's reply may overtake them."""
    async with asyncio.timeout(30):
        while agent.dispatcher.received[opcode] < count:
            await agent.connection.barrier()


async def everything_received(agent: Agent, opcode: Opcode) -> int:
    """Wait until no more packets come; returns how many came in all."""
    count, quiet = -1, 0
    while quiet < 20:
        await agent.connection.barrier()
        await asyncio.sleep(0.01)
        now = agent.dispatcher.received[opcode]
        count, quiet = now, quiet + 1 if now == count else 0
    return count


@pytest.mark.parametrize("opcode", [Opcode.ICMP4, Opcode.LOG])
async def test_a_flood_of_one_sender_takes_nothing_from_another(
    bridge: Bridge, opcode: Opcode
) -> None:
    """And what the meter drops of it is only the copy for the agent: the packet goes on."""
    actions = log(b"all") if opcode is Opcode.LOG else punt(opcode)
    frame, flooder, other = udp_frame(4), 5, 6
    async with agent_on(bridge) as agent:
        for _ in range(20 * SHARE_BURST):
            agent.connection.packet_out(messages.packet_out(frame, actions, arriving(flooder)))
        of_flood = await everything_received(agent, opcode)
        assert 0 < of_flood < 10 * SHARE_BURST
        for number in range(SHARE_BURST // 2):
            agent.connection.packet_out(messages.packet_out(frame, actions, arriving(other)))
            # Open vSwitch queues only a hundred packets for a controller.
            if number % 20 == 19:
                await received(agent, opcode, of_flood + number + 1)
        assert await everything_received(agent, opcode) == of_flood + SHARE_BURST // 2
        out = messages.packet_out(frame, actions + MADE_HERE, arriving(flooder))
        sent = sum(agent.connection.packet_out(out) for _ in range(20 * SHARE_BURST))
        await agent.connection.barrier()
        (use,) = await agent.connection.flow_uses(MADE_TABLE)
        assert use.packets == sent > SHARE_BURST
