"""What matches become: masked values, prerequisites, dimensions instead of products."""

import inspect

import pytest

from logical_flow.acl import parse_acl_match
from logical_flow.action.implied import annotate_flow
from logical_flow.action_parser import parse_actions
from logical_flow.copies import COPIES
from logical_flow.errors import LogicalFlowSyntaxError, LogicalFlowTypeError, TooComplexError
from logical_flow.fields import Level, fields
from logical_flow.match_parser import parse_match
from logical_flow.normalise import (
    HoleTerm,
    MaskedTerm,
    PortTerm,
    SetTerm,
    Term,
    normalise,
)


def shown_term(term: Term) -> str:
    match term:
        case MaskedTerm(field, value, mask):
            exact = mask == (1 << field.width) - 1
            return f"{field.name}={value:#x}" + ("" if exact else f"/{mask:#x}")
        case PortTerm(field, name):
            return f"{field.name}={name}"
        case HoleTerm(where, hole):
            return f"{where}={hole}"
        case SetTerm(where, reference, negated):
            return f"{where}{'!' if negated else ''}={reference}"


def shown(source: str, actions: str = "next;") -> str:
    """The alternatives, one a line: terms, then each dimension in brackets."""
    match = annotate_flow(parse_match(source, with_holes=True), parse_actions(actions))
    return "\n".join(
        " ".join(
            [
                *map(shown_term, alternative.terms),
                *(f"[{' '.join(map(shown_term, d))}]" for d in alternative.dimensions),
            ]
        )
        for alternative in normalise(match)
    )


@pytest.mark.parametrize(
    "expected",
    [
        """
        ip4 && ip6
        """,
        """
        icmp
        eth.type=0x800 ip.proto=0x1
        eth.type=0x86dd ip.proto=0x3a
        """,
        """
        tcp.dst == 80
        eth.type=0x800 ip.proto=0x6 tcp.dst=0x50
        eth.type=0x86dd ip.proto=0x6 tcp.dst=0x50
        """,
        """
        ip4 && !(tcp.dst == 0/0x8000)
        eth.type=0x800 ip.proto=0x6 tcp.dst=0x8000/0x8000
        """,
        """
        ip4 && (tcp.dst == 80 || tcp.dst == 443)
        eth.type=0x800 ip.proto=0x6 tcp.dst=0x50
        eth.type=0x800 ip.proto=0x6 tcp.dst=0x1bb
        """,
        """
        ip4 && 32768 <= udp.src <= 36863
        eth.type=0x800 ip.proto=0x11 udp.src=0x8000/0xf000
        """,
        """
        ip4 || (ip4 && tcp)
        eth.type=0x800
        """,
        """
        ip4.dst == 0.0.0.0/0
        eth.type=0x800
        """,
        """
        ip4.dst == {10.0.0.0/8, 10.1.0.0/16}
        eth.type=0x800 ip4.dst=0xa000000/0xff000000
        """,
        """
        ip4 && !ip.later_frag
        eth.type=0x800 ip.frag=0x0/0x2
        """,
        """
        vlan.vid == 5
        vlan.tci=0x1005/0x1fff
        """,
        """
        ct.est && !ct.rpl && ct_mark.blocked == 0
        ct_state=0x22/0x2a ct_mark=0x0/0x1
        """,
        """
        reg0[0] && reg1 == {ip:ip4}
        xxreg0=0x1000000000000000000000000/0x1000000000000000000000000 reg1={ip:ip4}
        """,
        """
        inport == {"a", "b"}
        inport=a
        inport=b
        """,
        """
        ip4.src == $web
        eth.type=0x800 [ip4.src=$web]
        """,
        """
        ip4.src == $web && ip4.dst == $db && inport == @pg
        eth.type=0x800 [inport=@pg] [ip4.src=$web] [ip4.dst=$db]
        """,
        """
        ip4.src == {$web, 10.0.0.1} && tcp.dst == {1, 2}
        eth.type=0x800 ip.proto=0x6 [ip4.src=0xa000001 ip4.src=$web] [tcp.dst=0x1 tcp.dst=0x2]
        """,
        """
        ip4.src == {1.0.0.0, 2.0.0.0} && tcp.dst == {1, 2}
        eth.type=0x800 ip.proto=0x6 ip4.src=0x1000000 tcp.dst=0x1
        eth.type=0x800 ip.proto=0x6 ip4.src=0x1000000 tcp.dst=0x2
        eth.type=0x800 ip.proto=0x6 ip4.src=0x2000000 tcp.dst=0x1
        eth.type=0x800 ip.proto=0x6 ip4.src=0x2000000 tcp.dst=0x2
        """,
        """
        ip4.src != $web
        eth.type=0x800 [ip4.src!=$web]
        """,
        """
        ip4.src != {$a, $b}
        eth.type=0x800 [ip4.src!=$a] [ip4.src!=$b]
        """,
        """
        ip4.src == $a && ip4.src == 10.0.0.0/8
        eth.type=0x800 [ip4.src=0xa000000/0xff000000] [ip4.src=$a]
        """,
        """
        ip4.src == $a || ip4.src == $b
        eth.type=0x800 [ip4.src=$a ip4.src=$b]
        """,
        """
        (ip4.src == $a || ip6.src == $b) && (ip4.dst == $a || ip6.dst == $b)
        eth.type=0x800 [ip4.src=$a] [ip4.dst=$a]
        eth.type=0x86dd [ip6.src=$b] [ip6.dst=$b]
        """,
        """
        outport == {port:lport} && outport == "a"
        [outport=a] [outport={port:lport}]
        """,
    ],
)
def test_a_match_becomes_its_alternatives(expected: str) -> None:
    source, _, alternatives = inspect.cleandoc(expected).partition("\n")
    assert shown(source) == alternatives


