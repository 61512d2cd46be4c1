"""An address that was learned and is in use is told to the server again."""

from chassis_agent import tables
from chassis_agent.openflow import actions, messages, oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.oxm import FIELDS, Term
from southbound import rows
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch
from tests.system.agent.test_agent import both_ports_up

MAC = "0a:00:00:00:00:77"


async def test_a_source_that_sends_is_told_again(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    server.state.facts.learned_age = 0.3
    await agent.restart()
    await both_ports_up(switch, server, agent)
    server.state.facts.learned.learn_fdb("hv1", "p1", MAC)
    in_lookup = f"table={tables.FDB_LOOKUP}"
    await agent.until(lambda _: any(in_lookup in flow for flow in switch.flows()))
    assert (await agent.status())["counters"].get("learned_refreshed", 0) == 0
    connection = await Connection.connect(
        switch.directory / "br-int.mgmt", on_packet_in=lambda _packet: None
    )
    try:
        ls = next(row for row in server.state.rows(rows.Datapath).values())
        start = oxm.match(
            [
                Term(FIELDS["in_port"], actions.CONTROLLER),
                Term(FIELDS[tables.DATAPATH], ls.tunnel_key),
                Term(FIELDS[tables.INPORT], server.binding("p1").tunnel_key),
            ]
        )
        frame = bytes.fromhex("0a0000000002" + MAC.replace(":", "") + "88b5") + bytes(50)
        lookup = actions.resubmit(tables.FDB_LOOKUP)
        assert connection.packet_out(messages.packet_out(frame, lookup, start))
        await agent.until(lambda status: status["counters"].get("learned_refreshed") == 1)
    finally:
        await connection.close()
