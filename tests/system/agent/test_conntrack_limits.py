"""Connections of a port are limited in the datapath, and ports at their limit are told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis_agent.bridge import conntrack_limits
from chassis_agent.bridge.conntrack_limits import ZoneLimit, read_limits
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch, wait_until
from tests.system.agent.test_agent import both_ports_up
from tests.system.frames import IPV4, UDP, ethernet, ipv4, udp

LIMIT = 7


@pytest.fixture
async def limited(
    switch: PrivateSwitch,
    server: WatchedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[AgentUnderTest]:
    """An agent with a low limit, with p1 and p2."""
    monkeypatch.setattr(conntrack_limits, "LOOK_SECONDS", 0.02)
    agent = AgentUnderTest(switch, server, tmp_path / "state", conntrack_limit=LIMIT)
    await agent.start()
    await both_ports_up(switch, server, agent)
    yield agent
    await agent.stop()


def limits(switch: PrivateSwitch) -> dict[int, ZoneLimit]:
    return read_limits(switch.appctl("dpctl/ct-get-limits", "dummy@ovs-dummy"))


async def until_limited(switch: PrivateSwitch, zones: set[int]) -> None:
    await asyncio.to_thread(
        wait_until,
        lambda: (
            {zone: found.limit for zone, found in limits(switch).items()}
            == dict.fromkeys(zones, LIMIT)
        ),
        "zones have their limits",
    )


async def test_zones_of_ports_are_limited_while_they_are_bound(
    switch: PrivateSwitch, limited: AgentUnderTest
) -> None:
    zones = (await limited.status())["zones"]
    await until_limited(switch, set(zones.values()))
    switch.appctl("dpctl/ct-set-limits", "dummy@ovs-dummy", f"zone={zones['p1']},limit=5000")
    await until_limited(switch, set(zones.values()))
    await asyncio.to_thread(switch.unplug, "tap2")
    await until_limited(switch, {zones["p1"]})


async def test_a_restarted_switch_gets_its_limits_again(
    switch: PrivateSwitch, limited: AgentUnderTest
) -> None:
    zones = set((await limited.status())["zones"].values())
    await until_limited(switch, zones)
    await asyncio.to_thread(switch.stop_switch)
    await asyncio.to_thread(switch.start_switch)
    await until_limited(switch, zones)


async def test_a_port_at_its_limit_is_told(switch: PrivateSwitch, limited: AgentUnderTest) -> None:
    zones = (await limited.status())["zones"]
    await until_limited(switch, set(zones.values()))
    switch.vsctl("add-br", "br-x", "--", "set", "bridge", "br-x", "datapath_type=dummy")
    switch.vsctl("add-port", "br-x", "x1", "--", "set", "interface", "x1", "type=dummy")
    management = f"unix:{switch.directory / 'br-x.mgmt'}"
    switch.run(
        *("ovs-ofctl", "-OOpenFlow15", "add-flow", management),
        f"udp,priority=9,actions=ct(commit,zone={zones['p1']})",
    )
    for port in range(1000, 1000 + 2 * LIMIT):
        segment = udp("10.0.0.1", "10.0.0.2", port, 53)
        frame = ethernet(
            "0a:00:00:00:00:02",
            "0a:00:00:00:00:01",
            IPV4,
            ipv4("10.0.0.1", "10.0.0.2", UDP, segment),
        )
        switch.appctl("netdev-dummy/receive", "x1", frame.hex())
    status = await limited.until(lambda status: "connections" in status["degraded"])
    assert status["degraded"]["connections"].startswith("p1 have the 7 connections")
    assert status["conntrack"] == {"limit_a_port": LIMIT, "full": {"p1": LIMIT}}
    assert limits(switch)[zones["p1"]].connections == LIMIT
    switch.ofctl("ct-flush-zone", str(zones["p1"]))
    await limited.until(lambda status: "connections" not in status["degraded"])
