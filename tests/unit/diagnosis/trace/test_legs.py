"""Walks cut at the tunnels: what is left for each chassis to do."""

from typing import Any

import pytest
import yaml

from diagnosis.trace.legs import Journey, Leg, legs
from logical_flow.packet import MutablePacket, packet_from_match
from logical_flow.walk import walk
from southbound.questions import TracePort, TraceTunnel, header_values
from southbound.rows import PortBinding
from tests.realised import Realised
from tests.translated import Translated

NETWORK = """
document: legs
logical_switches:
  a:
    ports:
      a1: {addresses: ["0a:00:00:00:01:01 10.1.0.11"]}
      a2: {addresses: ["0a:00:00:00:01:02 10.1.0.12"]}
      a3: {addresses: ["0a:00:00:00:01:03 10.1.0.13"]}
      a4: {addresses: ["0a:00:00:00:01:04 10.1.0.14"]}
      a5: {addresses: ["0a:00:00:00:01:05 10.1.0.15"]}
      a-r: {type: router, router_port: r-a}
  b:
    ports:
      b1: {addresses: ["0a:00:00:00:02:01 10.2.0.11"]}
      b-r: {type: router, router_port: r-b}
logical_routers:
  r:
    ports:
      r-a: {mac: "0a:00:00:00:01:fe", networks: [10.1.0.1/24]}
      r-b: {mac: "0a:00:00:00:02:fe", networks: [10.2.0.1/24]}
"""
HOSTS = {"hv1": ["a1", "a2"], "hv2": ["a3", "a4", "b1"]}
"""`a5` is bound nowhere."""


@pytest.fixture(scope="module")
def realised() -> Realised:
    return Realised(Translated.of(yaml.safe_load(NETWORK)), HOSTS)


def cut(realised: Realised, match: str, inport: str = "a1") -> list[Leg]:
    packet: MutablePacket = {**packet_from_match(match), "inport": inport}
    ports = {row.name: row for row in realised.rows() if isinstance(row, PortBinding)}
    walked = walk(realised.translated.network(), packet)
    return legs(Journey(ports[inport], packet, "new", walked), ports)


def ip4(destination: str, mac: str, **more: Any) -> str:
    ttl = f" && ip.ttl == {more['ttl']}" if more else ""
    source = "eth.src == 0a:00:00:00:01:01 && ip4.src == 10.1.0.11"
    return f"{source} && eth.dst == {mac} && ip4.dst == {destination} && udp{ttl}"


def datapaths(realised: Realised, leg: Leg) -> set[str]:
    names = {row.id: row.name for row in realised.translated.datapaths}
    return {names[key] for key in leg.datapaths}


def test_a_packet_that_stays_on_its_chassis(realised: Realised) -> None:
    (leg,) = cut(realised, ip4("10.1.0.12", "0a:00:00:00:01:02"))
    assert isinstance(leg.question, TracePort)
    assert (leg.chassis, leg.ports, leg.onward, leg.punted) == ("hv1", {"a2"}, set(), False)
    assert datapaths(realised, leg) == {"a"}


def test_a_routed_packet_is_routed_where_it_enters(realised: Realised) -> None:
    first, second = cut(realised, ip4("10.2.0.11", "0a:00:00:00:01:fe"))
    assert (first.chassis, first.ports, first.onward) == ("hv1", set(), {"hv2"})
    assert datapaths(realised, first) == {"a", "r", "b"}
    assert (second.chassis, second.ports, second.onward) == ("hv2", {"b1"}, set())
    assert datapaths(realised, second) == {"b"}
    question = second.question
    assert isinstance(question, TraceTunnel)
    assert (question.sender, question.inport, question.outport) == ("hv1", "b-r", "b1")
    headers = header_values(question.headers)
    assert headers["ip.ttl"] == 63, "as it left the router"
    assert headers["eth.dst"] == 0x0A0000000201


def test_copies_for_one_other_chassis_are_one_packet(realised: Realised) -> None:
    first, second = cut(realised, ip4("10.1.0.255", "ff:ff:ff:ff:ff:ff"))
    assert (first.ports, first.onward) == ({"a2"}, {"hv2"})
    assert isinstance(second.question, TraceTunnel)
    assert second.question.outport == "_MC_flood"
    assert second.ports == {"a3", "a4"}


def test_what_the_agent_makes_is_no_part_of_a_leg(realised: Realised) -> None:
    (leg,) = cut(realised, ip4("10.2.0.11", "0a:00:00:00:01:fe", ttl=1))
    assert (leg.ports, leg.onward, leg.punted) == (set(), set(), True)


def test_what_goes_to_a_port_that_is_nowhere_leaves_no_switch(realised: Realised) -> None:
    (leg,) = cut(realised, ip4("10.1.0.15", "0a:00:00:00:01:05"))
    assert (leg.ports, leg.onward) == (set(), set())


def test_a_packet_from_a_port_that_is_nowhere_has_no_leg(realised: Realised) -> None:
    assert cut(realised, ip4("10.1.0.12", "0a:00:00:00:01:02"), "a5") == []


def test_visits_are_of_the_chassis_that_makes_them(realised: Realised) -> None:
    first, second = cut(realised, ip4("10.1.0.13", "0a:00:00:00:01:03"))
    assert {visit.place.pipeline for visit in first.visits} == {"ls_in"}
    assert {visit.place.pipeline for visit in second.visits} == {"ls_out"}


RACK = """
document: rack
ha_chassis_groups:
  racks: {chassis: [{chassis: hv1, priority: 2}, {chassis: hv2, priority: 1}]}
logical_switches:
  rack:
    ports:
      out: {type: localnet, network_name: physnet1}
      metal: {type: external, ha_chassis_group: racks, addresses: ["0a:00:00:00:01:01 10.1.0.11"]}
      rack-r: {type: router, router_port: r-rack}
  in:
    ports:
      b1: {addresses: ["0a:00:00:00:02:01 10.2.0.11"]}
      b2: {addresses: ["0a:00:00:00:02:02 10.2.0.12"]}
      in-r: {type: router, router_port: r-in}
logical_routers:
  r:
    ports:
      r-rack: {mac: "0a:00:00:00:01:fe", networks: [10.1.0.1/24]}
      r-in: {mac: "0a:00:00:00:02:fe", networks: [10.2.0.1/24]}
load_balancers:
  shop:
    switches: [rack]
    vips: [{address: 10.9.0.80, port: 80, backends: ["10.2.0.11:80", "10.2.0.12:80"]}]
"""


def test_replies_to_an_external_port_leave_by_the_chassis_in_charge() -> None:
    hosts = {"hv1": ["metal", "b1"], "hv2": ["b2"]}
    realised = Realised(Translated.of(yaml.safe_load(RACK)), hosts)

    def reply(number: int) -> list[Leg]:
        ends = f"ip4.src == 10.2.0.1{number} && ip4.dst == 10.1.0.11 && ip.ttl == 64"
        macs = f"eth.src == 0a:00:00:00:02:0{number} && eth.dst == 0a:00:00:00:02:fe"
        return cut(realised, f"{macs} && {ends} && tcp.src == 80 && tcp.dst == 5000", f"b{number}")

    (only,) = reply(1)
    assert (only.chassis, only.ports, only.onward) == ("hv1", {"out"}, set())
    first, second = reply(2)
    assert (first.chassis, first.ports, first.onward) == ("hv2", set(), {"hv1"})
    assert (second.chassis, second.ports, second.onward) == ("hv1", {"out"}, set())
    assert isinstance(second.question, TraceTunnel)
    assert (second.question.inport, second.question.outport) == ("rack-r", "metal")
