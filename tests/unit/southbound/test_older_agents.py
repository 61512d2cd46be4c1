"""Agents of the recorded release beside this server and a pipeline that is newer than both.

Such an agent decodes strictly, and knows only the words of its release: here by types that
are made from the record. What becomes of its flows is computed by today's agent.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union

import msgspec
import pytest

from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import WatchedRows
from chassis_agent.openflow.actions import apply_actions
from logical_flow.words import words_of
from southbound import rows, wire
from southbound.state import RealisedState
from southbound.watch.cache import RowCache, cached_rows, tables_understood
from southbound.watch.dialect import ClosedDialect
from southbound.watch.server import WatchServer
from tests.unit.chassis_agent.tiny_network import HOST, MACS, NETWORK, port_group, templates
from tests.unit.southbound.agents import MakeAgent, by_id, until
from tests.unit.southbound.raw_agent import RawAgent, raw_agent

RECORD: dict[str, Any] = json.loads(
    (Path(__file__).parent / "records" / "release-0.1.0.json").read_text()
)
RECORDED_ROWS = {
    table: msgspec.defstruct(
        f"Recorded_{table}",
        [(name, Any) for name in fields],
        tag=table,
        tag_field="table_name",
        array_like=True,
        frozen=True,
    )
    for table, fields in RECORD["tables"].items()
}
RecordedRow = Union[*RECORDED_ROWS.values()]


class RecordedPart(msgspec.Struct, array_like=True):
    scope: str
    full: bool
    puts: tuple[RecordedRow, ...]  # type: ignore[valid-type]
    deletes: tuple[tuple[str, str], ...]


class RecordedUpdate(msgspec.Struct, array_like=True, tag="update"):
    serial: int
    heard: int
    position: int
    revision: int
    parts: tuple[RecordedPart, ...]


def decode_as_recorded(data: bytes) -> RecordedUpdate:
    """Raises where an agent of that release would have given up the connection."""
    return msgspec.msgpack.decode(data, type=RecordedUpdate)


STAGES = [
    rows.Stage("ls_in_admission", "ls_in", 0, "drop", "drop", "admission"),
    rows.Stage("ls_in_guard", "ls_in", 1, "next", "drop", "port-security"),
    rows.Stage("ls_in_dhcp", "ls_in", 2, "next", "next", "a-role-of-tomorrow"),
    rows.Stage("ls_in_acl", "ls_in", 3, "next", "drop", "acl"),
    rows.Stage("ls_in_lookup", "ls_in", 4, "drop", "drop", "forwarding"),
    rows.Stage("ls_out_delivery", "ls_out", 0, "drop", "drop", "delivery"),
]
"""Two stages more than the tiny network's pipeline, one of them with unknown actions."""

GUARD, DHCP, ACL = 901, 902, 903
NEWER_TEMPLATES = [
    rows.Template(
        GUARD, "ls_in", "ls_in_guard", 1, "next", "50",
        "inport == {port:lport} && nsh.spi == {spi:int}", "drop;", "local:port",
    ),
    rows.Template(
        DHCP, "ls_in", "ls_in_dhcp", 2, "next", "100",
        "inport == {port:lport} && ip4 && udp.dst == 67",
        "reg0[3] = put_dhcp_opts(offerip = {ip:ip4}); next;", "local:port",
    ),
    rows.Template(
        ACL, "ls_in", "ls_in_acl", 3, "next", "1000+{priority:int}", "{match:expr}", "next;", "",
    ),
]  # fmt: skip


