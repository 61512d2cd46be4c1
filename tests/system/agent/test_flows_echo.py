"""Open vSwitch returns every flow that the agent makes in the bytes in which it was sent.

That is what a hitless restart rests on: flows that are there are recognised.
"""

import random
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from chassis_agent.bridge.groundwork import missing_groundwork
from chassis_agent.compile import ConjunctionIds, StageBook, compile_template
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flows import Changes, DesiredTable
from chassis_agent.desired.objects import Group, ObjectChanges
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.messages import SwitchGroup
from chassis_agent.physical import (
    Side,
    Tunnel,
    Zones,
    fdb_flows,
    group_flows,
    ingress_flows,
    interface_flows,
    neighbour_flows,
    patch_flows,
    remote_flows,
)
from chassis_agent.physical.multicast import OPENFLOW_GROUPS, Reach
from chassis_agent.punt.meters import PuntMeter, punt_meters
from logical_flow.fields import SYMBOLS, Access, Field, Level, Subfield
from logical_flow.template import Template, TemplateText
from southbound import rows
from tests.system.agent.packet_lab import install
from tests.system.agent.private_switch import PrivateSwitch
from tests.unit.chassis_agent.compile.surroundings import (
    ACL_MATCHES,
    HIT_COUNTER,
    RATE_METER,
    SELECT_GROUP,
    arguments_for,
    every_template,
    surroundings,
)
from tests.unit.logical_flow.action_samples import TEXTS


@pytest.fixture
def bridge(switch: PrivateSwitch) -> Path:
    """The management socket of a bridge without flows."""
    switch.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "fail_mode=secure")
    switch.vsctl("set", "bridge", "br-int", "protocols=OpenFlow15", "datapath_type=dummy")
    return switch.directory / "br-int.mgmt"


async def installed(bridge: Path, flows: Iterable[Flow]) -> list[Flow]:
    """What the switch says it has, once it was given `flows` and what they refer to."""
    connection = await Connection.connect(bridge, on_packet_in=lambda _: None)
    try:
        await connection.confirm([each.message for each in await missing_groundwork(connection)])
        meters = [*punt_meters(), PuntMeter(RATE_METER, 100, 100)]
        named = [Group.of(SwitchGroup(number)) for number in (HIT_COUNTER, SELECT_GROUP)]
        changes = Changes(
            [],
            list(flows),
            groups=ObjectChanges(put=tuple((None, group) for group in (*OPENFLOW_GROUPS, *named))),
            meters=ObjectChanges(put=tuple((None, meter.as_object()) for meter in meters)),
        )
        await install(connection, changes)
        return [Flow(*flow) for flow in await connection.flows()]
    finally:
        await connection.close()


async def assert_echoed(bridge: Path, flows: Iterable[Flow]) -> None:
    table = DesiredTable()
    for flow in flows:
        table.replace(flow.cookie, [*table.owned(flow.cookie).values(), flow])
    wanted = sorted(table)
    found = sorted(await installed(bridge, wanted))
    for want, have in zip(wanted, found, strict=True):
        assert have == want


def packed(templates: Sequence[Template], seed: int) -> list[Flow]:
    chance = random.Random(seed)
    known = [*every_template(), *templates]
    book = StageBook.of(rows.Template(*template.as_text()) for template in known)
    conjunctions = ConjunctionIds()
    flows = []
    for cookie, template in enumerate(templates, 1):
        kind = template.pipeline.split("_")[0]
        context = surroundings(
            book, kind=kind, datapath_key=cookie, conjunction_id=conjunctions.allocate
        )
        arguments = arguments_for(template, chance)
        compiled = compile_template(rows.Template(*template.as_text()))
        flows += compiled.pack(arguments, context, cookie)
    return flows


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_flows_of_every_template(bridge: Path, seed: int) -> None:
    flows = packed(every_template(), seed)
    assert len(flows) > 250
    await assert_echoed(bridge, flows)


