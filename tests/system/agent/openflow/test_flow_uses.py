"""The switch counts the packets of each flow."""

import asyncio

import pytest

from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions, messages, oxm
from chassis_agent.openflow.multipart import FlowUse
from chassis_agent.openflow.oxm import FIELDS, Term
from tests.system.agent.openflow.conftest import Bridge

pytestmark = pytest.mark.system

FROM_HERE = Term(FIELDS["in_port"], actions.CONTROLLER)
HIT, MISSED = (oxm.match([Term(FIELDS["reg0"], number)]) for number in (1, 2))


async def test_packets_are_counted_by_flow(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        flows = [Flow(7, 100, match, b"", 1) for match in (HIT, MISSED)]
        flows.append(Flow(8, 100, HIT, b"", 1))
        await connection.commit(
            [
                messages.add_flow(f.table, f.priority, f.match, f.instructions, f.cookie)
                for f in flows
            ]
        )
        frame = bytes.fromhex("0a0000000002 0a0000000001 88b5") + bytes(50)
        for _ in range(3):
            start = oxm.match([FROM_HERE, Term(FIELDS["reg0"], 1)])
            assert connection.packet_out(messages.packet_out(frame, actions.resubmit(7), start))
        async with asyncio.timeout(30):
            while sum(use.packets for use in await connection.flow_uses(7)) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert sorted(await connection.flow_uses(7)) == [FlowUse(7, HIT, 3), FlowUse(7, MISSED, 0)]
