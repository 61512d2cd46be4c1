"""Templates and flows that this agent can't read: what stands in for them, and for nothing else."""

from dataclasses import replace

import msgspec
import pytest

from chassis_agent.compile import StageBook, TemplateShelf, Unreadable, pack_group, read_template
from chassis_agent.compile.template import CompiledTemplate
from chassis_agent.desired.identity import StableNumbers
from chassis_agent.show import Names, format_flow
from logical_flow.holes import Argument
from southbound import rows
from tests.unit.chassis_agent.compile.surroundings import HIT_COUNTER, surroundings

MAC = bytes.fromhex("0a0000000001")
STAGES = (
    rows.Stage("ls_in_guard", "ls_in", 0, "next", "drop", "port-security"),
    rows.Stage("ls_in_dhcp", "ls_in", 1, "next", "next", "a-role-of-tomorrow"),
    rows.Stage("ls_in_lookup", "ls_in", 2, "drop", "drop", "forwarding"),
)
NAMES = Names(
    stages={("ls", 8): "guard", ("ls", 9): "dhcp", ("ls", 10): "lookup"},
    kinds={5: "ls"},
    datapaths={5: "web"},
    ports={(5, 1): "port-1", (5, 2): "port-2"},
)


def template(
    stage: str, match: str, actions: str, *, number: int = 7, priority: str = "100", only: str = ""
) -> rows.Template:
    return rows.Template(
        number, "ls_in", f"ls_in_{stage}", 99, "next", priority, match, actions, only
    )


def packed(
    *flows: tuple[Argument, ...],
    templates: tuple[rows.Template, ...],
    numbers: StableNumbers | None = None,
) -> tuple[list[str], list[str]]:
    """The flows of a group as text, and what is said of those that can't be made."""
    read = {row.id: read_template(row) for row in templates}
    shelf = TemplateShelf(
        {key: each for key, each in read.items() if isinstance(each, CompiledTemplate)},
        StageBook.of(templates, STAGES),
        {key: each for key, each in read.items() if isinstance(each, Unreadable)},
    )
    group = rows.FlowGroup(4, "d", "port", "x", 1, msgspec.msgpack.encode(flows))
    meters = StableNumbers(1, 100) if numbers is None else numbers
    context = replace(
        surroundings(shelf.book),
        rate_meter=lambda description, _rate, _burst: meters.allocate(description),
    )
    result = pack_group(group, shelf, context)
    shown = [format_flow(flow, NAMES).replace(" datapath=web", "") for flow in result.flows]
    return shown, sorted(map(str, result.lacks))


OTHER = template("lookup", "eth.dst == {mac:mac}", "outport = {port:lport}; output;", number=8)
OTHER_FLOW = (
    "table=lookup priority=100,eth_dst=0a:00:00:00:00:01 "
    "actions=set(outport=port-1),resubmit(output)"
)


@pytest.mark.parametrize(
    ("unknown", "arguments", "stands_in", "words"),
    [
        # The match is understood, the actions aren't: exactly these packets.
        (
            template("guard", "inport == {port:lport}", "weigh(eth.src); next;", only="local:port"),
            ("port-1",),
            "table=guard priority=100,inport=port-1 actions=drop",
            "`weigh`",
        ),
        (
            template("dhcp", "ip4.dst == {ip:ip4}", "reg0[1] = put_dhcp_opts({ip:ip4}); next;"),
            (b"\x0a\0\0\1",),
            "table=dhcp priority=100,eth_type=0x800,ip_dst=10.0.0.1 actions=resubmit(lookup)",
            "`put_dhcp_opts`",
        ),
        # A part of the match isn't understood. What keeps packets out goes by the rest,
        # with the arguments that belong to it.
        (
            template(
                "guard",
                "nsh.spi == {spi:int} && eth.src == {mac:mac} && ip4",
                "drop;",
                priority="10+{add:int}",
            ),
            (5, 9, MAC),
            "table=guard priority=15,eth_src=0a:00:00:00:00:01,eth_type=0x800 actions=drop",
            "`nsh.spi`",
        ),
        (
            template("guard", "nsh.spi == 3 || ip4", "next;"),
            (),
            "table=guard priority=100 actions=drop",
            "`nsh.spi`",
        ),
        (
            template("lookup", "eth.dst == {wide:eui64}", "output;"),
            (b"12345678",),
            "table=lookup priority=100 actions=drop",
            "`{eui64}`",
        ),
        # Where packets go on, lower flows decide.
        (template("dhcp", "nsh.spi == 3 && ip4", "drop;"), (), None, "`nsh.spi`"),
    ],
)
def test_an_unknown_template_takes_what_its_stage_declares_alone(
    unknown: rows.Template, arguments: tuple[Argument, ...], stands_in: str | None, words: str
) -> None:
    flows, lacks = packed((7, *arguments), (8, MAC, "port-1"), templates=(unknown, OTHER))
    assert flows == [each for each in (stands_in, OTHER_FLOW) if each is not None]
    assert lacks == [f"flows of template {unknown.stage} 0x7 need an agent that knows {words}"]


