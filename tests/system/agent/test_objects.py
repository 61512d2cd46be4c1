"""Groups that flows choose by: from a flow's arguments through the agent into the switch."""

import asyncio
import re

import pytest

from chassis_agent.bridge import integrity, unixctl
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.identity import FIRST_METER
from chassis_agent.desired.objects import Group
from chassis_agent.desired.steps import bundle_steps
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.messages import Bucket, GroupType, SwitchGroup
from chassis_agent.tables import LOGICAL_TO_PHYSICAL
from logical_flow.action import Member, encode_members
from logical_flow.template import Pipeline, Stage, Template
from southbound import rows
from tests.system.agent.conftest import AgentUnderTest, WatchedServer
from tests.system.agent.openflow.conftest import Bridge
from tests.system.agent.private_switch import PrivateSwitch, wait_until
from tests.system.agent.test_agent import up
from tests.system.frames import IPV4, UDP, ethernet, ipv4, udp
from tests.unit.chassis_agent.tiny_network import LS_OUT, Delivery, Queueing, group, port

CHOICE, WAYS, DELIVERY, LIMIT, QUEUES = 21, 22, 23, 24, 25
PACKETS, REPLACEMENTS = 400, 8


class Choice(Stage, name="ls_in_choice", default="drop"):
    """Which way a packet takes."""

    choose = Template(50, "ip4 && ip4.dst == {to:ip4}", "reg0[0..15] = select({ways:weights});")


class Way(Stage, name="ls_in_way", default="drop"):
    """Where a way leads to."""

    way = Template(50, "reg0[0..15] == {way:int}", "outport = {port:lport}; output;")


class Limit(Stage, name="ls_in_limit"):
    """How much of it may pass."""

    limit = Template(
        50, "ip4 && udp.dst == {port:int}", "set_meter({rate:int}, {burst:int}); next;"
    )


LS_IN = Pipeline("ls_in", kind="ls", direction="ingress", stages=[Limit, Choice, Way])
DESTINATION = "192.0.2.99"


def choosing(*members: Member) -> rows.FlowGroup:
    to = bytes((192, 0, 2, 99))
    return group(CHOICE, "ls", Choice.choose(to=to, ways=encode_members(members)))


INTENT = [
    *(
        rows.Template(*template.as_text())
        for pipeline in (LS_IN, LS_OUT)
        for template in pipeline.templates
    ),
    rows.Datapath("ls", "ls", "ls", 1),
    *(port(f"p{n}", n) for n in range(1, 4)),
    group(WAYS, "ls", Way.way(way=1, port="p2"), Way.way(way=2, port="p3")),
    group(DELIVERY, "ls", *(Delivery.deliver(port=f"p{n}") for n in range(1, 4))),
]


def groups_of(switch: PrivateSwitch) -> list[str]:
    """The groups of the bridge."""
    return [line.strip() for line in switch.ofctl("dump-groups").splitlines() if "type=" in line]


def delivered(switch: PrivateSwitch) -> int:
    """How many packets left through a port."""
    dump = switch.ofctl("dump-flows", f"table={LOGICAL_TO_PHYSICAL}")
    return sum(int(count) for count in re.findall(r"n_packets=(\d+)", dump))


def frame(number: int) -> bytes:
    """A packet of a connection of its own."""
    datagram = udp("192.0.2.1", DESTINATION, 1024 + number % 50_000, 4000)
    return ethernet(
        "0a:00:00:00:00:99",
        "0a:00:00:00:00:01",
        IPV4,
        ipv4("192.0.2.1", DESTINATION, UDP, datagram),
    )


@pytest.fixture
async def balanced(
    switch: PrivateSwitch, server: WatchedServer, agent: AgentUnderTest
) -> AgentUnderTest:
    """Packets to an address go to p2 or p3; p1 sends."""
    await server.write(*INTENT, choosing(Member(1), Member(2)))
    await agent.until(lambda status: status["connected"] and status["switch_connected"])
    for number in range(1, 4):
        await asyncio.to_thread(switch.plug, f"tap{number}", f"p{number}")
    await agent.until(lambda status: up(status) == ["p1", "p2", "p3"] and status["in_sync"])
    return agent


async def test_replacing_the_members_of_a_group_loses_no_packet(
    switch: PrivateSwitch, server: WatchedServer, balanced: AgentUnderTest
) -> None:
    (before,) = groups_of(switch)
    number = before.split(",")[0]
    versions = [
        (Member(1, 10), Member(2, 90)),
        (Member(2),),
        (Member(1, 3), Member(2, 1)),
        (Member(1),),
    ]
    sent = replaced = 0

    async def send() -> None:
        nonlocal sent
        while replaced < REPLACEMENTS or sent < PACKETS:
            await unixctl.call(switch.control, "netdev-dummy/receive", "tap1", frame(sent).hex())
            sent += 1

    sending = asyncio.create_task(send())
    while not sending.done():
        await server.applied(await server.write(choosing(*versions[replaced % len(versions)])))
        replaced += 1
    await sending
    await asyncio.to_thread(wait_until, lambda: delivered(switch) >= sent, "all delivered", 30)
    assert delivered(switch) == sent
    (after,) = groups_of(switch)
    assert after.split(",")[0] == number, "it is the same group all the time"
    status = await balanced.status()
    assert status["counters"]["group_mods_sent"] == 1 + replaced
    assert await balanced.differences() == []


