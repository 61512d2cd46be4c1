"""From one template and arguments to flows, shown by name."""

from unittest.mock import Mock

import msgspec
import pytest

from chassis_agent.compile import (
    BadArgumentsError,
    BadTemplateError,
    PackContext,
    StageBook,
    TemplateShelf,
    UnknownPortError,
    compile_template,
    pack_group,
)
from chassis_agent.compile.template import _specialised_body
from chassis_agent.show import Names, format_flow
from logical_flow.holes import Argument
from logical_flow.normalise import normalise
from logical_flow.payload import encode_flows
from logical_flow.template import Template, TemplateText
from southbound import rows
from tests.unit.chassis_agent.compile.surroundings import cidr, surroundings

STAGES = ["admission", "acl", "routing", "lookup", "action", "last"]
NAMES = Names(
    stages={("ls", 8 + n): f"ls_in_{name}" for n, name in enumerate(STAGES)}
    | {("lr", 8 + n): f"lr_in_{name}" for n, name in enumerate(STAGES)}
    | {("ls", 88): "ls_out_only"},
    kinds={5: "ls", 6: "lr"},
    datapaths={5: "web", 6: "core"},
    ports={(5, 1): "port-1", (5, 2): "port-2", (5, 3): "port-elsewhere"},
    conjunctions={99: "c"},
)
MAC = bytes.fromhex("0a0000000001")


def row(
    match: str,
    actions: str,
    *,
    pipeline: str = "ls_in",
    stage: str = "acl",
    priority: str = "100",
    only: str = "",
) -> rows.Template:
    number = 0 if pipeline.endswith("_out") else STAGES.index(stage)
    text = TemplateText(
        7, pipeline, f"{pipeline}_{stage}", number, "next", priority, match, actions, only
    )
    return rows.Template(*text)


BOOK = StageBook.of(
    [
        *(row("1", "next;", pipeline=p, stage=s) for p in ("ls_in", "lr_in") for s in STAGES),
        row("1", "next;", pipeline="ls_out", stage="only"),
    ]
)


def around(kind: str = "ls", used: str = "admission acl routing lookup action last") -> PackContext:
    stages = [BOOK.named(f"{kind}_in_{name}") for name in used.split()]
    return surroundings(BOOK, kind=kind, datapath_key=5 if kind == "ls" else 6, used=stages)


def flows(
    template: rows.Template, *arguments: Argument, context: PackContext | None = None
) -> list[str]:
    packed = compile_template(template).pack(arguments, context or around(template.pipeline[:2]), 1)
    return [format_flow(flow, NAMES) for flow in packed]


def test_arguments_go_into_match_and_actions() -> None:
    unicast = row("eth.dst == {mac:mac}", "outport = {port:lport}; output;", stage="lookup")
    assert flows(unicast, MAC, "port-1") == [
        (
            "table=ls_in_lookup priority=100 datapath=web,eth_dst=0a:00:00:00:00:01 "
            "actions=set(outport=port-1),resubmit(output)"
        )
    ]


def test_a_priority_may_be_an_argument() -> None:
    route = row("ip4.dst == {net:cidr4}", "next;", priority="10+2*{plen:int}")
    (text,) = flows(route, 24, cidr(b"\x0a\x00\x00\x00", 24))
    assert "priority=58 " in text
    assert "ip_dst=10.0.0.0/24" in text


def test_a_priority_out_of_range_is_refused() -> None:
    with pytest.raises(BadArgumentsError, match="priority 65536 is out of range"):
        flows(row("1", "drop;", priority="1+{n:int}"), 65535)


@pytest.mark.parametrize(
    ("length", "shown"), [(32, ",ip_dst=10.0.0.0"), (8, ",ip_dst=10.0.0.0/8"), (0, "")]
)
def test_full_masks_and_empty_ones_leave_no_mask(length: int, shown: str) -> None:
    route = row("ip4.dst == {net:cidr4}", "drop;")
    assert flows(route, cidr(b"\x0a\x00\x00\x00", length)) == [
        f"table=ls_in_acl priority=100 datapath=web,eth_type=0x800{shown} actions=drop"
    ]


def test_masked_arguments_in_wide_registers() -> None:
    wide = row("xxreg0 == {net:cidr6}", "drop;")
    assert flows(wide, cidr(bytes.fromhex("fd00" + 28 * "0"), 48)) == [
        "table=ls_in_acl priority=100 datapath=web,reg0=4244635648,reg1=0x0/0xffff0000 actions=drop"
    ]