@pytest.mark.parametrize(
    ("stage", "stands_in"),
    [("guard", ["table=guard priority=101,eth_type=0x800 actions=drop"]), ("dhcp", [])],
)
def test_a_match_in_an_argument_that_is_not_understood_costs_its_flow_alone(
    stage: str, stands_in: list[str]
) -> None:
    acl = template(stage, "ip4 && {match:expr}", "next;", priority="1+{priority:int}")
    flows, lacks = packed(
        (7, 100, "nsh.spi == 3"), (7, 50, "tcp"), (8, MAC, "port-1"), templates=(acl, OTHER)
    )
    assert flows[: len(stands_in)] == stands_in
    assert len(flows) == len(stands_in) + 2
    assert lacks == [f"flows of template ls_in_{stage} 0x7 need an agent that knows `nsh.spi`"]


def test_arguments_that_fit_nothing_close_a_stage_that_keeps_packets_out() -> None:
    flows, lacks = packed((7,), templates=(template("guard", "eth.src == {mac:mac}", "next;"),))
    assert flows == ["table=guard priority=100 actions=drop"]
    assert "can't be made" in lacks[0]


def test_a_flow_for_whose_meter_no_number_is_left_costs_no_other_flow() -> None:
    limit = template("guard", "eth.src == {mac:mac}", "set_meter(100, 10); next;")
    other = bytes.fromhex("0a0000000002")
    flows, lacks = packed(
        *((7, MAC), (7, other), (8, MAC, "port-1")),
        templates=(limit, OTHER),
        numbers=StableNumbers(1, 1),
    )
    assert "meter" in flows[0]
    assert flows[1:] == [
        "table=guard priority=100,eth_src=0a:00:00:00:00:02 actions=drop",
        OTHER_FLOW,
    ]
    assert "all 1 numbers" in lacks[0]


def test_a_template_whose_stage_is_unknown_goes_by_its_own_default() -> None:
    old = rows.Template(7, "ls_in", "ls_in_old", 3, "drop", "100", "1", "weigh();", "")
    flows, _ = packed((7,), templates=(old,))
    assert flows == ["table=ingress_3 priority=100 actions=drop"]


@pytest.mark.parametrize(
    ("stage", "stands_in"),
    [
        (
            "acl_eval_0",
            [f"table=ingress_3 priority=100,eth_type=0x800 actions=group({HIT_COUNTER})"],
        ),
        ("port_sec_ip", ["table=ingress_3 priority=100,eth_type=0x800 actions=drop"]),
        ("dhcp", []),
    ],
)
def test_stages_that_no_row_tells_are_closed_by_their_names(
    stage: str, stands_in: list[str]
) -> None:
    """Servers of 0.1.0 tell stages with their templates alone."""
    told = template(stage, "nsh.spi == 3 && ip4", "next;")
    guard = msgspec.structs.replace(told, table_number=3)
    flows, lacks = packed((7,), templates=(guard,))
    assert flows == stands_in
    assert "`nsh.spi`" in lacks[0]


def test_stages_stand_where_their_rows_say() -> None:
    book = StageBook.of([template("guard", "1", "next;"), OTHER], STAGES)
    assert [book.named(row.name).number for row in STAGES] == [0, 1, 2]
    assert StageBook.of([OTHER]).named("ls_in_lookup").number == 99