def newer_network() -> list[rows.Row]:
    """The tiny network under the newer pipeline, with flows of it beside those of today."""
    places = {stage.name: stage.place for stage in STAGES}
    moved = [
        msgspec.structs.replace(row, table_number=places[row.stage])
        for row in templates()
        if row.stage in places  # queues are newer than the recorded release
    ]
    first: rows.FlowGroup = port_group(11, "p1")
    flows = msgspec.msgpack.decode(first.payload)
    flows += [
        [GUARD, "p1", 5],
        [DHCP, "p1", b"\x0a\0\0\1"],
        [ACL, 7, "ip4.src == 10.0.0.9"],
        [ACL, 8, "nsh.spi == 4"],
    ]
    mixed = msgspec.structs.replace(first, payload=msgspec.msgpack.encode(flows))
    rest = [row for row in NETWORK if not isinstance(row, rows.Template) and row != first]
    return [*STAGES, *moved, *NEWER_TEMPLATES, *rest, mixed]


def test_a_port_of_a_newer_type_is_kept_from_it() -> None:
    dialect = ClosedDialect({}.get)
    usual = rows.PortBinding("p", "ls", "p", 1, "vif")
    newer = rows.PortBinding("q", "ls", "q", 2, "teleporter")
    part = dialect.part(wire.Part("datapath:ls", False, (usual, newer)))
    assert part.puts == (usual,)
    assert part.deletes == (newer.row_id,)
    said = "ports of type `teleporter` need an agent that knows them"
    assert dialect.lacks({"datapath:ls"}) == [said]
    assert dialect.lacks({"datapath:other"}) == []


def flows_of(received: Iterable[rows.Row]) -> tuple[set[Flow], list[str]]:
    """What an agent makes of its rows, and what it says of what it can't make."""
    state = FlowState(ConjunctionIds().allocate)
    state.apply([*WatchedRows(rows.ROW_TYPES).changes(list(received), ()), *HOST])
    assert not state.failures
    assert not state.self_check()
    return set(state), [str(lack) for lack in state.lacks]


def without_counter(flow: Flow) -> Flow:
    """The flow as those have it that don't know which stages hold ACLs, and so don't count."""
    group = b"\x00\x16\x00\x08"
    start = flow.instructions.find(group)
    if start < 0:
        return flow
    actions = flow.instructions[8:start] + flow.instructions[start + 8 :]
    return flow._replace(instructions=apply_actions(actions))


def scopes_of(network: Iterable[rows.Row]) -> list[str]:
    return sorted({scope for row in network for scope in row.scopes})


async def updates(agent: RawAgent, count: int) -> list[RecordedUpdate]:
    await until(lambda: len(agent.heard) > count)
    return [decode_as_recorded(data) for data in agent.frames[1:]]


def as_today(update: RecordedUpdate) -> list[rows.Row]:
    encoded = msgspec.msgpack.encode([row for part in update.parts for row in part.puts])
    return list(msgspec.msgpack.decode(encoded, type=list[rows.AnyRow]))


async def test_an_agent_of_the_recorded_release_is_sent_what_it_understands(
    state: RealisedState, server: WatchServer
) -> None:
    network = newer_network()
    facts = [row for row in network if isinstance(row, rows.Chassis)]
    for row in facts:
        state.facts.connected(row)
    by_origin = {
        state.groups.id_of(str(row.id)): row for row in network if isinstance(row, rows.FlowGroup)
    }
    intent = [row for row in network if not isinstance(row, rows.FlowGroup | rows.Chassis)]
    groups = [msgspec.structs.replace(row, id=number) for number, row in by_origin.items()]
    await state.write(1, [*intent, *groups])

    async with raw_agent(server.port, "hv1", chassis=facts[0]) as agent:
        await agent.say(wire.Subscribe(tuple(scopes_of(network))), wire.ClaimOnly(()))
        (update,) = await updates(agent, 1)
        received = as_today(update)
        degraded = server.status("hv1").conditions
    for row in received:
        if isinstance(row, rows.Template):
            words = words_of(row.match) | words_of(row.actions) | words_of(row.priority)
            assert words <= set(RECORD["words"])
    flows, lacks = flows_of(_bound(received))
    assert lacks == [], "it meets nothing that it doesn't know"

    open_flows, open_lacks = flows_of(_bound([*intent, *groups, *facts]))
    uncounted = set(map(without_counter, open_flows))
    assert flows == uncounted, "the server puts in place what an open agent does by itself"
    dhcp = "`offerip`, `put_dhcp_opts`"
    assert open_lacks == [
        f"flows of template ls_in_acl {ACL:#x} need an agent that knows `nsh.spi`",
        f"flows of template ls_in_dhcp {DHCP:#x} need an agent that knows {dhcp}",
        f"flows of template ls_in_guard {GUARD:#x} need an agent that knows `nsh.spi`",
    ]
    assert degraded == {"vocabulary": "; ".join(open_lacks)}


