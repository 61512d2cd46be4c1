"""What ACLs do, to packets and to connections."""

import pytest

from logical_flow.action import Drop
from logical_flow.connections import ScriptedConnections, State, Tracked
from logical_flow.expression import ExpressionHole, leaves
from logical_flow.fragments import asks_for_transport
from logical_flow.roles import Role
from logical_flow.template import Template
from logical_flow.walk_network import Network
from tests.unit.translator.walks import delivered, network, reached, send
from translator.pipeline.ls_in import LS_IN
from translator.pipeline.ls_out import LS_OUT

A, B = "0a:00:00:00:01:01", "0a:00:00:00:01:02"


def switch(*acls: str, extra: str = "") -> Network:
    rules = "\n".join(f"          - {{{acl}}}" for acl in acls)
    return network(f"""
    logical_switches:
      web:
        ports:
          a: {{addresses: ["{A} 10.0.1.1 fd00::1"]}}
          b: {{addresses: ["{B} 10.0.1.2 fd00::2"]}}
        acls:
{rules}
{extra}
    """)


def a_to_b(match: str = "tcp.src == 1024 && tcp.dst == 80") -> str:
    return (
        f'inport == "a" && eth.src == {A} && eth.dst == {B} '
        f"&& ip4.src == 10.0.1.1 && ip4.dst == 10.0.1.2 && ip.ttl == 64 && {match}"
    )


def b_to_a(match: str = "tcp.src == 80 && tcp.dst == 1024") -> str:
    return (
        f'inport == "b" && eth.src == {B} && eth.dst == {A} '
        f"&& ip4.src == 10.0.1.2 && ip4.dst == 10.0.1.1 && ip.ttl == 64 && {match}"
    )


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize(
    ("action", "ports"),
    [
        ("allow", ["b"]),
        ("allow-related", ["b"]),
        ("allow-stateless", ["b"]),
        ("drop", []),
        ("pass", ["b"]),
    ],
)
@pytest.mark.parametrize("stateful", [False, True])
def test_actions(direction: str, action: str, ports: list[str], stateful: bool) -> None:
    rules = [
        f"direction: {direction}, priority: 9, match: tcp.dst == 80, action: {action}",
        f"direction: {direction}, priority: 1, match: tcp, action: drop",
    ]
    if stateful:
        rules.append(f"direction: {direction}, priority: 0, match: udp, action: allow-related")
    assert reached(switch(*rules), a_to_b()) == ports


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize("stateful", [False, True])
def test_reject_answers_the_sender(direction: str, stateful: bool) -> None:
    rules = [f"direction: {direction}, priority: 9, match: ip, action: reject"]
    if stateful:
        rules.append(f"direction: {direction}, priority: 9, match: arp, action: allow-related")
    net = switch(*rules)
    reset = delivered(net, a_to_b("tcp.src == 1024 && tcp.dst == 80 && tcp.flags == 2"))
    assert reset["to"] == "a"
    assert reset["tcp.flags"] == 0x14
    assert (reset["ip4.src"], reset["tcp.src"]) == (0x0A000102, 80)
    unreachable = delivered(net, a_to_b("udp.dst == 53"))
    assert (unreachable["to"], unreachable["icmp4.type"]) == ("a", 3)
    assert reached(net, a_to_b("tcp.flags == 4")) == [], "a reset is not answered"


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize("stateful", [False, True])
def test_what_cannot_be_refused_is_dropped(direction: str, stateful: bool) -> None:
    rules = [f"direction: {direction}, priority: 9, match: arp, action: reject"]
    if stateful:
        rules.append(f"direction: {direction}, priority: 9, match: ip, action: allow-related")
    net = switch(*rules)
    request = (
        f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff '
        "&& arp.op == 1 && arp.spa == 10.0.1.1 && arp.tpa == 10.0.1.77"
    )
    assert reached(net, request) == []


