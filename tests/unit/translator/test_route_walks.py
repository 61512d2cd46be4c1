"""Which way packets take through a router with several routes, tables and ranks."""

import pytest

from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, reached, send

VM1, GW = "0a:00:00:00:01:01", "0a:00:00:00:01:fe"


@pytest.fixture(scope="module")
def net() -> Network:
    return network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1"]}}
          one-r: {{type: router, router_port: r-one}}
      two:
        ports:
          vm2: {{addresses: ["0a:00:00:00:01:02 10.0.2.1"]}}
          two-r: {{type: router, router_port: r-two}}
      out:
        ports:
          a: {{addresses: ["0a:00:00:00:02:01 10.0.9.1 fd00:9::1"]}}
          b: {{addresses: ["0a:00:00:00:02:02 10.0.9.2 fd00:9::2"]}}
          out-r: {{type: router, router_port: r-out}}
    logical_routers:
      r:
        ports:
          r-one: {{mac: "{GW}", networks: [10.0.1.254/24]}}
          r-two: {{mac: "0a:00:00:00:01:fd", networks: [10.0.2.254/24], route_table: guests}}
          r-out: {{mac: "0a:00:00:00:02:fe", networks: [10.0.9.254/24, "fd00:9::fe/64"]}}
        static_routes:
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.9.1}}
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.9.2}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: 10.0.9.1, origin: learned}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: 10.0.9.2}}
          - {{ip_prefix: 203.0.113.0/24, nexthop: 10.0.9.1}}
          - {{ip_prefix: 203.0.113.0/24, nexthop: 10.0.9.2, route_table: guests}}
          - {{ip_prefix: 203.0.113.7/32, nexthop: discard, route_table: guests}}
          - {{ip_prefix: 10.0.1.0/24, nexthop: 10.0.9.1, policy: dst-ip, route_table: guests}}
          - {{ip_prefix: 10.0.2.0/24, nexthop: 10.0.9.1, override_connected: true}}
          - {{ip_prefix: 192.0.3.0/24, nexthop: "fd00:9::1"}}
          - {{ip_prefix: 192.0.3.0/24, nexthop: "fd00:9::2"}}
    """)


def go(net: Network, dst: str, src: str = "vm1") -> Walk:
    mac, gateway, ip = (VM1, GW, "10.0.1.1")
    if src == "vm2":
        mac, gateway, ip = "0a:00:00:00:01:02", "0a:00:00:00:01:fd", "10.0.2.1"
    packet = f'inport == "{src}" && eth.src == {mac} && eth.dst == {gateway}'
    return send(net, f"{packet} && ip4.src == {ip} && ip4.dst == {dst} && ip.ttl == 64")


def ports(walk: Walk) -> list[str]:
    return sorted(delivery.port for delivery in walk.deliveries)


@pytest.mark.parametrize(
    ("dst", "src", "port"),
    [
        ("198.51.100.1", "vm1", "b"),  # what is declared comes before what was learned
        ("203.0.113.9", "vm1", "a"),
        ("203.0.113.9", "vm2", "b"),  # by its table
        ("10.0.1.1", "vm2", "vm1"),  # connected networks are in all tables, and come first
        ("10.0.2.1", "vm1", "a"),  # unless a route overrides
    ],
)
def test_one_way(net: Network, dst: str, src: str, port: str) -> None:
    assert ports(go(net, dst, src)) == [port]


@pytest.mark.parametrize("dst", ["203.0.113.7", "192.0.2.1", "198.51.100.1"])
def test_what_a_table_does_not_have_or_discards(net: Network, dst: str) -> None:
    assert ports(go(net, dst, "vm2")) == []


@pytest.fixture
def two_ways() -> Network:
    """A gateway router with two ways to the world; policies and NATs want it otherwise."""
    return network(f"""
    logical_switches:
      one:
        ports:
          vm1: {{addresses: ["{VM1} 10.0.1.1 fd00:1::1"]}}
          one-r: {{type: router, router_port: r-one}}
      out:
        ports:
          a: {{addresses: ["0a:00:00:00:02:01 10.0.9.1 fd00:9::1"]}}
          b: {{addresses: ["0a:00:00:00:02:02 10.0.9.2 fd00:9::2"]}}
          out-r: {{type: router, router_port: r-out}}
    logical_routers:
      r:
        chassis: hv1
        ports:
          r-one: {{mac: "{GW}", networks: [10.0.1.254/24, "fd00:1::fe/64"]}}
          r-out: {{mac: "{OUT}", networks: [10.0.9.254/24, "fd00:9::fe/64"]}}
        static_routes:
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.9.1, ecmp_symmetric_reply: true}}
          - {{ip_prefix: 192.0.2.0/24, nexthop: 10.0.9.2, ecmp_symmetric_reply: true}}
          - {{ip_prefix: "2001:db8::/32", nexthop: "fd00:9::1", ecmp_symmetric_reply: true}}
          - {{ip_prefix: 198.51.100.0/24, nexthop: 10.0.9.1}}
        policies:
          - {{priority: 1, match: "udp.dst == 99", action: reroute, nexthops: [10.0.9.1]}}
        nats:
          - {{type: dnat_and_snat, external_ip: 10.0.9.7, logical_ip: 10.0.1.1}}
    """)


OUT = "0a:00:00:00:02:fe"
HOP = {"a": "0a:00:00:00:02:01", "b": "0a:00:00:00:02:02"}


def asked(
    net: Network, via: str, client: str = "192.0.2.9", at: str = "10.0.1.1", port: int = 99
) -> Walk:
    """A request of a client to the workload, by one of the ways."""
    v = 6 if ":" in client else 4
    return send(
        net,
        f'inport == "{via}" && eth.src == {HOP[via]} && eth.dst == {OUT} && ip{v}.src == {client} '
        f"&& ip{v}.dst == {at} && ip.ttl == 64 && udp.src == {port} && udp.dst == 7",
    )


def answered(net: Network, client: str = "192.0.2.9", port: int = 99) -> list[str]:
    """The ways that the workload's answer may take."""
    v = 6 if ":" in client else 4
    own = "fd00:1::1" if v == 6 else "10.0.1.1"
    packet = f'inport == "vm1" && eth.src == {VM1} && eth.dst == {GW} && ip{v}.src == {own} '
    packet += f"&& ip{v}.dst == {client} && ip.ttl == 64 && udp.src == 7 && udp.dst == {port}"
    return ports(send(net, packet))


