"""What the server asks of an agent about a real switch, and what the user asks at its socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis_agent.errors import RefusedCommandError
from chassis_agent.status import ask
from logical_flow.packet import packet_from_match
from southbound.errors import CannotAnswerError
from southbound.questions import (
    Compare,
    Comparison,
    Difference,
    Question,
    Traced,
    TracePort,
    TraceTunnel,
    headers_of,
)
from southbound.watch.client import WatchClient
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.private_switch import PrivateSwitch
from tests.system.agent.test_agent import INTENT
from tests.unit.chassis_agent.tiny_network import chassis

COMPARE = Compare(("ls",))
MULTICAST = "ff:ff:ff:ff:ff:ff"


def headers(destination: str) -> dict[str, bytes]:
    """Of a packet from p1."""
    match = f"eth.src == 0a:00:00:00:00:01 && eth.dst == {destination} && udp.dst == 53"
    return headers_of(packet_from_match(f"ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && {match}"))


@pytest.fixture
async def agent(
    switch: PrivateSwitch, server: WatchedServer, tmp_path: Path
) -> AsyncIterator[AgentUnderTest]:
    """An agent that leaves what the tests change, so that it can be asked about."""
    agent = AgentUnderTest(switch, server, tmp_path / "state", repair=False)
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture
async def asked(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> AsyncIterator[WatchedServer]:
    """p1 and p2 are here, p3 on hv2, p4 nowhere."""
    await server.write(*INTENT)
    other = WatchClient(server.address, chassis("hv2", "127.0.0.2"))
    task = asyncio.create_task(other.run())
    other.claim_only(["p3"])
    await agent.until(lambda status: status["connected"] and status["switch_connected"])
    for port in ("p1", "p2"):
        await asyncio.to_thread(switch.plug, f"tap-{port}", port)
        await server.until(lambda port=port: server.binding(port).up)
    await server.until(lambda: any("set_field:127.0.0.2->tun_dst" in f for f in switch.flows()))
    yield server
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def answer(server: WatchedServer, question: Question) -> Any:
    assert server.watch is not None
    return await server.watch.ask("hv1", question, 10)


async def differences(server: WatchedServer) -> tuple[Difference, ...]:
    comparison = await answer(server, COMPARE)
    assert isinstance(comparison, Comparison)
    return comparison.differences


async def test_an_untouched_switch_is_as_wanted(asked: WatchedServer) -> None:
    assert await answer(asked, COMPARE) == Comparison(1, True, ())


async def test_an_added_flow_is_named(switch: PrivateSwitch, asked: WatchedServer) -> None:
    await asyncio.to_thread(switch.add_flow, "table=10,priority=999,udp,actions=drop")
    (found,) = await differences(asked)
    assert (found.kind, found.table, found.wanted) == ("extra", "ls_in_lookup", "")
    assert "priority=999" in found.found
    assert found.logical_flows == ()


async def test_a_removed_flow_is_named_with_its_logical_flow(
    switch: PrivateSwitch, asked: WatchedServer
) -> None:
    await asyncio.to_thread(switch.delete_flows, "table=10,dl_dst=0a:00:00:00:00:02,metadata=0x1")
    (found,) = await differences(asked)
    assert (found.kind, found.datapath, found.found) == ("missing", "ls", "")
    (flow,) = found.logical_flows
    assert flow == (
        "table=2(ls_in_lookup), priority=50, match=(eth.dst == 0a:00:00:00:00:02), "
        'action=(outport = "p2"; output;)'
    )
    assert (found.cause_kind, found.cause_id) == ("port", "x")


async def test_an_altered_flow_is_named_with_both_forms(
    switch: PrivateSwitch, asked: WatchedServer
) -> None:
    flow = "table=10,priority=50,dl_dst=0a:00:00:00:00:02,metadata=0x1,actions=drop"
    await asyncio.to_thread(switch.add_flow, flow)
    (found,) = await differences(asked)
    assert found.kind == "altered"
    assert "set(outport=p2)" in found.wanted
    assert "actions=drop" in found.found
    assert len(found.logical_flows) == 1


async def test_flows_of_other_datapaths_are_not_looked_at(
    switch: PrivateSwitch, asked: WatchedServer
) -> None:
    await asyncio.to_thread(switch.add_flow, "table=10,priority=9,metadata=0x7,actions=drop")
    assert await differences(asked) == ()


async def test_a_packet_to_a_port_here(asked: WatchedServer) -> None:
    traced = await answer(asked, TracePort("p1", headers("0a:00:00:00:00:02")))
    assert isinstance(traced, Traced)
    (output,) = traced.outputs
    assert output.port == "p2"
    assert not traced.punted
    tables = [step.table for step in traced.steps]
    assert tables[0] == "physical_to_logical"
    assert "ls_in_lookup" in tables
    assert tables[-1] == "logical_to_physical"


async def test_a_packet_to_a_port_elsewhere(asked: WatchedServer) -> None:
    traced = await answer(asked, TracePort("p1", headers("0a:00:00:00:00:03")))
    assert [output.chassis for output in traced.outputs] == ["hv2"]


async def test_a_packet_to_everybody(asked: WatchedServer) -> None:
    traced = await answer(asked, TracePort("p1", headers(MULTICAST)))
    assert {(output.port, output.chassis) for output in traced.outputs} == {
        ("p2", ""),
        ("", "hv2"),
    }


@pytest.mark.parametrize(
    ("outport", "ports"), [("p2", ["p2"]), ("_MC_flood", ["p1", "p2"]), ("p3", [])]
)
async def test_a_packet_out_of_the_tunnel(
    asked: WatchedServer, outport: str, ports: list[str]
) -> None:
    question = TraceTunnel("hv2", "ls", "p3", outport, headers(MULTICAST))
    traced = await answer(asked, question)
    assert sorted(output.port for output in traced.outputs) == ports


async def test_a_packet_that_meets_no_flow_ends_there(
    switch: PrivateSwitch, asked: WatchedServer
) -> None:
    await asyncio.to_thread(switch.delete_flows, "table=10")
    traced = await answer(asked, TracePort("p1", headers("0a:00:00:00:00:02")))
    assert traced.outputs == ()
    assert traced.steps[-1].priority == -1


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (TracePort("p3", {}), "no interface there stands for port p3"),
        (TraceTunnel("hv9", "ls", "p3", "p1", {}), "no tunnel from hv9"),
        (TraceTunnel("hv2", "ls", "p3", "p9", {}), "does not know port p9"),
        (TraceTunnel("hv2", "other", "p3", "p1", {}), "does not know the datapath"),
    ],
)
async def test_what_can_not_be_traced(
    asked: WatchedServer, question: Question, reason: str
) -> None:
    with pytest.raises(CannotAnswerError, match=reason):
        await answer(asked, question)


async def test_without_a_switch_there_is_no_answer(
    switch: PrivateSwitch, asked: WatchedServer, agent: AgentUnderTest
) -> None:
    await asyncio.to_thread(switch.stop_switch)
    await agent.until(lambda status: not status["switch_connected"])
    for question in (COMPARE, TracePort("p1", headers(MULTICAST))):
        with pytest.raises(CannotAnswerError, match="does not answer"):
            await answer(asked, question)


async def test_detrace_works_while_the_server_is_away(
    switch: PrivateSwitch, asked: WatchedServer, agent: AgentUnderTest, tmp_path: Path
) -> None:
    await asked.stop()
    socket = tmp_path / "state" / "agent.sock"
    line = next(f for f in switch.flows() if "table=10" in f and "dl_dst=0a:00:00:00:00:02" in f)
    found = await ask(socket, "detrace", line)
    assert len(found["flows"]) == 1
    assert 'outport = "p2"' in found["flows"][0]
    assert (found["cause_kind"], found["revision"], found["datapath"]) == ("port", 1, "ls")
    whole = await ask(socket, "detrace", found["cookie"])
    assert len(whole["flows"]) == 3, "the cookie alone stands for all flows of the group"
    port = next(f for f in switch.flows() if "table=160" in f and "reg15=0x2" in f)
    assert (await ask(socket, "detrace", port))["text"] == "the way to and from port p2 of ls"
    with pytest.raises(RefusedCommandError, match="no flow group here has the cookie 0x7777"):
        await ask(socket, "detrace", "0x7777")
    with pytest.raises(RefusedCommandError, match="no cookie in"):
        await ask(socket, "detrace", "priority=7 actions=drop")