def _bound(network: Iterable[rows.Row]) -> list[rows.Row]:
    """The tiny network's places, which no agent claims in this test."""
    return [
        msgspec.structs.replace(row, chassis="hv1" if row.name in ("p1", "p2") else "hv2")
        if isinstance(row, rows.PortBinding)
        else row
        for row in network
    ]


def test_unknown_flows_cost_no_others() -> None:
    """Of 27 flows 16 were left, and two ports were dead."""
    before, _ = flows_of(NETWORK)
    after, lacks = flows_of(newer_network())
    assert len(lacks) == 3
    assert len(after) >= len(before) + len(NEWER_TEMPLATES)
    for name in ("p1", "p2"):
        assert any(MACS[name] in flow.match for flow in after)


async def test_an_open_agent_goes_on_beside_a_newer_server(
    state: RealisedState, make_agent: MakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of a table that it doesn't know leave the others as they are."""
    await state.write(1, [rows.Datapath("d1", "ls", "web", 1), rows.SetMember("$a", "10.0.0.1")])
    known = [row for table, row in rows.ROW_TYPES.items() if table != "datapath"]
    monkeypatch.setattr(
        "southbound.tolerant.ROW_TYPES", {row.table: row for row in known}, raising=True
    )
    monkeypatch.setattr("southbound.tolerant._row", msgspec.msgpack.Decoder(Union[*known]))

    def refuse(_data: bytes) -> wire.FromServer:
        raise wire.ProtocolError("as strict decoding would")

    agent = make_agent("hv1", "datapath:d1", "set:$a")
    strict = wire.decode_from_server
    monkeypatch.setattr(
        wire, "decode_from_server", lambda data: strict(data) if b"hello" in data else refuse(data)
    )
    await agent.synced()
    assert agent.rows == {("set_member", "$a/10.0.0.1"): rows.SetMember("$a", "10.0.0.1")}
    assert agent.client.skipped == {"rows of table datapath": 1}
    await state.write(2, [rows.SetMember("$a", "10.0.0.2")], [("datapath", "d1")])
    await until(lambda: len(agent.rows) == 2)
    assert agent.client.connected


def test_a_closed_agent_sees_a_moved_template_as_another_one() -> None:
    """It takes two templates of one id for the same, wherever their stages stand."""
    table: dict[rows.RowId, rows.Row] = {}
    dialect = ClosedDialect(table.get)
    template = next(templates())
    ids = []
    for place in (3, 4):
        moved = msgspec.structs.replace(template, table_number=place)
        table[moved.row_id] = moved
        group = port_group(11, "p1")
        part = dialect.part(wire.Part("global", False, (moved, group)))
        sent, flows = part.puts
        assert isinstance(sent, rows.Template)
        assert isinstance(flows, rows.FlowGroup)
        assert [flow[0] for flow in msgspec.msgpack.decode(flows.payload)].count(sent.id) == 1
        ids.append((sent.id, part.deletes))
    (first, nothing), (second, deleted) = ids
    assert first != second
    assert nothing == ()
    assert deleted == (("template", str(first)),)
    gone = dialect.part(wire.Part("global", False, (), (template.row_id, ("stage", "x"))))
    assert set(gone.deletes) == {("template", str(first)), ("template", str(second))}


async def test_what_an_older_agent_skipped_comes_after_its_upgrade(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent, tmp_path: Path
) -> None:
    """The server is the same, and would send only what changed since."""
    switch = rows.Datapath("d1", "ls", "web", 1)
    port = rows.PortBinding("p1", "d1", "web-1", 1, "vif")
    await state.write(1, [switch, port])
    kept = cached_rows(server._hub.epoch, state.feed.position, 1, {"datapath:d1": (switch,)})
    cache = RowCache(tmp_path / "rows")
    cache.save(msgspec.structs.replace(kept, tables="fewer"))
    agent = make_agent("hv1", "datapath:d1", cache=cache)
    await agent.synced()
    assert agent.rows == by_id(switch, port)


def test_a_cache_is_of_the_values_too_that_were_understood() -> None:
    """A release may know one kind of datapaths more, with the same tables and fields."""

    class Older(rows.Row, frozen=True, array_like=True, tag="datapath"):
        kind: Literal["ls"]

    class Newer(rows.Row, frozen=True, array_like=True, tag="datapath"):
        kind: Literal["ls", "lr"]

    older, newer = (tables_understood({"datapath": row}) for row in (Older, Newer))
    assert older != newer
    assert older == tables_understood({"datapath": Older})


def test_a_closed_agent_is_not_sent_datapaths_of_kinds_that_it_cannot_read() -> None:
    datapath = rows.Datapath("d1", "ls", "web", 1)
    newer = msgspec.structs.replace(datapath, kind="ts")  # type: ignore[arg-type]
    dialect = ClosedDialect({}.get)
    part = dialect.part(wire.Part("datapath:d1", False, (newer,)))
    assert part == wire.Part("datapath:d1", False, (), (datapath.row_id,))
    said = "datapaths of kind `ts` need an agent that knows them"
    assert dialect.lacks({"datapath:d1"}) == [said]


def test_a_closed_agent_is_not_sent_sets_that_are_named_with_their_project() -> None:
    """Its parser takes no such name, and the ACLs of the whole group would be gone."""
    stage = rows.Stage("ls_in_acl", "ls_in", 0, "next", "drop", "acl")
    acl = rows.Template(
        ACL, "ls_in", "ls_in_acl", 0, "next", "10+{priority:int}", "{match:expr}", "next;", ""
    )
    there: dict[rows.RowId, rows.Row] = {row.row_id: row for row in (stage, acl)}
    flows = [[ACL, 7, "ip4.src == $tenant/web_ip4"], [ACL, 8, "ip4.src == $web_ip4"]]
    group = rows.FlowGroup(1, "d1", "acl", "a", 1, msgspec.msgpack.encode(flows))
    dialect = ClosedDialect(there.get)
    (sent,) = dialect.part(wire.Part("datapath:d1", True, (group,))).puts
    assert isinstance(sent, rows.FlowGroup)
    first, second = msgspec.msgpack.decode(sent.payload)
    assert first[1:] == [7], "dropped at that priority, whatever the match"
    assert second[1:] == [8, "ip4.src == $web_ip4"]
    (said,) = dialect.lacks({"datapath:d1"})
    assert said.endswith("need an agent that knows `project/set`")
    readable = msgspec.structs.replace(group, payload=msgspec.msgpack.encode(flows[1:]))
    dialect.part(wire.Part("datapath:d1", False, (readable,)))
    assert dialect.lacks({"datapath:d1"}) == [], "it is as good as any by now"
    dialect.part(wire.Part("datapath:d1", False, (group,)))
    assert dialect.lacks({"datapath:d1"}) == [said]
    dialect.part(wire.Part("datapath:d1", False, (), (group.row_id,)))
    assert dialect.lacks({"datapath:d1"}) == []
    assert not dialect._lacks, "nothing is kept of what is gone"
