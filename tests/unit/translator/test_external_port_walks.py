"""What becomes of packets of external ports, on the chassis in charge and on others."""

from ipaddress import ip_address
from typing import Any

import pytest
import yaml

from logical_flow.connections import ConnectionTable
from logical_flow.evaluate import read
from logical_flow.fields import field_slice
from logical_flow.packet import packet_from_match
from logical_flow.template import LogicalFlow, Resident
from logical_flow.walk_events import Crossing, Walk
from logical_flow.walk_network import Network
from tests.translated import Translated
from tests.unit.translator.walks import delivered, reached, send

NETWORK = """
document: test
ha_chassis_groups:
  racks: {chassis: [{chassis: hv1, priority: 20}, {chassis: hv2, priority: 10}]}
logical_switches:
  rack:
    ports:
      rack-out: {type: localnet, network_name: physnet1}
      metal:
        type: external
        ha_chassis_group: racks
        addresses: ["02:00:00:00:60:11 10.60.0.11 fd60::11"]
      rack-r: {router_port: r-rack}
  app:
    ports:
      b1: {addresses: ["0a:00:00:00:01:01 10.0.1.1 fd00:1::1"]}
      app-r: {router_port: r-app}
logical_routers:
  r:
    ports:
      r-rack: {networks: [10.60.0.1/24, "fd60::1/64"], mac: "02:00:00:00:60:01"}
      r-app: {networks: [10.0.1.254/24, "fd00:1::fe/64"], mac: "0a:00:00:00:01:fe"}
load_balancers:
  shop:
    routers: [r]
    vips:
      - {address: 10.60.0.80, port: 80, backends: ["10.0.1.1:8080"]}
      - {address: "fd60::80", port: 80, backends: ["[fd00:1::1]:8080"]}
"""


class Elsewhere(Translated):
    """The network as a chassis has it on which no port resides."""

    def flows(self, datapath: str) -> list[LogicalFlow]:
        found = super().flows(datapath)
        return [flow for flow in found if not isinstance(flow.template.only, Resident)]


def network(kind: type[Translated], **balancer: Any) -> Network:
    document = yaml.safe_load(NETWORK)
    document["load_balancers"]["shop"] |= balancer
    return kind.of(document).network()


def arp(ip: str) -> str:
    return (
        'inport == "rack-out" && eth.src == 02:00:00:00:60:11 && eth.dst == ff:ff:ff:ff:ff:ff '
        "&& arp.op == 1 && arp.sha == 02:00:00:00:60:11 && arp.spa == 10.60.0.11 "
        f"&& arp.tpa == {ip} && arp.tha == 00:00:00:00:00:00"
    )


def nd(ip: str, group: str) -> str:
    return (
        'inport == "rack-out" && eth.src == 02:00:00:00:60:11 '
        f"&& eth.dst == 33:33:ff:00:00:{group} && ip6.src == fd60::11 "
        f"&& ip6.dst == ff02::1:ff00:{int(group)} && ip.ttl == 255 && icmp6.type == 135 "
        f"&& icmp6.code == 0 && nd.target == {ip} && nd.sll == 02:00:00:00:60:11"
    )


ASKED = [arp("10.60.0.1"), arp("10.60.0.80"), nd("fd60::1", "01"), nd("fd60::80", "80")]


@pytest.mark.parametrize("question", ASKED)
def test_the_chassis_in_charge_alone_answers_for_routers(question: str) -> None:
    assert "metal" in reached(network(Translated), question)
    assert reached(network(Elsewhere), question) == []


@pytest.mark.parametrize("question", [arp("10.99.0.80"), nd("fd99::80", "80")])
def test_the_chassis_in_charge_alone_answers_for_addresses_of_no_network(question: str) -> None:
    """Of virtual addresses that routers answer for whoever asks."""
    vips = [
        {"address": "10.99.0.80", "port": 80, "backends": ["10.0.1.1:8080"]},
        {"address": "fd99::80", "port": 80, "backends": ["[fd00:1::1]:8080"]},
    ]
    for kind, answered in ((Translated, True), (Elsewhere, False)):
        asked = network(kind, vips=vips, neighbor_responder="all")
        assert ("metal" in reached(asked, question)) == answered
    assert "metal" not in reached(network(Translated, vips=vips), question)


def test_without_virtual_addresses_that_are_asked_for_there_are_no_sets() -> None:
    document = yaml.safe_load(NETWORK)
    assert len([name for name in Translated.of(document).sets if "_asked" in name]) == 2
    document["load_balancers"]["shop"]["neighbor_responder"] = "none"
    assert [name for name in Translated.of(document).sets if "_asked" in name] == []


METAL, B1, ROUTER, INNER = (
    "02:00:00:00:60:11",
    "0a:00:00:00:01:01",
    "02:00:00:00:60:01",
    "0a:00:00:00:01:fe",
)
VIPS = {4: "10.60.0.80", 6: "fd60::80"}
METALS = {4: "10.60.0.11", 6: "fd60::11"}
BACKENDS = {4: "10.0.1.1", 6: "fd00:1::1"}
VERSIONS = pytest.mark.parametrize("version", [4, 6])