@pytest.mark.parametrize("priority", [10, 1])
def test_the_higher_priority_decides(priority: int) -> None:
    net = switch(
        f"direction: to-lport, priority: {priority}, match: tcp, action: drop",
        "direction: to-lport, priority: 5, match: tcp.dst == 80, action: allow",
    )
    assert reached(net, a_to_b()) == ([] if priority > 5 else ["b"])


def test_the_default_is_to_allow() -> None:
    assert reached(switch("direction: to-lport, priority: 1, match: udp, action: drop"), a_to_b())


def test_tiers_are_asked_in_order() -> None:
    net = switch(
        "direction: to-lport, tier: 1, priority: 9, match: tcp, action: drop",
        "direction: to-lport, tier: 0, priority: 9, match: tcp.dst == 80, action: allow",
        "direction: to-lport, tier: 0, priority: 8, match: tcp.dst == 81, action: pass",
        "direction: to-lport, tier: 3, priority: 9, match: udp, action: drop",
    )
    assert reached(net, a_to_b()) == ["b"]
    assert reached(net, a_to_b("tcp.dst == 81")) == []
    assert reached(net, a_to_b("tcp.dst == 82")) == []
    assert reached(net, a_to_b("udp.dst == 53")) == []


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
def test_replies_pass(direction: str) -> None:
    where = 'inport == "b"' if direction == "from-lport" else 'outport == "a"'
    net = switch(
        "direction: from-lport, priority: 9, match: 'inport == \"a\" && tcp', "
        "action: allow-related",
        f"direction: {direction}, priority: 1, match: '{where} && ip', action: drop",
    )
    assert reached(net, b_to_a()) == [], "nothing asked for it"
    assert reached(net, a_to_b()) == ["b"]
    assert reached(net, b_to_a()) == ["a"], "it is a reply now"


def test_a_denied_connection_is_blocked_both_ways() -> None:
    allow = "direction: to-lport, priority: 9, match: tcp.dst == 80, action: allow-related"
    before = switch(allow)
    assert reached(before, a_to_b()) == ["b"]
    assert reached(before, b_to_a()) == ["a"]
    after = switch(allow, "direction: to-lport, priority: 10, match: tcp.dst == 80, action: drop")
    after.connections = before.connections
    assert reached(after, a_to_b()) == []
    assert reached(after, b_to_a()) == [], "the reply is blocked, too"
    before.connections = after.connections
    assert reached(before, a_to_b()) == ["b"], "allowed again, it is unblocked"
    assert reached(before, b_to_a()) == ["a"]


def test_commits_say_which_pipeline_let_the_connection_in() -> None:
    net = switch("direction: to-lport, priority: 9, match: tcp, action: allow-related, label: 5")
    marks = {note.values for note in send(net, a_to_b()).noted if note.what == "ct_commit"}
    assert marks == {("a", "ct_mark=0x0"), ("b", "ct_mark=0x2")}


def test_neighbour_discovery_is_always_allowed() -> None:
    net = switch(
        "direction: from-lport, priority: 9, match: '1', action: drop",
        "direction: to-lport, priority: 9, match: '1', action: drop",
    )
    advertisement = (
        f'inport == "a" && eth.src == {A} && eth.dst == {B} && nd_na && nd.target == fd00::1'
    )
    assert reached(net, advertisement) == ["b"]
    assert reached(net, a_to_b()) == []


STATES = [
    (State.TRK | State.INV, 0, []),
    (State.TRK | State.NEW, 0, []),
    (State.TRK | State.EST | State.RPL, 0, ["b"]),
    (State.TRK | State.EST | State.RPL, 1, []),
    (State.TRK | State.REL, 0, ["b"]),
    (State.TRK | State.REL | State.RPL, 0, ["b"]),
    (State.TRK | State.REL | State.RPL, 1, []),
    (State.TRK | State.REL | State.NEW, 0, []),
    (State.TRK | State.EST, 0, []),
]


