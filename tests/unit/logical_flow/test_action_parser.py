"""Action text: what it is understood as, and how what is wrong is shown."""

import inspect

import pytest

from logical_flow.action import format_actions, holes
from logical_flow.action_parser import parse_actions
from logical_flow.errors import LanguageError


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("", "drop;"),
        ("drop;", "drop;"),
        ("/* nothing */", "drop;"),
        ("next;", "next;"),
        ("next( ls_in_l2_lkup );", "next(ls_in_l2_lkup);"),
        ('outport="web-1";output;', 'outport = "web-1"; output;'),
        ("reg0[3..5] = 7; next;", "reg0[3..5] = 7; next;"),
        ("reg0 = 1.2.3.4; next;", "reg0 = 1.2.3.4; next;"),
        ("vlan.pcp = 4/4; next;", "vlan.pcp = 4/4; next;"),
        ("reg0 = ip4.dst; next;", "reg0 = ip4.dst; next;"),
        ("eth.src <-> eth.dst; output;", "eth.src <-> eth.dst; output;"),
        ("ip.ttl--; next;", "ip.ttl--; next;"),
        ("ip.ttl = 255; next;", "ip.ttl = 255; next;"),
        ("ct_next;", "ct_next;"),
        ("ct_clear; next;", "ct_clear; next;"),
        ("ct_commit; next;", "ct_commit; next;"),
        ("ct_commit { };", "ct_commit;"),
        (
            "ct_commit { ct_mark.blocked = 1; ct_label[96..127] = reg3; }; next;",
            "ct_commit { ct_mark.blocked = 1; ct_label[96..127] = reg3; }; next;",
        ),
        ("clone { output; }; next;", "clone { output; }; next;"),
        (
            "arp { eth.dst = ff:ff:ff:ff:ff:ff; output; };",
            "arp { eth.dst = ff:ff:ff:ff:ff:ff; output; };",
        ),
        ("reject { };", "reject { drop; };"),
        *(
            (f"{kind} {{ outport <-> inport; output; }};",) * 2
            for kind in ("nd_ns", "nd_na", "nd_na_router", "icmp4", "icmp6", "tcp_reset")
        ),
        ("sctp_abort { output; };", "sctp_abort { output; };"),
        ("get_arp(outport, reg0); next;", "get_arp(outport, reg0); next;"),
        ("get_nd(outport, xxreg0); next;", "get_nd(outport, xxreg0); next;"),
        ("put_arp(inport, arp.spa, arp.sha);", "put_arp(inport, arp.spa, arp.sha);"),
        ("put_nd(inport, nd.target, nd.tll);", "put_nd(inport, nd.target, nd.tll);"),
        (
            "reg0[2] = lookup_arp(inport, arp.spa, arp.sha); next;",
            "reg0[2] = lookup_arp(inport, arp.spa, arp.sha); next;",
        ),
        (
            "flags.loopback = lookup_nd(inport, ip6.src, nd.sll); next;",
            "flags.loopback = lookup_nd(inport, ip6.src, nd.sll); next;",
        ),
        ("outport = get_fdb(eth.dst); next;", "outport = get_fdb(eth.dst); next;"),
        ("put_fdb(inport, eth.src); next;", "put_fdb(inport, eth.src); next;"),
        (
            "reg0[1] = lookup_fdb(inport, eth.src); next;",
            "reg0[1] = lookup_fdb(inport, eth.src); next;",
        ),
        (
            'log(verdict=drop, meter="m", name="n", severity=info); next;',
            'log(name="n", severity=info, verdict=drop, meter="m"); next;',
        ),
        ("ct_next(snat);", "ct_next(snat);"),
        (
            "ct_commit(dnat) { ct_mark = 1; }; next;",
            "ct_commit(dnat) { ct_mark = 1; }; next;",
        ),
        ("ct_snat;", "ct_snat;"),
        ("ct_dnat(zone = snat);", "ct_dnat(zone=snat);"),
        (
            "ct_dnat(fd00::1..fd00::9,1..9,zone=dnat);",
            "ct_dnat(fd00::1..fd00::9, 1..9, zone=dnat);",
        ),
        ("log(); next;", "log(); next;"),
        ("set_meter(100); next;", "set_meter(100); next;"),
        ("set_meter(100, 10); next;", "set_meter(100, 10); next;"),
    ],
)
def test_text_has_a_canonical_form(source: str, canonical: str) -> None:
    assert format_actions(parse_actions(source)) == canonical
    assert format_actions(parse_actions(canonical)) == canonical


