"""The agent with a real switch and a real watch: binding, programming, restarts."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from southbound import rows
from southbound.watch.client import WatchClient
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch
from tests.unit.chassis_agent.tiny_network import (
    Acl,
    Lookup,
    chassis,
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


def up(status: dict[str, Any]) -> list[str]:
    """The ports that the agent says are up."""
    ports: list[str] = status.get("ports", {}).get("up", [])
    return ports


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
    assert not status["degraded"], status["degraded"]
    assert await agent.differences() == []


async def test_no_port_is_up_before_there_are_templates(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    """Without them no flow of a port is there, however complete its rows are."""
    known = {row.row_id for row in templates()}
    await server.write(*(row for row in INTENT if row.row_id not in known))
    await agent.until(lambda status: status.get("switch_connected"))
    await asyncio.to_thread(switch.plug, "tap1", "p1")
    status = await agent.until(lambda status: "templates" in status["degraded"])
    assert status["ports"]["bound"] == ["p1"]
    assert status["ports"]["up"] == []
    assert not server.binding("p1").up
    await server.write(*templates())
    await server.until(lambda: server.binding("p1").up)
    await agent.until(lambda status: not status["degraded"])


async def test_a_port_is_up_although_a_flow_of_its_datapath_failed(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    broken = group(99, "ls", Lookup.multicast())
    payload = msgspec.msgpack.encode([[4242]])
    await server.write(*INTENT, msgspec.structs.replace(broken, payload=payload))
    await agent.until(lambda status: status.get("switch_connected"))
    await asyncio.to_thread(switch.plug, "tap1", "p1")
    await server.until(lambda: server.binding("p1").up)
    assert "vocabulary" in (await agent.status())["degraded"]


async def test_the_chassis_registers_with_its_encapsulation(
    server: WatchedServer, agent: AgentUnderTest
) -> None:
    await agent.until(lambda status: status["connected"])
    await server.until(lambda: server.chassis("hv1") is not None)
    row = server.chassis("hv1")
    assert row is not None
    assert (row.hostname, row.encaps) == ("one", (rows.Encap("geneve", "127.0.0.1"),))


async def test_a_port_that_is_unplugged_is_released(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    before = len(switch.flows())
    await asyncio.to_thread(switch.unplug, "tap2")
    await server.until(lambda: server.binding("p2").chassis == "")
    assert not server.binding("p2").up
    status = await agent.until(lambda status: status["flows"] == len(switch.flows()) < before)
    assert status["ports"]["bound"] == ["p1"]
    assert await agent.differences() == []


async def test_a_restart_sends_no_flow_and_keeps_zones(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    zones = (await agent.status())["zones"]
    flows = switch.flows()
    await agent.restart()
    status = await agent.until(lambda status: up(status) == ["p1", "p2"])
    assert status["counters"]["flow_mods_sent"] == 0
    assert status["zones"] == zones
    assert switch.flows() == flows
    assert await agent.differences() == []


async def test_what_changed_while_the_agent_was_away_is_made_good(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    await agent.stop()
    await asyncio.to_thread(switch.unplug, "tap2")
    await server.write(port("p5", 5), deletes=(port_group(13, "p3"),))
    await agent.start()
    status = await agent.until(lambda status: up(status) == ["p1"])
    assert 0 < status["counters"]["flow_mods_sent"] < 20
    assert await agent.differences() == []


async def test_a_change_is_acknowledged_once_it_is_in_the_switch(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    before = set(switch.flows())
    refuse = group(20, "ls", Acl.refuse(who="$bad"))
    await server.applied(await server.write(refuse, rows.SetMember("$bad", "198.51.100.7")))
    added = [flow for flow in set(switch.flows()) - before if "nw_src=198.51.100.7" in flow]
    assert len(added) == 1
    await server.applied(await server.write(rows.SetMember("$bad", "198.51.100.8")))
    assert any("nw_src=198.51.100.8" in flow for flow in switch.flows())
    await server.applied(await server.write(deletes=(refuse,)))
    assert set(switch.flows()) == before
    assert await agent.differences() == []


async def test_a_restarted_switch_is_programmed_again(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    flows = switch.flows()
    await asyncio.to_thread(switch.stop_switch)
    await agent.until(lambda status: not status["switch_connected"])
    assert "switch" in (await agent.status())["degraded"]
    await asyncio.to_thread(switch.start_switch)
    await agent.until(lambda status: status["switch_connected"] and not status["degraded"])
    await server.until(lambda: switch.flows() == flows)
    assert await agent.differences() == []


async def test_a_restarted_database_is_followed_again(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    await asyncio.to_thread(switch.stop_database)
    await agent.until(lambda status: not status["ovsdb_connected"])
    await asyncio.to_thread(switch.start_database)
    await asyncio.to_thread(switch.plug, "tap3", "p3")
    await server.until(lambda: server.binding("p3").up)
    status = await agent.status()
    assert status["ports"]["bound"] == ["p1", "p2", "p3"]
    assert await agent.differences() == []


async def test_flows_stay_while_the_server_is_away(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    flows = switch.flows()
    await server.stop()
    await agent.until(lambda status: not status["connected"])
    assert "server" in (await agent.status())["degraded"]
    assert switch.flows() == flows
    await server.start()
    await agent.until(lambda status: status["connected"] and not status["degraded"])
    await server.applied(await server.write(group(20, "ls", Acl.refuse(who="$bad"))))
    assert len(switch.flows()) > len(flows)


async def test_an_agent_without_a_server_rebuilds_the_switch_from_its_cache(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    flows = switch.flows()
    await agent.until_cached()
    await agent.stop()
    await server.stop()
    await asyncio.to_thread(switch.stop_switch)
    await asyncio.to_thread(switch.start_switch)
    assert switch.flows() == []
    await agent.start()
    await agent.until(lambda status: status.get("headless") and status["flows"] > 0)
    await server.until(lambda: switch.flows() == flows)
    await server.start()
    await agent.until(lambda status: status["connected"])
    assert switch.flows() == flows
    assert await agent.differences() == []


async def test_an_agent_that_knows_nothing_leaves_the_switch_alone(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest, tmp_path: Path
) -> None:
    await both_ports_up(switch, server, agent)
    flows = switch.flows()
    await agent.stop()
    await server.stop()
    stranger = AgentUnderTest(switch, server, tmp_path / "new-state")
    await stranger.start()
    try:
        await stranger.until(lambda status: status.get("switch_connected"))
        await asyncio.sleep(3)
        assert switch.flows() == flows
    finally:
        await stranger.stop()


async def test_a_port_that_another_chassis_holds_has_no_flows_here(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    other = WatchClient(server.address, chassis("hv2", "127.0.0.2"))
    task = asyncio.create_task(other.run())
    try:
        other.claim_only([])
        await server.until(lambda: other.connected)
        other.claim("p2")
        await server.until(lambda: server.binding("p2").chassis == "hv2")
        status = await agent.until(lambda status: status["ports"]["bound"] == ["p1"])
        assert status["ports"]["refused"] == {"p2": "held by hv2"}
        await server.until(lambda: any("set_field:127.0.0.2->tun_dst" in f for f in switch.flows()))
        assert await agent.differences() == []
        marks = await asyncio.to_thread(switch.vsctl, "get", "interface", "tap2", "external_ids")
        assert "installed" not in marks
        other.release("p2")
        await server.until(lambda: server.binding("p2").up)
        assert server.binding("p2").chassis == "hv1"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_host_without_a_name_waits_for_one(
    switch: PrivateSwitch, server: WatchedServer, tmp_path: Path
) -> None:
    switch.vsctl("remove", "Open_vSwitch", ".", "external_ids", "system-id")
    agent = AgentUnderTest(switch, server, tmp_path / "state")
    await agent.start()
    try:
        status = await agent.until(lambda status: status["degraded"])
        assert "system-id" in status["degraded"]["host"]
        await asyncio.to_thread(
            switch.vsctl, "set", "Open_vSwitch", ".", "external_ids:system-id=hv9"
        )
        await agent.until(lambda status: status["connected"])
        await server.until(lambda: server.chassis("hv9") is not None)
        await asyncio.to_thread(
            switch.vsctl, "set", "Open_vSwitch", ".", "external_ids:treadle-encap-ip=127.0.0.9"
        )
        await server.until(
            lambda: (row := server.chassis("hv9")) and row.encaps[0].ip == "127.0.0.9"
        )
    finally:
        await agent.stop()


async def test_a_deleted_bridge_is_made_again(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> None:
    await both_ports_up(switch, server, agent)
    await asyncio.to_thread(switch.vsctl, "del-br", "br-int")
    await server.until(lambda: server.binding("p1").chassis == "")
    await agent.until(lambda status: status["switch_connected"] and status["in_sync"])
    await asyncio.to_thread(switch.plug, "tap1", "p1")
    await server.until(lambda: server.binding("p1").up)
    assert await agent.differences() == []
