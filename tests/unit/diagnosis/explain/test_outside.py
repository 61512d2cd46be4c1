"""Hosts beyond a port to a provider network: what is known of them, and what isn't."""

from typing import Any

import pytest

from southbound.conditions import PROVIDER_NETWORKS
from southbound.questions import Compare, Comparison, Output, Question, Result, Traced
from tests.unit.diagnosis.explain.asking import refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged
from tests.unit.diagnosis.explain.test_carriers import say

PORTS = (
    {
        "name": "public-net",
        "type": "localnet",
        "network_name": "physnet1",
        "addresses": ["unknown"],
    },
    {"name": "public-r1", "type": "router", "router_port": "r1-public"},
    {"name": "p1", "addresses": ["0a:00:00:00:05:01 198.51.100.20"]},
)
PORT = {
    "name": "r1-public",
    "mac": "0a:00:00:01:00:05",
    "networks": ["198.51.100.2/24"],
    "gateway_chassis": [{"chassis": "hv1", "priority": 20}],
}
NATS = (
    {"type": "snat", "external_ip": "198.51.100.2", "logical_ip": "10.1.0.0/24"},
    {"type": "dnat_and_snat", "external_ip": "198.51.100.11", "logical_ip": "10.1.0.12"},
)
OWN = "198.51.100.2"
HOST, HOST_MAC = "198.51.100.1", "02:00:00:00:00:01"


@pytest.fixture
async def outside(net: Plugged) -> Plugged:
    router = "/logical-routers/r1"
    await net.call("POST", f"{router}/ports", PORT)
    await net.call("POST", "/logical-switches", {"name": "public"})
    for port in PORTS:
        await net.call("POST", "/logical-switches/public/ports", port)
    route = {"ip_prefix": "0.0.0.0/0", "nexthop": HOST}
    await net.call("POST", f"{router}/static-routes", route)
    for nat in NATS:
        await net.call("POST", f"{router}/nats", nat)
    net.plug("p1", "hv2")
    return net


def learn(net: Plugged) -> None:
    net.server.realised.facts.learned.learn_mac("hv1", "r1-public", HOST, HOST_MAC)


def texts(found: Any, kind: str) -> list[str]:
    return [each["text"] for each in found["assumptions"] if each["kind"] == kind]


async def test_a_host_that_no_router_has_found_yet(outside: Plugged) -> None:
    found = await unknown(outside, source="a1", destination=HOST)
    assert (
        f"no port is declared to have {HOST}; it may be behind public-net, which leads to the "
        "provider network physnet1. As far as this network goes they reach each other"
    ) in found["text"]
    assert found["proposal"] is None


@pytest.mark.parametrize("source", ["a1", "a2"])
async def test_a_host_that_a_router_has_found(outside: Plugged, source: str) -> None:
    """By the router's address, and by one of its own."""
    learn(outside)
    found = await outside.ask(source=source, destination=HOST)
    assert found["answer"] == "yes", found["text"]
    assert found["text"] == (
        f"yes: {source} reaches {HOST} beyond public-net by icmp, and replies come back"
    )
    assert texts(found, "owner") == [
        f"{HOST} is at {HOST_MAC}, where router port r1-public found it"
    ]
    shared = [f"a port of {OWN} is free for the connection"]
    assert texts(found, "external-port") == (shared if source == "a1" else [])
    beyond = "hosts beyond public-net, which leads to the provider network physnet1, take what is "
    assert texts(found, "outside") == [f"{beyond}for {HOST}, and answer"]


async def test_what_is_beyond_a_router_outside(outside: Plugged) -> None:
    learn(outside)
    found = await outside.ask(source="a1", destination="192.0.2.77", service="tcp/443")
    assert found["answer"] == "yes", found["text"]
    assert "for 192.0.2.77" in texts(found, "outside")[0]


async def test_an_acl_in_the_way_is_told(outside: Plugged) -> None:
    learn(outside)
    await outside.acl("ls:a", "from-lport", 7, 'inport == "a1" && tcp', name="closed")
    found = await refused(outside, source="a1", destination="192.0.2.77", service="tcp/443")
    assert "closed" in found["text"]
    await outside.acl("ls:public", "to-lport", 7, 'outport == "public-net" && icmp', name="out")
    found = await refused(outside, source="a2", destination="192.0.2.77")
    assert "dropped by ACL out" in found["text"]