@pytest.mark.parametrize(("state", "mark", "ports"), STATES, ids=lambda value: str(value))
@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
def test_connection_states(direction: str, state: State, mark: int, ports: list[str]) -> None:
    net = switch(
        f"direction: {direction}, priority: 9, match: ip, action: drop",
        f"direction: {direction}, priority: 8, match: tcp, action: allow-related",
    )
    net.connections = ScriptedConnections([Tracked(state, mark)])
    assert reached(net, a_to_b()) == ports


def test_a_blocked_connection_may_ask_again() -> None:
    net = switch("direction: from-lport, priority: 9, match: tcp, action: allow-related")
    net.connections = ScriptedConnections([Tracked(State.TRK | State.EST, 1)])
    walk = send(net, a_to_b())
    assert [delivery.port for delivery in walk.deliveries] == ["b"]
    assert ("a", "ct_mark=0x0") in {note.values for note in walk.noted}


def test_stateless_traffic_is_not_tracked() -> None:
    net = switch(
        "direction: from-lport, priority: 5, match: udp, action: allow-stateless",
        "direction: to-lport, priority: 5, match: udp, action: allow-stateless",
        "direction: to-lport, priority: 9, match: ip, action: allow-related",
    )
    assert not send(net, a_to_b("udp.dst == 53")).noted
    assert [note.what for note in send(net, a_to_b()).noted] == ["ct_commit", "ct_commit"]


def test_a_port_group_spans_switches_and_brings_address_sets() -> None:
    net = network(f"""
    logical_switches:
      one:
        ports:
          a: {{addresses: ["{A} 10.0.1.1"]}}
          b: {{addresses: ["{B} 10.0.1.2"]}}
      two:
        ports:
          c: {{addresses: ["0a:00:00:00:02:01 10.0.2.1"]}}
          d: {{addresses: ["0a:00:00:00:02:02 10.0.2.2"]}}
    port_groups:
      guarded:
        ports: [b, d]
        acls:
          - {{direction: to-lport, priority: 1, match: 'outport == @guarded && ip4', action: drop}}
          - direction: to-lport
            priority: 2
            match: outport == @guarded && ip4.src == $guarded_ip4
            action: allow
    """)
    assert reached(net, a_to_b()) == []
    assert reached(net, b_to_a()) == ["a"], "a is in no group"
    c_to_d = (
        'inport == "c" && eth.src == 0a:00:00:00:02:01 '
        "&& eth.dst == 0a:00:00:00:02:02 && ip4.src == "
    )
    assert reached(net, c_to_d + "10.0.2.1") == []
    assert reached(net, c_to_d + "10.0.1.2") == ["d"], "the address of a member elsewhere"


def test_logging_tells_name_severity_and_verdict() -> None:
    net = switch(
        "direction: to-lport, priority: 9, match: tcp, action: drop, "
        "log: true, name: no-tcp, severity: notice"
    )
    (note,) = [note for note in send(net, a_to_b()).noted if note.what == "log"]
    assert note.values == ('log(name="no-tcp", severity=notice, verdict=drop);',)


def test_packets_of_routers_are_not_tracked_on_the_way_in() -> None:
    net = network(f"""
    logical_switches:
      one:
        ports:
          a: {{addresses: ["{A} 10.0.1.1"]}}
          one-r: {{type: router, router_port: r-one}}
        acls:
          - {{direction: from-lport, priority: 1, match: ip, action: allow-related}}
      two:
        ports:
          b: {{addresses: ["{B} 10.0.2.1"]}}
          two-r: {{type: router, router_port: r-two}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "0a:00:00:00:01:fe", networks: [10.0.1.254/24]}}
          r-two: {{mac: "0a:00:00:00:02:fe", networks: [10.0.2.254/24]}}
    """)
    back = (
        f'inport == "b" && eth.src == {B} && eth.dst == 0a:00:00:00:02:fe '
        "&& ip4.src == 10.0.2.1 && ip4.dst == 10.0.1.1 && ip.ttl == 64 && tcp.dst == 80"
    )
    zones = [note.values[0] for note in send(net, back).noted if note.what == "ct_commit"]
    assert zones == ["a"]
    assert reached(net, back) == ["a"]


