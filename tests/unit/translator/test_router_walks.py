"""What a logical router does to packets."""

import pytest

from logical_flow.walk_network import Network
from tests.unit.translator.walks import delivered, network, reached, send

VM1, VM2, GW1, GW2 = (
    "0a:00:00:00:01:01",
    "0a:00:00:00:02:01",
    "0a:00:00:00:01:fe",
    "0a:00:00:00:02:fe",
)


@pytest.fixture(scope="module")
def net() -> Network:
    return network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1 fd00:1::1"]}}
          loose: {{addresses: [unknown]}}
          one-r: {{type: router, router_port: r-one}}
          one-s: {{type: router, router_port: s-one}}
      two:
        ports:
          vm2: {{addresses: ["{VM2} 10.0.2.1 fd00:2::1"]}}
          two-r: {{type: router, router_port: r-two}}
      three:
        ports:
          vm3: {{addresses: ["0a:00:00:00:03:01 10.0.3.1"]}}
          three-e: {{type: router, router_port: e-three}}
      four:
        ports:
          vm4: {{addresses: ["0a:00:00:00:04:01 10.0.4.1"]}}
          four-s: {{type: router, router_port: s-four}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "{GW1}", networks: [10.0.1.254/24, "fd00:1::fe/64"]}}
          r-two: {{mac: "{GW2}", networks: [10.0.2.254/24, "fd00:2::fe/64"]}}
          r-e: {{mac: "0a:00:00:00:09:01", networks: [10.0.9.1/30, "fd00:9::1/64"], peer: e-r}}
        static_routes:
          - {{ip_prefix: 10.0.3.0/24, nexthop: 10.0.9.2}}
          - {{ip_prefix: 10.0.4.0/24, nexthop: 10.0.1.253}}
          - {{ip_prefix: 192.0.2.0/24, nexthop: discard}}
          - {{ip_prefix: 192.0.2.128/25, nexthop: 10.0.1.99}}
          - {{ip_prefix: 10.0.2.0/24, nexthop: 10.0.9.2}}
          - {{ip_prefix: "2001:db8::/32", nexthop: "fd00:1::99"}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: "fd00:2::1"}}
          - {{ip_prefix: 203.0.114.0/24, nexthop: "fd00:1::99"}}
          - {{ip_prefix: 10.0.2.0/24, nexthop: 10.0.9.2, policy: src-ip}}
      s:
        ports:
          s-one: {{mac: "0a:00:00:00:01:fd", networks: [10.0.1.253/24]}}
          s-four: {{mac: "0a:00:00:00:04:fe", networks: [10.0.4.254/24]}}
        static_routes:
          - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.1.254}}
      e:
        ports:
          e-r: {{mac: "0a:00:00:00:09:02", networks: [10.0.9.2/30, "fd00:9::2/64"], peer: r-e}}
          e-three: {{mac: "0a:00:00:00:03:fe", networks: [10.0.3.254/24]}}
        static_routes:
          - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.9.1}}
    """)


def packet4(dst: str, more: str = "ip.ttl == 64", src: str = "10.0.1.1") -> str:
    return (
        f'inport == "vm1" && eth.src == {VM1} && eth.dst == {GW1} '
        f"&& ip4.src == {src} && ip4.dst == {dst} && {more}"
    )


def packet6(dst: str, more: str = "ip.ttl == 64") -> str:
    return (
        f'inport == "vm1" && eth.src == {VM1} && eth.dst == {GW1} '
        f"&& ip6.src == fd00:1::1 && ip6.dst == {dst} && {more}"
    )


def test_routing_between_switches(net: Network) -> None:
    found = delivered(net, packet4("10.0.2.1"))
    assert found["to"] == "vm2"
    assert found["ip.ttl"] == 63
    assert found["eth.src"] == int(GW2.replace(":", ""), 16)
    assert found["eth.dst"] == int(VM2.replace(":", ""), 16)


def test_routing_ipv6(net: Network) -> None:
    found = delivered(net, packet6("fd00:2::1"))
    assert found["to"] == "vm2"
    assert found["ip.ttl"] == 63


def test_a_router_is_no_bridge(net: Network) -> None:
    other = packet4("10.0.2.1").replace(f"eth.dst == {GW1}", "eth.dst == 0a:00:00:00:01:77")
    assert reached(net, other) == ["loose"], "only who takes unknown addresses gets it"


def test_a_link_between_routers(net: Network) -> None:
    assert delivered(net, packet4("10.0.3.1"))["to"] == "vm3"
    assert delivered(net, packet4("10.0.3.1"))["ip.ttl"] == 62


def test_two_routers_on_a_switch_know_each_other(net: Network) -> None:
    found = delivered(net, packet4("10.0.4.1"))
    assert found["to"] == "vm4"
    assert found["ip.ttl"] == 62


def test_discard(net: Network) -> None:
    assert reached(net, packet4("192.0.2.1")) == []


def test_the_longest_prefix_wins(net: Network) -> None:
    walk = send(net, packet4("192.0.2.129"))
    assert [made.kind for made in walk.made] == ["arp"], "by the route of 25 bits"


def test_connected_networks_come_before_routes(net: Network) -> None:
    assert reached(net, packet4("10.0.2.1")) == ["vm2"]


def test_no_route(net: Network) -> None:
    assert reached(net, packet4("203.0.113.1")) == []


def test_routes_by_source_come_last(net: Network) -> None:
    back = (
        f'inport == "vm2" && eth.src == {VM2} && eth.dst == {GW2} '
        "&& ip4.src == 10.0.2.1 && ip4.dst == {} && ip.ttl == 64"
    )
    assert reached(net, back.format("10.0.1.1")) == ["vm1"]
    walk = send(net, back.format("203.0.113.1"))
    routed = [str(v) for v in walk.visits if v.datapath == "r" and v.place.name.endswith("routing")]
    assert "ip4.src == 10.0.2.0/24" in routed[0]


@pytest.mark.parametrize(
    ("packet", "fields"),
    [
        (
            packet4("10.0.2.1", "icmp4.type == 8 && ip.ttl == 1"),
            {"icmp4.type": 11, "icmp4.code": 0, "ip4.src": 0x0A0001FE, "ip4.dst": 0x0A000101},
        ),
        (
            packet6("fd00:2::1", "udp && ip.ttl == 1"),
            {"icmp6.type": 3, "icmp6.code": 0},
        ),
        (
            packet4("10.0.1.254", "icmp4.type == 8 && ip.ttl == 64"),
            {"icmp4.type": 0, "ip4.src": 0x0A0001FE, "ip4.dst": 0x0A000101},
        ),
        (
            packet4("10.0.2.254", "icmp4.type == 8 && ip.ttl == 1"),
            {"icmp4.type": 0, "ip4.src": 0x0A0002FE},
        ),
        (packet6("fd00:2::fe", "icmp6.type == 128 && ip.ttl == 64"), {"icmp6.type": 129}),
        (
            packet6("fe80::800:ff:fe00:1fe", "icmp6.type == 128 && ip.ttl == 64"),
            {"icmp6.type": 129},
        ),
        (
            packet4("10.0.1.254", "udp.dst == 53 && ip.ttl == 64"),
            {"icmp4.type": 3, "icmp4.code": 3, "ip4.src": 0x0A0001FE},
        ),
        (
            packet4("10.0.1.254", "tcp.dst == 22 && tcp.src == 1024 && ip.ttl == 64"),
            {"ip.proto": 6, "tcp.src": 22, "tcp.dst": 1024, "tcp.flags": 0x14},
        ),
        (
            packet4("10.0.1.254", "ip.proto == 47 && ip.ttl == 64"),
            {"icmp4.type": 3, "icmp4.code": 2},
        ),
        (
            packet6("fd00:1::fe", "udp && ip.ttl == 64"),
            {"icmp6.type": 1, "icmp6.code": 4},
        ),
        (
            packet6("fd00:1::fe", "tcp.dst == 22 && ip.ttl == 64"),
            {"ip.proto": 6, "tcp.src": 22},
        ),
        (
            packet4("10.0.1.254", "sctp.dst == 22 && sctp.src == 1024 && ip.ttl == 64"),
            {"ip.proto": 132, "sctp.src": 22, "sctp.dst": 1024},
        ),
        (
            packet6("fd00:1::fe", "sctp.dst == 22 && sctp.src == 1024 && ip.ttl == 64"),
            {"ip.proto": 132, "sctp.src": 22, "sctp.dst": 1024},
        ),
        (
            packet6("fe80::800:ff:fe00:1fe", "udp && ip.ttl == 64"),
            {"icmp6.type": 1, "icmp6.code": 4},
        ),
        (
            packet6("fe80::800:ff:fe00:1fe", "tcp.dst == 22 && ip.ttl == 64"),
            {"ip.proto": 6, "tcp.src": 22},
        ),
        (
            packet6("fe80::800:ff:fe00:1fe", "sctp.dst == 22 && ip.ttl == 64"),
            {"ip.proto": 132, "sctp.src": 22},
        ),
        (
            packet6("fe80::800:ff:fe00:1fe", "ip.proto == 47 && ip.ttl == 64"),
            {"icmp6.type": 4, "icmp6.code": 1},
        ),
    ],
    ids=[
        "ttl",
        "ttl6",
        "ping",
        "ping of another port, ttl 1",
        "ping6",
        "ping6 link-local",
        "udp",
        "tcp",
        "other",
        "udp6",
        "tcp6",
        "sctp",
        "sctp6",
        "udp6 link-local",
        "tcp6 link-local",
        "sctp6 link-local",
        "other link-local",
    ],
)
def test_the_router_answers(net: Network, packet: str, fields: dict[str, int]) -> None:
    answer = delivered(net, packet)
    assert answer["to"] == "vm1"
    assert answer["eth.dst"] == int(VM1.replace(":", ""), 16)
    assert {name: answer.get(name, 0) for name in fields} == fields


@pytest.mark.parametrize(
    "packet",
    [
        packet4("10.0.1.254", "icmp4.type == 3 && ip.ttl == 64"),
        packet4("10.0.2.1", src="10.0.1.254"),
        packet4("10.0.2.1", src="10.0.1.255"),
        packet4("10.0.2.1", src="224.0.0.1"),
        packet4("127.0.0.1"),
        packet4("224.0.0.5"),
        packet6("::1"),
        packet6("fd00:1::fe", "icmp6.type == 129 && ip.ttl == 64"),
        packet6("fe80::800:ff:fe00:1fe", "icmp6.type == 129 && ip.ttl == 64"),
    ],
    ids=[
        "icmp error",
        "router's address",
        "broadcast source",
        "multicast source",
        "loopback",
        "multicast",
        "::1",
        "echo reply",
        "echo reply link-local",
    ],
)
def test_the_router_is_silent(net: Network, packet: str) -> None:
    assert reached(net, packet) == []


def test_an_unknown_neighbour_is_asked_for(net: Network) -> None:
    walk = send(net, packet4("10.0.1.77", src="10.0.1.1"))
    asked = {d.port: (d.packet["arp.tpa"], d.packet["arp.spa"]) for d in walk.deliveries}
    question = (0x0A00014D, 0x0A0001FE)
    assert asked == {"loose": question, "vm1": question}, "asked of no other router"


def test_an_unknown_ipv6_next_hop_is_asked_for_itself(net: Network) -> None:
    (request, *_) = [made.packet for made in send(net, packet6("2001:db8::1")).made]
    delivery = send(net, packet6("2001:db8::1")).deliveries[0].packet
    assert request["icmp6.type"] == 135
    assert delivery["eth.dst"] == 0x3333FF000099
    assert delivery["nd.target"] == 0xFD000001000000000000000000000099
    assert delivery["ip6.dst"] == 0xFF0200000000000000000001FF000099


def test_ipv4_through_an_ipv6_next_hop(net: Network) -> None:
    found = delivered(net, packet4("198.51.100.1"))
    assert found["to"] == "vm2"
    assert found["eth.dst"] == int(VM2.replace(":", ""), 16)
    asked = send(net, packet4("203.0.114.1")).deliveries[0].packet
    assert asked["nd.target"] == 0xFD000001000000000000000000000099
    assert asked["ip6.src"] == 0xFD0000010000000000000000000000FE


def test_a_learned_neighbour_is_used(net: Network) -> None:
    net.neighbours = {("r-one", "10.0.1.77"): "0a:00:00:00:01:77"}
    try:
        back = (
            f'inport == "vm2" && eth.src == {VM2} && eth.dst == {GW2} '
            "&& ip4.src == 10.0.2.1 && ip4.dst == 10.0.1.77 && ip.ttl == 64"
        )
        assert delivered(net, back)["eth.dst"] == 0x0A0000000177
    finally:
        net.neighbours = {}


def test_neighbours_are_learned_once(net: Network) -> None:
    reply = (
        f'inport == "loose" && eth.src == 0a:00:00:00:01:77 && eth.dst == {GW1} && arp.op == 2 '
        "&& arp.spa == 10.0.1.77 && arp.sha == 0a:00:00:00:01:77 && arp.tpa == 10.0.1.254"
    )
    learned = [note for note in send(net, reply).noted if note.what == "put_arp"]
    assert [note.values for note in learned] == [("r-one", "10.0.1.77", "0a:00:00:00:01:77")]
    net.neighbours = {("r-one", "10.0.1.77"): "0a:00:00:00:01:77"}
    try:
        assert not [note for note in send(net, reply).noted if note.what == "put_arp"]
    finally:
        net.neighbours = {}


def test_advertised_neighbours_are_learned(net: Network) -> None:
    reply = (
        f'inport == "loose" && eth.src == 0a:00:00:00:01:77 && eth.dst == {GW1} && nd_na '
        "&& ip6.src == fd00:1::77 && nd.target == fd00:1::77 && nd.tll == 0a:00:00:00:01:77"
    )
    learned = [note for note in send(net, reply).noted if note.what == "put_nd"]
    assert [note.values for note in learned] == [("r-one", "fd00:1::77", "0a:00:00:00:01:77")]


def test_the_router_answers_unicast_arp_itself(net: Network) -> None:
    request = (
        f'inport == "loose" && eth.src == 0a:00:00:00:01:77 && eth.dst == {GW1} && arp.op == 1 '
        "&& arp.spa == 10.0.1.77 && arp.sha == 0a:00:00:00:01:77 && arp.tpa == 10.0.1.254"
    )
    net.learned = {(net.ports["loose"].datapath, "0a:00:00:00:01:77"): "loose"}
    try:
        reply = delivered(net, request)
    finally:
        net.learned = {}
    assert reply["to"] == "loose"
    assert (reply["arp.op"], reply["arp.sha"]) == (2, 0x0A00000001FE)


def test_time_is_exceeded_in_the_name_of_the_senders_network() -> None:
    net = network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} fd00:1::1"]}}
          one-r: {{type: router, router_port: r-one}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "{GW1}", networks: ["fd00:7::fe/64", "fd00:1::fe/64"]}}
    """)
    error = delivered(net, packet6("fd00:9::1", "udp && ip.ttl == 1"))
    assert error["ip6.src"] == 0xFD0000010000000000000000000000FE
    foreign = packet6("fd00:9::1", "udp && ip.ttl == 1").replace("fd00:1::1", "2001:db8::1")
    assert delivered(net, foreign)["ip6.src"] == 0xFD0000070000000000000000000000FE