async def test_flows_of_every_action(bridge: Path) -> None:
    (somewhere, *_) = every_template()
    book = StageBook.of(rows.Template(*template.as_text()) for template in every_template())
    flows = []
    for cookie, text in enumerate(TEXTS, 1):
        if text.startswith("next(") or "select" in text:
            continue  # Another book's stage; a group that isn't there.
        row = somewhere.as_text()._replace(id=cookie, match="1", actions=text, only="")
        compiled = compile_template(rows.Template(*row._replace(priority="1")))
        context = surroundings(book, kind="ls", datapath_key=cookie)
        flows += compiled.pack((), context, cookie)
    assert len(flows) >= len(TEXTS) - 4
    await assert_echoed(bridge, flows)


async def test_flows_of_acl_matches(bridge: Path) -> None:
    (allow,) = (t for t in every_template() if (t.stage, t.name) == ("ls_in_acl_eval_0", "allow"))
    book = StageBook.of(rows.Template(*template.as_text()) for template in every_template())
    conjunctions = ConjunctionIds()
    context = surroundings(book, kind="ls", datapath_key=5, conjunction_id=conjunctions.allocate)
    compiled = compile_template(rows.Template(*allow.as_text()))
    flows = [
        flow
        for cookie, match in enumerate(ACL_MATCHES, 1)
        for flow in compiled.pack((cookie, match), context, cookie)
    ]
    await assert_echoed(bridge, flows)


async def test_physical_flows(bridge: Path) -> None:
    port = Side(5, 1, Zones(port=7), first_ingress=8, first_egress=88)
    router = Side(6, 2, Zones(dnat=8, snat=9), first_ingress=9, first_egress=90)
    tunnel = Tunnel(10, ip_address("192.0.2.1"))
    tunnel6 = Tunnel(10, ip_address("2001:db8::1"))
    mac = bytes.fromhex("0a0000000001")
    await assert_echoed(
        bridge,
        [
            *interface_flows(port, 11, cookie=1),
            *patch_flows(port._replace(port_key=3), router, cookie=2),
            *remote_flows(5, 4, [tunnel], cookie=3),
            *remote_flows(5, 5, [tunnel6, tunnel], cookie=4),
            *remote_flows(5, 6, [Tunnel(12, None)], cookie=4),
            *ingress_flows([10, 12], [tunnel.remote, tunnel6.remote], cookie=5),
            *group_flows(
                *(5, 0x8000),
                local=[1],
                patch=[3],
                remote=[tunnel, tunnel6],
                reach=Reach(9, 50),
                cookie=6,
            ).flows,
            *group_flows(
                *(5, 0x8003),
                local=range(1, 1500),
                patch=[],
                remote=[tunnel],
                reach=Reach(9, 50),
                cookie=7,
            ).flows,
            *neighbour_flows(6, 2, ip_address("10.0.0.1"), mac, cookie=8),
            *neighbour_flows(6, 2, ip_address("fd00::1"), mac, cookie=9),
            *fdb_flows(5, 1, mac, cookie=10),
        ],
    )


def written(symbol: Field | Subfield) -> list[str]:
    """Actions that write a field in each way that there is."""
    name = symbol.name
    if symbol.is_string:
        return [f'{name} = "port-1";', f"{name} = {{port:lport}};"]
    register = {128: "xxreg1", 64: "xreg4"}.get(symbol.width, f"xxreg1[0..{symbol.width - 1}]")
    actions = [f"{name} = 1;", f"{name} = {register};", f"{name} <-> {register};"]
    if symbol.width > 2 and symbol.level is Level.ORDINAL and name != "vlan.vid":
        actions += [f"{name}[0] = 1;", f"{name}[1..2] = {{bits:int}};"]
    if name not in ("xxreg1", "xreg4"):
        return actions
    return actions[:1]


async def test_writing_every_field(bridge: Path) -> None:
    texts = [
        text
        for symbol in SYMBOLS.values()
        if isinstance(symbol, Field | Subfield)
        and symbol.access in (Access.ANYWHERE, Access.INGRESS)
        and not symbol.name.startswith(("vlan.tci", "ct_"))
        for text in written(symbol)
    ]
    templates = [
        Template.from_text(
            TemplateText(number, "ls_in", "ls_in_write", 3, "next", "1", "1", text, "")
        )
        for number, text in enumerate(texts)
    ]
    assert len(templates) > 200
    await assert_echoed(bridge, packed(templates, seed=1))