def routed(*acls: str) -> Network:
    """`a` on a switch with ACLs, `b` behind a router."""
    rules = "\n".join(f"          - {{{acl}}}" for acl in acls)
    return network(f"""
    logical_switches:
      one:
        ports:
          a: {{addresses: ["{A} 10.0.1.1"]}}
          one-r: {{type: router, router_port: r-one}}
        acls:
{rules}
      two:
        ports:
          b: {{addresses: ["{B} 10.0.2.1"]}}
          two-r: {{type: router, router_port: r-two}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "0a:00:00:00:01:fe", networks: [10.0.1.254/24]}}
          r-two: {{mac: "0a:00:00:00:02:fe", networks: [10.0.2.254/24]}}
    """)


def test_replies_reach_a_router_past_its_acls() -> None:
    acls = (
        "direction: to-lport, priority: 9, match: tcp.dst == 80, action: allow-related",
        "direction: to-lport, priority: 1, match: ip, action: drop",
    )
    request = (
        f'inport == "b" && eth.src == {B} && eth.dst == 0a:00:00:00:02:fe '
        "&& ip4.src == 10.0.2.1 && ip4.dst == 10.0.1.1 && ip.ttl == 64 "
        "&& tcp.src == 1024 && tcp.dst == 80"
    )
    reply = (
        f'inport == "a" && eth.src == {A} && eth.dst == 0a:00:00:00:01:fe '
        "&& ip4.src == 10.0.1.1 && ip4.dst == 10.0.2.1 && ip.ttl == 64 "
        "&& tcp.src == 80 && tcp.dst == 1024"
    )
    assert reached(routed(*acls), reply) == [], "nothing asked for it"
    net = routed(*acls)
    assert reached(net, request) == ["a"]
    assert reached(net, reply) == ["b"], "it is a reply now"


def test_a_blocked_reply_reaches_no_router() -> None:
    net = routed("direction: to-lport, priority: 9, match: tcp.dst == 80, action: allow-related")
    net.connections = ScriptedConnections([Tracked(State.TRK | State.EST | State.RPL, 1)])
    reply = (
        f'inport == "a" && eth.src == {A} && eth.dst == 0a:00:00:00:01:fe '
        "&& ip4.src == 10.0.1.1 && ip4.dst == 10.0.2.1 && ip.ttl == 64 && tcp.src == 80"
    )
    assert reached(net, reply) == []


FIRST, LATER = "ip.frag == 1", "ip.frag == 3"


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("action", ["drop", "reject", "pass"])
@pytest.mark.parametrize("ports", ["tcp.dst == 22", "tcp.dst != 80", "!(tcp.dst == 80)"])
def test_fragments_that_a_refusal_may_concern_are_dropped(
    direction: str, stateful: bool, action: str, ports: str
) -> None:
    """No port is seen in a fragment, so it may be the one that the ACL is about."""
    rules = [f"direction: {direction}, priority: 9, match: '{ports}', action: {action}"]
    if stateful:
        rules.append(f"direction: {direction}, priority: 0, match: ip, action: allow-related")
    net = switch(*rules)
    for fragment in (FIRST, LATER):
        assert reached(net, a_to_b(f"tcp && {fragment}")) == []
        assert reached(net, a_to_b(f"udp && {fragment}")) == ["b"]
    assert reached(net, a_to_b("tcp.dst == 80 && tcp.flags == 2")) == ["b"]


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize("action", ["allow", "allow-related", "allow-stateless"])
@pytest.mark.parametrize("ports", ["udp.dst == 53", "udp.dst != 54", "udp.dst < 54"])
def test_ports_let_no_fragment_through(direction: str, action: str, ports: str) -> None:
    """Where no port is seen, no port is 0 either."""
    net = switch(
        f"direction: {direction}, priority: 9, match: '{ports}', action: {action}",
        f"direction: {direction}, priority: 8, match: tcp, action: allow-related",
        f"direction: {direction}, priority: 1, match: ip, action: drop",
    )
    assert reached(net, a_to_b("udp.dst == 53")) == ["b"]
    for fragment in (FIRST, LATER):
        assert reached(net, a_to_b(f"udp.dst == 53 && {fragment}")) == []
        assert reached(net, a_to_b(f"tcp && {fragment}")) == ["b"]


