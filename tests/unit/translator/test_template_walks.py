"""What load balancers that are templates do with packets, on each chassis."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from diagnosis.trace.variable_flows import VariableFlows, Variables
from logical_flow.evaluate import Sets
from logical_flow.walk_events import Drop, Noted
from logical_flow.walk_network import Network
from tests.translated import Translated
from tests.unit.translator.edge import EDGE, at_gateway_port, packet
from tests.unit.translator.walks import reached, send
from translator.features.load_balancing.health import virtual_address
from translator.features.load_balancing.variables import chassis_variable

NETWORK = (
    EDGE
    + """chassis_template_vars:
  - {chassis: hv1, variables: {NODE: 192.0.2.254, PORT: "30080", WEB: "10.0.1.1:8080"}}
  - chassis: hv2
    variables: {NODE: 192.0.2.77, PORT: "30081", WEB: "10.0.1.1:8080, 10.0.1.2:8080"}
load_balancers:
  nodes:
    template: true
    address_family: ipv4
    switches: [in]
    routers: [r]
    reject: true
    vips:
      - {address: ^NODE, port: 80, backends: [^WEB]}
      - {address: ^NODE, port_variable: ^PORT, backends: ["10.0.1.2:^TARGET", "10.0.1.1:8080"]}
      - {address: 192.0.2.90, port: 80, backends: [^WEB]}
"""
)
PLACES = {"vm1": "hv1", "vm2": "hv2", "host": "hv1", "r-in": "hv1", "r-out": "hv1"}


def network(document: str, places: Mapping[str, str] = PLACES) -> Network:
    """Return the network with ports at these places, and what variables are there."""
    translated = Translated.of({"document": "test", **yaml.safe_load(document)})
    net = translated.network()
    net.ports = {
        name: msgspec.structs.replace(port, chassis=places.get(name, ""))  # type: ignore[type-var]
        for name, port in net.ports.items()
    }
    values: dict[str, dict[str, str]] = {}
    for row in translated.engine.rows(chassis_variable).values():
        values.setdefault(row.chassis, {})[row.name] = row.value
    fronts = {row.set: row for row in translated.engine.rows(virtual_address).values()}
    sets = translated.sets
    ports: Any = net.ports
    variables = Variables(values, sets, fronts, ports)
    net.sets = Sets(sets)
    net.flows = {each: VariableFlows(flows, variables) for each, flows in net.flows.items()}
    return net


def tcp(port: str, src: str, dst: str, dport: int) -> str:
    return packet(port, src, dst, f"tcp.src == 5000 && tcp.dst == {dport}")


def test_each_chassis_has_its_own_address_and_backends() -> None:
    net = network(NETWORK)
    assert reached(net, tcp("vm1", "10.0.1.1", "192.0.2.254", 80)) == ["vm1"]
    assert reached(net, tcp("vm2", "10.0.1.2", "192.0.2.77", 80)) == ["vm1", "vm2"]
    # That of the other chassis is a host's as any, outside.
    assert reached(net, tcp("vm1", "10.0.1.1", "192.0.2.90", 80)) == ["vm1"]
    assert reached(net, tcp("vm2", "10.0.1.2", "192.0.2.90", 80)) == ["vm1", "vm2"]


def test_on_a_gateway_router_at_its_own_address() -> None:
    net = network(NETWORK)
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.254", 80)) == ["vm1"]
    # ^TARGET is set nowhere: that backend is none.
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.254", 30080)) == ["vm1"]
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.254", 30081)) == ["host"]


def test_at_a_gateway_port() -> None:
    net = network(at_gateway_port(NETWORK), {**PLACES, "cr-r-out": "hv1"})
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.254", 80)) == ["vm1"]
    net = network(at_gateway_port(NETWORK), {**PLACES, "cr-r-out": "hv2"})
    assert reached(net, tcp("host", "192.0.2.9", "192.0.2.254", 80)) == ["host"]


def asks(port: str, mac: str, source: str, ip: str) -> str:
    """Return a question for an address: ARP, or neighbour discovery."""
    sent = f'inport == "{port}" && eth.src == {mac}'
    if ":" not in ip:
        return (
            f"{sent} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 && arp.sha == {mac} "
            f"&& arp.spa == {source} && arp.tpa == {ip} && arp.tha == 00:00:00:00:00:00"
        )
    return (
        f"{sent} && eth.dst == 33:33:ff:00:00:80 "
        f"&& ip6.src == {source} && ip6.dst == ff02::1:ff00:80 && ip.ttl == 255 "
        f" && icmp6.type == 135 && icmp6.code == 0 && nd.target == {ip} "
        f"&& nd.sll == {mac}"
    )


HOST = "0a:00:00:00:02:09"
VARIABLES = """chassis_template_vars:
  - {{chassis: hv1, variables: {{NODE: "{0}"}}}}
  - {{chassis: hv2, variables: {{NODE: "{1}"}}}}