def test_host_bits_of_a_network_do_not_matter() -> None:
    route = row("ip4.dst == {net:cidr4}", "drop;")
    assert flows(route, cidr(b"\x0a\x01\x02\x03", 8)) == flows(route, cidr(b"\x0a\x00\x00\x00", 8))


def test_bits_of_a_register_beside_constants() -> None:
    bits = row("reg0[0..3] == {n:int} && reg0[8] == 1 && reg1 == 7", "reg2[4..7] = {n:int};")
    assert flows(bits, 5) == [
        (
            "table=ls_in_acl priority=100 datapath=web,reg0=0x105/0x10f,reg1=7 "
            "actions=set(reg2[4..7]=0x5)"
        )
    ]
    with pytest.raises(BadArgumentsError, match="16 does not fit 4 bits of reg"):
        flows(bits, 16)


def test_next_leads_to_the_next_stage_that_is_used() -> None:
    template = row("1", "next;")
    all_used, sparse, last = (
        flows(template, context=around(used=used))[0].partition("actions=")[2]
        for used in ("acl routing lookup", "acl action", "admission acl")
    )
    assert (all_used, sparse, last) == (
        "resubmit(ls_in_routing)",
        "resubmit(ls_in_action)",
        "resubmit(nowhere)",
    )


def test_jumps_lead_to_a_named_stage_or_the_first_used_one_after_it() -> None:
    template = row("1", "next(ls_in_lookup);")
    assert flows(template, context=around(used="acl last"))[0].endswith("resubmit(ls_in_last)")
    with pytest.raises(BadTemplateError, match="ls_in_nowhere"):
        flows(row("1", "next(ls_in_nowhere);"))


def test_an_unknown_port_is_named() -> None:
    with pytest.raises(UnknownPortError, match="'port-9'"):
        flows(row("1", "outport = {port:lport}; output;"), "port-9")


def test_a_flow_for_another_chassis_is_left_out() -> None:
    admission = row("inport == {port:lport}", "next;", only="local:port")
    assert flows(admission, "port-elsewhere") == []
    assert len(flows(admission, "port-1")) == 1


def test_an_alternative_is_a_flow_each() -> None:
    template = row("ip4 && tcp.dst == {80, 443}", "drop;")
    assert [text.partition(",ip_proto=6,")[2] for text in flows(template)] == [
        "tcp_dst=80 actions=drop",
        "tcp_dst=443 actions=drop",
    ]


def test_a_set_is_a_flow_a_member_of_the_fields_family() -> None:
    template = row("ip4.src == {set:set}", "drop;")
    assert flows(template, "$addresses") == [
        "table=ls_in_acl priority=100 datapath=web,eth_type=0x800,ip_src=10.0.0.1 actions=drop",
        "table=ls_in_acl priority=100 datapath=web,eth_type=0x800,ip_src=10.1.0.0/16 actions=drop",
    ]
    assert flows(template, "$nothing") == []


def test_a_port_group_is_its_local_ports_where_only_those_can_be() -> None:
    inport, outport = (
        [
            text.partition(f"datapath=web,{field}=")[2]
            for text in flows(row(f"{field} == @ports", "drop;"))
        ]
        for field in ("inport", "outport")
    )
    assert inport == ["port-1 actions=drop", "port-2 actions=drop"]
    assert outport == [f"{name} actions=drop" for name in ("port-1", "port-2", "port-elsewhere")]


def test_two_sets_are_a_conjunction() -> None:
    template = row("{match:expr}", "drop;")
    prefix = "table=ls_in_acl priority=100 datapath=web,"
    packed = flows(template, "inport == @ports && ip4.src == $addresses && tcp")
    assert [text.removeprefix(prefix) for text in packed] == [
        "inport=port-1,eth_type=0x800,ip_proto=6 actions=conjunction(c,1/2)",
        "inport=port-2,eth_type=0x800,ip_proto=6 actions=conjunction(c,1/2)",
        "eth_type=0x800,ip_src=10.0.0.1,ip_proto=6 actions=conjunction(c,2/2)",
        "eth_type=0x800,ip_src=10.1.0.0/16,ip_proto=6 actions=conjunction(c,2/2)",
        "conj_id=c,eth_type=0x800,ip_proto=6 actions=drop",
    ]


ALIKE = [
    "inport == @ports && ip4.src == $addresses && tcp",
    "inport == @none && ip4.src == $networks && tcp",
    "inport == @none && ip4.src == $addresses && tcp",
]


