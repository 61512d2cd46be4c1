"""What routing policies do to packets."""

import pytest

from logical_flow.action.selection import decode_members
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from tests.translated import Translated
from tests.unit.translator.walks import network, send
from translator.features.policies.stages import LrInPolicy, LrInPolicyEcmp

VM, GW = "0a:00:00:00:01:01", "0a:00:00:00:01:fe"

DOCUMENT = f"""
address_sets:
  far: {{addresses: [203.0.113.0/24]}}
logical_switches:
  one:
    ports:
      vm: {{addresses: ["{VM} 10.0.1.1 fd00:1::1"]}}
      one-r: {{type: router, router_port: r-one}}
  out:
    ports:
      a: {{addresses: ["0a:00:00:00:02:01 10.0.9.1 fd00:9::1"]}}
      b: {{addresses: ["0a:00:00:00:02:02 10.0.9.2 fd00:9::2"]}}
      out-r: {{type: router, router_port: r-out}}
logical_routers:
  r:
    ports:
      r-one: {{mac: "{GW}", networks: [10.0.1.254/24, "fd00:1::fe/64"]}}
      r-out: {{mac: "0a:00:00:00:02:fe", networks: [10.0.9.254/24, "fd00:9::fe/64"]}}
    static_routes:
      - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.9.1}}
      - {{ip_prefix: "::/0", nexthop: "fd00:9::1"}}
    policies:
      - {{priority: 10, match: 'inport == "r-one" && ip4.dst == $far', action: reroute,
         nexthops: [10.0.9.2]}}
      - {{priority: 20, match: ip4.dst == 203.0.113.9, action: drop}}
      - {{priority: 20, match: ip4.dst == 203.0.113.10, action: allow, pkt_mark: 7}}
      - {{priority: 5, match: tcp.dst == 25, action: drop}}
      - {{priority: 30, match: ip4.dst == 198.51.100.0/24, action: jump, jump_chain: lab}}
      - {{priority: 1, match: ip4.dst == 198.51.100.1, action: drop, chain: lab}}
      - {{priority: 2, match: ip4.dst == 198.51.100.2, action: reroute, nexthops: [10.0.9.2],
         chain: lab, pkt_mark: 9}}
      - {{priority: 3, match: ip4.dst == 198.51.100.3, action: jump, jump_chain: deep, chain: lab}}
      - {{priority: 1, match: ip4, action: drop, chain: deep}}
      - {{priority: 25, match: ip4.dst == 198.51.100.4, action: drop}}
      - {{priority: 40, match: ip.dst == 192.0.2.0/24, action: reroute,
         nexthops: ["fd00:9::2"]}}
      - {{priority: 41, match: ip6.dst == 2001:db8::/32, action: reroute,
         nexthops: ["fd00:9::1", "fd00:9::2"]}}
""".replace("ip.dst ==", "ip4.dst ==")


@pytest.fixture(scope="module")
def net() -> Network:
    return network(DOCUMENT)


def go(net: Network, dst: str, more: str = "ip.ttl == 64") -> Walk:
    packet = f'inport == "vm" && eth.src == {VM} && eth.dst == {GW}'
    if ":" in dst:
        return send(net, f"{packet} && ip6.src == fd00:1::1 && ip6.dst == {dst} && {more}")
    return send(net, f"{packet} && ip4.src == 10.0.1.1 && ip4.dst == {dst} && {more}")


@pytest.mark.parametrize(
    ("dst", "ports"),
    [
        ("192.0.3.1", ["a"]),  # no policy: by the route
        ("203.0.113.1", ["b"]),
        ("203.0.113.9", []),
        ("203.0.113.10", ["a"]),  # allowed before another reroutes
        ("198.51.100.1", []),
        ("198.51.100.2", ["b"]),
        ("198.51.100.3", []),
        ("198.51.100.4", ["a"]),  # what a chain doesn't decide goes by its route
        ("192.0.2.1", ["b"]),  # IPv4 through IPv6
        ("2001:db9::1", ["a"]),
    ],
)
def test_the_way_of_a_packet(net: Network, dst: str, ports: list[str]) -> None:
    assert sorted(delivery.port for delivery in go(net, dst).deliveries) == ports


@pytest.mark.parametrize(("dst", "mark"), [("203.0.113.10", 7), ("198.51.100.2", 9)])
def test_packets_are_marked(net: Network, dst: str, mark: int) -> None:
    (delivery,) = go(net, dst).deliveries
    assert delivery.packet["pkt.mark"] == mark


def test_of_fragments_a_policy_that_drops_takes_those_it_may_be_about(net: Network) -> None:
    whole = "ip.ttl == 64 && tcp.dst == 80"
    assert go(net, "192.0.3.1", whole).deliveries
    assert not go(net, "192.0.3.1", "ip.ttl == 64 && tcp.dst == 25").deliveries
    later = "ip.ttl == 64 && ip.proto == 6 && ip.frag == 3"
    assert not go(net, "192.0.3.1", later).deliveries


def test_several_next_hops_are_members_of_one_choice() -> None:
    translated = Translated.of({"document": "t", **_document()})
    (router,) = [row.id for row in translated.datapaths if row.kind == "lr"]
    flows = translated.flows(router)
    (spread,) = [flow for flow in flows if flow.template is LrInPolicy.spread["6"]]
    members = [flow for flow in flows if flow.template is LrInPolicyEcmp.member6]
    chosen = decode_members(spread.named_args["members"])
    assert {member.number for member in chosen} == {flow.named_args["member"] for flow in members}
    assert len(members) == 2


def _document() -> dict[str, object]:
    import yaml

    document: dict[str, object] = yaml.safe_load(DOCUMENT)
    return document