@pytest.mark.parametrize(
    "expected",
    [
        """
        next
            ^
        Syntax error at end of input expecting `;'.
        """,
        """
        fly;
        ^^^
        Syntax error at `fly' expecting action.
        """,
        """
        10 = reg0;
        ^^
        Syntax error at `10' expecting action.
        """,
        """
        ip4 = 1;
        ^^^
        Predicate ip4 used where a field is needed.
        """,
        """
        eth.type = 0x800; next;
        ^^^^^^^^
        Field eth.type is not modifiable.
        """,
        """
        ct_mark = 1; next;
        ^^^^^^^
        Field ct_mark is only modifiable within ct_commit.
        """,
        """
        ct_commit { reg0 = 1; };
                    ^^^^
        Field reg0 is not modifiable within ct_commit.
        """,
        """
        ip4.src = ip6.src; next;
                  ^^^^^^^
        Can't assign 128-bit value to 32-bit destination.
        """,
        """
        inport = reg0; next;
                 ^^^^
        Can't assign integer field (reg0) to string field (inport).
        """,
        """
        reg0 = 0x100000000; next;
               ^^^^^^^^^^^
        33-bit constant is not compatible with 32-bit field reg0.
        """,
        """
        ip4.src = $a; next;
                  ^^
        A set can't be assigned to a field.
        """,
        """
        next; output;
              ^^^^^^
        Nothing may follow `next;' in the same list.
        """,
        """
        output; drop;
                ^^^^^
        `drop;' must be the only action of its list.
        """,
        """
        get_arp(outport, ip6.dst);
                         ^^^^^^^
        Cannot use 128-bit field ip6.dst where 32-bit field is required.
        """,
        """
        get_arp(reg0, reg1);
                ^^^^
        Cannot use 32-bit field reg0 where string field is required.
        """,
        """
        reg0 = lookup_fdb(inport, eth.src);
               ^^^^^^^^^^
        The result of lookup_fdb is one bit, but reg0 is not.
        """,
        """
        reg0 = get_fdb(eth.src);
               ^^^^^^^
        The result of get_fdb is a port, which needs a string field.
        """,
        """
        log(colour=red);
            ^^^^^^
        Syntax error at `colour' expecting name, severity, verdict or meter, each once.
        """,
        """
        log(severity=loud);
                     ^^^^
        Syntax error at `loud' expecting one of alert, warning, notice, info, debug.
        """,
        """
        ct_next(web);
                ^^^
        Syntax error at `web' expecting one of port, dnat, snat, route.
        """,
        """
        ct_dnat(80);
                ^^
        Syntax error at `80' expecting IP address.
        """,
        """
        ct_dnat(10.0.0.0/8);
                ^^^^^^^^^^
        Syntax error at `10.0.0.0/8' expecting IP address.
        """,
        """
        ct_snat(10.0.0.1, 70000);
                          ^^^^^
        70000 is no port from 1 to 65535.
        """,
        """
        ct_snat(10.0.0.1..fd00::1);
        ^^^^^^^^^^^^^^^^^^^^^^^^^
        Addresses of ct_snat are of two families.
        """,
        """
        ct_snat(10.0.0.9..10.0.0.1);
        ^^^^^^^^^^^^^^^^^^^^^^^^^^
        The range 10.0.0.9..10.0.0.1 of ct_snat is empty.
        """,
        """
        ct_snat(10.0.0.1, 80, 81);
                              ^^
        Syntax error at `81' expecting `zone'.
        """,
        """
        ct_snat; output;
                 ^^^^^^
        Nothing may follow `ct_snat;' in the same list.
        """,
        """
        arp { output;
                     ^
        Syntax error at end of input expecting action.
        """,
    ],
)
def test_what_is_wrong_is_shown_where(expected: str) -> None:
    expected = inspect.cleandoc(expected)
    with pytest.raises(LanguageError) as caught:
        parse_actions(expected.splitlines()[0])
    assert f"{caught.value.caret()}\n{caught.value}" == expected


def test_nesting_has_an_end() -> None:
    with pytest.raises(LanguageError, match="nested too deeply"):
        parse_actions("clone { " * 1000)


def test_holes_are_found_wherever_they_are() -> None:
    actions = parse_actions(
        "log(name={log_name:bytes}, severity={severity:int}, meter={meter:meter}); "
        "ct_commit { ct_label[96..127] = {label:int}; }; "
        "arp { eth.src = {mac:mac}; arp.tpa = {ip:ip4}; output; }; "
        "outport = {port:lport}; output;",
        with_holes=True,
    )
    names = ["log_name", "severity", "meter", "label", "mac", "ip", "port"]
    assert [hole.name for hole in holes(actions)] == names


@pytest.mark.parametrize("value", ["{net:cidr4}", "{members:set}", "{mac:mac}", "{match:expr}"])
def test_holes_must_fit(value: str) -> None:
    with pytest.raises(LanguageError):
        parse_actions(f"reg0 = {value}; next;", with_holes=True)