def test_what_names_no_ports_decides_on_fragments() -> None:
    net = switch(
        "direction: to-lport, priority: 9, match: 'ip4.src == 10.0.1.1 && udp', action: allow",
        "direction: to-lport, priority: 1, match: ip, action: drop",
    )
    for fragment in (FIRST, LATER):
        assert reached(net, a_to_b(f"udp.dst == 53 && {fragment}")) == ["b"]
        assert reached(net, a_to_b(f"tcp.dst == 53 && {fragment}")) == []


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
def test_ipv6_packets_without_an_upper_layer_are_dropped(direction: str) -> None:
    """Open vSwitch takes protocol and hop limit for 0 where extension headers are cut short."""
    packet = (
        f'inport == "a" && eth.src == {A} && eth.dst == {B} && ip6.src == fd00::1 '
        "&& ip6.dst == fd00::2"
    )
    rule = f"direction: {direction}, priority: 9, match: tcp, action: drop"
    assert reached(switch(rule), f"{packet} && ip.proto == 0 && ip.ttl == 0") == []
    assert reached(switch(rule), packet) == ["b"]
    assert reached(switch(rule), f"{packet} && udp && ip.ttl == 0") == ["b"]


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize("refusal", ["drop", "reject"])
@pytest.mark.parametrize("other", ["allow", "allow-related", "allow-stateless", "pass"])
@pytest.mark.parametrize("priority", [0, 1000, 32767])
def test_of_one_priority_refusals_decide(
    direction: str, refusal: str, other: str, priority: int
) -> None:
    """Whatever was there first, and whatever it is called."""
    place = f"direction: {direction}, priority: {priority}"
    rules = [
        f"{place}, match: 'ip4.src == 10.0.1.1', action: {other}",
        f"{place}, match: tcp.dst == 80, action: {refusal}",
    ]
    for order in (rules, rules[::-1]):
        reset = a_to_b("tcp.dst == 80 && tcp.flags == 4")
        assert reached(switch(*order), reset) == []
        assert reached(switch(*order), a_to_b("tcp.dst == 81")) == ["b"]