@pytest.mark.parametrize(
    ("actions", "alternatives"),
    [
        ("ip.ttl--; next;", "eth.type=0x800\neth.type=0x86dd"),
        ("tcp.dst = 80; next;", "eth.type=0x800 ip.proto=0x6\neth.type=0x86dd ip.proto=0x6"),
        ("arp { arp.op = 1; output; };", "eth.type=0x800"),
        ("clone { ip4.src = 1.2.3.4; output; };", "eth.type=0x800"),
        ("reg0 = ip4.src; next;", "eth.type=0x800"),
        ("put_arp(inport, arp.spa, arp.sha);", "eth.type=0x806"),
        ("ip4.src = ip6.src[0..31]; next;", ""),
    ],
)
def test_actions_ask_for_packets_that_they_apply_to(actions: str, alternatives: str) -> None:
    assert shown("1", actions) == alternatives


def test_wide_disjunctions_become_dimensions_and_not_products() -> None:
    ports = ", ".join(map(str, range(1000)))
    hosts = ", ".join(f"10.0.{i // 250}.{i % 250}" for i in range(1000))
    (alternative,) = normalise(parse_match(f"ip4.src == {{{hosts}}} && tcp.dst == {{{ports}}}"))
    assert sorted(map(len, alternative.dimensions)) == [1000, 1000]


def test_what_would_explode_is_refused() -> None:
    parts = [f"(ip4.src[{n}] || ip4.dst[{n}])" for n in range(20)]
    assert len(normalise(parse_match(" && ".join(parts[:3])))) == 8
    blowing_up = " && ".join(parts)
    with pytest.raises(TooComplexError):
        normalise(parse_match(blowing_up))
    with pytest.raises(LogicalFlowTypeError, match="more than"):
        parse_acl_match(blowing_up, "to-lport")


def test_an_expr_hole_has_to_be_filled_first() -> None:
    with pytest.raises(ValueError, match="has to be filled"):
        normalise(parse_match("{match:expr}", with_holes=True))


def test_an_acl_names_its_sets_and_ports() -> None:
    match = parse_acl_match('inport=={@pg,"web-1"} && ip4.src==$as', "from-lport")
    assert match.text == 'inport == {@pg, "web-1"} && ip4.src == $as'
    assert match.sets == {"@pg", "$as"}
    assert match.ports == {"web-1"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("reg0 == 1", "reg0 is not available in ACLs."),
        ("xxreg1[3]", "xxreg1 is not available in ACLs."),
        ("flags.loopback", "flags.loopback is not available in ACLs."),
        ('outport == "a"', "outport is not known yet where from-lport ACLs are evaluated."),
    ],
)
def test_an_acl_keeps_out_of_the_pipeline(source: str, message: str) -> None:
    with pytest.raises(LogicalFlowTypeError) as caught:
        parse_acl_match(source, "from-lport")
    assert (str(caught.value), caught.value.position) == (message, 0)


def test_an_endless_acl_is_not_looked_at() -> None:
    with pytest.raises(LogicalFlowSyntaxError, match="at most"):
        parse_acl_match("(" * 1_000_000, "to-lport")


def test_negated_protocols_are_bits_of_their_copies() -> None:
    """Of 256 protocols, all but one are eight masked values."""
    flows = normalise(parse_match("ip4 && !icmp4", negations=True))
    assert len(flows) == 8
    assert all(
        [term.field.name for term in flow.terms if isinstance(term, MaskedTerm)]
        == ["xxreg1", "eth.type"]
        for flow in flows
    )


def test_every_nominal_number_has_a_copy() -> None:
    nominal = {f.name for f in fields() if f.level is Level.NOMINAL and not f.is_string}
    assert nominal == COPIES.keys()