@pytest.mark.parametrize(("plen", "ports"), [(30, []), (31, ["vm2"])])
def test_point_to_point_networks_have_no_broadcast_address(plen: int, ports: list[str]) -> None:
    net = network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.3"]}}
          one-r: {{type: router, router_port: r-one}}
      two:
        ports:
          vm2: {{addresses: ["{VM2} 10.0.2.1"]}}
          two-r: {{type: router, router_port: r-two}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "{GW1}", networks: [10.0.1.2/{plen}]}}
          r-two: {{mac: "{GW2}", networks: [10.0.2.254/24]}}
    """)
    assert reached(net, packet4("10.0.2.1", src="10.0.1.3")) == ports


def test_nothing_answers_for_a_disabled_router() -> None:
    net = network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1 fd00:1::1"]}}
          a: {{type: router, router_port: p}}
    logical_routers:
      r:
        ports:
          p: {{mac: "{GW1}", networks: [10.0.1.254/24, "fd00:1::fe/64"]}}
        enabled: false
    """)
    arp = (
        f'inport == "vm1" && eth.src == {VM1} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        "&& arp.spa == 10.0.1.1 && arp.tpa == 10.0.1.254"
    )
    solicitation = (
        f'inport == "vm1" && eth.src == {VM1} && eth.dst == 33:33:ff:00:00:fe && nd_ns '
        "&& ip6.src == fd00:1::1 && ip6.dst == ff02::1:ff00:fe && nd.target == fd00:1::fe"
    )
    assert reached(net, arp) == []
    assert reached(net, solicitation) == []


