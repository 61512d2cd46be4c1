"""Bundles are all or nothing, errors find their cause, and the end is told once."""

from __future__ import annotations

import asyncio

import pytest

from chassis_agent.openflow import actions, messages, oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    NegotiationError,
    RequestRefusedError,
)
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.packet_in import PacketIn
from tests.system.agent.openflow.conftest import Bridge

pytestmark = pytest.mark.system


def numbered_flow(number: int, action_bytes: bytes = b"") -> bytes:
    match = oxm.match([Term(FIELDS["metadata"], 3), Term(FIELDS["reg0"], number)])
    return messages.add_flow(9, 100, match, actions.apply_actions(action_bytes), number)


FLOWS_A_TURN = 2000
"""Flows that may be sent, or read, before other tasks have their turn."""

REFUSED_WHEN_READ = numbered_flow(7, actions.meter(99))
REFUSED_WHEN_DONE = messages.add_flow(255, 1, messages.EMPTY_MATCH, b"", 0)


@pytest.mark.parametrize("bad", [REFUSED_WHEN_READ, REFUSED_WHEN_DONE])
async def test_a_refused_message_is_named_and_nothing_of_its_bundle_is_done(
    bridge: Bridge, bad: bytes
) -> None:
    async with bridge.connected() as connection:
        with pytest.raises(BundleRefusedError) as caught:
            await connection.commit([numbered_flow(1), numbered_flow(2), bad, numbered_flow(3)])
        assert caught.value.index == 2
        assert await connection.flows() == []
        await connection.commit([numbered_flow(1)])
        assert len(await connection.flows()) == 1


async def test_a_long_list_of_changes_becomes_several_bundles(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        changes = [numbered_flow(n) for n in range(10)] + [REFUSED_WHEN_READ]
        with pytest.raises(BundleRefusedError) as caught:
            await connection.commit(changes, limit=4)
        assert caught.value.index == 10
        assert {flow.cookie for flow in await connection.flows()} == set(range(8))


async def test_a_single_refused_message_raises(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        with pytest.raises(RequestRefusedError, match="OFPMMFC_UNKNOWN_METER"):
            await connection.confirm([messages.meter_mod(messages.MeterCommand.MODIFY, 9, rate=1)])


async def test_many_flows_travel_without_blocking_the_loop(bridge: Bridge) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    changes = [numbered_flow(n, actions.output(1)) for n in range(30_000)]
    async with bridge.connected() as connection:
        others = asyncio.create_task(count_turns())
        await connection.commit(changes)
        in_commit, turns = turns, 0
        assert len(await connection.flows()) == len(changes)
        others.cancel()
    assert in_commit >= len(changes) // FLOWS_A_TURN
    assert turns >= len(changes) // FLOWS_A_TURN


async def test_cancelling_a_commit_leaves_nothing_behind(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        task = asyncio.create_task(connection.commit([numbered_flow(n) for n in range(20_000)]))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await connection.flows() == []
        await connection.commit([numbered_flow(1)])
        assert len(await connection.flows()) == 1


async def test_punted_packets_bring_their_registers_and_take_them_back(bridge: Bridge) -> None:
    punt = (
        actions.set_field(FIELDS["reg14"], 7)
        + actions.set_field(FIELDS["xxreg0"], 1 << 100 | 5)
        + actions.set_field(FIELDS["metadata"], 9)
        + actions.controller(b"why")
    )
    frame = bytes.fromhex("000000000001000000000002") + b"\x12\x34" + bytes(46)
    arrived = asyncio.Event()
    seen: list[PacketIn] = []

    def on_packet_in(packet: PacketIn) -> None:
        seen.append(packet)
        arrived.set()

    async with bridge.connected(on_packet_in) as connection:
        await connection.commit(
            [messages.add_flow(0, 1, messages.EMPTY_MATCH, actions.apply_actions(punt), 0x77)]
        )
        assert connection.packet_out(
            messages.packet_out(frame, actions.resubmit(0), oxm.match([Term(FIELDS["in_port"], 2)]))
        )
        async with asyncio.timeout(30):
            await arrived.wait()
        (first,) = seen
        assert first.packet == frame
        assert first.userdata == b"why"
        assert first.cookie == 0x77
        assert first.fields["in_port"] == 2
        assert first.datapath_key == 9
        assert first.register(14) == 7
        assert first.register128(0) == 1 << 100 | 5

        arrived.clear()
        back = messages.packet_out(frame, actions.controller(b"2"), first.restored_metadata())
        connection.packet_out(back)
        async with asyncio.timeout(30):
            await arrived.wait()
    assert seen[1].fields == {**first.fields, "in_port": actions.CONTROLLER}


async def test_a_handler_that_raises_does_not_end_the_connection(bridge: Bridge) -> None:
    def on_packet_in(packet: PacketIn) -> None:
        raise RuntimeError("a bug in a handler")

    frame = bytes(60)
    async with bridge.connected(on_packet_in) as connection:
        connection.packet_out(
            messages.packet_out(
                frame, actions.controller(b""), oxm.match([Term(FIELDS["in_port"], 1)])
            )
        )
        # A barrier's reply may overtake a punted packet.
        async with asyncio.timeout(30):
            while not connection.failed_packet_ins:
                await connection.barrier()
        assert await connection.flows() == []
        assert (connection.failed_packet_ins, connection.refused_messages) == (1, 0)
        connection.packet_out(
            messages.packet_out(frame, actions.meter(99), oxm.match([Term(FIELDS["in_port"], 1)]))
        )
        await connection.barrier()
        assert connection.refused_messages == 1


async def test_the_switch_going_away_is_told_to_everyone_once(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        bridge.switch.stop_switch()
        async with asyncio.timeout(30):
            assert isinstance(await connection.wait_closed(), ConnectionLostError)
        with pytest.raises(ConnectionLostError):
            await connection.commit([numbered_flow(1)])
        with pytest.raises(ConnectionLostError):
            await connection.flows()
        assert not connection.packet_out(b"\6\15\0\10\0\0\0\0")


async def test_a_bridge_without_openflow_15_is_refused(bridge: Bridge) -> None:
    bridge.switch.vsctl("set", "bridge", "br-int", "protocols=OpenFlow13")
    with pytest.raises((NegotiationError, ConnectionLostError)):
        async with bridge.connected():
            raise AssertionError("connected nevertheless")


async def test_nobody_there(bridge: Bridge) -> None:
    with pytest.raises(ConnectionLostError, match="cannot connect"):
        await Connection.connect(
            bridge.socket.with_name("nothing"), on_packet_in=lambda _packet: None
        )


async def test_a_silent_switch_is_given_up(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("silent") / "switch"

    async def greet_and_confirm(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes.fromhex("0600000800000001"))
        while header := await reader.read(8):
            if header[1] == 0x14:
                writer.write(header[:1] + b"\x15" + header[2:])
            await reader.readexactly(int.from_bytes(header[2:4], "big") - 8)
        writer.close()

    server = await asyncio.start_unix_server(greet_and_confirm, path)
    async with server:
        connection = await Connection.connect(path, on_packet_in=lambda _packet: None, patience=2)
        async with asyncio.timeout(30):
            reason = await connection.wait_closed()
        assert "silent" in str(reason)
        await connection.close()
