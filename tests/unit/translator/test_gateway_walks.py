"""Ports that are where a gateway port is, and what is redirected by a provider network."""

from typing import Any

import pytest
import yaml

from logical_flow.packet import format_value
from logical_flow.template import Local, LogicalFlow, Resident
from logical_flow.walk_events import Crossing
from southbound.port_types import L3_GATEWAY, PATCH
from southbound.rows import PortBinding
from tests.translated import Translated
from tests.unit.translator.walks import reached, send

NETWORK = """
document: test
logical_switches:
  red:
    ports:
      red-out: {type: localnet, network_name: physnet1, tag: 100}
      red1: {addresses: ["0a:00:00:00:01:01 10.0.1.1"]}
      red-r: {router_port: r-red}
  blue:
    ports:
      blue1: {addresses: ["0a:00:00:00:02:01 10.0.2.1"]}
      blue-r: {router_port: r-blue}
  outer:
    ports:
      outer-out: {type: localnet, network_name: physnet1}
      out1: {addresses: ["0a:00:00:00:03:01 192.0.2.11"]}
      outer-r: {router_port: r-outer}
logical_routers:
  r:
    ports:
      r-red:
        {networks: [10.0.1.254/24], mac: "0a:00:00:00:01:fe", reside_on_redirect_chassis: true}
      r-blue: {networks: [10.0.2.254/24], mac: "0a:00:00:00:02:fe"}
      r-outer:
        networks: [192.0.2.1/24]
        mac: "0a:00:00:00:03:fe"
        redirect_type: bridged
        gateway_chassis: [{chassis: gw1, priority: 20}, {chassis: gw2, priority: 10}]
    nats:
      - {type: dnat_and_snat, external_ip: 192.0.2.7, logical_ip: 10.0.2.1}
      - type: dnat_and_snat
        external_ip: 192.0.2.8
        logical_ip: 10.0.1.1
        external_mac: "0a:00:00:00:09:01"
        logical_port: red1
"""


class Elsewhere(Translated):
    """The network as a chassis has it that is not in charge of the gateway port."""

    def flows(self, datapath: str) -> list[LogicalFlow]:
        found = super().flows(datapath)
        return [flow for flow in found if not isinstance(flow.template.only, Resident)]


def packet(target: str) -> str:
    return (
        'inport == "blue1" && eth.src == 0a:00:00:00:02:01 && eth.dst == 0a:00:00:00:02:fe '
        f"&& ip4.src == 10.0.2.1 && ip4.dst == {target} && ip.ttl == 64 && icmp4.type == 8"
    )


def bindings(translated: Translated) -> dict[str, PortBinding]:
    return {port.name: port for port in translated.ports}


def test_both_ends_of_a_residing_port_are_where_the_gateway_port_is() -> None:
    ports = bindings(Translated.of(yaml.safe_load(NETWORK)))
    for name in ("r-red", "red-r", "outer-r"):
        assert ports[name].kind is L3_GATEWAY
        assert ports[name].requested_chassis == ("gw1", "gw2")
    for name in ("r-blue", "blue-r", "r-outer"):
        assert ports[name].kind is PATCH


def test_the_redirect_port_says_by_which_network_packets_get_there() -> None:
    document = yaml.safe_load(NETWORK)
    assert bindings(Translated.of(document))["cr-r-outer"].network == "physnet1"
    del document["logical_switches"]["outer"]["ports"]["outer-out"]
    assert bindings(Translated.of(document))["cr-r-outer"].network == ""


def leaving(kind: type[Translated], target: str) -> tuple[str, str]:
    """How a packet from `blue1` leaves the router: output port and Ethernet destination."""
    found = send(kind.of(yaml.safe_load(NETWORK)).network(), packet(target))
    crossings = [event for event in found.events if isinstance(event, Crossing)]
    last = next(event for event in crossings if event.port == "r-outer")
    return str(last.packet["outport"]), format_value("eth.dst", last.packet["eth.dst"])


ROUTER = "0a:00:00:00:03:fe"


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        (Translated, "192.0.2.11", ("cr-r-outer", "0a:00:00:00:03:01")),
        (Elsewhere, "192.0.2.11", ("r-outer", ROUTER)),
        # What comes back to the router itself is redirected, wherever it is.
        (Translated, "192.0.2.7", ("cr-r-outer", ROUTER)),
        (Elsewhere, "192.0.2.7", ("cr-r-outer", ROUTER)),
    ],
)
def test_elsewhere_packets_leave_for_the_router_itself(
    kind: type[Translated], target: str, expected: tuple[str, str]
) -> None:
    assert leaving(kind, target) == expected


def test_what_leaves_arrives() -> None:
    network = Translated.of(yaml.safe_load(NETWORK)).network()
    assert reached(network, packet("192.0.2.11")) == ["out1"]


def test_a_floating_ip_of_what_resides_elsewhere_is_translated_there() -> None:
    """None of its flows is for the chassis of its port, though it has a MAC address for that."""
    translated = Translated.of(yaml.safe_load(NETWORK))
    only = [
        flow.template.only
        for datapath in translated.datapaths
        for flow in translated.flows(datapath.id)
        if "192.0.2.8" in str(flow) or "10.0.1.1 " in str(flow)
    ]
    assert any(isinstance(each, Resident) for each in only)
    assert not any(isinstance(each, Local) for each in only)


def test_a_redirection_costs_no_flow_for_each_destination() -> None:
    """Two more than without: for the chassis in charge and for what is for the router itself."""

    def flows(document: Any) -> int:
        translated = Translated.of(document)
        return sum(len(translated.flows(datapath.id)) for datapath in translated.datapaths)

    bridged, plain = yaml.safe_load(NETWORK), yaml.safe_load(NETWORK)
    del plain["logical_routers"]["r"]["ports"]["r-outer"]["redirect_type"]
    assert flows(bridged) - flows(plain) == 2


@pytest.mark.parametrize(
    ("kind", "switch", "is_answered"),
    [
        (Translated, "outer", True),
        (Elsewhere, "outer", False),
        (Translated, "red", True),
        (Elsewhere, "red", False),
        (Translated, "plain", False),
    ],
)
def test_queries_from_outside_are_answered_by_one_chassis(
    kind: type[Translated], switch: str, is_answered: bool
) -> None:
    """By none on a switch without a port of which one is in charge: it comes to all of them."""
    document = yaml.safe_load(NETWORK)
    document["logical_switches"]["plain"] = {
        "ports": {"plain-out": {"type": "localnet", "network_name": "physnet2"}}
    }
    records = [{"hostname": "a.test", "addresses": ["10.0.2.1"]}]
    document["dns_record_sets"] = {"names": {"switches": [switch], "records": records}}
    query = (
        f'inport == "{switch}-out" && eth.src == 0a:00:00:00:77:01 '
        "&& eth.dst == 0a:00:00:00:77:02 && ip4.src == 192.0.2.201 && ip4.dst == 192.0.2.53 "
        "&& ip.ttl == 64 && udp.src == 5353 && udp.dst == 53"
    )
    visits = send(kind.of(document).network(), query).visits
    (visit,) = (visit for visit in visits if visit.place.name == "ls_in_dns_lookup")
    assert visit.entry is not None
    assert ("from_outside4" in str(visit.entry)) == is_answered
