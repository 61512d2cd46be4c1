"""Match text: what it is understood as, and how what is wrong is shown."""

import inspect

import pytest

from logical_flow.acl import parse_acl_match
from logical_flow.errors import LanguageError, LogicalFlowSyntaxError, LogicalFlowTypeError
from logical_flow.expression import holes, port_names, set_references
from logical_flow.match_parser import MAX_DEPTH, parse_match
from logical_flow.normalise import normalise


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("ip4", "ip4"),
        ("ip4 == 1", "ip4"),
        ("eth.bcast == 0", "!eth.bcast"),
        ("ip.is_frag != 1", "!ip.is_frag"),
        ("tcp.dst==80", "tcp.dst == 80"),
        ("80 == tcp.dst", "tcp.dst == 80"),
        ("1024 <= tcp.src <= 49151", "tcp.src >= 1024 && tcp.src <= 49151"),
        ("10 > tcp.src > 1", "tcp.src < 10 && tcp.src > 1"),
        ("tcp.dst == {80, 443,}", "tcp.dst == {80, 443}"),
        ("tcp.dst == {80 443}", "tcp.dst == {80, 443}"),
        ("tcp.dst == {80}", "tcp.dst == 80"),
        ("{80, 443} == tcp.dst", "tcp.dst == {80, 443}"),
        ("ip4 && (tcp && udp)", "ip4 && tcp && udp"),
        ("(ip4 && tcp) || (ip6 && udp)", "(ip4 && tcp) || (ip6 && udp)"),
        ("((ip4))", "ip4"),
        ("!(tcp.dst == 80)", "!(tcp.dst == 80)"),
        ("!(!ip4)", "!(!ip4)"),
        ("!(ip.proto != 6)", "!(ip.proto != 6)"),
        ("!reg0", "!(reg0 != 0)"),
        ("1", "1"),
        ("0 || ip4", "0 || ip4"),
        ("ip4.src == 10.0.0.0/255.0.0.0", "ip4.src == 10.0.0.0/8"),
        ("ip4.src == 10.0.0.1/255.0.0.255", "ip4.src == 10.0.0.1/255.0.0.255"),
        ("ip6.dst == FE80::/10", "ip6.dst == fe80::/10"),
        ("ip6.src == 1::1.2.3.4", "ip6.src == 1::102:304"),
        ("ip6.src == ::", "ip6.src == ::"),
        (
            "eth.dst == 33:33:00:00:00:00/ff:ff:00:00:00:00",
            "eth.dst == 33:33:00:00:00:00/ff:ff:00:00:00:00",
        ),
        ("vlan.tci == 0x1000/0x1000", "vlan.tci == 0x1000/0x1000"),
        ("eth.type == 0X800", "eth.type == 0x800"),
        ("eth.dst[40]", "eth.dst[40]"),
        ("eth.dst[ 32 .. 47 ] == 0x3333", "eth.dst[32..47] == 0x3333"),
        ("reg0[0..31] == 1", "reg0 == 1"),
        ("ct.est && !ct.rpl", "ct.est && !ct.rpl"),
        ("ct_mark.blocked == 0", "ct_mark.blocked == 0"),
        ('inport == "web-1"', 'inport == "web-1"'),
        (r'inport == "a\"b\\c\u00e4"', r'inport == "a\"b\\cä"'),
        ("inport == @pg-1 && ip4.src == $as.1", "inport == @pg-1 && ip4.src == $as.1"),
        ("ip4.src != {$a, 10.0.0.1}", "ip4.src != {$a, 10.0.0.1}"),
        ("icmp4.type == 3 // so it is", "icmp4.type == 3"),
        ("ip4 /* then */ && tcp", "ip4 && tcp"),
        ("ip4\n\t&& tcp", "ip4 && tcp"),
    ],
)
def test_text_has_a_canonical_form(source: str, canonical: str) -> None:
    expression = parse_match(source)
    assert str(expression) == canonical
    assert str(parse_match(canonical)) == canonical


def check_error(expected: str, kind: type[LanguageError]) -> None:
    """`expected` is the source, the caret below it, and the message on one line or more."""
    source, caret, *message = inspect.cleandoc(expected).splitlines()
    with pytest.raises(kind) as caught:
        parse_match(source)
    assert caught.value.caret() == f"{source}\n{caret}"
    assert str(caught.value) == " ".join(message)


