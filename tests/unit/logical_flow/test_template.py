"""Templates: declared in stages, placed by pipelines, called, and carried elsewhere."""

import msgspec
import pytest

from logical_flow.because import Because, EndKind
from logical_flow.errors import LanguageError, TemplateError
from logical_flow.payload import decode_flows, decode_packed, encode_flows
from logical_flow.template import (
    Local,
    LogicalFlow,
    Pipeline,
    Priority,
    Resident,
    Stage,
    Template,
    TemplateText,
    check_ids,
)


class Lookup(Stage, name="ls_in_lookup", default="drop"):
    """Where to."""

    flood = Template(70, "eth.mcast", 'outport = "_MC_flood"; output;')
    unicast = Template(50, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")
    masked = Template(40, "ip4.dst == {net:cidr4} && ip6.dst == {net6:cidr6}", "drop;")


class Acl(Stage, name="ls_in_acl"):
    """Who may."""

    rule = Template(
        Priority(1000, "priority", scale=2),
        "inport == {port:lport} && {match:expr}",
        "log(name={log_name:bytes}, severity={severity:int}, verdict={verdict:int}, "
        "meter={meter:meter}); reg0 = {gateway:ip4}; next;",
    )
    gateway = Template(5, "1", "outport = {port:lport}; output;", only=Resident("port"))
    set_member = Template(6, "ip4.src == {members:set}", "next(ls_in_lookup);")


LS_IN = Pipeline("ls_in", kind="ls", direction="ingress", stages=[Acl, Lookup])
MAC = bytes([0x0A, 0, 0, 0, 0, 1])


def test_a_flow_reads_as_operators_expect() -> None:
    assert str(Lookup.unicast(mac=MAC, port="web-1")) == (
        "table=1(ls_in_lookup), priority=50, match=(eth.dst == 0a:00:00:00:00:01), "
        'action=(outport = "web-1"; output;)'
    )


def test_arguments_read_as_they_would_be_written() -> None:
    flow = Acl.rule(
        priority=7,
        port="a",
        match="tcp.dst == 80 || ip4.src == $web",
        log_name="né".encode(),
        severity=3,
        verdict=1,
        meter="slow",
        gateway=bytes([10, 0, 0, 1]),
    )
    flow.check()
    assert str(flow) == (
        "table=0(ls_in_acl), priority=1014, "
        'match=(inport == "a" && (tcp.dst == 80 || ip4.src == $web)), '
        'action=(log(name="né", severity=info, verdict=drop, meter="slow"); '
        "reg0 = 10.0.0.1; next;)"
    )


def test_masks_read_as_prefixes_and_full_ones_not_at_all() -> None:
    flow = Lookup.masked(
        net=bytes([10, 1, 0, 0, 255, 255, 0, 0]), net6=bytes(15) + b"\x01" + b"\xff" * 16
    )
    assert str(flow.match) == "ip4.dst == 10.1.0.0/16 && ip6.dst == ::1"


def test_declaration_order_is_table_order() -> None:
    assert LS_IN.tables == {"ls_in_acl": 0, "ls_in_lookup": 1}
    assert [template.table_number for template in LS_IN.templates] == [0, 0, 0, 1, 1, 1]
    assert Lookup.unicast.name == "unicast"


def test_where_a_flow_belongs_is_read_off_the_pinned_port() -> None:
    assert Acl.rule.only == Local("port")
    assert Acl.gateway.only == Resident("port")
    assert Lookup.unicast.only is None


@pytest.mark.parametrize("template", LS_IN.templates, ids=repr)
def test_a_template_survives_its_journey(template: Template) -> None:
    rebuilt = Template.from_text(template.as_text())
    assert rebuilt.as_text() == template.as_text()
    assert rebuilt.match == template.match
    assert rebuilt.actions == template.actions
    assert rebuilt.arguments == template.arguments


def test_the_id_is_the_content() -> None:
    class Same(Stage, name="ls_in_lookup", default="drop"):
        """The same stage at the same place."""

        unicast = Template(50, "eth.dst=={mac:mac}", "outport={port:lport};output;")
        other = Template(51, "eth.dst == {mac:mac}", "outport = {port:lport}; output;")

    class First(Stage, name="ls_in_acl"):
        """Takes the first table."""

    Pipeline("ls_in", kind="ls", direction="ingress", stages=[First, Same])
    assert Same.unicast.id == Lookup.unicast.id
    assert Same.other.id != Lookup.unicast.id


@pytest.mark.parametrize(
    "arguments",
    [{}, {"mac": MAC}, {"mac": MAC, "prot": "a"}, {"mac": MAC, "port": "a", "more": 1}],
)
def test_a_call_needs_exactly_the_holes(arguments: dict[str, bytes | str | int]) -> None:
    with pytest.raises(TemplateError, match=r"takes arguments \(mac, port\)"):
        Lookup.unicast(**arguments)


@pytest.mark.parametrize(
    "args",
    [(), (MAC,), (MAC, 1), (b"short", "a"), ("text", "a"), (MAC, "a", "b")],
)
def test_arguments_of_the_wrong_kind_are_found(args: tuple[bytes | str | int, ...]) -> None:
    with pytest.raises(TemplateError):
        LogicalFlow(Lookup.unicast, args).check()


@pytest.mark.parametrize("value", ["$", "web", ""])
def test_a_set_needs_its_sigil(value: str) -> None:
    with pytest.raises(TemplateError):
        Acl.set_member(members=value).check()


def test_priorities_have_a_range() -> None:
    high = Acl.rule.arguments
    assert high[0].name == "priority"
    flow = Acl.rule(
        priority=40000,
        port="a",
        match="ip4",
        log_name=b"",
        severity=0,
        verdict=0,
        meter="",
        gateway=bytes(4),
    )
    with pytest.raises(TemplateError, match="out of range"):
        flow.check()


def test_a_hole_has_one_type() -> None:
    with pytest.raises(TemplateError, match="hole x is"):
        Template(1, "eth.dst == {x:mac}", "outport = {x:lport}; output;")


def test_text_is_checked_when_a_template_is_made() -> None:
    with pytest.raises(LanguageError):
        Template(1, "eth.dst == ", "next;")
    with pytest.raises(LanguageError):
        Template(1, "1", "next")


def test_where_a_flow_belongs_must_be_a_port() -> None:
    with pytest.raises(TemplateError, match="names no hole of type lport"):
        Template(1, "eth.dst == {mac:mac}", "next;", only=Local("mac"))


def test_jumps_go_forward() -> None:
    class First(Stage, name="ls_in_first"):
        """May jump to itself."""

        again = Template(1, "reg0[0]", "reg0[0] = 0; next(ls_in_first);")

    class Back(Stage, name="ls_in_back"):
        """Jumps to the stage before."""

        jump = Template(1, "1", "next(ls_in_first);")

    with pytest.raises(TemplateError, match="jumps back to ls_in_first"):
        Pipeline("ls_in", kind="ls", direction="ingress", stages=[First, Back])


def test_jumps_stay_in_the_datapath() -> None:
    class Away(Stage, name="ls_in_away"):
        """Jumps into a router."""

        jump = Template(1, "1", "next(lr_in_route);")

    with pytest.raises(TemplateError, match="jumps to unknown stage lr_in_route"):
        Pipeline("ls_in", kind="ls", direction="ingress", stages=[Away])


def test_the_output_port_is_settled_in_egress() -> None:
    class Change(Stage, name="ls_out_change"):
        """Sends elsewhere."""

        change = Template(1, "1", "outport = inport; next;")

    class Refuse(Stage, name="ls_out_refuse"):
        """What it makes may go elsewhere."""

        refuse = Template(1, "ip", "reject { outport <-> inport; next(ls_in_lookup); };")

    with pytest.raises(TemplateError, match="sets outport in an egress pipeline"):
        Pipeline("ls_out", kind="ls", direction="egress", stages=[Change])
    Pipeline("ls_out", kind="ls", direction="egress", stages=[Refuse])


def test_a_stage_stands_in_one_pipeline_once() -> None:
    with pytest.raises(TemplateError, match="twice"):
        Pipeline("ls_in", kind="ls", direction="ingress", stages=[Acl, Acl])
    with pytest.raises(TemplateError, match="two pipelines"):
        Pipeline("ls_out", kind="ls", direction="egress", stages=[Lookup])


BY_ID = {template.id: template for template in LS_IN.templates}


def test_payloads_are_canonical() -> None:
    one, two = Lookup.flood(), Lookup.unicast(mac=MAC, port="a")
    assert encode_flows([one, two, one]) == encode_flows([two, one])
    assert set(decode_flows(encode_flows([one, two]), BY_ID)) == {one, two}


@pytest.mark.parametrize(
    ("flows", "message"),
    [
        ([[1]], "no template has id 0x1"),
        ([[]], "not a flow"),
        ([["a"]], "not a flow"),
        ([[Lookup.unicast.id, MAC]], "takes 2 arguments"),
    ],
)
def test_payloads_that_make_no_sense_are_refused(flows: list[list[object]], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        decode_flows(msgspec.msgpack.encode(flows), BY_ID)


@pytest.mark.parametrize("payload", [b"", b"\xc1", b"\x01", b"\x91\x01"])
def test_bytes_that_are_no_payload_are_refused(payload: bytes) -> None:
    with pytest.raises(TemplateError, match="not a list of flows"):
        decode_packed(payload)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "high"),
        ("priority", "1+{x:mac}"),
        ("only", "nowhere:port"),
        ("stage_default", "maybe"),
    ],
)
def test_template_text_that_makes_no_sense_is_refused(field: str, value: str) -> None:
    text: TemplateText = Lookup.unicast.as_text()._replace(**{field: value})
    with pytest.raises(TemplateError):
        Template.from_text(text)


def test_a_reason_is_no_part_of_what_a_template_is() -> None:
    """Agents don't need it, and a better word for it rewrites no flow."""

    class Plain(Stage, name="ls_in_plain"):
        drop = Template(1, "ip4", "drop;")

    class Explained(Stage, name="ls_in_plain"):
        drop = Template(1, "ip4", "drop;", because=Because(EndKind.ADMISSION, "dropped"))

    for stage in (Plain, Explained):
        Pipeline("ls_in", kind="ls", direction="ingress", stages=[stage])
    assert Plain.drop.id == Explained.drop.id
    assert Plain.drop.as_text() == Explained.drop.as_text()


def test_a_reason_tells_only_what_is_known() -> None:
    with pytest.raises(TemplateError, match="colour"):
        Because(EndKind.ADMISSION, "{colour} packets are not admitted")


def test_templates_that_share_an_id_by_chance_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_ids([LS_IN, LS_IN])
    monkeypatch.setattr(Lookup.flood, "id", Lookup.unicast.id)
    with pytest.raises(TemplateError, match="same id"):
        check_ids([LS_IN])
