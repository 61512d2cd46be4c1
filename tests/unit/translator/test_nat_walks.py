"""What NAT does to packets that a router forwards."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from logical_flow.connections import ScriptedConnections, State, Tracked
from logical_flow.endpoints import Endpoints, quoted_endpoints, requoted
from logical_flow.packet import packet_from_match
from logical_flow.walk_events import Crossing, Visit
from logical_flow.walk_network import Network
from tests.unit.translator.edge import EDGE, MACS, at_gateway_port, packet, without_gateway
from tests.unit.translator.walks import delivered, network, reached, send

NETWORK = (
    EDGE
    + """\
    nats:
      - {type: snat, external_ip: 192.0.2.254, logical_ip: 10.0.1.0/24}
      - {type: dnat_and_snat, external_ip: 192.0.2.2, logical_ip: 10.0.1.2}
      - {type: dnat, external_ip: 192.0.2.80, logical_ip: 10.0.1.1}
      - {type: snat, external_ip: "2001:db8::fe", logical_ip: "fd00:1::/64"}
      - {type: dnat_and_snat, external_ip: "2001:db8::2", logical_ip: "fd00:1::2"}
"""
)
GATEWAY_PORT = at_gateway_port(NETWORK)
FLOATING_MAC = "0a:00:00:00:02:02"
OVERLAY = GATEWAY_PORT.replace(
    "logical_ip: 10.0.1.2}",
    f'logical_ip: 10.0.1.2, logical_port: vm2, external_mac: "{FLOATING_MAC}"}}',
).replace(
    'logical_ip: "fd00:1::2"}',
    f'logical_ip: "fd00:1::2", logical_port: vm2, external_mac: "{FLOATING_MAC}"}}',
)
LOCAL = OVERLAY.replace(
    "      out-r:", "      net: {type: localnet, network_name: physnet1}\n      out-r:"
)
"""The router on one chassis; everywhere with a gateway port; with a floating IP that would be
elsewhere if the outside was a provider network; and with one that is."""


@pytest.fixture(
    params=[NETWORK, GATEWAY_PORT, OVERLAY, LOCAL], ids=["router", "gateway", "overlay", "local"]
)
def net(request: pytest.FixtureRequest) -> Network:
    return network(request.param)


def udp(port: str, src: str, dst: str, sport: int, dport: int) -> str:
    return packet(port, src, dst, f"udp.src == {sport} && udp.dst == {dport}")


def seen(found: Any) -> tuple[str, str, str]:
    """Where a packet comes out, with its addresses."""
    family = "ip6" if "ip6.src" in found else "ip4"
    return (
        found["to"],
        str(ip_address(found[f"{family}.src"])),
        str(ip_address(found[f"{family}.dst"])),
    )


@pytest.mark.parametrize(
    ("port", "logical", "external", "outside"),
    [
        ("vm1", "10.0.1.1", "192.0.2.254", "192.0.2.9"),
        ("vm2", "10.0.1.2", "192.0.2.2", "192.0.2.9"),
        ("vm1", "fd00:1::1", "2001:db8::fe", "2001:db8::9"),
        ("vm2", "fd00:1::2", "2001:db8::2", "2001:db8::9"),
    ],
)
def test_what_leaves_and_its_replies(
    net: Network, port: str, logical: str, external: str, outside: str
) -> None:
    request = delivered(net, udp(port, logical, outside, 5000, 53))
    assert seen(request) == ("host", external, outside)
    reply = delivered(net, udp("host", outside, external, 53, 5000))
    assert seen(reply) == (port, outside, logical)


@pytest.mark.parametrize(
    ("external", "logical", "port", "outside"),
    [
        ("192.0.2.80", "10.0.1.1", "vm1", "192.0.2.9"),
        ("192.0.2.2", "10.0.1.2", "vm2", "192.0.2.9"),
        ("2001:db8::2", "fd00:1::2", "vm2", "2001:db8::9"),
    ],
)
def test_what_comes_in_and_its_replies(
    net: Network, external: str, logical: str, port: str, outside: str
) -> None:
    request = delivered(net, udp("host", outside, external, 5000, 80))
    assert seen(request) == (port, outside, logical)
    reply = delivered(net, udp(port, logical, outside, 80, 5000))
    assert seen(reply) == ("host", external, outside)


def test_a_floating_ip_reaches_the_other(net: Network) -> None:
    """vm1 asks for vm2 by its floating IP, and is answered from there."""
    request = delivered(net, udp("vm1", "10.0.1.1", "192.0.2.2", 5000, 80))
    assert seen(request) == ("vm2", "192.0.2.254", "10.0.1.2")
    reply = delivered(net, udp("vm2", "10.0.1.2", "192.0.2.254", 80, 5000))
    assert seen(reply) == ("vm1", "192.0.2.2", "10.0.1.1")


def with_hops(hops: int, sent: str) -> str:
    return sent.replace("ip.ttl == 64", f"ip.ttl == {hops}")


LOOPED = [
    ("vm1", "10.0.1.1", "192.0.2.2"),
    ("vm2", "10.0.1.2", "192.0.2.2"),
    ("vm1", "fd00:1::1", "2001:db8::2"),
    ("vm2", "fd00:1::2", "2001:db8::2"),
]
"""Who asks for a floating IP from inside; one of them has it."""


@pytest.mark.parametrize(("port", "logical", "external"), LOOPED)
@pytest.mark.parametrize(
    "make", [lambda document: document, lambda document: stateless(document)], ids=["", "stateless"]
)
@pytest.mark.parametrize(
    "document", [GATEWAY_PORT, OVERLAY, LOCAL], ids=["gateway", "overlay", "local"]
)
def test_hops_are_counted_where_a_packet_comes_in_again(
    document: str, make: Callable[[str], str], port: str, logical: str, external: str
) -> None:
    """The router's port inside is a hop, its gateway port another: both tell of themselves."""
    net = network(make(document))
    own = ("fd00:1::fe", "2001:db8::fe") if ":" in external else ("10.0.1.254", "192.0.2.254")
    kind, code = ("icmp6", 3) if ":" in external else ("icmp4", 11)
    for hops, teller in enumerate(own, start=1):
        told = delivered(net, with_hops(hops, udp(port, logical, external, 5000, 80)))
        assert seen(told) == (port, teller, logical)
        assert (told[f"{kind}.type"], told[f"{kind}.code"]) == (code, 0)
        about = quoted_endpoints(told)
        assert about is not None
        assert about.source == int(ip_address(logical))
    arrived = delivered(net, with_hops(3, udp(port, logical, external, 5000, 80)))
    assert (arrived["to"], arrived["ip.ttl"]) == ("vm2", 1)


