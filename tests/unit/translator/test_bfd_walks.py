"""Packets of BFD sessions, and of routes and policies that go by them."""

import pytest

from logical_flow.action.selection import decode_watched
from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, send

VM, GW, OUT = "0a:00:00:00:01:01", "0a:00:00:00:01:fe", "0a:00:00:00:02:fe"
PEER = "0a:00:00:00:02:01"


@pytest.fixture(scope="module")
def net() -> Network:
    return network(f"""
    logical_switches:
      one:
        ports:
          vm: {{addresses: ["{VM} 10.0.1.1"]}}
          one-r: {{type: router, router_port: r-one}}
      out:
        ports:
          peer: {{addresses: ["{PEER} 10.0.9.1 fd00:9::1"]}}
          out-r: {{type: router, router_port: r-out}}
    logical_routers:
      r:
        chassis: gw
        ports:
          r-one: {{mac: "{GW}", networks: [10.0.1.254/24]}}
          r-out:
            mac: "{OUT}"
            networks: [10.0.9.254/24, "fd00:9::fe/64"]
            bfd_sessions: [{{dst_ip: 10.0.9.1}}, {{dst_ip: "fd00:9::1"}}]
        nats:
          - {{type: snat, external_ip: 10.0.9.100, logical_ip: 0.0.0.0/0}}
        static_routes:
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.9.1, bfd: true}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: 10.0.9.1, bfd: true}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: 10.0.9.2}}
        policies:
          - priority: 1
            match: ip4.dst == 203.0.113.1
            action: reroute
            nexthops: [10.0.9.1]
            bfd: true
          - priority: 2
            match: ip4.dst == 203.0.113.2
            action: reroute
            nexthops: [10.0.9.1, 10.0.9.2]
            bfd: true
    """)


def remarks(walk: object) -> list[str]:
    return [str(event) for event in getattr(walk, "events", ()) if "handle_bfd" in str(event)]


def test_what_the_neighbour_sends_is_the_agents(net: Network) -> None:
    packet = (
        f'inport == "peer" && eth.src == {PEER} && eth.dst == {OUT} && ip4.src == 10.0.9.1 '
        "&& ip4.dst == 10.0.9.254 && udp && udp.dst == 3784"
    )
    assert remarks(send(net, f"{packet} && ip.ttl == 255"))
    far = send(net, f"{packet} && ip.ttl == 254")
    assert not remarks(far)
    assert [drop.place.name for drop in far.drops if drop.place] == ["lr_in_bfd"]


def test_the_agents_own_packets_are_neither_routed_nor_translated(net: Network) -> None:
    packet = (
        f'inport == "r-out" && eth.src == {OUT} && eth.dst == {OUT} && ip4.src == 10.0.9.254 '
        "&& ip4.dst == 10.0.9.1 && udp && udp.dst == 3784 && flags[1] == 1 && ip.ttl == 255"
    )
    (delivery,) = send(net, packet).deliveries
    assert delivery.port == "peer"
    assert delivery.packet["ip.ttl"] == 255
    assert delivery.packet["ip4.src"] == int.from_bytes(bytes((10, 0, 9, 254)))


@pytest.mark.parametrize(
    ("stage", "template", "watched"),
    [
        ("lr_in_ip_routing", "watched4", [True]),
        ("lr_in_ip_routing", "spread_watched4", [False, True]),
        ("lr_in_policy", "reroute_watched4", [True]),
        ("lr_in_policy", "spread_watched4", [False, True]),
    ],
)
def test_flows_say_by_which_sessions_they_go(
    net: Network, stage: str, template: str, watched: list[bool]
) -> None:
    router = next(key for key, flows in net.flows.items() if flows.has_flows("lr_in_bfd"))
    flows = [
        placed.entry.flow
        for placed in net.flows[router].candidates(stage, {})
        if placed.entry.flow.template.name == template
    ]
    (flow,) = flows
    assert str(flow.template.only) == "alive:members"
    members = decode_watched(flow.named_args["members"])
    assert sorted(bool(each.session) for each in members) == watched
    assert len({each.session for each in members if each.session}) == 1