@pytest.mark.parametrize(
    "expected",
    [
        """
        ip4 &&
              ^
        Syntax error at end of input expecting field name.
        """,
        """
        ip4 && && tcp
               ^^
        Syntax error at `&&' expecting field name.
        """,
        """
        tcp.dport == 80
        ^^^^^^^^^
        Syntax error at `tcp.dport' expecting field name.
        """,
        """
        tcp.dst = 80
                ^
        Syntax error at `=' expecting relational operator.
        """,
        """
        80 && ip4
           ^^
        Syntax error at `&&' expecting relational operator.
        """,
        """
        tcp.dst == web
                   ^^^
        Syntax error at `web' expecting constant.
        """,
        """
        tcp.dst == {}
                    ^
        Syntax error at `}' expecting constant.
        """,
        """
        (ip4 && tcp
                   ^
        Syntax error at end of input expecting `)'.
        """,
        """
        ip4) && tcp
           ^
        Syntax error at `)' expecting end of input.
        """,
        """
        ip4 && tcp || udp
                   ^^
        && and || must be parenthesized when used together.
        """,
        """
        ip4.src == 10.0.0.0/33
                            ^^
        Prefix length must be at most 32.
        """,
        """
        ip4.src == 10.0.0.0/ip4
                           ^
        `/' must be followed by a mask.
        """,
        """
        eth.src == 00:00:00:00:00:01/0xff
                                     ^^^^
        Value and mask have incompatible forms.
        """,
        """
        ip4.src == 10.0.0.256
                   ^^^^^^^^^^
        `10.0.0.256' is not a valid IPv4 address.
        """,
        """
        ip6.src == 1::2::3
                   ^^^^^^^
        `1::2::3' is not a valid IPv6 address.
        """,
        """
        tcp.dst == 080
                   ^^^
        Decimal constants must not have leading zeros.
        """,
        """
        tcp.dst == 80x
                   ^^^
        `80x' is not a valid constant.
        """,
        """
        ip4 & tcp
            ^
        Invalid character `&' in input.
        """,
        """
        ip4.dst == ^NODE && tcp
                   ^^^^^
        `^NODE' is a variable of chassis, and matches can't have any.
        """,
        """
        inport == "web
                  ^
        Input ends inside quoted string.
        """,
        """
        inport == "w\\x"
                  ^^^^^
        Invalid escape or control character in quoted string.
        """,
        """
        ip4.src == $
                   ^
        `$' must be followed by the name of an address set.
        """,
        """
        ip4 /* tcp
            ^^
        `/*' without matching `*/' on the same line.
        """,
        """
        eth.dst == {mac:mac}
                   ^^^^^^^^^
        Holes may be used in templates only.
        """,
        """
        eth.dst[x]
                ^
        Syntax error at `x' expecting small integer.
        """,
    ],
)
def test_what_is_no_match_is_shown_where(expected: str) -> None:
    check_error(expected, LogicalFlowSyntaxError)


@pytest.mark.parametrize(
    "expected",
    [
        """
        !ip4
         ^^^
        Nominal predicate ip4 may only be tested positively, e.g. `ip4' or `ip4 == 1'
        but not `!ip4' or `ip4 == 0'.
        """,
        """
        !tcp.dst == 80
         ^^^^^^^^^^^^^
        Missing parentheses around operand of !.
        """,
        """
        ip.proto != 6
                    ^
        Nominal field ip.proto may only be tested for equality
        (taking enclosing `!' operators into account).
        """,
        """
        !(inport == "a")
                    ^^^
        Nominal field inport may only be tested for equality
        (taking enclosing `!' operators into account).
        """,
        """
        ip.proto < 6
                   ^
        Only == and != operators may be used with nominal field ip.proto.
        """,
        """
        tcp.dst < {1, 2}
                   ^^^^^
        Only == and != operators may be used with value sets.
        """,
        """
        ip4.src > 10.0.0.0/8
                  ^^^^^^^^^^
        Only == and != operators may be used with masked constants.
        Consider using subfields instead (e.g. eth.src[0..15] > 0x1111 in place of
        eth.src > 00:00:00:00:11:11/00:00:00:00:ff:ff).
        """,
        """
        tcp.dst
        ^^^^^^^
        Explicit `!= 0' is required for inequality test of multibit field against 0.
        """,
        """
        inport
        ^^^^^^
        Explicit comparison is required for string field inport.
        """,
        """
        tcp.dst == 65536
                   ^^^^^
        17-bit constant is not compatible with 16-bit field tcp.dst.
        """,
        """
        tcp.dst == "80"
                   ^^^^
        Integer field tcp.dst is not compatible with string constant.
        """,
        """
        inport == 1
                  ^
        String field inport is not compatible with integer constant.
        """,
        """
        inport == $a
                  ^^
        String field inport is not compatible with address set $a.
        """,
        """
        ip4.src == @pg
                   ^^^
        Integer field ip4.src is not compatible with port group @pg.
        """,
        """
        tcp.dst == $a
                   ^^
        16-bit field tcp.dst is not compatible with address set $a.
        """,
        """
        eth.type == 0x800/0xff00
                    ^^^^^^^^^^^^
        Nominal field eth.type is not compatible with masked constant 0x800/0xff00.
        """,
        """
        ip4 == 2
        ^^^^^^^^
        Predicate ip4 may only be compared with 0 or 1.
        """,
        """
        ip4[0]
        ^^^
        Predicate ip4 used where a field is needed.
        """,
        """
        ip.proto[1] == 1
        ^^^^^^^^^^^
        Cannot take bits from nominal field ip.proto.
        """,
        """
        tcp.dst[16] == 1
        ^^^^^^^^^^^
        Cannot select bits 16 to 16 of 16-bit field tcp.dst.
        """,
        """
        tcp.dst[5..3] == 1
        ^^^^^^^^^^^^^
        Invalid bit range 5 to 3.
        """,
        """
        1 < tcp.dst > 3
        ^^^^^^^^^^^^^
        Range expressions must have the form `x < field < y' or `x > field > y',
        with each `<' optionally replaced by `<=' or `>' by `>='.
        """,
    ],
)
def test_what_does_not_fit_is_shown_where(expected: str) -> None:
    check_error(expected, LogicalFlowTypeError)