@pytest.mark.parametrize("what", ["router", "port"])
def test_disabled_ports_and_routers_forward_nothing(what: str) -> None:
    router, port = str(what != "router").lower(), str(what != "port").lower()
    net = network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1"]}}
          a: {{type: router, router_port: p}}
      two:
        ports:
          vm2: {{addresses: ["{VM2} 10.0.2.1"]}}
          b: {{type: router, router_port: q}}
    logical_routers:
      r:
        ports:
          p: {{mac: "{GW1}", networks: [10.0.1.254/24], enabled: {port}}}
          q: {{mac: "{GW2}", networks: [10.0.2.254/24]}}
        enabled: {router}
    """)
    assert reached(net, packet4("10.0.2.1")) == []
    back = f'inport == "vm2" && eth.src == {VM2} && eth.dst == {GW2} && ip4.src == 10.0.2.1'
    assert reached(net, back + " && ip4.dst == 10.0.1.1 && ip.ttl == 9") == []


def test_a_disabled_port_is_still_where_its_network_is() -> None:
    """What is for it takes no other way, and its addresses are the router's own."""
    net = network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1"]}}
          a: {{type: router, router_port: p}}
      two:
        ports:
          vm2: {{addresses: ["{VM2} 10.0.2.1"]}}
          b: {{type: router, router_port: q}}
    logical_routers:
      r:
        ports:
          p: {{mac: "{GW1}", networks: [10.0.1.254/24]}}
          q: {{mac: "{GW2}", networks: [10.0.2.254/24], enabled: false}}
        static_routes:
          - {{ip_prefix: 0.0.0.0/0, nexthop: 10.0.1.1}}
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.2.1}}
    """)
    for target in ("10.0.2.1", "192.0.2.1"):
        (drop,) = send(net, packet4(target)).drops
        assert drop.place is not None
        assert drop.place.name == "lr_out_delivery"
        assert drop.entry is not None
        assert "q" in str(drop.entry)
    ping = delivered(net, packet4("10.0.2.254", "icmp4.type == 8 && ip.ttl == 64"))
    assert ping["to"] == "vm1"
