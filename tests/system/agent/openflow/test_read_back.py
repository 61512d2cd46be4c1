"""What the switch returns is, byte for byte, what it was sent."""

from __future__ import annotations

import pytest

from chassis_agent.compile.encoders.hashing import encoded_hash_fields
from chassis_agent.openflow import actions, messages, oxm
from chassis_agent.openflow.messages import (
    Bucket,
    GroupCommand,
    GroupType,
    MeterCommand,
    SwitchGroup,
    TlvMapping,
)
from chassis_agent.openflow.multipart import InstalledFlow
from chassis_agent.openflow.oxm import FIELDS, Subfield, Term
from tests.system.agent.openflow.conftest import Bridge
from tests.unit.chassis_agent.openflow.test_actions import ACTIONS
from tests.unit.chassis_agent.openflow.test_oxm import MATCHES

GENEVE = TlvMapping(0x0102, 0x80, 4, 0)
PREREQUISITES = {
    "ip": [Term(FIELDS["eth_type"], 0x800)],
    "ipv6": [Term(FIELDS["eth_type"], 0x86DD)],
    "tcp": [Term(FIELDS["eth_type"], 0x800), Term(FIELDS["ip_proto"], 6)],
    "icmp6": [Term(FIELDS["eth_type"], 0x86DD), Term(FIELDS["ip_proto"], 58)],
    "vlan_vid=0x1000/0x1000": [Term(FIELDS["vlan_vid"], 0x1000, 0x1000)],
    "icmp_type=135": [Term(FIELDS["icmpv6_type"], 135)],
    "ct_state=+trk+new": [Term(FIELDS["ct_state"], 0x21, 0x21)],
}

pytestmark = pytest.mark.system


def flows_of_actions() -> list[InstalledFlow]:
    """Every kind of action, under the match that it needs, one flow each."""
    flows = []
    for number, (text, action_bytes) in enumerate(ACTIONS.items()):
        if "meter:" in text or "group:" in text:
            continue
        names = text.partition("actions=")[0].rstrip(",").split(",")
        terms = [term for name in names if name for term in PREREQUISITES[name]]
        match = oxm.match([Term(FIELDS["reg9"], number), *terms])
        instructions = actions.apply_actions(action_bytes)
        flows.append(InstalledFlow(5, 1000, match, instructions, number))
    return flows


def flows_of_matches() -> list[InstalledFlow]:
    """Every kind of match, one flow each, save the fields that are for tables or hashes."""
    return [
        InstalledFlow(6, number, oxm.match(terms), b"", 1 << 63 | number)
        for number, (text, terms) in enumerate(MATCHES.items())
        if "recirc_id" not in text
    ]


def sendable(flow: InstalledFlow) -> bytes:
    return messages.add_flow(flow.table, flow.priority, flow.match, flow.instructions, flow.cookie)


async def test_flows_are_echoed_as_they_were_sent(bridge: Bridge) -> None:
    sent = flows_of_actions() + flows_of_matches()
    async with bridge.connected() as connection:
        await connection.commit([sendable(flow) for flow in sent])
        echoed = await connection.flows()
    assert sorted(echoed) == sorted(sent)


async def test_flows_on_the_geneve_option_are_echoed_as_they_were_sent(bridge: Bridge) -> None:
    option, reg14, reg15 = (FIELDS[name] for name in ("tun_metadata0", "reg14", "reg15"))
    receive = actions.move(Subfield(option, 16, 15), Subfield(reg14, 0, 15)) + actions.move(
        Subfield(option, 0, 16), Subfield(reg15, 0, 16)
    )
    send = (
        actions.set_field(option, 7)
        + actions.set_field(option, 9, 0xFFFF)
        + actions.move(Subfield(reg14, 0, 15), Subfield(option, 16, 15))
        + actions.output(1)
    )
    sent = [
        InstalledFlow(0, 1, oxm.match([Term(option, 5)]), actions.apply_actions(receive), 1),
        InstalledFlow(0, 2, oxm.match([Term(option, 5, 0xFFFF)]), b"", 2),
        InstalledFlow(1, 3, messages.EMPTY_MATCH, actions.apply_actions(send), 3),
    ]
    async with bridge.connected() as connection:
        await connection.confirm([messages.tlv_table_add(GENEVE)])
        assert await connection.tlv_table() == [GENEVE]
        await connection.commit([sendable(flow) for flow in sent])
        assert sorted(await connection.flows()) == sent


async def test_groups_and_meters_are_echoed_as_they_were_sent(bridge: Bridge) -> None:
    buckets = [Bucket(0, actions.output(1), weight=50), Bucket(1, actions.output(2), weight=100)]
    made = SwitchGroup(5, GroupType.SELECT, buckets, "dp_hash", selection_parameter=7)
    add_group = messages.group_mod(GroupCommand.ADD, made)
    head = 8 + 16
    async with bridge.connected() as connection:
        await connection.confirm(
            [messages.meter_mod(MeterCommand.ADD, 3, rate=100, burst=50), add_group]
        )
        (meter,) = await connection.meters()
        (group,) = await connection.groups()
        assert (meter.meter_id, meter.packets, meter.rate, meter.burst) == (3, True, 100, 50)
        assert (group.group_id, group.kind) == (5, GroupType.SELECT)
        assert group.buckets + group.properties == add_group[head:]
        assert (group.buckets, group.properties) == (
            made.encoded_buckets,
            made.encoded_properties,
        )
        flow = InstalledFlow(
            *(0, 1, messages.EMPTY_MATCH),
            actions.apply_actions(actions.meter(3) + actions.group(5)),
            4,
        )
        await connection.commit([sendable(flow)])
        assert await connection.flows() == [flow]
        await connection.confirm(
            [
                messages.delete_all_flows(),
                messages.group_mod(GroupCommand.DELETE, SwitchGroup(5)),
                messages.meter_mod(MeterCommand.DELETE, 3),
            ]
        )
        assert await connection.flows() == []
        assert await connection.groups() == []
        assert await connection.meters() == []


async def test_a_group_that_hashes_fields_is_echoed_as_it_was_sent(bridge: Bridge) -> None:
    made = SwitchGroup(
        6,
        GroupType.SELECT,
        [Bucket(77, actions.output(1), weight=1), Bucket(5, actions.output(2), weight=1)],
        "hash",
        selection_fields=encoded_hash_fields(["ip_src", "tp_dst", "eth_src"]),
    )
    async with bridge.connected() as connection:
        await connection.confirm([messages.group_mod(GroupCommand.ADD, made)])
        (group,) = await connection.groups()
    assert (group.buckets, group.properties) == (made.encoded_buckets, made.encoded_properties)


async def test_ports_are_listed(bridge: Bridge) -> None:
    async with bridge.connected() as connection:
        ports = {port.name: port.number for port in await connection.ports()}
    assert ports == {"p1": 1, "p2": 2, "br-int": actions.LOCAL}