def test_a_higher_priority_decides_by_one() -> None:
    net = switch(
        "direction: to-lport, priority: 11, match: tcp.dst == 80, action: allow",
        "direction: to-lport, priority: 10, match: tcp, action: drop",
        "direction: to-lport, priority: 9, match: udp, action: allow",
        "direction: to-lport, priority: 8, match: ip, action: drop",
    )
    assert reached(net, a_to_b("tcp.dst == 80")) == ["b"]
    assert reached(net, a_to_b("tcp.dst == 81")) == []
    assert reached(net, a_to_b("udp.dst == 81")) == ["b"]


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize(
    ("one", "other"), [("allow", "pass"), ("allow-related", "pass"), ("drop", "reject")]
)
def test_what_nothing_orders_is_not_defined(direction: str, one: str, other: str) -> None:
    """Where it makes a difference which of two ACLs of one priority decides."""
    rules = [
        f"direction: {direction}, priority: 9, match: tcp, action: {one}",
        f"direction: {direction}, priority: 9, match: tcp.dst == 80, action: {other}",
        f"direction: {direction}, tier: 1, priority: 1, match: ip, action: drop",
    ]
    for order in (rules, rules[::-1]):
        walked = send(switch(*order), a_to_b("tcp.dst == 80 && tcp.flags == 2"))
        assert walked.deliveries == []
        (drop,) = walked.drops
        assert not drop.certain
        assert len(drop.rivals) == 1


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("action: allow-related, label: 7", "action: allow-related"),
        ("action: allow-related, label: 7", "action: allow-related, label: 8"),
        ("action: allow, name: noted, log: true, severity: info", "action: allow"),
        ("action: drop, name: noted, log: true, severity: info", "action: drop"),
        ("action: allow", "action: pass"),
    ],
)
def test_what_makes_no_difference_needs_no_order(direction: str, one: str, other: str) -> None:
    """Labels and logs are beside the packet's way, and so is a pass that nothing comes after."""
    rules = [
        f"direction: {direction}, priority: 9, match: tcp, {one}",
        f"direction: {direction}, priority: 9, match: tcp.dst == 80, {other}",
    ]
    for order in (rules, rules[::-1]):
        walked = send(switch(*order), a_to_b())
        assert [delivery.port for delivery in walked.deliveries] == ([] if "drop" in one else ["b"])
        assert all(drop.certain for drop in walked.drops)


def ties(direction: str, labels: int) -> list[str]:
    """ACLs in all tiers that let the same packet go on in many ways."""
    ways = [("tcp", "pass")]
    ways += [
        (f"tcp.dst >= 80 && tcp.src != {label}", f"allow-related, label: {label}")
        for label in range(labels)
    ]
    return [
        f"direction: {direction}, tier: {tier}, priority: 9, match: '{match}', action: {action}"
        for tier in range(4)
        for match, action in ways
    ]


@pytest.mark.parametrize(("labels", "is_defined"), [(1, True), (2, True), (80, False)])
def test_there_is_an_end_to_trying(labels: int, is_defined: bool) -> None:
    """Where there are more ways than are tried it is not defined which one is taken."""
    walked = send(switch(*ties("to-lport", labels)), a_to_b())
    assert bool(walked.deliveries) == is_defined
    assert all(drop.certain for drop in walked.drops) == is_defined


def test_there_is_an_end_to_what_happens_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    net = switch(*ties("from-lport", 1))
    assert reached(net, a_to_b()) == ["b"]
    monkeypatch.setattr("logical_flow.walk.MAX_TRIED_EVENTS", 10)
    assert not any(drop.certain for drop in send(net, a_to_b()).drops)
    assert reached(net, a_to_b("udp")) == ["b"]


@pytest.mark.parametrize("relation", ["==", "!="])
def test_a_match_takes_the_members_of_its_kind(relation: str) -> None:
    """Of one set for both families and for Ethernet."""
    sets = f"""
    address_sets:
      mixed: {{addresses: ["{A}", 10.0.1.1/32, 10.9.0.7/16, "fd00::/64"]}}
"""
    packets = {
        "ip4.src": a_to_b(),
        "ip6.src": (
            f'inport == "a" && eth.src == {A} && eth.dst == {B} && ip6.src == fd00::1 '
            "&& ip6.dst == fd01::2 && tcp.dst == 80"
        ),
        "eth.src": a_to_b(),
    }
    for field, packet in packets.items():
        rule = f"direction: to-lport, priority: 9, match: '{field} {relation} $mixed', action: drop"
        assert reached(switch(rule, extra=sets), packet) == ([] if relation == "==" else ["b"]), (
            field
        )
        other = packet.replace(A, "0a:00:00:00:09:09").replace("10.0.1.1", "10.8.0.1")
        other = other.replace("fd00::1", "fd02::1")
        assert reached(switch(rule, extra=sets), other) == (["b"] if relation == "==" else []), (
            field
        )