def error_about(text: str, source: str, destination: str) -> dict[str, Any]:
    """An ICMP error that quotes a datagram between these."""
    ends = Endpoints(17, int(ip_address(source)), int(ip_address(destination)), 5000, 53)
    fields = packet_from_match(text)
    return {**fields, **requoted(fields, ends)}


UNREACHABLE = {4: "icmp4.type == 3 && icmp4.code == 1", 6: "icmp6.type == 1 && icmp6.code == 3"}


@pytest.mark.parametrize("teller", ["10.0.1.1", "10.0.7.7"], ids=["end", "between"])
def test_errors_about_what_came_in_again_get_to_who_sent_it(net: Network, teller: str) -> None:
    """vm1 asks for itself by an address outside, and hears from itself or from a router inside."""
    own, external, router = "10.0.1.1", "192.0.2.80", "192.0.2.254"
    asked = delivered(net, udp("vm1", own, external, 5000, 53))
    assert seen(asked) == ("vm1", router, own)
    text = packet("vm1", teller, router, UNREACHABLE[4])
    told = delivered(net, error_about(text, router, own))
    assert seen(told) == ("vm1", external, own)
    about = quoted_endpoints(told)
    assert about is not None
    assert (about.source, about.destination) == (int(ip_address(own)), int(ip_address(external)))


@pytest.mark.parametrize(
    ("port", "logical", "asked_as", "external", "kind"),
    [
        ("vm1", "10.0.1.1", "192.0.2.254", "192.0.2.2", "icmp4.type == 11"),
        ("vm1", "fd00:1::1", "2001:db8::fe", "2001:db8::2", "icmp6.type == 3"),
    ],
)
def test_who_is_behind_the_gateway_hears_of_hops_where_a_floating_ip_is(
    port: str, logical: str, asked_as: str, external: str, kind: str
) -> None:
    """There they end at the gateway port, whose address is on other chassis, too."""
    net = network(LOCAL)
    assert reached(net, udp(port, logical, external, 5000, 53)) == ["vm2"]
    code = f"{kind.partition('.')[0]}.code == 0"
    text = packet("host", asked_as, asked_as, f"{kind} && {code}")
    told = delivered(net, error_about(text, asked_as, external))
    assert seen(told) == (port, asked_as, logical)
    about = quoted_endpoints(told)
    assert about is not None
    assert (about.source, about.destination) == (
        int(ip_address(logical)),
        int(ip_address(external)),
    )


