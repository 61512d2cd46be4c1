"""Which neighbours a router learns, and from what."""

import pytest
import yaml

from logical_flow.walk_network import Network
from tests.translated import Translated
from tests.unit.translator.walks import network, reached, send
from translator.features.neighbours.stages import LrInArpResolve

GATEWAY = "0a:00:00:00:01:fe"
GUEST = "0a:00:00:00:01:77"
KNOWN = "0a:00:00:00:01:01"

DOCUMENT = f"""
    logical_switches:
      one:
        ports:
          known: {{addresses: ["{KNOWN} 10.0.1.1 fd00:1::1"]}}
          loose: {{addresses: [unknown]}}
          one-r: {{type: router, router_port: r-one}}
          one-off: {{type: router, router_port: idle-one}}
    logical_routers:
      r:
        ports:
          r-one:
            mac: "{GATEWAY}"
            networks: [10.0.1.254/24, 10.0.5.0/31, "fd00:1::fe/64", "fd00:5::/127"]
          r-far: {{mac: "0a:00:00:00:02:fe", networks: [10.0.2.254/24, "fd00:2::fe/64"]}}
        static_routes:
          - {{ip_prefix: 10.9.0.0/16, nexthop: 192.0.2.9, output_port: r-one}}
          - {{ip_prefix: "fd09::/64", nexthop: "2001:db8::9", output_port: r-one}}
      idle:
        enabled: false
        ports:
          idle-one: {{mac: "0a:00:00:00:01:fd", networks: [10.0.1.253/24]}}
"""


@pytest.fixture(scope="module")
def net() -> Network:
    """`loose` has whatever address it says, `known` one that intent knows."""
    return network(DOCUMENT)


def said4(ip: str, op: int, dst: str = GATEWAY, target: str = "10.0.1.254") -> str:
    """That the guest has an address, as an ARP request or an answer."""
    return (
        f'inport == "loose" && eth.src == {GUEST} && eth.dst == {dst} && arp.op == {op} '
        f"&& arp.spa == {ip} && arp.sha == {GUEST} && arp.tpa == {target}"
    )


def advertised(ip: str) -> str:
    return (
        f'inport == "loose" && eth.src == {GUEST} && eth.dst == 33:33:00:00:00:01 && nd_na '
        f"&& ip6.src == fe80::77 && ip6.dst == ff02::1 && nd.target == {ip} && nd.tll == {GUEST}"
    )


def asked6(ip: str, target: str = "fd00:1::fe", group: str = "ff02::1:ff00:fe") -> str:
    return (
        f'inport == "loose" && eth.src == {GUEST} && eth.dst == 33:33:ff:00:00:fe && nd_ns '
        f"&& ip6.src == {ip} && ip6.dst == {group} && nd.target == {target} && nd.sll == {GUEST}"
    )


def learned(net: Network, packet: str) -> list[tuple[str, ...]]:
    return [n.values for n in send(net, packet).noted if n.what in ("put_arp", "put_nd")]


@pytest.mark.parametrize("ip", ["10.0.1.77", "10.0.5.1", "192.0.2.9"])
@pytest.mark.parametrize("op", [1, 2])
def test_hosts_of_its_networks_and_next_hops_are_learned(net: Network, ip: str, op: int) -> None:
    assert learned(net, said4(ip, op)) == [("r-one", ip, GUEST)]


@pytest.mark.parametrize("ip", ["fd00:1::77", "fe80::77", "fd00:5::1", "2001:db8::9"])
def test_hosts_of_its_ipv6_networks_are_learned(net: Network, ip: str) -> None:
    assert learned(net, advertised(ip)) == [("r-one", ip, GUEST)]
    assert learned(net, asked6(ip)) == [("r-one", ip, GUEST)]