async def test_replies_to_an_address_that_is_not_translated(outside: Plugged) -> None:
    """Whether hosts outside have a route to it nobody here knows."""
    learn(outside)
    found = await unknown(outside, source="b1", destination=HOST)
    assert (
        "it is not known whether hosts beyond public-net have a route to 10.2.0.11 by 198.51.100.2"
    ) in found["text"]


@pytest.mark.parametrize("source", [HOST, "192.0.2.77"])
async def test_a_floating_address_is_reached_from_outside(outside: Plugged, source: str) -> None:
    question = {"source": source, "inport": "public-net", "destination": "198.51.100.11"}
    learn(outside)
    found = await outside.ask(**question, service="tcp/22")
    assert found["answer"] == "yes", found["text"]
    assert found["text"] == (
        f"yes: {source} beyond public-net reaches a2 by tcp/22, and replies come back"
    )
    await outside.acl("ls:a", "to-lport", 7, 'outport == "a2" && tcp', name="closed")
    found = await refused(outside, **question, service="tcp/22")
    assert "closed" in found["text"]


async def test_what_a_router_sends_back_outside(outside: Plugged) -> None:
    """Its way to an address that is nobody's here is where the packet came from."""
    learn(outside)
    question = {"source": HOST, "inport": "public-net", "destination": "203.0.113.78"}
    found = await refused(outside, **question)
    assert found["text"] == (
        "no: the request is sent back to public-net, where it came from: the way to 203.0.113.78 "
        "leads there"
    )
    assert found["proposal"] is None


async def test_a_floating_address_is_reached_on_its_switch(outside: Plugged) -> None:
    """The network itself tells who has it: nobody beyond the port to the outside."""
    found = await outside.ask(source="p1", destination="198.51.100.11")
    assert found["answer"] == "yes", found["text"]
    assert texts(found, "owner") == texts(found, "outside") == []


@pytest.mark.parametrize(
    "how",
    [{}, {"stateless": True}, {"logical_port": "a2", "external_mac": "0a:00:00:00:05:11"}],
    ids=["gateway", "stateless", "here"],
)
@pytest.mark.parametrize("source", ["p1", "a1"])
async def test_what_is_too_big_inside_of_a_floating_address(
    outside: Plugged, how: dict[str, Any], source: str
) -> None:
    """Wherever it is translated, the port inside is named, and a trace has the error."""
    nats = (await outside.call("GET", "/nats"))["items"]
    (nat,) = [each for each in nats if each["type"] == "dnat_and_snat"]
    await outside.change(f"/nats/{nat['id']}", **how)
    await outside.change("/logical-router-ports/r1-a", gateway_mtu=1400)
    found = await refused(outside, source=source, destination="198.51.100.11", length=1415)
    (obstacle,) = found["obstacles"]
    assert obstacle["kind"] == "too-big"
    assert "gateway_mtu of logical router port r1-a" in obstacle["remedy"]["text"]


async def test_a_workload_of_the_network_itself(outside: Plugged) -> None:
    found = await outside.ask(source=HOST, inport="public-net", destination="p1")
    assert found["answer"] == "yes", found["text"]
    await unknown(outside, source="p1", destination=HOST)


def play(outside: Plugged, goes: dict[tuple[str, str], Output]) -> list[tuple[str, Question]]:
    """Play switches that send what enters at a port to one place; the list gets the questions."""
    asked = []

    def answer(chassis: str, question: Question) -> Result:
        if isinstance(question, Compare):
            return Comparison(1, True, ())
        asked.append((chassis, question))
        output = goes.get((chassis, getattr(question, "inport", "")))
        return Traced((), () if output is None else (output,), False)

    outside.server.agents.answer = answer
    return asked


async def test_what_a_provider_network_brings_is_compared_where_it_is_taken(
    outside: Plugged,
) -> None:
    ways = {("hv2", "public-net"): Output(port="p1"), ("hv2", "p1"): Output(port="public-net")}
    asked = play(outside, ways)
    question = {"source": HOST, "inport": "public-net", "destination": "p1", "live": True}
    live = (await outside.ask(**question))["live"]
    assert live["agrees"] is True, live
    assert {chassis for chassis, _ in asked} == {"hv2"}
    question = {"packet": f"icmp {HOST} -> p1", "inport": "public-net", "live": True}
    live = (await outside.call("POST", "/trace", question))["live"]
    (leg,) = live["chassis"][0]["legs"]
    assert leg["text"] == "a packet from port public-net goes to port p1, as the walk says"