@pytest.mark.parametrize("via", ["a", "b"])
@pytest.mark.parametrize("at", ["10.0.1.1", "10.0.9.7"])
def test_replies_go_back_by_the_way_of_their_requests(two_ways: Network, via: str, at: str) -> None:
    """Policies aren't asked, and translation is no hindrance."""
    assert ports(asked(two_ways, via, at=at)) == ["vm1"]
    assert answered(two_ways) == [via]


def test_the_last_request_decides_by_which_way_replies_go(two_ways: Network) -> None:
    asked(two_ways, "b")
    assert answered(two_ways) == ["b"]
    asked(two_ways, "a")
    assert answered(two_ways) == ["a"]


def test_replies_to_ipv6_requests_go_back_as_well(two_ways: Network) -> None:
    """Also where the next hop of the only route is another one."""
    asked(two_ways, "b", "2001:db8::9", "fd00:1::1")
    assert answered(two_ways, "2001:db8::9") == ["b"]


def test_what_begins_inside_goes_by_policies(two_ways: Network) -> None:
    assert answered(two_ways) == ["a"]


def test_replies_by_routes_without_the_option_go_by_these(two_ways: Network) -> None:
    asked(two_ways, "b", "198.51.100.9", port=98)
    assert answered(two_ways, "198.51.100.9", port=98) == ["a"]


@pytest.mark.parametrize(
    ("fields", "chosen_by"),
    [
        (("[ip_src, tp_dst]", "[tp_dst, ip_dst, ip_src]"), b"ip_src,tp_dst"),
        (("[ip_src]", "[ip_dst]"), None),
        (("[ip_src]", "[]"), None),
    ],
)
@pytest.mark.parametrize("prefix", ["192.0.2.0/24", "2001:db8::/32"])
def test_a_choice_follows_from_the_fields_that_all_routes_name(
    prefix: str, fields: tuple[str, str], chosen_by: bytes | None
) -> None:
    hops = ("fd00:9::1", "fd00:9::2") if ":" in prefix else ("10.0.9.1", "10.0.9.2")
    routes = [
        f'- {{ip_prefix: "{prefix}", nexthop: "{hop}", selection_fields: {named}}}'
        for hop, named in zip(hops, fields, strict=True)
    ]
    net = network(f"""
    logical_switches:
      out:
        ports:
          out-r: {{type: router, router_port: r-out}}
    logical_routers:
      r:
        ports:
          r-out: {{mac: "{OUT}", networks: [10.0.9.254/24, "fd00:9::fe/64"]}}
        static_routes:
          {routes[0]}
          {routes[1]}
    """)
    router = next(key for key, flows in net.flows.items() if flows.has_flows("lr_in_ip_routing"))
    flows = [placed.entry.flow for placed in net.flows[router].candidates("lr_in_ip_routing", {})]
    (spread,) = [flow for flow in flows if "members" in flow.named_args]
    assert spread.named_args.get("hash_fields") == chosen_by
    hashed = f"hash_fields={chosen_by.decode()!r}".replace("'", '"') if chosen_by else ""
    assert hashed in str(spread)


def test_a_router_port_without_networks_is_reached_by_its_link_local_address() -> None:
    net = network(
        f"""
        logical_switches:
          one:
            ports:
              vm1: {{addresses: ["{VM1} fe80::1"]}}
              one-r: {{type: router, router_port: r-one}}
        logical_routers:
          r:
            ports:
              r-one: {{mac: "{GW}", networks: []}}
        """
    )
    echo = f'inport == "vm1" && eth.src == {VM1} && eth.dst == {GW} && ip6.src == fe80::1'
    echo += " && ip6.dst == fe80::800:ff:fe00:1fe && ip.ttl == 64 && icmp6.type == 128"
    assert reached(net, f"{echo} && icmp6.code == 0") == ["vm1"]
