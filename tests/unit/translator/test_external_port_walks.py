"""What becomes of packets of external ports, on the chassis in charge and on others."""

from typing import Any

import pytest
import yaml

from logical_flow.template import LogicalFlow, Resident
from logical_flow.walk_network import Network
from tests.translated import Translated
from tests.unit.translator.walks import reached

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