async def test_elsewhere_it_goes_no_further(outside: Plugged) -> None:
    """Who is on another chassis gets it there, from the provider network."""
    play(outside, {})
    question = {"packet": f"icmp {HOST} -> p1", "inport": "public-net", "live": True}
    live = (await outside.call("POST", "/trace", {**question, "entry_chassis": "hv1"}))["live"]
    assert [each["chassis"] for each in live["chassis"]] == ["hv1"]
    assert live["agrees"] is True, live
    play(outside, {("hv1", "public-net"): Output(port="public-net")})
    live = (await outside.call("POST", "/trace", {**question, "entry_chassis": "hv1"}))["live"]
    assert live["agrees"] is False, live


async def test_a_gateway_takes_in_what_is_for_its_router(outside: Plugged) -> None:
    learn(outside)
    ranks = [{"chassis": "hv2", "priority": 1}]
    await outside.call("PATCH", "/logical-router-ports/r1-public", {"gateway_chassis": ranks})
    for port in ("cr-r1-public", "public-r1", "r1-public"):
        outside.server.realised.facts.claim("hv2", port)
    asked = play(outside, {("hv2", "public-net"): Output(chassis="hv1")})
    question = {"packet": f"icmp {HOST} -> a1", "inport": "public-net", "live": True}
    await outside.call("POST", "/trace", question)
    assert (asked[0][0], getattr(asked[0][1], "inport", "")) == ("hv2", "public-net")
    play(outside, {})
    live = (await outside.call("POST", "/trace", {**question, "entry_chassis": "hv1"}))["live"]
    (leg,) = live["chassis"][0]["legs"]
    assert leg["text"] == (
        "a packet from port public-net goes nowhere, as the walk says; the network brings it to "
        "chassis hv2"
    )


async def test_what_no_chassis_takes_in_is_not_compared(outside: Plugged) -> None:
    question = {
        "match": 'inport == "public-net" && eth.src == 0a:00:00:00:09:09 && '
        "eth.dst == 0a:00:00:00:77:77 && eth.type == 0x1234",
        "live": True,
    }
    live = (await outside.call("POST", "/trace", question))["live"]
    assert live["agrees"] is None
    assert "none is the one to take it in; name one as entry_chassis" in live["text"]


@pytest.mark.parametrize(
    ("inport", "chassis", "is_live", "why"),
    [
        ("public-net", "hv9", True, "there is no such chassis"),
        ("p1", "hv1", True, "no provider network brings what enters at p1"),
        ("public-net", "hv1", False, "which takes live"),
    ],
)
async def test_a_chassis_where_nothing_comes_in(
    outside: Plugged, inport: str, chassis: str, is_live: bool, why: str
) -> None:
    question = {"packet": f"icmp {HOST} -> 198.51.100.11", "inport": inport, "live": is_live}
    client = outside.server.client
    answer = await client.post("/v1/trace", json={**question, "entry_chassis": chassis})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], why in fault["reason"]) == ("#/entry_chassis", True), fault


async def test_what_has_no_address_outside_is_asked_for_by_one(outside: Plugged) -> None:
    question = {"source": "public-net", "destination": "a1"}
    answer = await outside.server.client.post("/v1/reachability", json=question)
    assert answer.status_code == 422
    assert "public-net leads outside: give the address of a host there" in answer.text


async def test_traces_from_outside_and_to_there(outside: Plugged) -> None:
    learn(outside)
    question = {"packet": f"tcp {HOST} -> 198.51.100.11:22", "inport": "public-net"}
    found = await outside.call("POST", "/trace", question)
    assert found["verdict"]["text"] == "delivered to a2", found
    question = {"packet": f"icmp {HOST} -> 10.2.0.11", "inport": "public-net"}
    found = await outside.call("POST", "/trace", question)
    assert found["verdict"]["text"] == "delivered to b1", found
    route = "a route to 10.2.0.11 by 198.51.100.2"
    beyond = "hosts beyond public-net, which leads to the provider network physnet1"
    assert texts(found, "outside") == [f"{beyond}, have {route}"]
    found = await outside.call("POST", "/trace", {"packet": f"icmp a1 -> {HOST}"})
    assert found["verdict"]["text"] == "delivered to public-net", found