def test_the_caret_stands_in_its_line() -> None:
    with pytest.raises(LogicalFlowSyntaxError) as caught:
        parse_match("ip4 &&\n\ttcp.port == 1 &&\n\tudp")
    assert caught.value.caret() == "\ttcp.port == 1 &&\n\t^^^^^^^^"


@pytest.mark.parametrize("opening", ["(", "!", "!("])
def test_nesting_has_an_end(opening: str) -> None:
    source = opening * 10 * MAX_DEPTH + "ip4" + ")" * opening.count("(") * 10 * MAX_DEPTH
    with pytest.raises(LogicalFlowSyntaxError, match="nested too deeply"):
        parse_match(source)


def test_references_are_found_wherever_they_are() -> None:
    expression = parse_match(
        '(inport == {@pg, "a"} || outport == "b") && !(ip4.src == {$x, $y, 1.2.3.4})'
    )
    assert {str(reference) for reference in set_references(expression)} == {"@pg", "$x", "$y"}
    assert port_names(expression) == {"a", "b"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("inport == {port:lport} && eth.src == {mac:mac}", ["port", "mac"]),
        ("eth.src == {00:00:00:00:00:00, {mac:mac}}", ["mac"]),
        ("ip4.dst == {net:cidr4} && reg0 == {net4:ip4}", ["net", "net4"]),
        ("{match:expr} && reg0[0..7] == {n:int}", ["match", "n"]),
        ("ip4.src == {members:set} || inport == {ports:set}", ["members", "ports"]),
    ],
)
def test_holes_stand_where_constants_and_operands_do(source: str, names: list[str]) -> None:
    expression = parse_match(source, with_holes=True)
    assert [hole.name for hole in holes(expression)] == names
    assert str(expression) == source


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ip4.src == {mac:mac}", "does not fit field ip4.src"),
        ("inport == {n:int}", "does not fit field inport"),
        ("ip4.src == {match:expr}", "does not fit field ip4.src"),
        ("tcp.dst > {port:int}", "may only be tested for equality"),
        ("eth.src != {mac:mac}", "may only be tested for equality"),
        ("!({match:expr})", "may not be negated"),
    ],
)
def test_holes_must_fit(source: str, message: str) -> None:
    with pytest.raises(LogicalFlowTypeError, match=message):
        parse_match(source, with_holes=True)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ip4.src == 10.1.0.99/24", "ip4.src == 10.1.0.0/24"),
        ("ip4.dst == {10.244.2.81/24, 10.0.0.1}", "ip4.dst == {10.244.2.0/24, 10.0.0.1}"),
        ("ip4.src != 10.1.0.99/255.255.0.255", "ip4.src != 10.1.0.99/255.255.0.255"),
        ("ip4.src == 10.1.0.99/0.0.0.255", "ip4.src == 0.0.0.99/0.0.0.255"),
        ("ip6.src == fd00::9/64", "ip6.src == fd00::/64"),
        ("eth.src == 0a:00:00:00:00:01/ff:00:00:00:00:00", "eth.src[40..47] == 0xa"),
        ("reg0 == 0x15/0xf", "reg0 == 0x5/0xf"),
        ("ip.ttl[0..7] == 1", "ip.ttl == 1"),
    ],
)
def test_bits_outside_the_mask_do_not_matter(written: str, meant: str) -> None:
    """OVN masks constants; address sets do here, too."""
    assert normalise(parse_match(written)) == normalise(parse_match(meant))
    canonical = str(parse_match(written))
    assert str(parse_match(canonical)) == canonical


@pytest.mark.parametrize(
    "text", ["!tcp", "ip4 && !icmp4", "ip.proto != {6, 17}", "!(icmp4.type == 8)", "!nd_ns"]
)
def test_matches_of_acls_may_negate_protocols(text: str) -> None:
    assert str(parse_acl_match(text, "to-lport").expression) == text
    assert str(parse_match(text, negations=True)) == text
    with pytest.raises(LogicalFlowTypeError):
        parse_match(text)


@pytest.mark.parametrize("text", ['inport != "a"', '!(inport == "a")'])
def test_names_of_ports_are_never_negated(text: str) -> None:
    with pytest.raises(LogicalFlowTypeError, match="may only be tested for equality"):
        parse_acl_match(text, "to-lport")
