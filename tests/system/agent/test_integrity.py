"""What other programs do to the switch is noticed, named and repaired."""

import asyncio
from pathlib import Path

import pytest

from chassis_agent.bridge import integrity, limit_drops
from chassis_agent.bridge.tunnels import PORT_NAME
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import RequestRefusedError
from chassis_agent.punt.opcodes import Opcode
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch, wait_until
from tests.system.agent.test_agent import INTENT, both_ports_up
from tests.system.frames import arp_request

MAC = "0a:00:00:00:00:01"

TAMPERING = {
    "everything deleted": (("del-flows",), "a missing flow"),
    "a table deleted": (("del-flows", "table=80"), "a missing flow"),
    "a flow added": (("add-flow", "table=7,priority=3,actions=drop"), "a flow that is not wanted"),
    "flows altered": (("mod-flows", "table=80,actions=drop"), "an altered flow"),
    "a cookie altered": (
        ("add-flow", "table=81,priority=1,cookie=0x5,actions=drop"),
        "a flow that is not wanted, cookie=0x5",
    ),
    "a group added": (
        ("add-group", "group_id=77,type=all,bucket=actions=drop"),
        "group 77, which is not wanted",
    ),
    "a meter added": (
        ("add-meter", "meter=4000,pktps,band=type=drop,rate=1"),
        "meter 4000, which is not wanted",
    ),
    "meters deleted": (("del-meters",), "meter 1 (arp), missing"),
    "a meter altered": (
        ("mod-meter", f"meter={int(Opcode.REJECT)},pktps,burst,band=type=drop,rate=1,burst_size=1"),
        f"meter {int(Opcode.REJECT)} (reject), altered",
    ),
}