@pytest.mark.parametrize("document", [OVERLAY, LOCAL], ids=["overlay", "local"])
def test_nothing_else_comes_from_an_address_of_the_router(document: str) -> None:
    """Nor does that, where no floating IP can be elsewhere."""
    net, own = network(document), "192.0.2.254"
    errors = [UNREACHABLE[4], *(["icmp4.type == 11"] if document is OVERLAY else [])]
    for error in errors:
        sent = error_about(packet("host", own, own, error), own, "192.0.2.2")
        drops = send(net, sent).drops
        assert [drop.place and drop.place.name for drop in drops] == ["lr_in_ip_input"]


def test_a_fragment_whose_hops_end_where_it_comes_in_again_is_dropped() -> None:
    net = network(GATEWAY_PORT)
    fragment = packet("vm1", "10.0.1.1", "192.0.2.2", "ip.proto == 17 && ip.later_frag")
    walk = send(net, with_hops(2, fragment))
    assert not walk.deliveries
    assert [drop.place and drop.place.name for drop in walk.drops] == ["lr_in_again"]


@pytest.mark.parametrize(
    ("state", "ports"),
    [
        (State.NEW, []),
        (State.NEW | State.SNAT, ["host"]),
        (State.EST | State.SNAT, ["host"]),
        (State.EST | State.RPL | State.DNAT, ["host"]),
        (State.REL, ["host"]),
        (State.INV, ["host"]),
    ],
    ids=str,
)
def test_without_a_free_port_nothing_leaves(net: Network, state: State, ports: list[str]) -> None:
    """Open vSwitch's own datapath goes on with what it couldn't translate."""
    net.connections = ScriptedConnections([Tracked(State.TRK | state)])
    walk = send(net, udp("vm1", "10.0.1.1", "192.0.2.9", 5000, 53))
    assert [delivery.port for delivery in walk.deliveries] == ports
    if not ports:
        assert [drop.place and drop.place.name for drop in walk.drops] == ["lr_out_post_snat"]


@pytest.mark.parametrize("external", ["192.0.2.254", "2001:db8::fe"])
def test_an_own_address_refuses_what_is_of_no_connection(net: Network, external: str) -> None:
    outside = "2001:db8::9" if ":" in external else "192.0.2.9"
    answer = delivered(net, udp("host", outside, external, 5000, 53))
    assert seen(answer) == ("host", external, outside)
    kind = "icmp6" if ":" in external else "icmp4"
    assert (answer[f"{kind}.type"], answer[f"{kind}.code"]) == (
        (1, 4) if ":" in external else (3, 3)
    )


@pytest.mark.parametrize("external", ["192.0.2.254", "2001:db8::fe"])
def test_what_may_be_of_a_connection_of_another_gateway_is_not_refused(
    net: Network, external: str
) -> None:
    """A reset would end it for both ends."""
    outside = "2001:db8::9" if ":" in external else "192.0.2.9"
    for flags, answers in ((0x10, 0), (0x18, 0), (0x11, 0), (0x02, 1), (0x12, 1), (0x01, 1)):
        segment = udp("host", outside, external, 5000, 53).replace("udp", "tcp")
        assert len(reached(net, f"{segment} && tcp.flags == {flags}")) == answers, hex(flags)


def test_an_external_address_of_no_port_drops_what_is_of_no_connection() -> None:
    net = network(NETWORK.replace("snat, external_ip: 192.0.2.254", "snat, external_ip: 192.0.2.3"))
    assert reached(net, udp("host", "192.0.2.9", "192.0.2.3", 5000, 53)) == []


def arp(target: str) -> str:
    return (
        'inport == "host" && eth.src == 0a:00:00:00:02:09 && eth.dst == ff:ff:ff:ff:ff:ff '
        f"&& arp.op == 1 && arp.spa == 192.0.2.9 && arp.tpa == {target} "
        "&& arp.sha == 0a:00:00:00:02:09"
    )


def answers_to(net: Network, question: str, field: str) -> list[Any]:
    return [each.packet[field] for each in send(net, question).deliveries if each.port == "host"]