async def test_groups_keep_their_numbers_over_restarts(
    switch: PrivateSwitch, server: WatchedServer, balanced: AgentUnderTest
) -> None:
    groups, flows = groups_of(switch), switch.flows()
    await balanced.restart()
    status = await balanced.until(lambda status: len(up(status)) == 3 and status["in_sync"])
    assert status["counters"].get("group_mods_sent", 0) == 0
    assert status["counters"]["flow_mods_sent"] == 0
    assert status["groups"] == 1
    await asyncio.to_thread(switch.stop_switch)
    await balanced.until(lambda status: not status["switch_connected"])
    await asyncio.to_thread(switch.start_switch)
    await balanced.until(lambda status: status["in_sync"])
    await asyncio.to_thread(wait_until, lambda: switch.flows() == flows, "programmed again")
    assert groups_of(switch) == groups
    assert await balanced.differences() == []


async def test_a_group_goes_with_its_last_flow(
    switch: PrivateSwitch, server: WatchedServer, balanced: AgentUnderTest
) -> None:
    """The switch drops flows of a deleted group by itself: here the flow goes first."""
    await server.applied(await server.write(deletes=(choosing(Member(1)),)))
    assert groups_of(switch) == []
    assert (await balanced.status())["counters"].get("repairs", 0) == 0
    assert await balanced.differences() == []


@pytest.mark.parametrize(
    ("command", "told"),
    [
        pytest.param("del-groups", "missing", id="deleted"),
        pytest.param("mod-group", "altered", id="altered"),
    ],
)
async def test_a_group_that_another_program_changes_is_repaired(
    switch: PrivateSwitch,
    balanced: AgentUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    told: str,
) -> None:
    monkeypatch.setattr(integrity, "LOOK_SECONDS", 0.05)
    await balanced.restart()
    await balanced.until(lambda status: status["in_sync"])
    (wanted,), flows = groups_of(switch), switch.flows()
    number = wanted.split(",")[0]
    arguments = () if command == "del-groups" else (f"{number},type=all,bucket=actions=drop",)
    await asyncio.to_thread(switch.ofctl, command, *arguments)
    status = await balanced.until(lambda status: status["guard"]["last"])
    assert any(each == f"group {number.split('=')[1]}, {told}" for each in status["guard"]["last"])
    await asyncio.to_thread(
        wait_until, lambda: (groups_of(switch), switch.flows()) == ([wanted], flows), "repaired"
    )
    assert await balanced.differences() == []


async def test_a_broken_choice_fails_alone(
    switch: PrivateSwitch, server: WatchedServer, balanced: AgentUnderTest
) -> None:
    broken = group(CHOICE, "ls", Choice.choose(to=bytes(4), ways=bytes.fromhex("0001 0000")))
    await server.write(broken)
    status = await balanced.until(lambda status: status["lacks"])
    assert "1=0 is no member" in status["lacks"][0]
    await asyncio.to_thread(wait_until, lambda: groups_of(switch) == [], "its group is gone")
    assert up(status) == ["p1", "p2", "p3"]


def meters_of(switch: PrivateSwitch) -> list[str]:
    """The meters of the bridge that are not in front of the agent, a line each."""
    told = switch.ofctl("dump-meters").replace("\nbands=", " bands=").replace("\ntype=", " type=")
    found = re.findall(r"^meter=(\d+) (.*)$", told, re.MULTILINE)
    return [
        f"{number} {' '.join(text.split())}" for number, text in found if int(number) >= FIRST_METER
    ]


async def test_flows_are_limited_by_meters_of_their_own(
    switch: PrivateSwitch, server: WatchedServer, balanced: AgentUnderTest
) -> None:
    flows = [Limit.limit(port=port, rate=100, burst=50) for port in (4000, 4001)]
    await server.applied(await server.write(group(LIMIT, "ls", *flows)))
    before = meters_of(switch)
    assert [line.split(maxsplit=1)[1] for line in before] == [
        "kbps burst stats bands= type=drop rate=100 burst_size=50"
    ] * 2, "flows of one rate don't share it"
    used = set(re.findall(r"actions=meter:(\d+)", "".join(switch.flows())))
    assert {number for number in used if int(number) >= FIRST_METER} == {
        line.split()[0] for line in before
    }
    await balanced.restart()
    status = await balanced.until(lambda status: len(up(status)) == 3 and status["in_sync"])
    assert status["counters"].get("meter_mods_sent", 0) == 0
    assert meters_of(switch) == before
    assert await balanced.differences() == []
    await server.applied(await server.write(deletes=(group(LIMIT, "ls"),)))
    assert meters_of(switch) == []
    assert await balanced.differences() == []


