"""``select``: its members as text and as an argument, and walks that meet one."""

from typing import NamedTuple

import pytest

from logical_flow.action import Member, Select, decode_members, encode_members
from logical_flow.action.selection import MAX_MEMBERS, NOT_KNOWN_WHICH
from logical_flow.action_parser import parse_actions
from logical_flow.errors import LogicalFlowError, TemplateError
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.holes import HoleType
from logical_flow.template import LogicalFlow, Pipeline, Stage, Template, TemplateText
from logical_flow.walk import Walk, walk
from logical_flow.walk_network import Network
from tests.unit.logical_flow.test_actions import DATAPATH


class Port(NamedTuple):
    name: str
    datapath: str
    joins_datapaths: bool = False
    peer: str = ""
    distributed_port: str = ""
    multicast: tuple[str, ...] = ()
    virtual_parents: tuple[str, ...] = ()
    virtual_parent: str = ""


class Choice(Stage, name="ls_in_choice", default="drop"):
    """Which way to take."""

    choose = Template(1, "ip4", "reg0[0..15] = select({ways:weights});")


class Way(Stage, name="ls_in_way", default="drop"):
    """Where the way leads to."""

    way = Template(1, "reg0[0..15] == {way:int}", "outport = {port:lport}; output;")


class Delivery(Stage, name="ls_out_delivery", default="drop"):
    """What reaches a port."""

    deliver = Template(1, "1", "output;")


LS_IN = Pipeline("ls_in", kind="ls", direction="ingress", stages=[Choice, Way])
LS_OUT = Pipeline("ls_out", kind="ls", direction="egress", stages=[Delivery])


def walked(*flows: LogicalFlow) -> Walk:
    network = Network(
        datapaths=[DATAPATH],
        ports=[Port(name, DATAPATH.id) for name in ("a", "b", "c")],
        layout=Layout([*LS_IN.templates, *LS_OUT.templates]),
        flows={DATAPATH.id: FlowTable([Entry(flow) for flow in (*flows, Delivery.deliver())])},
    )
    return walk(network, {"inport": "a", "eth.type": 0x800})


def choose(*numbers: int) -> LogicalFlow:
    return Choice.choose(ways=encode_members([Member(number) for number in numbers]))


def test_a_choice_that_makes_no_difference_is_followed() -> None:
    result = walked(choose(1, 2), Way.way(way=1, port="b"), Way.way(way=2, port="b"))
    assert [delivery.port for delivery in result.deliveries] == ["b"]


def test_a_choice_that_makes_a_difference_is_not_known() -> None:
    result = walked(choose(1, 2), Way.way(way=1, port="b"), Way.way(way=2, port="c"))
    (drop,) = result.drops
    assert (drop.reason, drop.certain) == (NOT_KNOWN_WHICH, False)
    assert result.deliveries == []


def test_the_only_member_is_chosen() -> None:
    result = walked(choose(2), Way.way(way=1, port="b"), Way.way(way=2, port="c"))
    assert [delivery.port for delivery in result.deliveries] == ["c"]


def test_the_argument_has_members_in_order() -> None:
    members = [Member(7, 2), Member(3, 1)]
    assert encode_members(members) == bytes.fromhex("0003 0001 0007 0002")
    assert decode_members(encode_members(members)) == tuple(sorted(members))
    assert HoleType.WEIGHTS.accepts(encode_members(members))
    assert not HoleType.WEIGHTS.accepts(b"")
    (action,) = Choice.choose.actions
    assert isinstance(action, Select)
    assert str(action) == "reg0[0..15] = select({ways:weights});"
    assert str(action.bind({"ways": encode_members(members)})) == (
        "reg0[0..15] = select(3=1, 7=2);"
    )


def test_the_fields_that_count_fill_a_hole() -> None:
    text = "reg0[0..15] = select({ways:weights}, hash_fields={by:bytes});"
    (action,) = parse_actions(text, with_holes=True)
    assert isinstance(action, Select)
    assert str(action) == text
    ways = encode_members([Member(3), Member(7)])
    bound = action.bind({"ways": ways, "by": b"ip_src,tp_src"})
    assert str(bound) == 'reg0[0..15] = select(3=1, 7=1, hash_fields="ip_src,tp_src");'
    assert parse_actions(str(bound)) == (bound,)
    for bad in (b"vlan", "ip_src", b""):
        with pytest.raises(TemplateError):
            action.bind({"ways": ways, "by": bad})


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        pytest.param(b"\0\1\0", "does not fit", id="cut short"),
        pytest.param("1=1", "does not fit", id="text"),
        pytest.param(b"", "not 0", id="none"),
        pytest.param(bytes.fromhex("0001 0001 0001 0002"), "twice", id="twice"),
        pytest.param(bytes.fromhex("0001 0000"), "1=0 is no member", id="no weight"),
        pytest.param(bytes.fromhex("0001 0001") * 257, "not 257", id="too many"),
    ],
)
def test_arguments_that_nothing_can_be_chosen_from_are_refused(
    argument: object, problem: str
) -> None:
    with pytest.raises(TemplateError, match=problem):
        decode_members(argument)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reg0 = select();", "expecting integer"),
        ("reg0 = select(1, 1);", "twice"),
        ("reg0 = select(1=0);", "no member"),
        ("reg0[0..1] = select(4);", "does not fit"),
        ("outport = select(1);", "integer field"),
        ("reg0 = select(1); next;", "follow"),
        ('reg0 = select(1, hash_fields="vlan");', "'vlan' is none of"),
        ('reg0 = select(1, hash_fields="");', "'' is none of"),
        ('reg0 = select(1, hash_fields="ip_src", 2);', "expecting"),
        ('reg0 = select(hash_fields="ip_src");', "expecting integer"),
        ("ip.proto = select(1);", "not modifiable"),
    ],
)
def test_texts_that_make_no_sense_are_refused(text: str, problem: str) -> None:
    with pytest.raises(LogicalFlowError, match=problem):
        parse_actions(text)


def test_a_field_that_is_too_narrow_for_a_hole_is_refused() -> None:
    text = TemplateText(
        1, "ls_in", "s", 0, "drop", "1", "1", "reg0[0..7] = select({w:weights});", ""
    )
    with pytest.raises(LogicalFlowError, match="too narrow"):
        Template.from_text(text)


def test_too_many_members_are_refused() -> None:
    with pytest.raises(TemplateError, match="members"):
        encode_members([Member(number) for number in range(MAX_MEMBERS + 1)])
