"""Questions about the networks of a project whose ports go by their ids in flows."""

from typing import Any

import pytest

from tests.unit.api.conftest import Server
from tests.unit.api.demo import NETWORK, trace
from tests.unit.diagnosis.explain.conftest import NETWORK as EXPLAINED
from tests.unit.diagnosis.explain.conftest import PLACES, Plugged, plugged

PROJECT = "acme"


async def make(server: Server, document: str) -> None:
    headers = {"Content-Type": "application/yaml"}
    text = f"project: {PROJECT}\n{document}"
    made = await server.client.post("/v1/apply", content=text, headers=headers)
    assert made.status_code == 200, made.text
    await server.translate()


async def ids(server: Server, kind: str) -> dict[str, str]:
    """The ids of the project's objects, by name."""
    params = {"project": PROJECT, "limit": "1000"}
    found: dict[str, Any] = (await server.client.get(f"/v1/{kind}", params=params)).json()
    return {each["name"]: each["id"] for each in found["items"] if each["project"] == PROJECT}


@pytest.fixture
async def demo(server: Server) -> Server:
    await make(server, NETWORK.read_text())
    return server


@pytest.fixture
async def net(server: Server) -> Plugged:
    """The network of explanations twice: in the project ``default``, and in another one."""
    net = await plugged(server)
    await make(server, EXPLAINED)
    for name, port in (await ids(server, "logical-switch-ports")).items():
        if name in PLACES:
            net.plug(port, PLACES[name])
    return net


async def test_an_address_that_port_security_allows(demo: Server) -> None:
    ports = await ids(demo, "logical-switch-ports")
    one, two = ports["web-1"], ports["web-2"]
    security = ["0a:00:00:20:01:12 10.20.1.12 fd20:1::12 10.20.1.100"]
    await demo.client.patch(f"/v1/logical-switch-ports/{two}", json={"port_security": security})
    await demo.translate()
    found = await trace(demo, f"icmp {one} -> 10.20.1.100")
    assert found["verdict"]["text"] == f"delivered to {two}"


async def test_a_change_to_the_gateway(demo: Server) -> None:
    ports = await ids(demo, "logical-switch-ports")
    gateways = await ids(demo, "logical-router-ports")
    change = {
        "action": "update",
        "kind": "logical_router_port",
        "ref": gateways["core-to-web"],
        "values": {"networks": ["10.20.1.254/24"]},
    }
    words = f"icmp {ports['web-1']} -> 10.20.1.254"
    found = await trace(demo, words, **{"with": {"operations": [change]}})
    assert found["verdict"]["outcome"] == "answered"


async def test_the_one_who_asks_is_not_among_those_who_may_be_there(net: Plugged) -> None:
    ports = await ids(net.server, "logical-switch-ports")
    found = await net.ask(source=ports["a1"], destination="10.1.0.50")
    assert "nobody behind a2 uses 10.1.0.50" in found["assumptions"][0]["text"]


async def test_a_proposed_route_is_one_of_the_project(net: Plugged) -> None:
    ports = await ids(net.server, "logical-switch-ports")
    found = await net.ask(source=ports["a1"], destination=ports["c1"])
    assert found["proposal"]["sufficient"], found["text"]
    operations = found["proposal"]["transaction"]["operations"]
    routes = {each["values"]["logical_router"]: each["values"]["nexthop"] for each in operations}
    assert routes == {"acme/r1": "10.9.0.2", "acme/r2": "10.9.0.1"}


async def test_a_proposed_acl_is_one_of_the_project(net: Plugged) -> None:
    ports = await ids(net.server, "logical-switch-ports")
    question = {"source": ports["a1"], "destination": ports["b1"], "service": "tcp/5432"}
    assert (await net.ask(**question))["reachable"]
    await net.acl(f"pg:{PROJECT}/receivers", "to-lport", 100, "ip4")
    found = await net.ask(**question)
    assert found["proposal"]["sufficient"], found["text"]
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert operation["values"]["port_group"] == "acme/receivers"
    await net.call("POST", "/transactions", found["proposal"]["transaction"])
    assert (await net.ask(**question))["reachable"]


async def test_what_is_disabled_in_the_project_is_to_be_enabled_there(net: Plugged) -> None:
    ports = await ids(net.server, "logical-switch-ports")
    await net.change(f"/logical-switch-ports/{ports['b1']}", enabled=False)
    found = await net.ask(source=ports["a1"], destination=ports["b1"])
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert (operation["ref"], operation["values"]) == ("acme/b1", {"enabled": True})


async def test_an_address_of_the_subnet_of_the_projects_switch(net: Plugged) -> None:
    ports = await ids(net.server, "logical-switch-ports")
    await net.change(f"/logical-switch-ports/{ports['b1']}", addresses=["0a:00:00:00:02:01"])
    await net.call("DELETE", "/logical-switch-ports/b1")
    await net.call("DELETE", "/logical-switch-ports/b-r1")
    await net.call("DELETE", "/logical-switches/b")
    found = await net.ask(source=ports["a1"], destination=ports["b1"])
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert operation["ref"] == "acme/b1"
    assert operation["values"] == {"addresses": ["0a:00:00:00:02:01 dynamic"]}
