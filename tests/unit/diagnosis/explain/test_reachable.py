"""What is reachable, and what was checked for saying so."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.conftest import Plugged


def kinds(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(check["kind"], check["port"]) for check in found["checks"]]


async def test_request_and_reply_are_walked_with_next_hops_and_bindings(net: Plugged) -> None:
    found = await net.explain("a1", "b1", service="tcp/443")
    assert found["text"] == "yes: a1 reaches b1 by tcp/443, and replies come back"
    assert (found["reachable"], found["obstacles"], found["proposal"]) == (True, [], None)
    assert kinds(found) == [
        ("binding", "a1"),
        ("resolution", "a1"),
        ("request", "a1"),
        ("resolution", "b1"),
        ("reply", "b1"),
        ("binding", "b1"),
    ]
    assert all(check["passed"] for check in found["checks"])
    asked, reply = found["checks"][1], found["checks"][4]
    assert asked["text"] == "a1 asks by ARP who has 10.1.0.1: 0a:00:00:01:00:01"
    assert "tcp.src=443" in reply["trace"]["packet"]
    assert (reply["chassis"], reply["trace"]["connection"]) == ("hv2", "reply")


@pytest.mark.parametrize(
    ("source", "destination", "service"),
    [
        ("a1", "a2", "icmp"),
        ("a1", "fd02::11", "udp/53"),
        ("10.1.0.11", "10.2.0.11", "sctp/5060"),
        ("a1", "r1-b", "icmp"),
        ("a1", "fd01::1", "icmp"),
    ],
)
async def test_reachable(net: Plugged, source: str, destination: str, service: str) -> None:
    found = await net.explain(source, destination, service=service)
    assert found["reachable"], found["text"]


async def test_replies_are_walked_in_the_connection_of_their_request(net: Plugged) -> None:
    await net.acl("pg:senders", "to-lport", 100, "outport == @senders && ip")
    assert not (await net.explain("a1", "b1"))["reachable"]
    await net.acl(
        "pg:senders", "from-lport", 10, "inport == @senders && ip", action="allow-related"
    )
    assert (await net.explain("a1", "b1"))["reachable"]
    back = await net.explain("b1", "a1")
    assert [obstacle["kind"] for obstacle in back["obstacles"]] == ["acl"]


async def test_traces_have_their_steps_if_asked_for(net: Plugged) -> None:
    found = await net.explain("a1", "b1", steps=True)
    request = next(check for check in found["checks"] if check["kind"] == "request")
    assert request["trace"]["steps"][0]["stage"] == "ls_in_port_sec_l2"
    again = await net.call("POST", "/trace", {"match": request["trace"]["match"]})
    assert again["verdict"] == request["trace"]["verdict"]


@pytest.mark.parametrize(
    ("question", "pointers"),
    [
        ({}, ["#/source", "#/destination"]),
        ({"source": "a1"}, ["#/destination"]),
        ({"source": "a9", "destination": "b1"}, ["#/source"]),
        ({"source": "a1", "destination": "b9"}, ["#/destination"]),
        ({"source": "a1", "destination": "a1"}, ["#/destination"]),
        ({"source": "a1", "destination": "10.1.0.11"}, ["#/destination"]),
        ({"source": "a1", "destination": "224.0.0.5"}, ["#/destination"]),
        ({"source": "a1", "destination": "ff02::5"}, ["#/destination"]),
        ({"source": "a1", "destination": "255.255.255.255"}, ["#/destination"]),
        ({"source": "a1", "destination": "127.0.0.1"}, ["#/destination"]),
        ({"source": "a1", "destination": "::"}, ["#/destination"]),
        ({"source": "0.0.0.0", "destination": "b1", "inport": "a1"}, ["#/source"]),
        ({"source": "r1-a", "destination": "b1"}, ["#/source"]),
        ({"source": "a-r1", "destination": "b1"}, ["#/source"]),
        ({"source": "10.1.0.11", "destination": "b1", "inport": "r1-a"}, ["#/inport"]),
        ({"source": "10.1.0.11", "destination": "b1", "inport": "a-r1"}, ["#/inport"]),
        ({"source": "192.0.2.1", "destination": "b1"}, ["#/source"]),
        ({"source": "10.1.0.11", "destination": "fd02::11"}, ["#/destination"]),
        ({"source": "a1", "destination": "b1", "service": "tcp"}, ["#/service"]),
        ({"source": "a1", "destination": "b1", "service": "tcp/65536"}, ["#/service"]),
        ({"source": "a1", "destination": "b1", "inport": "nowhere"}, ["#/inport"]),
        ({"match": "tcp"}, ["#/inport"]),
        ({"match": 'inport == "a1" && tpc'}, ["#/match"]),
        ({"match": 'inport == "a1" && tcp', "source": "a1"}, ["#/source"]),
        ({"match": 'inport == "a1" && tcp', "destination": "10.2.0.11"}, ["#/destination"]),
    ],
)
async def test_refusals_name_the_field(
    net: Plugged, question: dict[str, str], pointers: list[str]
) -> None:
    response = await net.server.client.post("/v1/reachability", json=question)
    assert response.status_code == 422, response.text
    assert [fault["pointer"] for fault in response.json()["errors"]] == pointers


async def test_what_is_not_known_is_said_back(net: Plugged) -> None:
    question = {"source": "a 1", "destination": "b1"}
    response = await net.server.client.post("/v1/reachability", json=question)
    assert "no logical port 'a 1'" in response.json()["errors"][0]["reason"]


@pytest.mark.parametrize(
    "destination", ["fe80::800:ff:fe00:102", "fe80::800:ff:fe01:1"], ids=["a2", "r1-a"]
)
async def test_link_local_addresses_are_on_the_own_switch(net: Plugged, destination: str) -> None:
    found = await net.explain("a1", destination)
    assert found["reachable"], found["text"]


async def test_nobody_has_a_link_local_address(net: Plugged) -> None:
    found = await net.explain("a1", "fe80::77")
    assert [each["kind"] for each in found["obstacles"]] == ["unknown-destination"]
    assert "nobody on the sender's switch has fe80::77" in found["text"]


@pytest.mark.parametrize("destination", ["10.1.0.0", "10.1.0.255"])
async def test_no_workload_is_proposed_for_an_address_of_all(
    net: Plugged, destination: str
) -> None:
    found = await net.explain("a1", destination)
    assert f"{destination} is kept for all of 10.1.0.0/24" in found["text"]
    assert found["proposal"] is None