def test_external_addresses_are_answered_for(net: Network) -> None:
    assert answers_to(net, arp("192.0.2.80"), "arp.sha") == [0x0A00000002FE]
    assert answers_to(net, arp("192.0.2.81"), "arp.sha") == []


SOLICITATION = (
    'inport == "host" && eth.src == 0a:00:00:00:02:09 && eth.dst == 33:33:ff:00:00:02 '
    "&& nd_ns && ip6.src == 2001:db8::9 && ip6.dst == ff02::1:ff00:2 "
    "&& nd.target == 2001:db8::2 && nd.sll == 0a:00:00:00:02:09"
)


@pytest.mark.parametrize(
    ("document", "mac"),
    [
        (NETWORK, 0x0A00000002FE),
        (GATEWAY_PORT, 0x0A00000002FE),
        (OVERLAY, 0x0A00000002FE),
        (LOCAL, 0x0A0000000202),
    ],
    ids=["router", "gateway", "overlay", "local"],
)
def test_a_floating_ip_has_the_mac_address_of_its_place(document: str, mac: int) -> None:
    net = network(document)
    assert answers_to(net, arp("192.0.2.2"), "arp.sha") == [mac]
    assert answers_to(net, SOLICITATION, "nd.tll") == [mac]
    for logical, outside in (("10.0.1.2", "192.0.2.9"), ("fd00:1::2", "2001:db8::9")):
        request = delivered(net, udp("vm2", logical, outside, 5000, 53))
        assert request["eth.src"] == mac


def test_a_floating_ip_is_reached_by_its_own_mac_address() -> None:
    """Both ways take the link on the chassis of its port, and not that to the chassis in charge."""
    net = network(LOCAL)
    for external, logical in (("192.0.2.2", "10.0.1.2"), ("2001:db8::2", "fd00:1::2")):
        outside = "2001:db8::9" if ":" in external else "192.0.2.9"
        asked = udp("host", outside, external, 5000, 80).replace(MACS["host"][1], FLOATING_MAC)
        assert seen(delivered(net, asked)) == ("vm2", outside, logical)
        crossings = [
            event
            for event in send(net, asked).events
            if isinstance(event, Crossing) and event.port == "out-r"
        ]
        assert [event.packet["flags"] for event in crossings] == [1 << 26]


def test_a_router_without_gateway_translates_nothing() -> None:
    net = network(without_gateway(NETWORK))
    request = delivered(net, udp("vm1", "10.0.1.1", "192.0.2.9", 5000, 53))
    assert seen(request) == ("host", "10.0.1.1", "192.0.2.9")
    assert answers_to(net, arp("192.0.2.80"), "arp.sha") == []


SETS = """
address_sets:
  partners: {addresses: [192.0.2.9/32, "2001:db8::9/128"]}
  strangers: {addresses: [192.0.2.128/25]}
"""


@pytest.mark.parametrize(
    ("field", "addresses", "translated"),
    [
        ("allowed_external_ips", "partners", True),
        ("allowed_external_ips", "strangers", False),
        ("exempted_external_ips", "partners", False),
        ("exempted_external_ips", "strangers", True),
    ],
)
@pytest.mark.parametrize(
    "document", [NETWORK, GATEWAY_PORT, LOCAL], ids=["router", "port", "local"]
)
def test_a_nat_is_for_some_outside(
    document: str, field: str, addresses: str, translated: bool
) -> None:
    with_set = f"{field}: {addresses}}}"
    document = document.replace("logical_ip: 10.0.1.0/24}", f"logical_ip: 10.0.1.0/24, {with_set}")
    document = document.replace("logical_ip: 10.0.1.1}", f"logical_ip: 10.0.1.1, {with_set}")
    net = network(SETS + document)
    request = delivered(net, udp("vm1", "10.0.1.1", "192.0.2.9", 5000, 53))
    assert seen(request)[1] == ("192.0.2.254" if translated else "10.0.1.1")
    walk = send(net, udp("host", "192.0.2.9", "192.0.2.80", 5001, 80))
    assert [each.port for each in walk.deliveries] == (["vm1"] if translated else [])
    if not translated:
        assert [drop.place and drop.place.name for drop in walk.drops] == ["lr_in_dnat"]