DROPPING = [
    template
    for pipeline in (LS_IN, LS_OUT)
    for template in pipeline.templates
    if template.actions == (Drop(),)
    and template.role is not Role.LOAD_BALANCING  # what has no backend keeps nothing out
    and not any(isinstance(leaf, ExpressionHole) for leaf in leaves(template.match))
]


@pytest.mark.parametrize("template", DROPPING, ids=repr)
def test_no_drop_of_a_switch_lets_fragments_by(template: Template) -> None:
    """What drops by a field that fragments don't show says what is to become of them."""
    if asks_for_transport(template.match):
        assert "ip.is_frag" in str(template.match)


@pytest.mark.parametrize("direction", ["from-lport", "to-lport"])
@pytest.mark.parametrize(
    ("match", "passing", "stopped"),
    [
        ("ip4 && !icmp4", ["icmp4.type == 8"], ["tcp", "udp"]),
        ("ip.proto != {6, 17}", ["tcp", "udp"], ["icmp4.type == 8", "ip.proto == 47"]),
        ("icmp4.type != 8", ["icmp4.type == 8", "tcp"], ["icmp4.type == 0"]),
        ("ip4 && !(tcp.dst == 80 || udp)", ["tcp.dst == 80", "udp"], ["tcp.dst == 81"]),
        ("ip.ttl != 64", ["tcp"], []),
        ("ip4 && !nd", [], ["tcp", "icmp4.type == 8"]),
    ],
)
def test_negated_protocols_mean_what_they_say(
    direction: str, match: str, passing: list[str], stopped: list[str]
) -> None:
    net = switch(f"direction: {direction}, priority: 9, match: '{match}', action: drop")
    for headers in passing:
        assert reached(net, a_to_b(headers)) == ["b"], headers
    for headers in stopped:
        assert reached(net, a_to_b(headers)) == [], headers


def has_copies(net: Network, pipeline: str) -> bool:
    return any(flows.has_flows(f"{pipeline}_acl_copy") for flows in net.flows.values())


def test_fields_are_copied_only_where_an_acl_negates_them() -> None:
    for match in ("tcp.dst != 80", "ip6 && !nd"):
        net = switch(f"direction: to-lport, priority: 9, match: '{match}', action: drop")
        assert not has_copies(net, "ls_in")
        assert not has_copies(net, "ls_out")
    net = switch("direction: to-lport, priority: 9, match: '!tcp', action: drop")
    assert has_copies(net, "ls_out")
    assert not has_copies(net, "ls_in")


@pytest.mark.parametrize(("match", "looks_at_ttl"), [("!tcp", False), ("ip.ttl != 64", True)])
def test_hop_limits_are_copied_only_where_one_is_asked_for(match: str, looks_at_ttl: bool) -> None:
    """A switch that looks at a field handles each of its values by itself."""
    net = switch(f"direction: to-lport, priority: 9, match: '{match}', action: drop")
    copies = [
        str(entry.flow)
        for flows in net.flows.values()
        for _, entry in flows.candidates("ls_out_acl_copy", {})
    ]
    assert copies
    assert any("ip.ttl" in flow for flow in copies) is looks_at_ttl


def test_a_fair_meter_is_one_for_each_acl() -> None:
    net = switch(
        "direction: to-lport, priority: 9, match: tcp, action: drop, log: true, meter: own",
        "direction: to-lport, priority: 8, match: udp, action: drop, log: true, meter: shared",
        "direction: to-lport, priority: 7, match: icmp, action: drop, log: true, meter: shared",
        extra="""
    meters:
      own: {rate: 10, burst: 50}
      shared: {rate: 5, fair: false}
""",
    )
    texts = [
        str(entry.flow.actions[0])
        for flows in net.flows.values()
        for _, entry in flows.candidates("ls_out_acl_eval_0", {})
    ]
    meters = sorted(text.partition("meter=")[2] for text in texts)
    assert meters[1:] == ['"shared 5 5");', '"shared 5 5");']
    assert meters[0].startswith('"own/')
    assert meters[0].endswith(' 10 50");')