@pytest.mark.parametrize(
    "ip",
    [
        *("10.0.1.254", "10.0.5.0", "10.0.1.255", "10.0.1.0", "10.0.2.77", "192.0.2.8"),
        *("8.8.8.8", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"),
    ],
)
@pytest.mark.parametrize("op", [1, 2])
def test_no_other_address_is_learned(net: Network, ip: str, op: int) -> None:
    assert learned(net, said4(ip, op)) == []
    assert learned(net, said4(ip, op, dst="ff:ff:ff:ff:ff:ff", target=ip)) == []


@pytest.mark.parametrize(
    "ip",
    [
        *("fd00:1::fe", "fe80::800:ff:fe00:1fe", "fd00:1::", "fd00:5::", "fd00:2::77"),
        *("2001:db8::8", "::1", "::", "ff02::1", "fe80:0:0:1::77"),
    ],
)
def test_no_other_ipv6_address_is_learned(net: Network, ip: str) -> None:
    assert learned(net, advertised(ip)) == []
    assert learned(net, asked6(ip)) == []


@pytest.mark.parametrize("op", [3, 8, 9])
def test_nothing_is_learned_from_other_operations(net: Network, op: int) -> None:
    assert learned(net, said4("10.0.1.77", op)) == []


def test_asking_for_the_router_wins_a_stolen_address_back(net: Network) -> None:
    """The question gets to the router, which answers it; nobody else is asked."""
    net.neighbours = {
        ("r-one", "10.0.1.77"): "0a:00:00:00:01:66",
        ("r-one", "fd00:1::77"): "0a:00:00:00:01:66",
    }
    try:
        question = said4("10.0.1.77", 1, dst="ff:ff:ff:ff:ff:ff")
        assert learned(net, question) == [("r-one", "10.0.1.77", GUEST)]
        assert reached(net, question) == ["loose"], "the answer"
        assert learned(net, asked6("fd00:1::77")) == [("r-one", "fd00:1::77", GUEST)]
        assert reached(net, asked6("fd00:1::77")) == ["loose"], "the answer"
        link_local = asked6("fd00:1::77", "fe80::800:ff:fe00:1fe", "ff02::1:ff00:1fe")
        assert learned(net, link_local) == [("r-one", "fd00:1::77", GUEST)]
    finally:
        net.neighbours = {}


@pytest.mark.parametrize(
    "question",
    [
        said4("10.0.7.7", 1, dst="ff:ff:ff:ff:ff:ff"),
        said4("0.0.0.0", 1, dst="ff:ff:ff:ff:ff:ff"),
        asked6("::"),
    ],
    ids=["from elsewhere", "probe", "probe6"],
)
def test_questions_that_teach_nothing_are_answered_as_well(net: Network, question: str) -> None:
    (answer,) = (d.packet for d in send(net, question).deliveries if d.port == "loose")
    assert answer["eth.src"] == int(GATEWAY.replace(":", ""), 16)
    assert learned(net, question) == []


def test_whose_addresses_are_known_is_answered_by_the_switch(net: Network) -> None:
    """The router need not learn what intent says."""
    question = (
        f'inport == "known" && eth.src == {KNOWN} && eth.dst == ff:ff:ff:ff:ff:ff '
        f"&& arp.op == 1 && arp.spa == 10.0.1.1 && arp.sha == {KNOWN} && arp.tpa == 10.0.1.254"
    )
    assert learned(net, question) == []
    assert reached(net, question) == ["known"]


def test_a_router_that_is_disabled_hears_nothing(net: Network) -> None:
    question = said4("10.0.1.77", 1, dst="ff:ff:ff:ff:ff:ff", target="10.0.1.253")
    assert ("idle-one", "10.0.1.77", GUEST) not in learned(net, question)
    assert "loose" not in reached(net, question)


def test_what_the_server_and_agents_hold_neighbours_against() -> None:
    """The same networks and next hops as in flows."""
    translated = Translated.of({"document": "test", **yaml.safe_load(DOCUMENT)})
    (port,) = (row for row in translated.ports if row.name == "r-one")
    assert set(port.neighbours) == {
        *("10.0.1.0/24", "10.0.5.0/31", "fd00:1::/64", "fd00:5::/127", "fe80::/64"),
        *("192.0.2.9/32", "2001:db8::9/128"),
    }
    (guest,) = (row for row in translated.ports if row.name == "loose")
    assert guest.neighbours == ()


@pytest.fixture(scope="module")
def choosy() -> Network:
    """The same network, whose router learns from questions only what it needs."""
    found = yaml.safe_load(DOCUMENT)
    found["logical_routers"]["r"]["always_learn_from_arp_request"] = False
    return network(yaml.safe_dump(found))


@pytest.mark.parametrize(
    ("packet", "ip"),
    [
        (said4("10.0.1.77", 1), "10.0.1.77"),
        (said4("10.0.1.77", 2), "10.0.1.77"),
        (said4("10.0.5.1", 1, target="10.0.5.0"), "10.0.5.1"),
        (said4("192.0.2.9", 1), "192.0.2.9"),
        (asked6("fd00:1::77"), "fd00:1::77"),
        (asked6("fe80::77", "fe80::800:ff:fe00:1fe", "ff02::1:ff00:1fe"), "fe80::77"),
        (advertised("fd00:1::77").replace("ff02::1 ", "fd00:1::fe "), "fd00:1::77"),
    ],
)
def test_who_asks_for_the_router_or_answers_it_is_learned(
    choosy: Network, packet: str, ip: str
) -> None:
    assert learned(choosy, packet) == [("r-one", ip, GUEST)]


UNASKED = {
    "arp": (said4("10.0.1.77", 1, target="10.0.1.9"), "10.0.1.77"),
    "gratuitous": (said4("10.0.1.77", 1, "ff:ff:ff:ff:ff:ff", "10.0.1.77"), "10.0.1.77"),
    "nd": (asked6("fd00:1::77", "fd00:1::9"), "fd00:1::77"),
    "unsolicited": (advertised("fd00:1::77"), "fd00:1::77"),
}


@pytest.mark.parametrize("what", UNASKED)
def test_who_asks_for_others_is_learned_only_if_he_has_moved(
    net: Network, choosy: Network, what: str
) -> None:
    packet, ip = UNASKED[what]
    assert learned(net, packet) == [("r-one", ip, GUEST)], "unless it always learns"
    assert learned(choosy, packet) == []
    choosy.neighbours = {("r-one", ip): "0a:00:00:00:01:66"}
    try:
        assert learned(choosy, packet) == [("r-one", ip, GUEST)]
        choosy.neighbours = {("r-one", ip): GUEST}
        assert learned(choosy, packet) == [], "it is known like that"
    finally:
        choosy.neighbours = {}


def test_a_choosy_router_learns_no_other_address(choosy: Network) -> None:
    for ip in ("10.0.1.254", "10.0.1.255", "10.0.2.77", "8.8.8.8"):
        assert learned(choosy, said4(ip, 1)) == []
    for ip in ("fd00:1::fe", "fd00:2::77", "2001:db8::8"):
        assert learned(choosy, asked6(ip)) == []


def test_routers_that_ask_know_no_others_on_their_switches() -> None:
    """Each of many routers on a switch would know all others: a flow for each pair."""
    ports = 6
    routers = {
        f"r{n}": {
            "dynamic_neigh_routers": True,
            "ports": {f"r{n}-s": {"networks": [f"10.0.0.{100 + n}/24"]}},
        }
        for n in range(ports)
    }
    leads = {f"s-r{n}": {"router_port": f"r{n}-s"} for n in range(ports)}
    vm = {"vm": {"addresses": ["0a:00:00:00:00:07 10.0.0.7"]}}
    document = {
        "document": "many",
        "logical_switches": {"s": {"ports": {**leads, **vm}}},
        "logical_routers": routers,
    }

    def resolved() -> int:
        translated = Translated.of(document)
        return sum(
            flow.template is LrInArpResolve.static4
            for row in translated.datapaths
            for flow in translated.flows(row.id)
        )

    assert resolved() == ports, "of each router the one workload"
    for router in routers.values():
        router["dynamic_neigh_routers"] = False
    assert resolved() == ports + ports * (ports - 1)