def test_texts_that_are_alike_but_for_their_sets_are_compiled_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = row("{match:expr}", "drop;")
    members = {
        "@ports": ["port-1"],
        "@none": [],
        "$addresses": ["10.0.0.1"],
        "$networks": ["10.1.0.0/16", "10.2.0.0/16"],
    }
    context = surroundings(BOOK, members=members)
    alone = []
    for text in ALIKE:
        _specialised_body.cache_clear()
        alone.append(compile_template(template).pack((text,), context, 1))
    _specialised_body.cache_clear()
    counted = Mock(wraps=normalise)
    monkeypatch.setattr("chassis_agent.compile.template.normalise", counted)
    compiled = compile_template(template)
    assert [compiled.pack((text,), context, 1) for text in ALIKE] == alone
    assert counted.call_count == 1
    assert len({tuple(flows) for flows in alone}) == len(ALIKE)


@pytest.mark.parametrize(
    ("actions", "shown"),
    [
        ("drop;", "drop"),
        ("outport = inport; flags.loopback = 1; output;",
         "move(inport->outport),set(flags[0]=0x1),resubmit(output)"),
        ('outport = "_MC_flood"; output;', "set(outport=_MC_flood),resubmit(output)"),
        ("eth.src <-> eth.dst;", "push(eth_src),push(eth_dst),pop(eth_src),pop(eth_dst)"),
        ("ip.ttl--; next;", "dec_ttl,resubmit(ls_in_routing)"),
        ("ct_next;", "ct(zone=port_zone[0..15],table=ls_in_routing)"),
        ("ct_commit { ct_mark.blocked = 1; };",
         "ct(commit,zone=port_zone[0..15],exec(set(ct_mark[0]=0x1)))"),
        ("ct_commit; next;", "ct(commit,zone=port_zone[0..15]),resubmit(ls_in_routing)"),
        ("clone { reg0 = 1; output; }; next;",
         "clone(set(reg0=1),resubmit(output)),resubmit(ls_in_routing)"),
        ("put_fdb(inport, eth.src); next;",
         "clone(resubmit(punt_share),meter(put_fdb),punt(put_fdb)),resubmit(ls_in_routing)"),
        ("reg0[11] = lookup_fdb(inport, eth.src); next;",
         "set(flags[30]=0x0),resubmit(fdb_lookup),move(flags[30]->reg0[11]),resubmit(ls_in_routing)"),
        ("outport = get_fdb(eth.dst); next;",
         "set(outport=0),resubmit(fdb_get),resubmit(ls_in_routing)"),
        ('log(name="a", severity=info, verdict=drop);',
         "clone(resubmit(log_share),meter(log),punt(log,name=a,severity=info,verdict=drop))"),
        ("nd_na { nd.tll = eth.src; output; };",
         "clone(resubmit(punt_share),meter(nd_na),punt(nd_na,move(eth_src->nd_tll),resubmit(output)))"),
    ],
)  # fmt: skip
def test_actions(actions: str, shown: str) -> None:
    assert flows(row("1", actions))[0].partition("actions=")[2] == shown


def test_routers_track_in_their_own_zone() -> None:
    (text, _) = flows(row("1", "ct_next;", pipeline="lr_in"))
    assert text.endswith("actions=ct(zone=dnat_zone[0..15],table=lr_in_routing)")


@pytest.mark.parametrize(
    ("actions", "shown"),
    [
        ("ct_next(snat);", "ct(zone=snat_zone[0..15],table=lr_in_routing)"),
        ("ct_commit(snat); next;", "ct(commit,zone=snat_zone[0..15]),resubmit(lr_in_routing)"),
        ("ct_snat;", "ct(zone=snat_zone[0..15],table=lr_in_routing,nat)"),
        ("ct_dnat;", "ct(zone=dnat_zone[0..15],table=lr_in_routing,nat)"),
        ("ct_dnat(zone=snat);", "ct(zone=snat_zone[0..15],table=lr_in_routing,nat)"),
        ("ct_dnat(10.0.0.5, 80);",
         "ct(commit,zone=dnat_zone[0..15],table=lr_in_routing,nat(dst=10.0.0.5:80))"),
        ("ct_snat(10.0.0.5..10.0.0.9, 1024..2047);",
         "ct(commit,zone=snat_zone[0..15],table=lr_in_routing,nat(src=10.0.0.5-10.0.0.9:1024-2047))"),
        ("ct_snat(fd00::5, zone=dnat);",
         "ct(commit,zone=dnat_zone[0..15],table=lr_in_routing,nat(src=fd00::5))"),
    ],
)  # fmt: skip
def test_actions_of_routers_name_their_zone(actions: str, shown: str) -> None:
    assert flows(row("ip", actions, pipeline="lr_in"))[0].partition("actions=")[2] == shown