def queues_of(switch: PrivateSwitch, interface: str) -> dict[str, str]:
    """The queues of a port with their settings, by number."""
    qos = switch.vsctl("get", "port", interface, "qos").strip()
    if qos == "[]":
        return {}
    queues = re.findall(r"(\d+)=([0-9a-f-]{36})", switch.vsctl("get", "qos", qos, "queues"))
    return {
        number: switch.vsctl("get", "queue", uuid, "other_config").strip()
        for number, uuid in queues
    }


def queues_in_flows(switch: PrivateSwitch) -> list[str]:
    """The queues that flows choose."""
    return re.findall(r"set_queue:(\d+)", "".join(switch.flows()))


def limited_to(rate: int) -> rows.FlowGroup:
    return group(QUEUES, "ls", Queueing.limit(port="p2", rate=rate, burst=50))


async def test_a_flow_has_a_queue_of_its_own_in_the_database(
    switch: PrivateSwitch,
    server: WatchedServer,
    balanced: AgentUnderTest,
) -> None:
    await server.applied(await server.write(limited_to(100)))
    (number,) = queues_in_flows(switch)
    assert queues_of(switch, "tap2") == {number: '{burst="50000", max-rate="100000"}'}
    tables = [("qos", "_uuid,queues,other_config"), ("queue", "_uuid,other_config,external_ids")]
    made = [switch.vsctl(f"--columns={columns}", "list", table) for table, columns in tables]
    await balanced.restart()
    status = await balanced.until(lambda status: len(up(status)) == 3 and status["in_sync"])
    assert status["counters"].get("bridge_repairs", 0) == 0
    assert status["counters"]["flow_mods_sent"] == 0, "the queue and the flow were there"
    assert queues_in_flows(switch) == [number]
    assert made == [
        switch.vsctl(f"--columns={columns}", "list", table) for table, columns in tables
    ]
    assert await balanced.differences() == []

    await server.applied(await server.write(limited_to(300)))
    assert queues_in_flows(switch) == [number], "the rate changes, the queue stays"
    assert queues_of(switch, "tap2") == {number: '{burst="50000", max-rate="300000"}'}
    assert (await balanced.status())["counters"]["flow_mods_sent"] == 0

    await asyncio.to_thread(switch.vsctl, "clear", "port", "tap2", "qos")
    await balanced.until(lambda status: status["counters"].get("bridge_repairs", 0) == 1)
    await asyncio.to_thread(
        wait_until,
        lambda: list(queues_of(switch, "tap2")) == queues_in_flows(switch) == [number],
        "the queue is back, and so is the flow that chooses it",
    )
    assert await balanced.differences() == []

    await server.applied(await server.write(deletes=(limited_to(300),)))
    assert queues_in_flows(switch) == []
    assert queues_of(switch, "tap2") == {}
    assert [switch.vsctl("--columns=_uuid", "list", table) for table, _ in tables] == ["", ""]
    status = await balanced.status()
    assert (status["queues"], status["database"]["refused"]) == (0, [])
    assert await balanced.differences() == []


@pytest.fixture
def bridge(switch: PrivateSwitch) -> Bridge:
    """A bridge with a port that groups can watch."""
    switch.vsctl(
        *("add-br", "br-int", "--", "set", "bridge", "br-int", "fail_mode=secure"),
        "protocols=OpenFlow15",
    )
    switch.plug("p1", "one", 1)
    return Bridge(switch)


async def test_groups_of_every_type_are_recognised_when_read_back(bridge: Bridge) -> None:
    out = act.output(1)
    groups = [
        Group.of(SwitchGroup(1, GroupType.ALL, (Bucket(0, out), Bucket(7, act.group(4))))),
        Group.of(SwitchGroup(2, GroupType.SELECT, (Bucket(1, out, 5),), "dp_hash", 0)),
        Group.of(SwitchGroup(3, GroupType.SELECT, (Bucket(1, out, 5), Bucket(2, out, 0)))),
        Group.of(SwitchGroup(4, GroupType.INDIRECT, (Bucket(0, out),))),
        Group.of(
            SwitchGroup(
                5,
                GroupType.FAST_FAILOVER,
                (Bucket(0, out, watch_port=1), Bucket(1, b"", watch_port=1)),
            )
        ),
        Group.of(SwitchGroup(0xFFFFFEFF)),
    ]
    changes = Changes([], [])
    changes = changes._replace(
        groups=changes.groups._replace(put=tuple((None, each) for each in groups))
    )
    async with bridge.connected() as connection:
        await connection.commit([step.message for step in bundle_steps(changes)])
        assert sorted(Group(*each) for each in await connection.groups()) == sorted(groups)
        removal = changes._replace(groups=changes.groups._replace(put=(), removed=tuple(groups)))
        await connection.commit([step.message for step in bundle_steps(removal)])
        assert await connection.groups() == []
