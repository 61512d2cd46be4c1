"""What a trace says of a proposed change is what it says once the change is made.

Edits of the demo's network follow one another; each is proposed first, then applied and
translated. Where the change is refused, it is refused both times for the same reason.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from northbound.database import Database
from tests.unit.api.conftest import Server, database, serve
from tests.unit.api.demo import apply_demo

__all__ = ["database"]

Draw = random.Random
Operation = dict[str, Any]

EDITS = 10
PACKETS = 5

VIFS = ("web-1", "web-2", "web-3", "operator", "db-1", "db-2", "cache", "backup", "new-1", "new-2")
GROUPS = ("webservers", "databases")
ADDRESSES = ("10.20.1.11", "10.20.1.20", "10.20.2.12", "10.20.1.1", "10.20.2.99", "192.0.2.7")
MATCHES = (
    "outport == @databases && tcp",
    "outport == @databases && ip4.src == $operators",
    "inport == @webservers && udp",
    "outport == @webservers && ip",
    "ip4.src == 10.20.1.11",
    "ip4.src == $nobody",
    "tcp.dst === 1",
)


def acl(draw: Draw) -> Operation:
    values = {
        "port_group": draw.choice(GROUPS),
        "name": f"acl-{draw.randrange(10**6)}",
        "direction": draw.choice(("from-lport", "to-lport")),
        "tier": draw.randrange(2),
        # Priorities of their own: which of two equal ones wins is nobody's promise.
        "priority": draw.randrange(2000, 30000),
        "match": draw.choice(MATCHES),
        "action": draw.choice(("allow", "allow-related", "drop", "reject", "pass")),
    }
    return {"action": "create", "kind": "acl", "values": values}


def port(draw: Draw) -> Operation:
    name = draw.choice(("new-1", "new-2"))
    switch = draw.choice(("web", "data"))
    addresses = draw.choice(
        (["0a:00:00:99:00:02 dynamic"], ["unknown"], ["0a:00:00:99:00:01 10.20.1.99"])
    )
    values = {"name": name, "logical_switch": switch, "addresses": addresses}
    return {"action": "create", "kind": "logical_switch_port", "values": values}


def port_change(draw: Draw) -> Operation:
    values = draw.choice(
        (
            {"enabled": False},
            {"enabled": True},
            {"port_security": ["0a:00:00:20:01:11 10.20.1.11"]},
            {"addresses": ["0a:00:00:20:09:09 10.20.2.99"]},
        )
    )
    return updated("logical_switch_port", draw.choice(VIFS), values)


def port_removal(draw: Draw) -> Operation:
    return deleted("logical_switch_port", draw.choice(VIFS))


def membership(draw: Draw) -> Operation:
    return updated("port_group", draw.choice(GROUPS), {"ports": draw.sample(VIFS, 3)})


def addresses(draw: Draw) -> Operation:
    return updated("address_set", "operators", {"addresses": draw.sample(ADDRESSES, 2)})


def route(draw: Draw) -> Operation:
    values = {
        "logical_router": "core",
        "ip_prefix": draw.choice(("192.0.2.0/24", "0.0.0.0/0", "10.20.2.0/25")),
        "nexthop": draw.choice(("10.20.2.12", "10.20.1.20", "discard", "203.0.113.1")),
    }
    return {"action": "create", "kind": "static_route", "values": values}


def router(draw: Draw) -> Operation:
    return updated("logical_router", "core", {"enabled": draw.random() < 0.7})


def router_port(draw: Draw) -> Operation:
    networks = draw.choice((["10.20.1.1/24"], ["10.20.1.254/24", "fd20:1::1/64"], ["10.20.0.1/16"]))
    return updated("logical_router_port", "core-to-web", {"networks": networks})


def attachment(draw: Draw) -> Operation:
    if draw.random() < 0.5:
        return deleted("logical_switch_port", "data-to-core")
    values = {
        "name": "data-to-core",
        "logical_switch": "data",
        "type": "router",
        "router_port": "core-to-data",
    }
    return {"action": "create", "kind": "logical_switch_port", "values": values}


def updated(kind: str, ref: str, values: dict[str, Any]) -> Operation:
    return {"action": "update", "kind": kind, "ref": ref, "values": values}


def deleted(kind: str, ref: str) -> Operation:
    return {"action": "delete", "kind": kind, "ref": ref}


OPERATIONS: tuple[Callable[[Draw], Operation], ...] = (
    acl,
    acl,
    acl,
    port,
    port_change,
    port_removal,
    membership,
    addresses,
    route,
    router,
    router_port,
    attachment,
)


def packet(draw: Draw) -> dict[str, Any]:
    source, destination = draw.choice(VIFS), draw.choice((*VIFS, *ADDRESSES))
    words = draw.choice(("icmp {} -> {}", "tcp {} -> {}:22", "udp {} -> {}:53", "arp {} -> {}"))
    connection = draw.choice(("new", "new", "both", "reply"))
    return {"packet": words.format(source, destination), "connection": connection}


def essence(document: Any) -> Any:
    """A trace without what a change that is not made can't know: numbers, revisions, ids."""
    unknown = ("group", "revision", "author", "proposed", "id", "type", "instance", "pointer")
    if isinstance(document, dict):
        kept = {name: value for name, value in document.items() if name not in unknown}
        if "text" in kept:
            kept["text"] = kept["text"].partition(", last changed")[0].partition(", as proposed")[0]
        return {name: essence(value) for name, value in kept.items()}
    return [essence(each) for each in document] if isinstance(document, list) else document


async def compare(server: Server, draw: Draw) -> int:
    """Propose an edit, make it, and compare; returns how many packets were walked."""
    operations = [draw.choice(OPERATIONS)(draw) for _ in range(draw.randrange(1, 4))]
    change = {"operations": operations}
    packets = [packet(draw) for _ in range(PACKETS)]
    expected = [
        await server.client.post("/v1/trace", json={**each, "with": change}) for each in packets
    ]
    made = await server.client.post("/v1/transactions", json=change)
    if made.status_code != 200:
        for response in expected:
            assert response.status_code == made.status_code
            problem = response.json()
            pointers = [each.get("pointer") for each in problem.get("errors", ())]
            wanted = [each.get("pointer") for each in made.json().get("errors", ())]
            assert problem["type"] == made.json()["type"]
            assert pointers == [each.replace("#", "#/with", 1) for each in wanted]
        return 0
    await server.translate()
    walked = 0
    for each, response in zip(packets, expected, strict=True):
        found = await server.client.post("/v1/trace", json=each)
        assert response.status_code == found.status_code
        assert essence(response.json()) == essence(found.json()), (operations, each)
        walked += found.status_code == 200
    return walked


@pytest.mark.parametrize("seed", range(12))
async def test_what_would_be_is_what_will_be(database: Database, seed: int) -> None:
    draw = Draw(seed)
    async with serve(database) as server:
        await apply_demo(server)
        walked = sum([await compare(server, draw) for _ in range(EDITS)])
        assert walked > 0
        assert await server.translator.differences() == []