def test_addresses_and_ports_of_translations_may_be_arguments() -> None:
    template = row("1", "ct_dnat({a:ip4}..{b:ip4}, {p:int});", pipeline="lr_in")
    first, last = b"\x0a\0\0\1", b"\x0a\0\0\2"
    (text,) = flows(template, first, last, 8080)
    assert text.endswith("nat(dst=10.0.0.1-10.0.0.2:8080))")
    for arguments in ((first, last, 70000), (first, 7, 80), (first, b"\x0a", 80)):
        with pytest.raises(BadArgumentsError, match="does not fit"):
            flows(template, *arguments)


@pytest.mark.parametrize(
    ("pipeline", "actions"),
    [("ls_in", "ct_next(dnat);"), ("ls_in", "ct_snat(zone=snat);"), ("lr_in", "ct_next(port);")],
)
def test_a_zone_that_a_datapath_does_not_have_is_refused(pipeline: str, actions: str) -> None:
    with pytest.raises(BadTemplateError, match="has no conntrack zone"):
        flows(row("1", actions, pipeline=pipeline))


def test_lookups_get_their_arguments_and_put_back_what_was_there() -> None:
    template = row("1", "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); next;", pipeline="lr_in")
    assert flows(template)[0].partition("actions=")[2] == (
        "push(reg0),push(eth_src),push(arp_spa),push(arp_sha),pop(eth_src),pop(reg0),"
        "set(flags[30]=0x0),resubmit(arp_lookup),pop(eth_src),pop(reg0),"
        "move(flags[30]->reg9[2]),resubmit(lr_in_routing)"
    )


def test_egress_output_leaves_the_pipeline() -> None:
    template = row("outport == {port:lport}", "output;", pipeline="ls_out", stage="only")
    assert flows(template, "port-1") == [
        (
            "table=ls_out_only priority=100 datapath=web,outport=port-1 "
            "actions=resubmit(logical_to_physical)"
        )
    ]


def shelf(template: rows.Template) -> TemplateShelf:
    return TemplateShelf({7: compile_template(template)}, BOOK)


@pytest.mark.parametrize("arguments", [(b"short", "port-1"), (7, "port-1"), (MAC, 7), (MAC,)])
def test_arguments_of_the_wrong_kind_cost_their_flow_alone(
    arguments: tuple[Argument, ...],
) -> None:
    template = row("eth.dst == {mac:mac}", "outport = {port:lport}; output;")
    payload = _payload((7, *arguments), (7, MAC, "port-1"))
    group = rows.FlowGroup(4, "d", "port", "x", 1, payload)
    packed = pack_group(group, shelf(template), around())
    good = compile_template(template).pack((MAC, "port-1"), around(), 4)
    assert packed.flows[-1:] == good
    (lack,) = packed.lacks
    assert "ls_in_acl 0x7" in str(lack)
    assert "can't be made" in str(lack)


@pytest.mark.parametrize("payload", [b"", b"\xc1"])
def test_payloads_that_are_none_are_refused(payload: bytes) -> None:
    group = rows.FlowGroup(4, "d", "port", "x", 1, payload)
    with pytest.raises(BadArgumentsError):
        pack_group(group, TemplateShelf({}, BOOK), around())


@pytest.mark.parametrize("payload", [b"\x91\x90", b"\x91\x91\xa1x", b"\x91\x91\x09"])
def test_flows_of_no_known_template_are_left_out(payload: bytes) -> None:
    group = rows.FlowGroup(4, "d", "port", "x", 1, payload)
    packed = pack_group(group, TemplateShelf({}, BOOK), around())
    assert packed.flows == []
    assert len(packed.lacks) == 1


def test_a_group_waits_for_the_ports_that_its_flows_name() -> None:
    text = TemplateText(
        7,
        "ls_in",
        "ls_in_lookup",
        3,
        "next",
        "50",
        "eth.dst == {mac:mac}",
        "outport = {port:lport}; output;",
        "",
    )
    template = Template.from_text(text)
    payload = encode_flows(template(mac=MAC, port=port) for port in ("port-1", "port-9"))
    group = rows.FlowGroup(4, "d", "port", "x", 1, payload)
    packed = pack_group(group, shelf(rows.Template(*text)), around())
    assert [flow.cookie for flow in packed.flows] == [4]
    assert packed.waiting_for == {"port-9"}


def test_text_that_is_no_template_is_refused() -> None:
    with pytest.raises(BadTemplateError, match="template 0x7 of stage ls_in_acl"):
        compile_template(row("ip4.src == ", "drop;"))


def _payload(*flows: tuple[object, ...]) -> bytes:
    return msgspec.msgpack.encode(flows)