def test_a_stateless_floating_ip_needs_no_connection() -> None:
    net = network(
        NETWORK.replace("logical_ip: 10.0.1.2}", "logical_ip: 10.0.1.2, stateless: true}")
    )
    answer = delivered(net, udp("vm2", "10.0.1.2", "192.0.2.9", 80, 5000))
    assert seen(answer) == ("host", "192.0.2.2", "192.0.2.9")
    request = delivered(net, udp("host", "192.0.2.9", "192.0.2.2", 5000, 80))
    assert seen(request) == ("vm2", "192.0.2.9", "10.0.1.2")


def stateless(document: str) -> str:
    """Return the same with floating IPs that need no connections."""
    for logical in ("10.0.1.2", '"fd00:1::2"'):
        document = document.replace(
            f"logical_ip: {logical}", f"logical_ip: {logical}, stateless: true"
        )
    return document


@pytest.mark.parametrize(
    "document", [NETWORK, GATEWAY_PORT, LOCAL], ids=["router", "port", "local"]
)
@pytest.mark.parametrize(
    ("external", "logical", "outside", "between", "kind"),
    [
        ("192.0.2.2", "10.0.1.2", "192.0.2.9", "203.0.113.1", "icmp4.type == 3 && icmp4.code == 4"),
        (
            "2001:db8::2",
            "fd00:1::2",
            "2001:db8::9",
            "2001:db8:9::1",
            "icmp6.type == 2 && icmp6.code == 0",
        ),
    ],
)
def test_errors_of_a_stateless_floating_ip_quote_what_was_sent(
    document: str, external: str, logical: str, outside: str, between: str, kind: str
) -> None:
    """Of a router outside, to the one inside; and of that one to who has asked."""
    net = network(stateless(document))

    told = delivered(net, error_about(packet("host", between, external, kind), external, outside))
    assert seen(told) == ("vm2", between, logical)
    about = quoted_endpoints(told)
    assert about is not None
    assert (about.source, about.destination) == (
        int(ip_address(logical)),
        int(ip_address(outside)),
    )
    told = delivered(net, error_about(packet("vm2", logical, outside, kind), outside, logical))
    assert seen(told) == ("host", external, outside)
    about = quoted_endpoints(told)
    assert about is not None
    assert (about.source, about.destination) == (
        int(ip_address(outside)),
        int(ip_address(external)),
    )


def test_other_routers_may_ask_for_external_addresses() -> None:
    """Requests of a router go to no other router, but for those that concern one."""
    other = """
  other: {ports: {other-out: {networks: [192.0.2.253/24], mac: "0a:00:00:00:02:fd"}}}
"""
    document = NETWORK.replace(
        "      out-r: {router_port: r-out}\n",
        "      out-r: {router_port: r-out}\n      out-other: {router_port: other-out}\n",
    )
    net = network(document + other)
    asked = (
        'inport == "out-other" && eth.src == 0a:00:00:00:02:fd && eth.dst == ff:ff:ff:ff:ff:ff '
        "&& arp.op == 1 && arp.spa == 192.0.2.253 && arp.tpa == 192.0.2.2 "
        "&& arp.sha == 0a:00:00:00:02:fd"
    )
    crossings = [str(getattr(event, "text", "")) for event in send(net, asked).events]
    assert "patch from out-r to r-out" in crossings


MATCHING = """\
      - {type: dnat, external_ip: 192.0.2.80, logical_ip: 10.0.1.2, match: udp.dst == 443}
      - {type: dnat, external_ip: 192.0.2.80, logical_ip: 10.0.1.3, match: udp, priority: 1,
         external_port_range: "53"}
      - {type: dnat, external_ip: 192.0.2.90, logical_ip: 10.0.1.2, match: udp.dst == 443}
      - {type: snat, external_ip: 192.0.2.81, logical_ip: 10.0.0.0/8, match: udp.dst == 25}
      - {type: snat, external_ip: 192.0.2.82, logical_ip: 10.0.1.1,
         match: "ip4.dst == 192.0.2.9 && udp.dst == {25, 26}", priority: 7}
      - {type: snat, external_ip: "2001:db8::81", logical_ip: "fd00::/16", match: udp.dst == 25}
"""