@pytest.fixture
async def plugged(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> AgentUnderTest:
    """p1 and p2 are up."""
    await both_ports_up(switch, server, agent)
    return agent


def groundwork(switch: PrivateSwitch) -> list[str]:
    """The groups and meters of the bridge."""
    told = switch.ofctl("dump-groups") + switch.ofctl("dump-meters").replace("\nbands", " bands")
    return sorted(line for line in told.splitlines() if "xid=" not in line)


@pytest.mark.parametrize("kind", TAMPERING)
async def test_what_another_program_changes_is_named_and_repaired(
    switch: PrivateSwitch,
    plugged: AgentUnderTest,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "group" in kind or "meter" in kind:
        monkeypatch.setattr(integrity, "LOOK_SECONDS", 0.05)
        await plugged.restart()
        await plugged.until(lambda status: status["in_sync"])
    flows, foundation = switch.flows(), groundwork(switch)
    command, told = TAMPERING[kind]
    await asyncio.to_thread(switch.ofctl, *command)
    status = await plugged.until(
        lambda status: any(told in each for each in status["guard"]["last"])
    )
    assert "changed_by_others" in status["degraded"]

    def is_repaired() -> bool:
        return (switch.flows(), groundwork(switch)) == (flows, foundation)

    await asyncio.to_thread(wait_until, is_repaired, "repaired", 30)
    status = await plugged.status()
    assert status["counters"]["repairs"] >= 1
    assert status["guard"]["monitored"]
    assert await plugged.differences() == []


async def test_a_switch_that_cannot_tell_is_read_back_slice_by_slice(
    switch: PrivateSwitch,
    server: WatchedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuses(_connection: Connection, _on_update: object) -> None:
        raise RequestRefusedError(1, 2, "OFPBRC_BAD_MULTIPART", b"")

    monkeypatch.setattr(Connection, "monitor_flows", refuses)
    monkeypatch.setattr(integrity, "LOOK_SECONDS", 0.02)
    agent = AgentUnderTest(switch, server, tmp_path / "state")
    await agent.start()
    try:
        await both_ports_up(switch, server, agent)
        flows = switch.flows()
        await asyncio.to_thread(switch.ofctl, "mod-flows", "table=80,actions=drop")
        await asyncio.to_thread(wait_until, lambda: switch.flows() == flows, "repaired", 30)
        assert not (await agent.status())["guard"]["monitored"]
    finally:
        await agent.stop()


async def test_an_agent_that_is_not_to_repair_names_what_it_leaves(
    switch: PrivateSwitch, server: WatchedServer, tmp_path: Path
) -> None:
    agent = AgentUnderTest(switch, server, tmp_path / "state", repair=False)
    await agent.start()
    try:
        await both_ports_up(switch, server, agent)
        await asyncio.to_thread(switch.add_flow, "table=7,priority=3,actions=drop")
        status = await agent.until(lambda status: status["guard"]["left"])
        assert "table=7 priority=3" in status["degraded"]["changed_by_others"]
        (difference,) = await agent.differences(seconds=0)
        assert difference.startswith("wanted: nothing; in the switch: table=7 priority=3")
        await asyncio.to_thread(switch.delete_flows, "table=7")
        await agent.until(lambda status: "changed_by_others" not in status["degraded"])
    finally:
        await agent.stop()


async def test_the_agents_own_changes_are_no_others(
    switch: PrivateSwitch, server: WatchedServer, plugged: AgentUnderTest
) -> None:
    await asyncio.to_thread(switch.unplug, "tap2")
    await server.applied(await server.write(*INTENT))
    status = await plugged.status()
    assert status["counters"].get("repairs", 0) == 0
    assert "changed_by_others" not in status["degraded"]


BRIDGE_TAMPERING = {
    "fail mode": (("set-fail-mode", "br-int", "standalone"), "fail_mode is standalone"),
    "in-band control": (
        ("remove", "bridge", "br-int", "other_config", "disable-in-band"),
        "other_config:disable-in-band is not set",
    ),
    "no tunnel port": (
        ("del-port", "br-int", PORT_NAME),
        f"port {PORT_NAME} is missing",
    ),
    "another tunnel port": (
        ("set", "interface", PORT_NAME, "options:remote_ip=192.0.2.9"),
        f"interface {PORT_NAME}: options:remote_ip is 192.0.2.9",
    ),
    "another bridge": (
        ("del-br", "br-int", "--", "add-br", "br-int"),
        "fail_mode is not set",
    ),
}


@pytest.mark.parametrize("kind", BRIDGE_TAMPERING)
async def test_a_bridge_that_another_program_changes_is_mended(
    switch: PrivateSwitch, server: WatchedServer, plugged: AgentUnderTest, kind: str
) -> None:
    def settings() -> list[str]:
        bridge = switch.vsctl("get", "bridge", "br-int", "fail_mode", "other_config")
        return [bridge, switch.vsctl("get", "interface", PORT_NAME, "type", "options")]

    before = settings()
    command, told = BRIDGE_TAMPERING[kind]
    await asyncio.to_thread(switch.vsctl, *command)
    status = await plugged.until(lambda status: told in status["degraded"].get("bridge", ""))
    assert status["counters"]["bridge_repairs"] >= 1
    await asyncio.to_thread(wait_until, lambda: settings() == before, "mended")
    if kind == "another bridge":
        await asyncio.to_thread(switch.plug, "tap1", "p1")
    await plugged.until(lambda status: status["in_sync"] and "p1" in status["ports"]["up"])
    assert await plugged.differences() == []


async def test_rows_of_the_agents_own_that_nothing_wants_are_removed(
    switch: PrivateSwitch, plugged: AgentUnderTest
) -> None:
    """Such as those of a feature that was in use before the agent was restarted."""

    def queues() -> str:
        return switch.vsctl("--bare", "--columns=external_ids", "list", "queue").strip()

    create = ("create", "queue", "external_ids:treadle-id=web-1")
    await asyncio.to_thread(switch.vsctl, *create, "external_ids:treadle-owner=br-int")
    await asyncio.to_thread(switch.vsctl, *create, "external_ids:treadle-owner=br-other")
    await asyncio.to_thread(
        wait_until, lambda: "treadle-owner=br-int" not in queues(), "removed", 30
    )
    assert "treadle-owner=br-other" in queues()
    status = await plugged.status()
    assert "Queue web-1 is not wanted" in status["degraded"]["bridge"]


async def test_zones_are_persisted_again_in_a_bridge_that_was_made_anew(
    switch: PrivateSwitch, server: WatchedServer, plugged: AgentUnderTest
) -> None:
    zone = (await plugged.status())["zones"]["p1"]
    remove = ("remove", "bridge", "br-int", "external_ids", "ct-zone-p1")
    await asyncio.to_thread(switch.vsctl, *remove)

    def is_persisted() -> bool:
        return f'ct-zone-p1="{zone}"' in switch.vsctl("get", "bridge", "br-int", "external_ids")

    await asyncio.to_thread(wait_until, is_persisted, "persisted again")


async def test_packets_that_exceed_a_limit_of_the_switch_are_told(
    switch: PrivateSwitch, plugged: AgentUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_drops, "LOOK_SECONDS", 0.05)
    await plugged.restart()
    await plugged.until(lambda status: status["in_sync"])
    switch.vsctl("add-br", "br-x", "--", "set", "bridge", "br-x", "datapath_type=dummy")
    switch.vsctl("add-port", "br-x", "x1", "--", "set", "interface", "x1", "type=dummy")
    management = f"unix:{switch.directory / 'br-x.mgmt'}"
    switch.run(
        *("ovs-ofctl", "-OOpenFlow15", "add-flow", management, "priority=9,actions=resubmit(,0)")
    )
    switch.appctl("netdev-dummy/receive", "x1", arp_request(MAC, "10.0.0.1", "10.0.0.2").hex())
    status = await plugged.until(lambda status: "switch_limits" in status["degraded"])
    assert "1 for too deep recursion" in status["degraded"]["switch_limits"]
