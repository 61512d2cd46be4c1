"""The agent with a real switch and a real watch: binding, programming, restarts."""

import asyncio

from southbound import rows
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch
from tests.unit.chassis_agent.tiny_network import (
    Lookup,
    group,
    port,
    port_group,
    templates,
)

INTENT = [
    *templates(),
    rows.Datapath("ls", "ls", "ls", 1),
    group(1, "ls", Lookup.multicast()),
    *(port(f"p{n}", n) for n in range(1, 5)),
    *(port_group(10 + n, f"p{n}") for n in range(1, 5)),
]


async def both_ports_up(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    """The network with p1 and p2 plugged in here."""
    await server.write(*INTENT)
    await agent.until(lambda status: status["connected"] and status["switch_connected"])
    await asyncio.to_thread(switch.plug, "tap1", "p1")
    await asyncio.to_thread(switch.plug, "tap2", "p2")
    await server.until(lambda: server.binding("p1").up and server.binding("p2").up)


async def test_a_plugged_port_gets_its_flows_and_is_up(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    assert server.binding("p1").chassis == "hv1"
    external_ids = switch.vsctl("get", "interface", "tap1", "external_ids")
    assert 'ovn-installed="true"' in external_ids
    assert 'treadle-installed="true"' in external_ids
    assert "ct-zone-p1" in switch.vsctl("get", "bridge", "br-int", "external_ids")
    status = await agent.status()
    assert status["ports"]["bound"] == status["ports"]["up"] == ["p1", "p2"]
    assert status["flows"] == len(switch.flows()) > 10
    assert not status["degraded"], status["reasons"]
    assert await agent.differences() == []


async def test_the_chassis_registers_with_its_encapsulation(
    server: WatchedServer, agent: AgentUnderTest
) -> None:
    await agent.until(lambda status: status["connected"])
    await server.until(lambda: server.chassis("hv1") is not None)
    row = server.chassis("hv1")
    assert row is not None
    assert (row.hostname, row.encaps) == ("one", (rows.Encap("geneve", "127.0.0.1"),))