async def test_a_way_outside_on_one_chassis(outside: Plugged) -> None:
    port = {"name": "a-out", "type": "l2gateway", "network_name": "dc"}
    path = "/logical-switches/a/ports"
    await outside.call("POST", path, {**port, "requested_chassis": ["hv2"]})
    question = {"source": "10.1.0.99", "inport": "a-out", "destination": "a1"}
    found = await refused(outside, **question)
    assert "port a-out is not bound to any chassis" in found["text"]
    outside.server.realised.facts.claim("hv2", "a-out")
    found = await outside.ask(**question)
    assert found["answer"] == "yes", found["text"]
    assert found["text"].startswith("yes: 10.1.0.99 beyond a-out reaches a1 by icmp")
    found = await unknown(outside, source="a1", destination="10.1.0.99")
    assert "it may be behind a-out, which leads to the provider network dc" in found["text"]


async def test_a_missing_bridge_is_in_the_way(outside: Plugged) -> None:
    learn(outside)
    why = "no bridge leads to physnet1: treadle-bridge-mappings has none for it"
    say(outside, "hv1", conditions={PROVIDER_NETWORKS: why})
    for port in ("cr-r1-public", "public-r1", "r1-public"):
        outside.server.realised.facts.claim("hv1", port)
    found = await refused(outside, source="a2", destination=HOST)
    assert why in found["text"], found["text"]
    assert found["obstacles"][0]["kind"] == "no-bridge"
    read, change = found["proposal"]["commands"]
    assert read == "ovs-vsctl --if-exists get Open_vSwitch . external_ids:treadle-bridge-mappings"
    assert change.endswith("treadle-bridge-mappings=MAPPED,NETWORK:BRIDGE")
    assert found["proposal"]["sufficient"]
    assert texts(found["proposal"], "hypervisor") == ["what is to be done on hypervisors works"]


async def test_a_trace_tells_of_a_gateway_that_no_chassis_is_in_charge_of(
    outside: Plugged,
) -> None:
    learn(outside)
    ranks = [{"chassis": "gw9", "priority": 1}, {"chassis": "gw8", "priority": 2}]
    await outside.change("/logical-router-ports/r1-public", gateway_chassis=ranks)
    question = {"packet": f"icmp a2 -> {HOST}"}
    traced = await outside.call("POST", "/trace", question)
    (hindrance,) = traced["verdict"]["hindrances"]
    assert (hindrance["problem"], hindrance["certain"]) == ("no-gateway", True)
    assert "lost at port public-r1, of which no chassis is in charge" in hindrance["text"]
    assert "gw8" in hindrance["text"]
    assert "gw9" in hindrance["text"]


async def test_a_workload_on_the_provider_network(outside: Plugged) -> None:
    group = {"name": "racks", "chassis": [{"chassis": "hv2", "priority": 1}]}
    await outside.call("POST", "/ha-chassis-groups", group)
    address = "02:00:00:00:05:99 198.51.100.99"
    port = {"name": "m1", "type": "external", "addresses": [address], "ha_chassis_group": "racks"}
    await outside.call("POST", "/logical-switches/public/ports", port)
    found = await refused(outside, source="m1", destination="p1")
    assert "port m1 is not bound to any chassis" in found["text"]
    outside.server.realised.facts.claim("hv2", "m1")
    for source, destination in (("m1", "p1"), ("p1", "m1"), ("a1", "m1"), ("m1", "198.51.100.11")):
        found = await outside.ask(source=source, destination=destination)
        assert found["answer"] == "yes", found["text"]
    play(outside, {("hv2", "public-net"): Output(chassis="hv1")})
    question = {"packet": "icmp m1 -> a1", "live": True}
    live = (await outside.call("POST", "/trace", {**question, "entry_chassis": "hv1"}))["live"]
    (leg,) = live["chassis"][0]["legs"]
    assert leg["text"] == (
        "a packet from port public-net goes nowhere; the walk goes on where it is taken in, on "
        "chassis hv2"
    )
    play(outside, {("hv1", "public-net"): Output(port="a2")})
    live = (await outside.call("POST", "/trace", {**question, "entry_chassis": "hv1"}))["live"]
    assert live["agrees"] is None, live
    assert "where the walk goes on by flows that chassis hv2 has" in live["text"]
    await outside.acl("ls:public", "from-lport", 7, 'inport == "m1" && tcp', name="closed")
    found = await refused(outside, source="m1", destination="p1", service="tcp/22")
    assert "closed" in found["text"]