load_balancers:
  nodes:
    template: true
    address_family: {2}
    neighbor_responder: {3}
    routers: [r]
    vips:
      - {{address: ^NODE, port: 80, backends: ["{4}"]}}
      - {{address: ^NODE, port: 81, backends: ["{4}"]}}
"""


@pytest.mark.parametrize("responder", ["all", "none"])
@pytest.mark.parametrize(
    ("family", "source", "values", "backend"),
    [
        ("ipv4", "192.0.2.9", ("192.0.2.77", "192.0.2.78"), "10.0.1.1:8080"),
        ("ipv6", "2001:db8::9", ("2001:db8::80", "2001:db8:1::80"), "[fd00:1::1]:8080"),
    ],
)
def test_routers_answer_for_what_a_variable_is_where_they_are(
    family: str, source: str, values: tuple[str, str], backend: str, responder: str
) -> None:
    document = EDGE + VARIABLES.format(*values, family, responder, backend)
    first, second = (asks("host", HOST, source, each) for each in values)
    answered = ["host"] if responder == "all" else []
    there = network(document)
    assert (reached(there, first), reached(there, second)) == (answered, [])
    for place, question, other in (("hv1", first, second), ("hv2", second, first)):
        there = network(at_gateway_port(document), {**PLACES, "cr-r-out": place})
        assert (reached(there, question), reached(there, other)) == (answered, [])


def test_who_is_inside_reaches_a_variable_that_is_the_same_wherever_the_gateway_is() -> None:
    """Else chassis would have to know each other's variables."""
    ranks = "gateway_chassis: [{chassis: hv1, priority: 10}"
    for other, same in (("192.0.2.77", True), ("192.0.2.78", False)):
        document = EDGE + VARIABLES.format("192.0.2.77", other, "ipv4", "none", "10.0.1.1:8080")
        one = at_gateway_port(document)
        both = one.replace(ranks, f"{ranks}, {{chassis: hv2, priority: 5}}")
        asked = tcp("vm2", "10.0.1.2", "192.0.2.77", 80)
        assert reached(network(one, {**PLACES, "cr-r-out": "hv1"}), asked) == ["vm1"]
        there = network(both, {**PLACES, "cr-r-out": "hv1"})
        assert (reached(there, asked) == ["vm1"]) is same


@pytest.mark.parametrize("value", ["", "web.example.org", "10.0.1.1:80,fd00:1::1"])
def test_without_backends_who_asks_is_refused(value: str) -> None:
    net = network(NETWORK.replace('WEB: "10.0.1.1:8080"}', f'WEB: "{value}"}}'))
    walk = send(net, tcp("vm1", "10.0.1.1", "192.0.2.254", 80))
    assert {each.port for each in walk.deliveries} == {"vm1"}
    assert walk.deliveries[0].packet["ip4.src"] == int.from_bytes(bytes([192, 0, 2, 254]))


def test_where_a_port_is_nowhere_it_is_not_known() -> None:
    net = network(NETWORK, {**PLACES, "vm1": ""})
    walk = send(net, tcp("vm1", "10.0.1.1", "192.0.2.77", 80))
    (drop,) = [event for event in walk.events if isinstance(event, Drop)]
    assert not drop.certain
    assert drop.reason.endswith("^NODE differs by chassis, and port vm1 is on no chassis")
    walk = send(net, tcp("vm1", "10.0.1.1", "192.0.2.90", 80))
    (drop,) = [event for event in walk.events if isinstance(event, Drop)]
    assert not drop.certain
    # What is no chassis' address goes its way.
    assert reached(net, tcp("vm1", "10.0.1.1", "192.0.2.9", 80)) == ["host"]


def test_the_example_of_the_page_does_what_it_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "load-balancers.md"
    (document,) = (
        part for part in page.read_text().split("```yaml\n") if part.startswith("document: nodes")
    )
    net = network(document.partition("```")[0], {"web-1": "hv1", "web-2": "hv2"})
    for source, mac, node, backends in (
        ("web-1", "0a:00:00:00:00:11", "192.0.2.1", ["10.0.0.11:8080"]),
        ("web-2", "0a:00:00:00:00:12", "192.0.2.2", ["10.0.0.11:8080", "10.0.0.12:8080"]),
    ):
        asked = (
            f'inport == "{source}" && eth.src == {mac} && eth.dst == 0a:00:00:00:00:fe '
            f"&& ip.ttl == 64 && ip4.src == 10.0.0.1{source[-1]} && ip4.dst == {node} "
            "&& tcp.src == 5000 && tcp.dst == 30080"
        )
        notes = [event for event in send(net, asked).events if isinstance(event, Noted)]
        assert list(notes[0].values[1:]) == backends
