"""Walks through a network that translates; a real switch agrees in tests/system."""

from ipaddress import IPv4Address

import pytest

from logical_flow.action import CtNat
from logical_flow.action_parser import parse_actions
from logical_flow.errors import WalkError
from logical_flow.flow_table import Entry, FlowTable, Layout
from logical_flow.packet import MutablePacket, packet_from_match
from logical_flow.template import Template, TemplateText
from logical_flow.walk import walk, walk_from
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from tests.system.agent.translating_network import (
    BACKEND,
    CLIENT,
    DATAPATHS,
    OUTSIDE,
    ROUTER_VIP,
    SERVER,
    SWITCH_VIP,
    network,
)


def udp(port: str, source: str, destination: str, sport: int, dport: int) -> MutablePacket:
    ports = f"udp.src == {sport} && udp.dst == {dport}"
    packet = packet_from_match(f"ip4.src == {source} && ip4.dst == {destination} && {ports}")
    return packet | {"inport": port}


def delivered(result: Walk) -> tuple[str, str, object, str, object]:
    """Return where the one copy arrived, from whom to whom."""
    (delivery,) = result.deliveries
    packet = delivery.packet
    source, destination = (IPv4Address(int(str(packet[f"ip4.{way}"]))) for way in ("src", "dst"))
    return delivery.port, str(source), packet["udp.src"], str(destination), packet["udp.dst"]


@pytest.mark.parametrize(
    ("target", "arrives_at", "as_address", "as_port"),
    [
        (SERVER, "server", SERVER, 80),
        (ROUTER_VIP, "backend", BACKEND, 8080),
        (SWITCH_VIP, "backend", BACKEND, 9090),
    ],
)
def test_a_conversation_through_translations(
    target: str, arrives_at: str, as_address: str, as_port: int
) -> None:
    net = network()
    request = walk(net, udp("client", CLIENT, target, 1000, 80))
    assert delivered(request) == (arrives_at, OUTSIDE, 1000, as_address, as_port)
    reply = walk(net, udp(arrives_at, as_address, OUTSIDE, as_port, 1000))
    assert delivered(reply) == ("client", target, 80, CLIENT, 1000)


def test_the_walk_says_what_it_translated() -> None:
    result = walk(network(), udp("client", CLIENT, ROUTER_VIP, 1000, 80))
    assert [str(note) for note in result.noted] == [
        "ct_dnat(gw, 10.0.2.22, 8080)",
        "ct_snat(gw snat, 10.0.2.1)",
    ]


def test_a_port_that_is_taken_is_not_known() -> None:
    net = network()
    walk(net, udp("client", CLIENT, SERVER, 1000, 80))
    second = walk(net, udp("other", "10.0.1.12", SERVER, 1000, 80))
    assert delivered(second) == ("server", OUTSIDE, None, SERVER, 80)


def only(kind: str, actions: str) -> Walk:
    """Walk through a datapath of that kind with one stage."""
    row = TemplateText(1, f"{kind}_in", f"{kind}_in_first", 0, "next", "1", "1", actions, "")
    flow = Template.from_text(row)()
    (datapath, *_) = [each for each in DATAPATHS if each.kind == kind]
    net = Network(
        datapaths=[datapath],
        ports=[],
        layout=Layout([flow.template]),
        flows={datapath.id: FlowTable([Entry(flow)])},
    )
    return walk_from(net, udp("client", CLIENT, SERVER, 1, 2), datapath.id, f"{kind}_in")


@pytest.mark.parametrize(
    ("kind", "actions"), [("ls", "ct_next(snat);"), ("lr", "ct_commit(port); next;")]
)
def test_a_zone_that_a_datapath_does_not_have_ends_the_walk(kind: str, actions: str) -> None:
    with pytest.raises(WalkError, match="has no conntrack zone"):
        only(kind, actions)


def test_addresses_imply_their_family() -> None:
    families = {
        "ct_snat;": "ip",
        "ct_snat(10.0.0.1);": "ip4",
        "ct_dnat(fd00::1);": "ip6",
    }
    for text, family in families.items():
        (action,) = parse_actions(text)
        assert isinstance(action, CtNat)
        assert action.prerequisites == (family,)