@pytest.mark.parametrize("document", [NETWORK, GATEWAY_PORT], ids=["router", "gateway"])
def test_a_match_decides_before_addresses(document: str) -> None:
    net = network(document + MATCHING.replace("udp, priority: 1", "udp.dst == 444, priority: 1"))
    for port, behind in ((443, ("vm2", "10.0.1.2")), (80, ("vm1", "10.0.1.1"))):
        request = delivered(net, udp("host", "192.0.2.9", "192.0.2.80", 5000 + port, port))
        assert seen(request) == (behind[0], "192.0.2.9", behind[1])
        reply = delivered(net, udp(behind[0], behind[1], "192.0.2.9", port, 5000 + port))
        assert seen(reply) == ("host", "192.0.2.80", "192.0.2.9")
    assert seen(delivered(net, udp("host", "192.0.2.9", "192.0.2.90", 5001, 443)))[0] == "vm2"
    assert reached(net, udp("host", "192.0.2.9", "192.0.2.90", 5001, 80)) == []
    for vm, port, external in (
        ("vm1", 25, "192.0.2.82"),
        ("vm1", 26, "192.0.2.82"),
        ("vm1", 27, "192.0.2.254"),
        ("vm2", 25, "192.0.2.81"),
        ("vm2", 27, "192.0.2.2"),
    ):
        own = "10.0.1.1" if vm == "vm1" else "10.0.1.2"
        assert seen(delivered(net, udp(vm, own, "192.0.2.9", 6000, port)))[1] == external
    leaves = delivered(net, udp("vm1", "fd00:1::1", "2001:db8::9", 6000, 25))
    assert seen(leaves)[1] == "2001:db8::81"


def test_the_highest_priority_decides() -> None:
    net = network(NETWORK + MATCHING)
    request = delivered_to(net, udp("host", "192.0.2.9", "192.0.2.80", 5000, 443))
    assert request == "10.0.1.3"


def delivered_to(net: Network, text: str) -> str:
    """The destination of the packet as the router forwards it."""
    visits = [event for event in send(net, text).events if isinstance(event, Visit)]
    last = next(each for each in reversed(visits) if each.place.name == "lr_in_ip_routing")
    return str(ip_address(last.packet["ip4.dst"] or 0))


FORCED = NETWORK.replace(
    "    chassis: hv1\n",
    '    chassis: hv1\n    dnat_force_snat_ips: [10.0.1.254, "fd00:1::fe"]\n',
)


@pytest.mark.parametrize(
    ("external", "outside", "forced", "logical"),
    [
        ("192.0.2.2", "192.0.2.9", "10.0.1.254", "10.0.1.2"),
        ("2001:db8::2", "2001:db8::9", "fd00:1::fe", "fd00:1::2"),
    ],
)
def test_what_is_behind_answers_to_the_gateway_that_asked(
    external: str, outside: str, forced: str, logical: str
) -> None:
    net = network(FORCED)
    request = delivered(net, udp("host", outside, external, 5000, 80))
    assert seen(request) == ("vm2", forced, logical)
    reply = delivered(net, udp("vm2", logical, forced, 80, 5000))
    assert seen(reply) == ("host", external, outside)
    unasked = delivered(net, udp("vm2", logical, forced, 81, 5000))
    assert seen(unasked)[0] == "vm2", "it is refused as for any address of the router"
    leaves = delivered(net, udp("vm2", logical, outside, 7000, 80))
    assert seen(leaves) == ("host", external, outside), "what begins inside is as it was"


def test_a_floating_ip_asks_for_its_next_hop_itself() -> None:
    """Not through the gateway, which would let the packet out with another source."""
    walked = send(network(LOCAL), udp("vm2", "10.0.1.2", "192.0.2.77", 1000, 53))
    (question,) = (each.packet for each in walked.deliveries if each.port == "net")
    mac = int(FLOATING_MAC.replace(":", ""), 16)
    assert question["eth.src"] == question["arp.sha"] == mac
    assert str(ip_address(question["arp.spa"] or 0)) == "192.0.2.2"


@pytest.mark.parametrize(
    ("port", "source", "external"),
    [("vm2", "10.0.1.2", "192.0.2.2"), ("vm1", "10.0.1.1", "192.0.2.254")],
)
def test_who_has_a_declared_mac_address_is_reached(port: str, source: str, external: str) -> None:
    """By a floating IP where its workload is, and by the gateway."""
    bound = LOCAL.replace(
        "gateway_chassis: [{chassis: hv1, priority: 10}]}",
        "gateway_chassis: [{chassis: hv1, priority: 10}], static_mac_bindings: "
        '[{ip: 192.0.2.77, mac: "0a:00:00:00:02:77"}]}',
    )
    walked = send(network(bound), udp(port, source, "192.0.2.77", 1000, 53))
    arrived = [seen({**each.packet, "to": each.port}) for each in walked.deliveries]
    assert ("net", external, "192.0.2.77") in arrived