def packet(port: str, ends: tuple[str, str], version: int, src: str, dst: str, what: str) -> str:
    """Return a packet between MAC addresses and addresses of one family."""
    macs = f"eth.src == {ends[0]} && eth.dst == {ends[1]}"
    addresses = f"ip{version}.src == {src} && ip{version}.dst == {dst}"
    return f'inport == "{port}" && {macs} && {addresses} && ip.ttl == 64 && {what}'


def request(version: int, port: int = 80) -> str:
    what = f"tcp.src == 5000 && tcp.dst == {port}"
    ends = METALS[version], VIPS[version]
    return packet("rack-out", (METAL, ROUTER), version, *ends, what)


def reply(version: int, source: int = 8080) -> str:
    """What a backend answers, as it leaves its own port."""
    what = f"tcp.src == {source} && tcp.dst == 5000"
    return packet("b1", (B1, INNER), version, BACKENDS[version], METALS[version], what)


def address(found: Any, field: str) -> str:
    return str(ip_address(found[field].to_bytes(4 if field.startswith("ip4") else 16)))


@VERSIONS
def test_its_connections_are_balanced_on_the_chassis_in_charge(version: int) -> None:
    found = delivered(network(Translated), request(version))
    assert (found["to"], found["tcp.dst"]) == ("b1", 8080)
    assert address(found, f"ip{version}.dst") == BACKENDS[version]
    assert reached(network(Elsewhere), request(version)) == []


@VERSIONS
def test_replies_come_back_from_the_virtual_address_where_they_came_in(version: int) -> None:
    """The last router sends them to the chassis in charge, and nothing else but errors."""
    net = network(Translated)
    net.connections = ConnectionTable()
    send(net, request(version))
    walk = send(net, reply(version))
    (found,) = walk.deliveries
    assert (found.port, found.packet["tcp.src"]) == ("metal", 80)
    assert address(found.packet, f"ip{version}.src") == VIPS[version]
    assert is_left_to_charge(walk)
    walk = send(net, reply(version, 22))
    (found,) = walk.deliveries
    assert address(found.packet, f"ip{version}.src") == BACKENDS[version]
    other = packet_from_match(reply(version)) | packet_from_match(
        f"ip{version}.src == {'10.0.1.2' if version == 4 else 'fd00:1::2'}"
    )
    assert not is_left_to_charge(send(net, other))


def is_left_to_charge(walk: Walk) -> bool:
    (sent,) = [
        event for event in walk.events if isinstance(event, Crossing) and "metal" in str(event)
    ]
    return read(sent.packet, field_slice("flags.in_charge")) == 1


@VERSIONS
def test_a_router_on_one_chassis_has_its_connections_by_itself(version: int) -> None:
    """Whichever chassis is in charge of the external port: requests and replies pass the router."""
    for kind in (Translated, Elsewhere):
        document = yaml.safe_load(NETWORK)
        document["logical_routers"]["r"]["chassis"] = "hv1"
        document["load_balancers"]["shop"] |= {"routers": [], "switches": ["rack"]}
        net = kind.of(document).network()
        net.connections = ConnectionTable()
        assert address(delivered(net, request(version)), f"ip{version}.dst") == BACKENDS[version]
        walk = send(net, reply(version))
        (found,) = walk.deliveries
        assert address(found.packet, f"ip{version}.src") == VIPS[version]
        assert not is_left_to_charge(walk)


def test_what_is_for_no_virtual_address_is_not_tracked() -> None:
    net = network(Translated)
    what = "tcp.src == 5000 && tcp.dst == 22"
    direct = packet("rack-out", (METAL, ROUTER), 4, METALS[4], BACKENDS[4], what)
    walk = send(net, direct)
    rack = [visit for visit in walk.visits if visit.packet.get("inport") == "metal"]
    assert rack
    assert not any(visit.packet.get("ct_state") for visit in rack)


def test_without_load_balancers_nothing_of_it_is_there() -> None:
    document = yaml.safe_load(NETWORK)
    for is_there in (True, False):
        text = Translated.of(document).text()
        assert [each in text for each in ("in_charge", "outside_vip")] == [is_there] * 2
        document.pop("load_balancers", None)


def test_variables_that_routers_answer_for_are_left_to_the_chassis_in_charge() -> None:
    document = yaml.safe_load(NETWORK)
    vip = {"address": "^NODE", "port": 80, "backends": ["10.0.1.1:8080"]}
    for responder, members in (("all", [["^NODE"]]), ("none", [])):
        document["load_balancers"]["nodes"] = {
            "template": True,
            "address_family": "ipv4",
            "neighbor_responder": responder,
            "routers": ["r"],
            "vips": [vip],
        }
        sets = Translated.of(document).sets
        assert [each for name, each in sets.items() if name.endswith("_all4")] == members
